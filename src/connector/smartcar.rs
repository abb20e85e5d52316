//! Smartcar's API v2.0 over HTTP: the one implementation of [`VehicleConnector`].
//!
//! It knows Smartcar's paths and bodies and what its answers prove. It knows nothing of grants,
//! stored tokens or retries: every call is one attempt, and the caller decides what follows.

use std::time::Duration;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::transport::{Answer, Transport};
use super::{
    Acknowledgement, Attributes, AuthorizeRequest, ConnectorError, Fault, Happened, LockStatus,
    TokenPair, VehicleConnector,
};
use crate::domain::command::Action;

mod classify;
mod oauth;
mod reads;
mod settings;

pub use settings::{InvalidSettings, SmartcarSettings};

/// The only value of `Content-Type` sent to the vehicle API.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The longest vehicle id that is put into a path.
const VEHICLE_ID_BYTES_MAX: usize = 64;

/// Smartcar, reached over HTTP.
#[derive(Debug, Clone)]
pub struct Smartcar {
    transport: Transport,
    timeout: Duration,
    /// `{api_origin}/v2.0/vehicles`.
    vehicles_url: String,
    oauth: oauth::Oauth,
}

impl Smartcar {
    /// Prepares connections; nothing is sent yet. Origins may end with a slash.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`] tells which setting cannot be used.
    pub fn new(settings: SmartcarSettings) -> Result<Self, InvalidSettings> {
        const TIMEOUT_MAX: Duration = Duration::from_secs(600);
        if settings.timeout.is_zero() || settings.timeout > TIMEOUT_MAX {
            return Err(InvalidSettings::Timeout);
        }
        let api_origin = settings::origin("api_origin", &settings.api_origin)?;
        Ok(Self {
            transport: Transport::new(settings.timeout).map_err(InvalidSettings::Client)?,
            timeout: settings.timeout,
            vehicles_url: format!("{api_origin}/v2.0/vehicles"),
            oauth: oauth::Oauth::new(
                settings.client_id,
                &settings.client_secret,
                &settings::origin("auth_origin", &settings.auth_origin)?,
                &settings::origin("connect_origin", &settings.connect_origin)?,
            )?,
        })
    }

    /// `{vehicles_url}/{vehicle}{path}`, if the id cannot change what the address means.
    fn vehicle_url(&self, vehicle: &str, path: &str) -> Result<String, ConnectorError> {
        if !is_vehicle_id(vehicle) {
            return Err(ConnectorError::bare(
                Happened::NotSent,
                Fault::Garbled,
                "a vehicle id that cannot be put into an address",
            ));
        }
        Ok([&self.vehicles_url, "/", vehicle, path].concat())
    }

    /// Holds a call of several exchanges to the time limit of one.
    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, ConnectorError>>,
    ) -> Result<T, ConnectorError> {
        tokio::time::timeout(self.timeout, call).await.unwrap_or_else(|_| {
            Err(ConnectorError::bare(
                Happened::Maybe,
                Fault::TimedOut,
                "a list was not read to its end in time",
            ))
        })
    }

    /// Reads from the vehicle API; anything but 200 is an error.
    async fn get(&self, access_token: &SecretString, url: &str) -> Result<Answer, ConnectorError> {
        let request =
            self.transport.request(Method::GET, url).header(AUTHORIZATION, bearer(access_token)?);
        api_answer(self.transport.exchange(request).await?)
    }
}

#[async_trait]
impl VehicleConnector for Smartcar {
    fn authorize_url(&self, request: &AuthorizeRequest) -> String {
        self.oauth.authorize_url(request)
    }

    async fn exchange_code(
        &self,
        code: &str,
        redirect_uri: &str,
    ) -> Result<TokenPair, ConnectorError> {
        self.oauth
            .token(
                &self.transport,
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("redirect_uri", redirect_uri),
                ],
            )
            .await
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, ConnectorError> {
        self.oauth
            .token(
                &self.transport,
                &[
                    ("grant_type", "refresh_token"),
                    ("refresh_token", refresh_token.expose_secret()),
                ],
            )
            .await
    }

    async fn vehicles(&self, access_token: &SecretString) -> Result<Vec<String>, ConnectorError> {
        self.in_time(reads::vehicles(self, access_token)).await
    }

    async fn attributes(
        &self,
        access_token: &SecretString,
        vehicle: &str,
    ) -> Result<Attributes, ConnectorError> {
        let url = self.vehicle_url(vehicle, "")?;
        reads::attributes(&self.get(access_token, &url).await?, vehicle)
    }

    async fn permissions(
        &self,
        access_token: &SecretString,
        vehicle: &str,
    ) -> Result<Vec<String>, ConnectorError> {
        let url = self.vehicle_url(vehicle, "/permissions")?;
        self.in_time(reads::permissions(self, access_token, &url)).await
    }

    async fn send(
        &self,
        access_token: &SecretString,
        vehicle: &str,
        action: Action,
    ) -> Result<Acknowledgement, ConnectorError> {
        let url = self.vehicle_url(vehicle, "/security")?;
        let body: &'static str = match action {
            Action::Lock => r#"{"action":"LOCK"}"#,
            Action::Unlock => r#"{"action":"UNLOCK"}"#,
        };
        let request = self
            .transport
            .request(Method::POST, &url)
            .header(AUTHORIZATION, bearer(access_token)?)
            .header(CONTENT_TYPE, JSON)
            .body(body);
        let answer = api_answer(self.transport.exchange(request).await?)?;
        reads::acknowledgement(&answer)
    }

    async fn lock_status(
        &self,
        access_token: &SecretString,
        vehicle: &str,
    ) -> Result<LockStatus, ConnectorError> {
        let url = self.vehicle_url(vehicle, "/security")?;
        reads::lock_status(&self.get(access_token, &url).await?)
    }
}

/// Lets only a 200 through.
fn api_answer(answer: Answer) -> Result<Answer, ConnectorError> {
    if answer.status == StatusCode::OK { Ok(answer) } else { Err(classify::api_error(&answer)) }
}

/// Decodes the body of a success.
fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T, ConnectorError> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        // The position only: the message of a decoder may quote a token.
        let detail = format!("undecodable at line {} column {}", error.line(), error.column());
        classify::garbled(answer, &detail)
    })
}

/// `Bearer {token}`, never printed.
fn bearer(access_token: &SecretString) -> Result<HeaderValue, ConnectorError> {
    let text = ["Bearer ", access_token.expose_secret()].concat();
    sensitive(text).ok_or_else(|| {
        ConnectorError::bare(
            Happened::NotSent,
            Fault::Authentication,
            "an access token that a header cannot carry",
        )
    })
}

/// A header value that debug output and HTTP/2 compression leave alone.
fn sensitive(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn is_vehicle_id(text: &str) -> bool {
    (1..=VEHICLE_ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod test_server;

#[cfg(test)]
#[path = "smartcar_test.rs"]
mod tests;
