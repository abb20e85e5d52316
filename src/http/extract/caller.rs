//! Who asks: from the `Authorization` header to a [`Caller`]. An API client may name the user it acts
//! for in `Keylend-Acting-For`; the record then names both.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::device_proof::shown_token;
use super::presented::{Presented, bearer, presented};
use crate::domain::actor::{Actor, Principal};
use crate::domain::id::{SessionId, UserId};
use crate::http::Gateway;
use crate::http::cors;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::service::credentials::{self, Credential};
use crate::service::pace::{Lane, Use};
use crate::service::shown_token::ShownToken;
use crate::service::{Caller, CredentialFault, Error, Violation};
use crate::signing::grant_token::VerifiedGrantToken;

/// Names the user an API client acts for.
const ACTING_FOR: &str = "keylend-acting-for";

/// A person in a session, or an API client.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Caller);

/// The same, with the session if it is a person.
#[derive(Debug, Clone)]
pub struct SignedInAt(pub Caller, pub Option<SessionId>);

/// The credentials of a person in a session or of an API client, to be looked at again for as long as an answer
/// goes on.
#[derive(Debug, Clone)]
pub struct Standing(Parts);

impl Standing {
    /// Who it is, if the credentials are still good.
    ///
    /// # Errors
    /// The problem that a request with these credentials has now.
    pub async fn caller(&self, gateway: &Arc<Gateway>) -> Result<Caller, Problem> {
        let mut parts = self.0.clone();
        SignedIn::from_request_parts(&mut parts, gateway).await.map(|SignedIn(caller)| caller)
    }
}

impl FromRequestParts<Arc<Gateway>> for Standing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &Arc<Gateway>) -> Result<Self, Problem> {
        Ok(Self(parts.clone()))
    }
}

/// A person in a session.
#[derive(Debug, Clone)]
pub struct InSession {
    /// The person as a caller.
    pub caller: Caller,
    /// The person.
    pub user_id: UserId,
    /// Their session.
    pub session_id: SessionId,
}

/// The caller behind any bearer token: a person, an API client, or the holder of a grant token.
#[derive(Debug, Clone)]
pub enum TokenCaller {
    /// A person in a session, or an API client.
    SignedIn(Caller),
    /// The holder of a grant token, as the grantee.
    Holder(Caller, VerifiedGrantToken, ShownToken),
}

/// The same for a request on which a gate decides: there the token counts, or not.
#[derive(Debug, Clone)]
pub struct Decided(pub TokenCaller);

impl TokenCaller {
    /// The grant token that shows whose right they use, if one does.
    pub const fn token(&self) -> Option<ShownToken> {
        match self {
            Self::SignedIn(_) => None,
            Self::Holder(_, _, shown) => Some(*shown),
        }
    }
}

/// The name and the secret of HTTP Basic (RFC 7617), as they are sent.
pub(in crate::http) fn basic(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, secret) = decoded.split_once(':')?;
    Some((name.to_owned(), SecretString::from(secret)))
}

async fn acting(gateway: &Gateway, actor: Actor, parts: &Parts) -> Result<Caller, Problem> {
    cors::is_called_by(actor.organization_id, &parts.extensions);
    let request_id = request_id(parts);
    let caller = Caller { actor, request_id: Some(request_id.recorded().to_owned()) };
    let mut named = parts.headers.get_all(ACTING_FOR).iter();
    let Some(first) = named.next() else { return Ok(caller) };
    let is_clear =
        matches!(caller.actor.principal, Principal::ApiClient { .. }) && named.next().is_none();
    let user_id: Option<UserId> = first.to_str().ok().and_then(|text| text.parse().ok());
    let Some(user_id) = user_id.filter(|_| is_clear) else {
        return Err(no_one_to_act_for());
    };
    credentials::act_for(&gateway.service.base, &caller, user_id).await.map_err(|error| match error
    {
        Error::NotFound(_) => {
            let detail = "there is no open account with this id";
            Problem::invalid(vec![Violation::of("Keylend-Acting-For", "unknown_user", detail)])
        }
        other => other.into(),
    })
}

fn no_one_to_act_for() -> Problem {
    let detail = "must be the id of one user, and is for API clients alone";
    Problem::invalid(vec![Violation::of("Keylend-Acting-For", "invalid", detail)])
}

fn request_id(parts: &Parts) -> RequestId {
    RequestId::from_extensions(&parts.extensions)
}

async fn access(gateway: &Gateway, parts: &Parts) -> Result<Credential, Problem> {
    let bearer = bearer(&parts.headers)?;
    Ok(credentials::check_access_token(&gateway.service.base, bearer).await?)
}

impl FromRequestParts<Arc<Gateway>> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Gateway>) -> Result<Self, Problem> {
        SignedInAt::from_request_parts(parts, state).await.map(|SignedInAt(caller, _)| Self(caller))
    }
}

impl FromRequestParts<Arc<Gateway>> for SignedInAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Gateway>) -> Result<Self, Problem> {
        let (actor, session_id) = match access(state, parts).await? {
            Credential::Session(actor, session_id) => (actor, Some(session_id)),
            Credential::ApiClient(actor) => (actor, None),
            Credential::Grant(_) => {
                return Err(Error::Unauthenticated(CredentialFault::Invalid).into());
            }
        };
        Ok(Self(acting(state, actor, parts).await?, session_id))
    }
}

impl FromRequestParts<Arc<Gateway>> for InSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Gateway>) -> Result<Self, Problem> {
        match access(state, parts).await? {
            Credential::Session(actor, session_id) => {
                let caller = acting(state, actor, parts).await?;
                let user_id = caller.actor.user_id();
                let user_id = user_id.ok_or(Error::Unauthenticated(CredentialFault::Invalid))?;
                Ok(Self { caller, user_id, session_id })
            }
            Credential::ApiClient(_) | Credential::Grant(_) => {
                Err(Error::Unauthenticated(CredentialFault::Invalid).into())
            }
        }
    }
}

impl FromRequestParts<Arc<Gateway>> for Decided {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Gateway>) -> Result<Self, Problem> {
        let presented = presented(&parts.headers)?;
        let caller = match (credentials::check(&state.service, presented.text()).await?, presented)
        {
            (Credential::Grant(token), presented) => {
                if parts.headers.contains_key(ACTING_FOR) {
                    return Err(no_one_to_act_for());
                }
                let shown = shown_token(state, parts, presented, &token)?;
                let request_id = request_id(parts).recorded().to_owned();
                let caller = credentials::holder(&token, Some(request_id));
                cors::is_called_by(caller.actor.organization_id, &parts.extensions);
                TokenCaller::Holder(caller, token, shown)
            }
            (
                Credential::Session(actor, _) | Credential::ApiClient(actor),
                Presented::Bearer(_),
            ) => TokenCaller::SignedIn(acting(state, actor, parts).await?),
            (_, Presented::Dpop(_)) => {
                return Err(Error::Unauthenticated(CredentialFault::Invalid).into());
            }
        };
        Ok(Self(caller))
    }
}

impl FromRequestParts<Arc<Gateway>> for TokenCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Gateway>) -> Result<Self, Problem> {
        let Decided(caller) = Decided::from_request_parts(parts, state).await?;
        if let TokenCaller::Holder(caller, token, shown) = &caller {
            let used = Use::of_token(caller, token);
            shown.counts(&state.service.base, used, Lane::Show).await?;
        }
        Ok(caller)
    }
}
