//! Access tokens of API clients, for their credentials (RFC 6749 section 4.4).

use std::net::IpAddr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::auth::throttle::{AccountKey, RetryAfter};
use crate::domain::actor::{Actor, Principal, Scope};
use crate::domain::event::{CredentialRefusal, Event};
use crate::domain::id::ApiClientId;
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, CredentialFault, Error, Limit, Service};
use crate::signing::secret;
use crate::signing::session_token::{self, SessionClaims, Subject};
use crate::storage::Priority;
use crate::storage::api_clients::{self, ApiClient};

/// What an API client gets for its credentials.
#[derive(Debug)]
pub struct ApiClientToken {
    /// For the `Authorization` header.
    pub access_token: SecretString,
    /// How long it lives from now.
    pub expires_in: Duration,
    /// What it allows at most.
    pub scopes: Vec<Scope>,
}

/// Exchanges an API client's credentials for an access token. Both answers are recorded, unless
/// nobody knows the client.
///
/// # Errors
/// [`CredentialFault::WrongClient`], or [`Error::Throttled`] after too many failures.
pub async fn issue_token(
    service: &Service,
    client_id: &str,
    client_secret: &SecretString,
    address: IpAddr,
    request_id: Option<String>,
) -> Result<ApiClientToken, Error> {
    const WRONG: Error = Error::Unauthenticated(CredentialFault::WrongClient);
    let key = AccountKey::of(&[client_id]);
    service
        .throttle
        .check(key, address)
        .map_err(|RetryAfter(wait)| Error::Throttled(Limit::Attempts, wait))?;
    let Ok(api_client_id) = client_id.parse::<ApiClientId>() else { return Err(WRONG) };
    let mut reader = service.base.store.read().await?;
    let client = api_clients::find(&mut reader, api_client_id).await?;
    drop(reader);
    let Some(client) = client else {
        service.throttle.record_failure(key, address);
        return Err(WRONG);
    };
    let caller = &caller(&client, request_id);
    let now = service.base.clock.now();
    let Some(reason) = refusal(&client, client_secret, now) else {
        service.throttle.record_success(key, address);
        return mint(&service.base, caller, &client).await;
    };
    service.throttle.record_failure(key, address);
    service
        .base
        .transact("api_clients.refuse", Priority::Ordinary, |work| {
            Box::pin(async move {
                work.record(caller, Event::ApiClientRefused { api_client_id, reason })
            })
        })
        .await?;
    Err(WRONG)
}

fn caller(client: &ApiClient, request_id: Option<String>) -> Caller {
    let (api_client_id, scopes) = (client.api_client_id, client.scopes.clone());
    let vehicles = client.vehicles.clone();
    let principal = Principal::ApiClient { api_client_id, scopes, vehicles, acting_for: None };
    Caller { actor: Actor { organization_id: client.organization_id, principal }, request_id }
}

fn refusal(
    client: &ApiClient,
    client_secret: &SecretString,
    now: Timestamp,
) -> Option<CredentialRefusal> {
    let presented = secret::hash_of(client_secret.expose_secret());
    let is_previous = client.previous.is_some_and(|(previous, until)| {
        secret::hashes_equal(&presented, &previous) && now < until
    });
    let is_right = secret::hashes_equal(&presented, &client.secret_hash) || is_previous;
    match (is_right, client.revoked_at) {
        (true, None) if client.is_usable(now) => None,
        (true, None) => Some(CredentialRefusal::Expired),
        (true, Some(_)) => Some(CredentialRefusal::Revoked),
        (false, _) => Some(CredentialRefusal::WrongSecret),
    }
}

async fn mint(base: &Base, caller: &Caller, client: &ApiClient) -> Result<ApiClientToken, Error> {
    let &ApiClient { api_client_id, organization_id, ref scopes, .. } = client;
    let access_token = base
        .transact("api_clients.issue_token", Priority::Ordinary, |work| {
            Box::pin(async move {
                let claims = SessionClaims {
                    organization_id,
                    subject: Subject::ApiClient { api_client_id, scopes: scopes.clone() },
                    token_id: base.entropy.id(work.now)?,
                    issued_at: work.now,
                };
                let issuer = base.settings.issuers.current();
                let token = session_token::mint(&base.keys(), issuer, &claims);
                let token_id = claims.token_id;
                work.record(caller, Event::ApiClientTokenIssued { api_client_id, token_id })?;
                token.map_err(Error::internal)
            })
        })
        .await?;
    let access_token = access_token.into();
    Ok(ApiClientToken { access_token, expires_in: session_token::LIFETIME, scopes: scopes.clone() })
}
