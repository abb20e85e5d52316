//! Session tokens: short-lived access tokens of users and API clients, a profile of RFC 9068
//! (EdDSA only, so not the RS256 that RFC requires of everyone). Knows no session's row.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::actor::Scope;
use crate::domain::id::{ApiClientId, OrganizationId, SessionId, TokenId, UserId};
use crate::domain::time::Timestamp;
use crate::signing::error::{SigningError, TokenError};
use crate::signing::issuers::Issuers;
use crate::signing::keyring::Keyring;
use crate::signing::{jws, numeric_date};

/// The type of these tokens in their header (RFC 9068 section 2.1).
pub const TYP: &str = "at+jwt";
/// How long a token lives after the whole second in which it was issued.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// `client_id` of users, who sign in at the service itself; an API client has its own id there.
pub const USER_CLIENT_ID: &str = "keylend";

/// Whom a session token is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A signed-in person.
    User {
        /// The person (`sub`).
        user_id: UserId,
        /// The session this token belongs to (`session_id`); when it ends, so does the token.
        session_id: SessionId,
    },
    /// An API client.
    ApiClient {
        /// Identifies the API client (`sub`, `client_id`).
        api_client_id: ApiClientId,
        /// What it could do when the token was issued (`scope`); its row decides.
        scopes: Vec<Scope>,
    },
}

/// The claims of a session token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionClaims {
    /// The organization of the subject (`organization_id`).
    pub organization_id: OrganizationId,
    /// The user or API client that the token authenticates.
    pub subject: Subject,
    /// Identifies the token (`jti`); UUIDv7.
    pub token_id: TokenId,
    /// When it was issued (`iat`); rounded down to a whole second in the token.
    pub issued_at: Timestamp,
}

/// The claims on the wire, in the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSession<'a> {
    iss: Cow<'a, str>,
    aud: Cow<'a, str>,
    sub: Cow<'a, str>,
    client_id: Cow<'a, str>,
    jti: TokenId,
    iat: i64,
    exp: i64,
    organization_id: OrganizationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// Claims that stood in a valid token. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSessionToken {
    claims: SessionClaims,
    expires_at: Timestamp,
}

impl VerifiedSessionToken {
    /// What the token says, its time of issue in whole seconds.
    #[must_use]
    pub const fn claims(&self) -> &SessionClaims {
        &self.claims
    }

    /// The first moment in which it is no longer valid (`exp`).
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Mints a token with the active session key, valid for [`LIFETIME`].
///
/// `issuer` is the public base URL of this service, and also the audience.
///
/// # Errors
/// [`SigningError::TimeOutOfRange`], [`SigningError::TooLong`], [`SigningError::Refused`].
pub fn mint(
    keyring: &Keyring,
    issuer: &str,
    claims: &SessionClaims,
) -> Result<String, SigningError> {
    let (sub, client_id, session_id, scope) = match &claims.subject {
        Subject::User { user_id, session_id } => {
            (user_id.to_string(), USER_CLIENT_ID.to_owned(), Some(*session_id), None)
        }
        Subject::ApiClient { api_client_id, scopes } => {
            (api_client_id.to_string(), api_client_id.to_string(), None, join(scopes))
        }
    };
    let wire = WireSession {
        iss: issuer.into(),
        aud: issuer.into(),
        sub: sub.into(),
        client_id: client_id.into(),
        jti: claims.token_id,
        iat: numeric_date::floor(claims.issued_at)?,
        exp: numeric_date::floor(claims.issued_at.plus(LIFETIME))?,
        organization_id: claims.organization_id,
        session_id,
        scope,
    };
    jws::sign(keyring.sessions().active(), TYP, &wire)
}

/// Verifies a token as [`grant_token::verify`](crate::signing::grant_token::verify) does, with
/// the keys and the type of session tokens. It is valid before `exp`, without leeway; `iat` is
/// not compared with `now`, so that the clocks of two servers may differ by a second.
///
/// # Errors
/// [`TokenError::Invalid`], [`TokenError::Expired`].
pub fn verify(
    keyring: &Keyring,
    issuers: &Issuers,
    token: &str,
    now: Timestamp,
) -> Result<VerifiedSessionToken, TokenError> {
    let (wire, key): (WireSession<'static>, _) = jws::verify(keyring.sessions(), TYP, token)?;
    if !issuers.accept(&wire.iss) {
        return Err(TokenError::Invalid("iss is not this service"));
    }
    // A token is issued and verified by the same service.
    if wire.aud != wire.iss {
        return Err(TokenError::Invalid("aud is not this service"));
    }
    let subject = subject(&wire)?;
    let issued_at = numeric_date::read(wire.iat)?;
    if !key.may_have_signed(issued_at) {
        return Err(TokenError::Invalid("its key was retired before"));
    }
    let expires_at = numeric_date::read(wire.exp)?;
    if now >= expires_at {
        return Err(TokenError::Expired);
    }
    Ok(VerifiedSessionToken {
        claims: SessionClaims {
            organization_id: wire.organization_id,
            subject,
            token_id: wire.jti,
            issued_at,
        },
        expires_at,
    })
}

/// Scopes in the form of RFC 6749 section 3.3, which knows no empty list.
fn join(scopes: &[Scope]) -> Option<String> {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn subject(wire: &WireSession<'_>) -> Result<Subject, TokenError> {
    let invalid = TokenError::Invalid("sub, client_id, session_id and scope do not fit together");
    if let Some(session_id) = wire.session_id {
        let user_id = wire.sub.parse().map_err(|_| invalid)?;
        if wire.client_id != USER_CLIENT_ID || wire.scope.is_some() {
            return Err(invalid);
        }
        return Ok(Subject::User { user_id, session_id });
    }
    let api_client_id = wire.sub.parse().map_err(|_| invalid)?;
    if wire.client_id != wire.sub {
        return Err(invalid);
    }
    let scopes = match &wire.scope {
        None => Vec::new(),
        Some(scope) => {
            scope.split(' ').map(str::parse).collect::<Result<_, _>>().map_err(|_| invalid)?
        }
    };
    Ok(Subject::ApiClient { api_client_id, scopes })
}
