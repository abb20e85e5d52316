//! Whether the parts of the vehicle cloud answer, and accept the application: what an operator wants to know
//! before the first car. Nothing waits for it, because each request to the cloud says how it failed.

use std::sync::Arc;

use super::connector;
use crate::clock::SystemClock;
use crate::config::{ApiVersions, Config, Origin, Origins};
use crate::connector::{Access, ConnectorError, VehicleConnector};
use crate::domain::fault::Fault;

/// No code, token, person or car of any cloud.
const NOBODY: &str = "keylend-doctor";

/// What is wrong with the vehicle cloud, as sentences that say what to do; nothing if it can be used. Each
/// part that is used is asked something that it refuses or finds empty, if it understands the question.
pub async fn examine(config: &Config) -> Vec<String> {
    let cloud = match connector(config, Arc::new(SystemClock::start())) {
        Ok(cloud) => cloud,
        Err(error) => return vec![format!("the settings of the vehicle cloud: {error}")],
    };
    let Origins { api, api_v3, auth, iam, .. } = &config.smartcar.origins;
    let mut wrong = Vec::new();
    if let Err(error) = cloud.exchange_code(NOBODY, "http://localhost/").await
        && error.fault != Fault::ConsentLost
    {
        wrong.push(told(&[auth], "KEYLEND_SMARTCAR_CLIENT_ID and …_SECRET", &error));
    }
    let asked = match config.smartcar.api_versions {
        ApiVersions::V3First | ApiVersions::V3Only => {
            let access = Access::Application { user_id: NOBODY.to_owned() };
            let listed = cloud.consented_vehicles(&access, NOBODY, "live").await;
            (vec![iam, api_v3], "KEYLEND_SMARTCAR_V3_CLIENT_ID and …_SECRET", listed.map(drop))
        }
        ApiVersions::V2Only => {
            let access = Access::OwnerToken(NOBODY.into());
            let listed = cloud.permissions(&access, NOBODY).await;
            (vec![api], "KEYLEND_SMARTCAR_CLIENT_ID and …_SECRET", listed.map(drop))
        }
    };
    if let (origins, credentials, Err(error)) = asked
        && !is_understood(error.fault)
    {
        wrong.push(told(&origins, credentials, &error));
    }
    wrong.dedup();
    wrong
}

/// Whether a cloud that says this has understood who asked, and for what.
const fn is_understood(fault: Fault) -> bool {
    match fault {
        Fault::Authentication
        | Fault::ConsentLost
        | Fault::Permission
        | Fault::Account
        | Fault::VehicleState
        | Fault::NotCapable
        | Fault::RateLimited => true,
        Fault::Unavailable
        | Fault::TimedOut
        | Fault::Garbled
        | Fault::Upstream
        | Fault::Rejected
        | Fault::Billing => false,
    }
}

/// What happened, and what to do.
fn told(origins: &[&Origin], credentials: &str, error: &ConnectorError) -> String {
    let mut names: Vec<&str> = origins.iter().map(|origin| origin.as_str()).collect();
    names.dedup();
    let (place, detail) = (names.join(" or "), &error.detail);
    match error.fault {
        // A code is what its token endpoint says; without one it may be anybody's page.
        Fault::Rejected if error.provider_code.is_some() => format!(
            "the vehicle cloud at {place} refuses the application ({detail}): correct {credentials}"
        ),
        Fault::Billing => format!(
            "the vehicle cloud at {place} does not serve this application ({detail}): look at its plan"
        ),
        Fault::Unavailable | Fault::TimedOut => format!(
            "the vehicle cloud at {place} cannot be reached ({detail}): {}",
            remedy(origins)
        ),
        _ => format!(
            "the vehicle cloud at {place} gives no answer that can be understood ({detail}): {}",
            remedy(origins)
        ),
    }
}

/// What to do about a cloud that does not answer as one.
fn remedy(origins: &[&Origin]) -> &'static str {
    let Origins { api, api_v3, auth, iam, .. } = Origins::of_smartcar();
    let is_smartcar = |origin: &&Origin| [&api, &api_v3, &auth, &iam].contains(origin);
    if origins.iter().all(is_smartcar) {
        "look at this host's way to the internet, and at Smartcar's status page"
    } else {
        "start the simulator, or correct KEYLEND_SIMULATOR_URL or KEYLEND_SMARTCAR_…_ORIGIN"
    }
}
