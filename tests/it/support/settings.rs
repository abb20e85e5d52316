//! The settings of a service under test.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use keylend::config::{
    Allowance, ApiVersions, Config, Database, KEPT, Limits, LogName, Networks, Origin, Origins,
    Record, Smartcar, Witnesses,
};
use keylend::storage::Location;
use secrecy::SecretString;

use super::record;

/// What the connector waits for an answer.
pub(crate) const CONNECTOR_TIMEOUT: Duration = Duration::from_secs(5);

/// More than any story asks for.
const PLENTY: Allowance = Allowance { burst: 100_000, per_minute: 100_000 };

/// A service on this database, with these keys, in front of this cloud.
pub(crate) fn standard(location: Location, key_file: PathBuf, cloud_url: &str) -> Config {
    let simulator: Origin = cloud_url.parse().unwrap();
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        operations_listen: None,
        public_url: "http://keylend.test".parse().unwrap(),
        earlier_public_urls: Vec::new(),
        trusted_proxies: Networks::default(),
        // The endpoints of stories are on this machine.
        webhook_networks: vec!["127.0.0.1".parse().unwrap()].into(),
        database: Database { location, connections_max: 8 },
        key_file,
        record: Record {
            name: LogName::Set(record::ORIGIN.parse().unwrap()),
            reader_token: Some("the-reader-token".into()),
            witnesses: Witnesses::default(),
        },
        smartcar: Smartcar {
            client_id: "test".to_owned(),
            client_secret: SecretString::from("test"),
            origins: Origins::all_at(&simulator),
            timeout: CONNECTOR_TIMEOUT,
            api_versions: ApiVersions::V3First,
            v3_credentials: None,
            management_token: Some("simulated-token-of-webhooks".into()),
        },
        kept: KEPT,
        limits: Limits {
            // All people of a story come from one address.
            visits_per_second: NonZeroU32::new(100_000).unwrap(),
            caller_requests: PLENTY,
            grant_requests: PLENTY,
            refusal_held_back: Duration::ZERO,
            vehicle_requests: PLENTY,
            ..Limits::default()
        },
    }
}
