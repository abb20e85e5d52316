//! Where Smartcar is and who we are to it, and which such settings cannot be right.
//!
//! It does not know where an operator writes them down.

use std::time::Duration;

use secrecy::SecretString;

/// Where Smartcar is and who we are to it.
#[derive(Debug, Clone)]
pub struct SmartcarSettings {
    /// The application's id, from Smartcar's dashboard.
    pub client_id: String,
    /// The application's secret, from Smartcar's dashboard.
    pub client_secret: SecretString,
    /// The vehicle API's origin, such as `https://api.smartcar.com`.
    pub api_origin: String,
    /// The origin of vehicle API v3, such as `https://vehicle.api.smartcar.com`.
    pub api_v3_origin: String,
    /// The origin of the application's tokens, such as `https://iam.smartcar.com`.
    pub iam_origin: String,
    /// The id for API v3, which is not the one of the consent page.
    pub v3_client_id: String,
    /// The secret for API v3.
    pub v3_client_secret: SecretString,
    /// The token endpoint's origin, such as `https://auth.smartcar.com`.
    pub auth_origin: String,
    /// The origin owners are sent to, such as `https://connect.smartcar.com`.
    pub connect_origin: String,
    /// The longest time for one exchange, from connecting to the last byte.
    pub timeout: Duration,
}

impl SmartcarSettings {
    /// The time limit unless an operator chooses another.
    pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// Not `http://host[:port]` or `https://host[:port]`; names the setting.
    #[error("{0} must be an origin such as https://api.example.com, without path, user or query")]
    Origin(&'static str),
    /// The id or secret is empty, too long, or has characters that HTTP cannot carry.
    #[error("the client id or the client secret is empty or has characters that cannot be sent")]
    Credentials,
    /// A time limit of zero, or of more than ten minutes.
    #[error("the time limit must be more than zero and at most ten minutes")]
    Timeout,
    /// The HTTP client cannot be built; the machine may lack root certificates.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[source] rustls::Error),
}

/// `scheme://host[:port]` without a slash at its end.
pub(super) fn origin(setting: &'static str, text: &str) -> Result<String, InvalidSettings> {
    let url = url::Url::parse(text).map_err(|_| InvalidSettings::Origin(setting))?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if plain {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(InvalidSettings::Origin(setting))
    }
}
