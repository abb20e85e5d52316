//! Sessions of people.

pub(in crate::http) mod create;
pub(in crate::http) mod end;
pub(in crate::http) mod refresh;

use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::SessionId;
use crate::service::sessions::Tokens;

/// The tokens of a session.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct SessionBody {
    /// The session.
    #[schema(example = "ses_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    session_id: SessionId,
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// How long the access token lives, in seconds.
    expires_in: u64,
    /// Usable once, at `POST /v1/sessions/refresh`.
    refresh_token: String,
}

impl From<Tokens> for SessionBody {
    fn from(tokens: Tokens) -> Self {
        Self {
            session_id: tokens.session_id,
            access_token: tokens.access_token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: tokens.expires_in.as_secs(),
            refresh_token: tokens.refresh_token.expose_secret().to_owned(),
        }
    }
}
