//! The account with Smartcar: who we are to it, where its parts are, and which versions of its API
//! are spoken.

use std::time::Duration;

use secrecy::SecretString;

use super::Origin;
use crate::domain::connection::ApiVersion;

/// The account with Smartcar, or a simulator of it.
#[derive(Debug, Clone)]
pub struct Smartcar {
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: SecretString,
    /// Where its parts are.
    pub origins: Origins,
    /// One call takes at most so long.
    pub timeout: Duration,
    /// Which versions of its API are spoken.
    pub api_versions: ApiVersions,
    /// For API v3, where it has credentials of its own.
    pub v3_credentials: Option<Credentials>,
    /// The secret of its webhooks; without it none are taken.
    pub management_token: Option<SecretString>,
}

/// An id and a secret of the application.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id.
    pub client_id: String,
    /// The secret.
    pub client_secret: SecretString,
}

/// Where the parts of Smartcar are (protocol page, section 1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins {
    /// Vehicles, API version 2.0.
    pub api: Origin,
    /// Vehicles, API version 3.
    pub api_v3: Origin,
    /// Tokens of owners.
    pub auth: Origin,
    /// Tokens of the application.
    pub iam: Origin,
    /// The consent page.
    pub connect: Origin,
}

impl Origins {
    /// One server that plays all parts.
    #[must_use]
    pub fn all_at(origin: &Origin) -> Self {
        Self {
            api: origin.clone(),
            api_v3: origin.clone(),
            auth: origin.clone(),
            iam: origin.clone(),
            connect: origin.clone(),
        }
    }

    /// Smartcar's own.
    #[must_use]
    pub fn of_smartcar() -> Self {
        let https = |host: &str| Origin(format!("https://{host}"));
        Self {
            api: https("api.smartcar.com"),
            api_v3: https("vehicle.api.smartcar.com"),
            auth: https("auth.smartcar.com"),
            iam: https("iam.smartcar.com"),
            connect: https("connect.smartcar.com"),
        }
    }
}

/// Which versions of Smartcar's API are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiVersions {
    /// v3 where a consent allows it, otherwise v2.0.
    V3First,
    /// v3 alone.
    V3Only,
    /// v2.0 alone.
    V2Only,
}

impl ApiVersions {
    /// The one that a new consent is meant for.
    #[must_use]
    pub const fn preferred(self) -> ApiVersion {
        match self {
            Self::V3First | Self::V3Only => ApiVersion::V3,
            Self::V2Only => ApiVersion::V2,
        }
    }
}
