//! People signing in, staying signed in, and signing out.

mod create;
mod end;
mod list;
mod refresh;

use std::net::IpAddr;
use std::time::Duration;

use secrecy::SecretString;

use super::{Base, Caller, Error, PersonalContext, Work};
use crate::domain::actor::{Actor, Principal};
use crate::domain::event::Event;
use crate::domain::id::{OrganizationId, SessionId, UserId};
use crate::domain::session::LIFETIME;
use crate::domain::time::Timestamp;
use crate::domain::user::{Role, User};
use crate::signing::secret::{RandomSecret, SecretPrefix};
use crate::signing::session_token::{self, SessionClaims, Subject};
use crate::storage::{Tx, sessions};

pub(in crate::service) use end::end_others;

pub use create::{SignIn, create};
pub use end::{end, end_one};
pub use list::list;
pub use refresh::refresh;

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
    const fn of(user: &User) -> Self {
        let &User { organization_id, user_id, role, .. } = user;
        Self { organization_id, user_id, role }
    }

    fn caller(self, request_id: Option<String>) -> Caller {
        let principal = Principal::User { user_id: self.user_id, role: self.role };
        Caller { actor: Actor { organization_id: self.organization_id, principal }, request_id }
    }
}

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address of the network.
    pub address: IpAddr,
    /// The HTTP request.
    pub request_id: Option<String>,
}

impl Origin {
    /// As it is kept beside the record.
    pub(super) fn personal(&self) -> PersonalContext<'static> {
        PersonalContext { network_address: Some(self.address), ..PersonalContext::default() }
    }
}

/// Starts a session of a person who has shown that they are this person.
pub(super) async fn start(
    base: &Base,
    work: &mut Work<'_>,
    user: &User,
    from: &Origin,
) -> Result<Tokens, Error> {
    let (tx, now, owner) = (&mut work.tx, work.now, Owner::of(user));
    let session_id = base.entropy.id(now)?;
    let person = (owner.organization_id, owner.user_id);
    sessions::insert(tx, session_id, person, now, now.plus(LIFETIME)).await?;
    let tokens = issue(base, tx, session_id, owner, now).await?;
    let created = Event::SessionCreated { user_id: owner.user_id, session_id };
    work.record_with(&owner.caller(from.request_id.clone()), created, from.personal())?;
    Ok(tokens)
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
    let access_token = session_token::mint(&base.keys(), base.settings.issuers.current(), &claims)
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
