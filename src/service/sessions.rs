//! People signing in, staying signed in, and signing out.

mod create;
mod end;
mod refresh;

use std::time::Duration;

use secrecy::SecretString;

use super::{Base, Caller, Error};
use crate::domain::actor::{Actor, Principal};
use crate::domain::id::{OrganizationId, SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user::Role;
use crate::signing::secret::{RandomSecret, SecretPrefix};
use crate::signing::session_token::{self, SessionClaims, Subject};
use crate::storage::{Tx, sessions};

pub use create::{SignIn, create};
pub use end::end;
pub use refresh::refresh;

/// After this a person signs in again, however often the session was refreshed.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a person's app gets.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The session.
    pub session_id: SessionId,
    /// For the `Authorization` header.
    pub access_token: SecretString,
    /// How long the access token lives.
    pub expires_in: Duration,
    /// Usable once.
    pub refresh_token: SecretString,
}

/// The person a session belongs to.
#[derive(Debug, Clone, Copy)]
struct Owner {
    organization_id: OrganizationId,
    user_id: UserId,
    role: Role,
}

impl Owner {
    fn caller(self, request_id: Option<String>) -> Caller {
        let principal = Principal::User { user_id: self.user_id, role: self.role };
        Caller { actor: Actor { organization_id: self.organization_id, principal }, request_id }
    }
}

/// Makes the next pair of tokens of a session and keeps the refresh token's hash.
async fn issue(
    base: &Base,
    tx: &mut Tx,
    session_id: SessionId,
    owner: Owner,
    now: Timestamp,
) -> Result<Tokens, Error> {
    let claims = SessionClaims {
        organization_id: owner.organization_id,
        subject: Subject::User { user_id: owner.user_id, session_id },
        token_id: base.entropy.id(now)?,
        issued_at: now,
    };
    let access_token = session_token::mint(&base.keys(), &base.settings.public_url, &claims)
        .map_err(|error| Error::Internal(error.to_string()))?;
    let refresh_token = RandomSecret::generate(SecretPrefix::Refresh, &*base.entropy)?;
    let family = (owner.organization_id, session_id);
    sessions::insert_refresh_token(tx, refresh_token.hash(), family, now).await?;
    Ok(Tokens {
        session_id,
        access_token: access_token.into(),
        expires_in: session_token::LIFETIME,
        refresh_token: refresh_token.expose().to_owned().into(),
    })
}
