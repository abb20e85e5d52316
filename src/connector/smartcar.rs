//! Smartcar over HTTP: the one implementation of [`VehicleConnector`]. The right by which a call
//! is made decides which version of the API is spoken: [`v2`] with the owner's token, [`v3`] with
//! the application's.
//!
//! It knows nothing of grants, stored tokens or retries: every call is one attempt, and the caller
//! decides what follows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::transport::{Answer, Transport};
use super::{
    Access, Acknowledgement, AuthorizeRequest, ConnectorError, ConsentedVehicle, Fault, Happened,
    ReauthenticateRequest, TokenPair, VehicleConnector,
};
use crate::clock::Clock;
use crate::domain::id::CommandId;
use crate::domain::instruction::{Action, Instruction};
use crate::domain::reading::{Observable, Reading};

mod bounds;
mod classify;
mod form;
mod guard;
mod oauth;
mod settings;
mod unambiguous;
mod v2;
mod v3;
mod values;

use guard::{Guard, Urgency};

pub use settings::{InvalidSettings, SmartcarSettings};
pub(crate) use v2::readings as v2_readings;
pub(crate) use v3::parts::{Kind, Said};
pub(super) use v3::parts::{Signals, Told};
pub(crate) use v3::readings as v3_readings;

/// The only value of `Content-Type` sent to the vehicle API.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Names a command in our own terms, so that the log of whoever passed it on and our record can be
/// held together. It is no credential, and Smartcar does not act on it.
const HEADER_COMMAND: HeaderName = HeaderName::from_static("x-request-id");

/// Smartcar, reached over HTTP.
#[derive(Clone)]
pub struct Smartcar {
    transport: Transport,
    timeout: Duration,
    v2: v2::V2,
    v2_guard: Guard,
    v3: v3::V3,
    v3_guard: Guard,
    oauth: oauth::Oauth,
}

impl Smartcar {
    /// Prepares connections; nothing is sent yet. Origins may end with a slash.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`] tells which setting cannot be used.
    pub fn new(settings: SmartcarSettings, clock: Arc<dyn Clock>) -> Result<Self, InvalidSettings> {
        const TIMEOUT_MAX: Duration = Duration::from_secs(600);
        if settings.timeout.is_zero() || settings.timeout > TIMEOUT_MAX {
            return Err(InvalidSettings::Timeout);
        }
        let api_origin = settings::origin("api_origin", &settings.api_origin)?;
        let api_v3_origin = settings::origin("api_v3_origin", &settings.api_v3_origin)?;
        let iam_origin = settings::origin("iam_origin", &settings.iam_origin)?;
        let credentials = v3::application_token::Credentials {
            client_id: settings.v3_client_id,
            client_secret: settings.v3_client_secret,
            token_url: format!("{iam_origin}/oauth2/token"),
        };
        let transport = Transport::new(settings.timeout).map_err(InvalidSettings::Client)?;
        Ok(Self {
            timeout: settings.timeout,
            v2_guard: Guard::new(Arc::clone(&clock)),
            v3_guard: Guard::new(Arc::clone(&clock)),
            v2: v2::V2::new(transport.clone(), &api_origin, Arc::clone(&clock)),
            v3: v3::V3::new(transport.clone(), &api_v3_origin, credentials, clock),
            oauth: oauth::Oauth::new(
                settings.client_id,
                &settings.client_secret,
                &settings::origin("auth_origin", &settings.auth_origin)?,
                &settings::origin("connect_origin", &settings.connect_origin)?,
            )?,
            transport,
        })
    }

    /// Holds a call of several exchanges to the time limit of one.
    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, ConnectorError>> + Send,
    ) -> Result<T, ConnectorError> {
        tokio::time::timeout(self.timeout, call).await.unwrap_or_else(|_| {
            Err(ConnectorError::bare(
                Happened::Maybe,
                Fault::TimedOut,
                "a list was not read to its end in time",
            ))
        })
    }
}

#[async_trait]
impl VehicleConnector for Smartcar {
    fn authorize_url(&self, request: &AuthorizeRequest) -> String {
        self.oauth.authorize_url(request)
    }

    fn reauthenticate_url(&self, request: &ReauthenticateRequest) -> String {
        self.oauth.reauthenticate_url(request)
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

    async fn user_id(&self, access_token: &SecretString) -> Result<String, ConnectorError> {
        self.v2.user_id(access_token).await
    }

    async fn consented_vehicles(
        &self,
        access: &Access,
        user: &str,
        mode: &'static str,
    ) -> Result<Vec<ConsentedVehicle>, ConnectorError> {
        match access {
            Access::OwnerToken(token) => self.in_time(self.v2.consented_vehicles(token)).await,
            Access::Application { user_id } => {
                self.in_time(self.v3.consented_vehicles(user_id, user, mode)).await
            }
        }
    }

    async fn permissions(
        &self,
        access: &Access,
        vehicle: &str,
    ) -> Result<Vec<String>, ConnectorError> {
        match access {
            Access::OwnerToken(token) => {
                let call = self.in_time(self.v2.permissions(token, vehicle));
                self.v2_guard.call(vehicle, Urgency::Usual, call).await
            }
            Access::Application { user_id } => {
                let call = self.in_time(self.v3.permissions(user_id, vehicle));
                self.v3_guard.call(vehicle, Urgency::Usual, call).await
            }
        }
    }

    async fn send(
        &self,
        access: &Access,
        vehicle: &str,
        instruction: &Instruction,
        command_id: CommandId,
        deadline: Duration,
    ) -> Result<Acknowledgement, ConnectorError> {
        let urgency = match instruction.action() {
            Action::Lock => Urgency::Always,
            _ => Urgency::Usual,
        };
        match access {
            Access::OwnerToken(token) => {
                let call = self.v2.send(token, vehicle, instruction, command_id);
                self.v2_guard.call(vehicle, urgency, call).await
            }
            Access::Application { user_id } => {
                let call = self.v3.send(user_id, vehicle, instruction, (command_id, deadline));
                self.v3_guard.call(vehicle, urgency, call).await
            }
        }
    }

    async fn read(
        &self,
        access: &Access,
        vehicle: &str,
        observable: Observable,
    ) -> Result<Reading, ConnectorError> {
        match access {
            Access::OwnerToken(token) => {
                let call = self.v2.read(token, vehicle, observable);
                self.v2_guard.call(vehicle, Urgency::Usual, call).await
            }
            Access::Application { user_id } => {
                let call = self.v3.read(user_id, vehicle, observable);
                self.v3_guard.call(vehicle, Urgency::Usual, call).await
            }
        }
    }

    async fn read_batch(
        &self,
        access: &Access,
        vehicle: &str,
        observables: &[Observable],
    ) -> Result<Vec<Result<Reading, ConnectorError>>, ConnectorError> {
        match access {
            Access::OwnerToken(token) => {
                let call = self.v2.read_batch(token, vehicle, observables);
                self.v2_guard.call(vehicle, Urgency::Usual, call).await
            }
            Access::Application { user_id } => {
                let call = self.v3.read_batch(user_id, vehicle, observables);
                self.v3_guard.call(vehicle, Urgency::Usual, call).await
            }
        }
    }

    async fn disconnect(&self, access: &Access, vehicle: &str) -> Result<(), ConnectorError> {
        match access {
            Access::OwnerToken(token) => self.v2.disconnect(token, vehicle).await,
            Access::Application { user_id } => {
                self.in_time(self.v3.disconnect(user_id, vehicle)).await
            }
        }
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

/// The name of a command as a header carries it.
fn named(command_id: CommandId) -> Result<HeaderValue, ConnectorError> {
    HeaderValue::from_str(&command_id.to_string()).map_err(|_| {
        ConnectorError::bare(Happened::NotSent, Fault::Rejected, "a name that is no header")
    })
}

/// A header value that debug output and HTTP/2 compression leave alone.
fn sensitive(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod test_server;

#[cfg(test)]
#[path = "smartcar_test.rs"]
mod tests;
