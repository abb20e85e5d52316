//! Machines: their credentials, and the access tokens they get for them (RFC 6749 section 4.4).

use std::net::IpAddr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::idempotency::{Answer, Idempotency};
use super::{Caller, CredentialFault, Denial, Error, Service};
use crate::auth::throttle::{AccountKey, RetryAfter};
use crate::domain::actor::{Actor, Principal, Scope};
use crate::domain::event::{CredentialRefusal, Event};
use crate::domain::id::ApiClientId;
use crate::domain::time::Timestamp;
use crate::signing::secret::{self, MachineSecret, SecretPrefix};
use crate::signing::session_token::{self, SessionClaims, Subject};
use crate::storage::api_clients::{self, ApiClient};
use crate::storage::{Page, repeat};

const CREATE: &str = "api_clients.create";

/// A machine's credentials, at the only time they are shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// Its name, and its `client_id`.
    pub api_client_id: ApiClientId,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Its secret.
    pub client_secret: String,
    /// When it was made.
    pub created_at: Timestamp,
}

fn must_be_admin(caller: &Caller) -> Result<(), Error> {
    if caller.actor.is_admin() { Ok(()) } else { Err(Error::Forbidden(Denial::AdminOnly)) }
}

/// Makes credentials for a machine.
///
/// # Errors
/// [`Denial::AdminOnly`].
pub async fn create(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    name: &str,
    scopes: &[Scope],
) -> Result<Answer<Credentials>, Error> {
    must_be_admin(caller)?;
    repeat(|| async {
        let now = service.clock.now();
        let mut tx = service.store.begin().await?;
        if let Some(answer) = idempotency.find(service, &mut tx, caller, CREATE).await? {
            return Ok(answer);
        }
        let secret = MachineSecret::generate(SecretPrefix::ApiClient, &*service.entropy)?;
        let client = ApiClient {
            api_client_id: service.entropy.id(now)?,
            organization_id: caller.actor.organization_id,
            name: name.to_owned(),
            secret_hash: secret.hash(),
            scopes: scopes.to_vec(),
            revoked_at: None,
            created_at: now,
        };
        api_clients::insert(&mut tx, &client).await?;
        let credentials = Credentials {
            api_client_id: client.api_client_id,
            name: client.name,
            scopes: client.scopes.clone(),
            client_secret: secret.expose().to_owned(),
            created_at: now,
        };
        idempotency.keep(service, &mut tx, caller, CREATE, &credentials).await?;
        let api_client_id = client.api_client_id;
        let created = Event::ApiClientCreated { api_client_id, scopes: client.scopes };
        service.record(&mut tx, caller, now, [created]).await?;
        tx.commit().await?;
        Ok(Answer::fresh(credentials))
    })
    .await
}

/// The machines of the organization, newest first.
///
/// # Errors
/// [`Denial::AdminOnly`].
pub async fn list(service: &Service, caller: &Caller, page: Page) -> Result<Vec<ApiClient>, Error> {
    must_be_admin(caller)?;
    let mut reader = service.store.read().await?;
    Ok(api_clients::list(&mut reader, caller.actor.organization_id, page).await?)
}

/// Takes a machine's rights away; its access tokens stop working at once. Doing it twice is doing
/// it once.
///
/// # Errors
/// [`Denial::AdminOnly`], [`Error::NotFound`].
pub async fn revoke(
    service: &Service,
    caller: &Caller,
    api_client_id: ApiClientId,
) -> Result<ApiClient, Error> {
    must_be_admin(caller)?;
    repeat(|| async {
        let now = service.clock.now();
        let organization_id = caller.actor.organization_id;
        let mut tx = service.store.begin().await?;
        if api_clients::revoke(&mut tx, organization_id, api_client_id, now).await? {
            service
                .record(&mut tx, caller, now, [Event::ApiClientRevoked { api_client_id }])
                .await?;
        }
        let client = api_clients::find(&mut tx, api_client_id).await?;
        let client = client.filter(|client| client.organization_id == organization_id);
        tx.commit().await?;
        client.ok_or(Error::NotFound)
    })
    .await
}

/// What a machine gets for its credentials.
#[derive(Debug)]
pub struct MachineToken {
    /// For the `Authorization` header.
    pub access_token: SecretString,
    /// How long it lives.
    pub expires_in: Duration,
    /// What it allows.
    pub scopes: Vec<Scope>,
}

/// Exchanges a machine's credentials for an access token.
///
/// # Errors
/// [`CredentialFault::WrongClient`], or [`Error::Throttled`] after too many failures.
pub async fn issue_token(
    service: &Service,
    client_id: &str,
    client_secret: &SecretString,
    address: IpAddr,
    request_id: Option<String>,
) -> Result<MachineToken, Error> {
    const WRONG: Error = Error::Unauthenticated(CredentialFault::WrongClient);
    let key = AccountKey::of(&[client_id]);
    service.throttle.check(key, address).map_err(|RetryAfter(wait)| Error::Throttled(wait))?;
    let Ok(api_client_id) = client_id.parse::<ApiClientId>() else { return Err(WRONG) };
    let mut reader = service.store.read().await?;
    let client = api_clients::find(&mut reader, api_client_id).await?;
    drop(reader);
    let Some(client) = client else {
        service.throttle.record_failure(key, address);
        return Err(WRONG);
    };
    let presented = secret::hash_of(client_secret.expose_secret());
    let matches = secret::hashes_equal(&presented, &client.secret_hash);
    let scopes = client.scopes.clone();
    let principal =
        Principal::ApiClient { api_client_id, scopes: scopes.clone(), acting_for: None };
    let actor = Actor { organization_id: client.organization_id, principal };
    let caller = Caller { actor, request_id };
    let now = service.clock.now();
    let refusal = match (matches, client.revoked_at) {
        (true, None) => None,
        (true, Some(_)) => Some(CredentialRefusal::Revoked),
        (false, _) => Some(CredentialRefusal::WrongSecret),
    };
    let mut tx = service.store.begin().await?;
    if let Some(reason) = refusal {
        service.throttle.record_failure(key, address);
        let refused = Event::ApiClientRefused { api_client_id, reason };
        service.record(&mut tx, &caller, now, [refused]).await?;
        tx.commit().await?;
        return Err(WRONG);
    }
    service.throttle.record_success(key, address);
    let claims = SessionClaims {
        organization_id: client.organization_id,
        subject: Subject::ApiClient { api_client_id, scopes: scopes.clone() },
        token_id: service.entropy.id(now)?,
        issued_at: now,
    };
    let access_token = session_token::mint(&service.keys(), &service.settings.public_url, &claims)
        .map_err(|error| Error::Internal(error.to_string()))?;
    let issued = Event::ApiClientTokenIssued { api_client_id, token_id: claims.token_id };
    service.record(&mut tx, &caller, now, [issued]).await?;
    tx.commit().await?;
    Ok(MachineToken {
        access_token: access_token.into(),
        expires_in: session_token::LIFETIME,
        scopes,
    })
}
