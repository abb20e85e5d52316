//! Access tokens of sessions and API clients: a profile of RFC 9068, with EdDSA in the place of
//! RS256 and without anything that a row could contradict (roles and scopes are read afresh).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::jws::{self, SigningError, TokenError};
use super::keyring::Keyring;
use crate::domain::id::{ApiClientId, OrganizationId, SessionId, TokenId, UserId};
use crate::domain::time::Timestamp;

/// The `typ` of an access token (RFC 9068 section 2.1).
pub const TYPE: &str = "at+jwt";
/// How long an access token lives.
pub const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// The `client_id` of sessions: the service's own sign-in.
const SESSION_CLIENT: &str = "keylend";

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A person, in one session.
    User {
        /// The person.
        user_id: UserId,
        /// The session.
        session_id: SessionId,
    },
    /// A machine.
    ApiClient {
        /// The machine.
        api_client_id: ApiClientId,
    },
}

/// What an access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionClaims {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Whose token it is.
    pub subject: Subject,
    /// The token's own name (`jti`).
    pub token_id: TokenId,
    /// When it was signed (`iat`, whole seconds); it expires [`LIFETIME`] later.
    pub issued_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    iss: String,
    aud: String,
    sub: String,
    client_id: String,
    iat: i64,
    exp: i64,
    jti: TokenId,
    organization_id: OrganizationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
}

/// Signs an access token. `issuer` is the service's public address.
///
/// # Errors
/// [`SigningError`] if the key cannot sign.
pub fn mint(
    keyring: &Keyring,
    issuer: &str,
    claims: &SessionClaims,
) -> Result<String, SigningError> {
    let (sub, client_id, session_id) = match claims.subject {
        Subject::User { user_id, session_id } => {
            (user_id.to_string(), SESSION_CLIENT.to_owned(), Some(session_id))
        }
        Subject::ApiClient { api_client_id } => {
            (api_client_id.to_string(), api_client_id.to_string(), None)
        }
    };
    let issued_at = claims.issued_at;
    let wire = Wire {
        iss: issuer.to_owned(),
        aud: issuer.to_owned(),
        sub,
        client_id,
        iat: issued_at.as_unix_seconds(),
        exp: issued_at.plus(LIFETIME).as_unix_seconds(),
        jti: claims.token_id,
        organization_id: claims.organization_id,
        session_id,
    };
    jws::sign(&keyring.sessions, TYPE, &wire)
}

/// Checks an access token at the time `now`. Whether its session or client still exists is for
/// the rows to say.
///
/// # Errors
/// [`TokenError`] says whether it is not ours, not any more, or not yet.
pub fn verify(
    keyring: &Keyring,
    issuer: &str,
    token: &str,
    now: Timestamp,
) -> Result<SessionClaims, TokenError> {
    let wire: Wire = jws::verify(&keyring.sessions, TYPE, token)?;
    if wire.iss != issuer || wire.aud != issuer {
        return Err(TokenError::Invalid("issuer or audience"));
    }
    jws::check_times(wire.iat, wire.exp, now)?;
    let invalid = |_| TokenError::Invalid("subject");
    let subject = match wire.session_id {
        Some(session_id) if wire.client_id == SESSION_CLIENT => {
            Subject::User { user_id: wire.sub.parse().map_err(invalid)?, session_id }
        }
        None if wire.client_id == wire.sub => {
            Subject::ApiClient { api_client_id: wire.sub.parse().map_err(invalid)? }
        }
        _ => return Err(TokenError::Invalid("subject")),
    };
    Ok(SessionClaims {
        organization_id: wire.organization_id,
        subject,
        token_id: wire.jti,
        issued_at: jws::time(wire.iat)?,
    })
}
