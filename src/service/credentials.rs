//! From the text in an `Authorization` header to who asks. Rows decide, not tokens: a session, an
//! API client or an account that was closed a moment ago is not accepted any more.

use secrecy::SecretString;

use super::{Base, Caller, CredentialFault, Error, Service, users};
use crate::auth::password::{PasswordError, Verdict};
use crate::domain::access;
use crate::domain::actor::{Actor, Principal};
use crate::domain::id::{SessionId, UserId};
use crate::domain::user::Role;
use crate::signing::TokenError;
use crate::signing::grant_token::VerifiedGrantToken;
use crate::signing::session_token::{self, Subject};
use crate::storage::{allowed_clients, api_clients, sessions};

/// Who asks, by which kind of credential.
#[derive(Debug)]
pub enum Credential {
    /// A person's session.
    Session(Actor, SessionId),
    /// An API client.
    ApiClient(Actor),
    /// The holder of a grant token. What it allows is decided by the grant's row.
    Grant(VerifiedGrantToken),
}

fn fault(error: &TokenError) -> Error {
    Error::Unauthenticated(match error {
        TokenError::Invalid(_) => CredentialFault::Invalid,
        TokenError::Expired => CredentialFault::Expired,
    })
}

/// Checks a bearer token of any kind.
///
/// # Errors
/// [`Error::Unauthenticated`] if it is not one of ours, or not valid any more.
pub async fn check(service: &Service, bearer: &str) -> Result<Credential, Error> {
    match check_grant_token(service, bearer) {
        Ok(token) => Ok(Credential::Grant(token)),
        // Not a grant token at all: the other kind has its own type and its own keys.
        Err(Error::Unauthenticated(CredentialFault::Invalid)) => {
            check_access_token(&service.base, bearer).await
        }
        Err(error) => Err(error),
    }
}

/// Checks a grant token's signature and times.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub fn check_grant_token(service: &Service, bearer: &str) -> Result<VerifiedGrantToken, Error> {
    let now = service.base.clock.now();
    let issuers = &service.base.settings.issuers;
    let verified = service.known_tokens.verify(&service.base.keys(), issuers, bearer, now);
    verified.map_err(|error| fault(&error))
}

/// Checks the access token of a session or an API client.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub async fn check_access_token(base: &Base, bearer: &str) -> Result<Credential, Error> {
    const INVALID: Error = Error::Unauthenticated(CredentialFault::Invalid);
    let now = base.clock.now();
    let token = session_token::verify(&base.keys(), &base.settings.issuers, bearer, now)
        .map_err(|error| fault(&error))?;
    let claims = token.claims();
    let organization_id = claims.organization_id;
    let mut reader = base.store.read_urgent().await?;
    match claims.subject.clone() {
        Subject::User { user_id, session_id } => {
            let session = sessions::find(&mut reader, session_id).await?;
            let session = session.filter(|session| session.is_open(now)).ok_or(INVALID)?;
            if session.user_id != user_id || session.organization_id != organization_id {
                return Err(INVALID);
            }
            let principal = Principal::User { user_id, role: session.role };
            Ok(Credential::Session(Actor { organization_id, principal }, session_id))
        }
        Subject::ApiClient { api_client_id, .. } => {
            let client = api_clients::find(&mut reader, api_client_id).await?;
            let client = client.filter(|client| client.is_usable(now)).ok_or(INVALID)?;
            if client.organization_id != organization_id {
                return Err(INVALID);
            }
            let (scopes, vehicles) = (client.scopes, client.vehicles);
            let principal =
                Principal::ApiClient { api_client_id, scopes, vehicles, acting_for: None };
            Ok(Credential::ApiClient(Actor { organization_id, principal }))
        }
    }
}

/// The holder of a grant token as a caller: the grantee, with no more than a member's rights.
#[must_use]
pub fn holder(token: &VerifiedGrantToken, request_id: Option<String>) -> Caller {
    let principal = Principal::User { user_id: token.claims().grantee_id, role: Role::Member };
    let actor = Actor { organization_id: token.claims().organization_id, principal };
    Caller { actor, request_id }
}

/// An API client, acting for a user of its organization whose account is open.
///
/// # Errors
/// [`Error::NotFound`] if there is no such account; [`super::Denial::ActingForNotAllowed`].
pub async fn act_for(base: &Base, caller: &Caller, user_id: UserId) -> Result<Caller, Error> {
    let mut reader = base.store.read_urgent().await?;
    let person = users::find_open(&mut reader, caller, user_id).await?;
    if let Principal::ApiClient { api_client_id, .. } = &caller.actor.principal {
        let allowed = allowed_clients::find(&mut reader, user_id, *api_client_id).await?;
        access::may_act_for(*api_client_id, &person, allowed.is_some())
            .map_err(Error::Forbidden)?;
    }
    Ok(caller.acting_for(user_id))
}

impl Service {
    /// Hashes a password behind the bounded gate.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if too many wait.
    pub async fn hash_password(&self, password: &SecretString) -> Result<String, Error> {
        self.passwords.hash(password).await.map_err(password_error)
    }

    /// Verifies a password behind the bounded gate; `None` costs the same and never matches.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if too many wait.
    pub async fn verify_password(
        &self,
        password: &SecretString,
        stored: Option<String>,
    ) -> Result<Verdict, Error> {
        self.passwords.verify(password, stored).await.map_err(password_error)
    }
}

fn password_error(error: PasswordError) -> Error {
    match error {
        PasswordError::Busy => Error::Overloaded,
        other => Error::Internal(other.to_string()),
    }
}
