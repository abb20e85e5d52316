//! Settings: one tree of checked values. It does not know
//! where they come from, and secrets do not show themselves.

use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};

use crate::storage::Location;

mod log_name;
mod networks;
mod smartcar;
mod witnesses;

pub use log_name::{InvalidLogOrigin, LogName, LogOrigin};
pub use networks::{InvalidNetwork, Network, Networks};
pub use smartcar::{ApiVersions, Credentials, Origins, Smartcar};
pub use witnesses::{InvalidWitnessAddress, InvalidWitnesses, WitnessAddress, Witnesses};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// The address and port at which operators ask how the service is doing, if it is another one.
    pub operations_listen: Option<SocketAddr>,
    /// The URL at which clients reach the service.
    pub public_url: PublicUrl,
    /// URLs at which they reached it before: tokens that were issued there stay valid until they expire.
    pub earlier_public_urls: Vec<PublicUrl>,
    /// Who may say for which client a request is.
    pub trusted_proxies: Networks,
    /// Private networks in which webhook endpoints are allowed.
    pub webhook_networks: Networks,
    /// The database, and how many connections to it there may be.
    pub database: Database,
    /// The file with the signing and sealing keys.
    pub key_file: PathBuf,
    /// The vehicle cloud.
    pub smartcar: Smartcar,
    /// How the record is signed.
    pub record: Record,
    /// How much the service takes on.
    pub limits: Limits,
    /// How long commands and consents that are over are kept.
    pub kept: Duration,
}

/// How the record is signed.
#[derive(Debug, Clone)]
pub struct Record {
    /// The name of the log: the first line of its checkpoints, and the name of its key.
    pub name: LogName,
    /// The bearer token that allows reading the entries of every organization, for the operator's own
    /// copy of the record. Without one nobody can read them.
    pub reader_token: Option<SecretString>,
    /// The witnesses that cosign its checkpoints.
    pub witnesses: Witnesses,
}

/// The database.
#[derive(Debug, Clone)]
pub struct Database {
    /// The file or the server.
    pub location: Location,
    /// At most so many connections to a server.
    pub connections_max: u32,
}

/// How long commands and consents that are over are kept, unless something else is said.
pub const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How much the service takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// At most so many connections are open; more are closed unread.
    pub connections_max: usize,
    /// At most so many of them are one client's.
    pub connections_per_address_max: usize,
    /// So often one address may ask for what needs no credentials.
    pub visits_per_second: NonZeroU32,
    /// What one person, or one program for a person, asks for.
    pub caller_requests: Allowance,
    /// Uses of one grant by one person.
    pub grant_requests: Allowance,
    /// How long somebody who asks too often waits for the refusal.
    pub refusal_held_back: Duration,
    /// Requests about one car to the vehicle cloud.
    pub vehicle_requests: Allowance,
    /// Requests of the whole application to the vehicle cloud.
    pub application_requests: Allowance,
    /// At most so many commands wait for a decision; more are answered `overloaded`.
    pub commands_waiting_max: usize,
    /// So many grants get their end in one transaction, if all of a scope end.
    pub grants_per_step: NonZeroUsize,
    /// At most so many passwords are hashed at the same time; each takes 19 MiB and a core.
    pub password_hashes_max: NonZeroU8,
}

/// A number of requests that fills up with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The most at once.
    pub burst: u32,
    /// How many come back each minute.
    pub per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 16 * 1024,
            connections_per_address_max: 1024,
            visits_per_second: NonZeroU32::MIN.saturating_add(199),
            caller_requests: Allowance { burst: 300, per_minute: 120 },
            grant_requests: Allowance { burst: 60, per_minute: 60 },
            refusal_held_back: Duration::from_secs(1),
            vehicle_requests: Allowance { burst: 60, per_minute: 10 },
            application_requests: Allowance { burst: 100_000, per_minute: 100_000 },
            commands_waiting_max: 4096,
            // One in programs that tests run, so that an end of few grants takes several steps.
            grants_per_step: NonZeroUsize::MIN.saturating_add(if cfg!(feature = "failpoints") {
                0
            } else {
                15
            }),
            password_hashes_max: NonZeroU8::MIN.saturating_add(1),
        }
    }
}

/// How the process logs.
#[derive(Debug, Clone)]
pub struct Logging {
    /// Which spans and events, such as `info,keylend=debug`.
    pub filter: String,
    /// For people or for programs.
    pub format: LogFormat,
}

/// The form of what is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why a text is not the address of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// It is no web address.
    #[error("must be an http:// or https:// address, such as https://keys.example.org")]
    NotHttp,
    /// It holds what would be lost.
    #[error("must not hold a user, a query or a fragment")]
    TooMuch,
    /// It has a path where only a server is meant.
    #[error("must not hold a path")]
    Path,
}

/// Where clients reach the service: without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The address as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether others could read what is said there: it is not encrypted, and not on this machine.
    #[must_use]
    pub fn is_in_clear(&self) -> bool {
        let is_on_this_machine = |url: &Url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        !Url::parse(&self.0).is_ok_and(|url| url.scheme() == "https" || is_on_this_machine(&url))
    }

    /// The address of a path, which starts with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let url = parse_address(text)?;
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

/// A server of the vehicle cloud: scheme, host and port, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The origin as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let url = parse_address(text)?;
        if url.path() == "/" {
            Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
        } else {
            Err(InvalidAddress::Path)
        }
    }
}

fn parse_address(text: &str) -> Result<Url, InvalidAddress> {
    let url = Url::parse(text).map_err(|_| InvalidAddress::NotHttp)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(InvalidAddress::NotHttp);
    }
    let has_more = url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some();
    if has_more {
        return Err(InvalidAddress::TooMuch);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn addresses_are_checked_and_lose_their_last_slash() {
        let url: PublicUrl = "https://keys.example.org/lend/".parse().unwrap();
        assert_eq!(url.join("/v1/grants"), "https://keys.example.org/lend/v1/grants");
        let origin: Origin = "http://127.0.0.1:9000/".parse().unwrap();
        assert_eq!(origin.as_str(), "http://127.0.0.1:9000");
        let wrong = [
            ("keys.example.org", InvalidAddress::NotHttp),
            ("ftp://keys.example.org", InvalidAddress::NotHttp),
            ("https://me:secret@keys.example.org", InvalidAddress::TooMuch),
            ("https://keys.example.org/?a=b", InvalidAddress::TooMuch),
            ("https://keys.example.org/v2.0", InvalidAddress::Path),
        ];
        for (text, error) in wrong {
            assert_eq!(text.parse::<Origin>(), Err(error), "{text}");
        }
    }

    #[test]
    fn an_address_is_in_clear_unless_it_is_encrypted_or_on_this_machine() {
        for (text, is_in_clear) in [
            ("https://keys.example.org", false),
            ("http://localhost:8080", false),
            ("http://keys.localhost", false),
            ("http://127.8.0.1", false),
            ("http://[::1]:8080", false),
            ("http://keys.example.org", true),
            ("http://localhost.example.org", true),
            ("http://10.0.0.5:8080", true),
            ("http://[2001:db8::1]", true),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().is_in_clear(), is_in_clear, "{text}");
        }
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        let database = Database {
            location: "postgres://me:hunter2@db/keylend".parse().unwrap(),
            connections_max: 1,
        };
        let smartcar = Smartcar {
            client_id: "id".to_owned(),
            client_secret: "hunter2".into(),
            origins: Origins::all_at(&"http://localhost:1".parse().unwrap()),
            timeout: Duration::from_secs(1),
            api_versions: ApiVersions::V3First,
            v3_credentials: Some(Credentials {
                client_id: "client_1".to_owned(),
                client_secret: "hunter2".into(),
            }),
            management_token: Some("hunter2".into()),
        };
        let shown = format!("{database:?} {smartcar:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
