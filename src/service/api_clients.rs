//! API clients: programs of an organization, their credentials, and the access tokens they get for
//! them.

mod replace;
mod rotate;
mod token;

use serde::{Deserialize, Serialize};

use super::idempotency::{Answer, Idempotency};
use super::{Base, Caller, Error, Service, Violation};
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::actor::Scope;
use crate::domain::event::Event;
use crate::domain::id::{ApiClientId, VehicleId};
use crate::domain::time::Timestamp;
use crate::domain::user::ShortText;
use crate::signing::secret::{RandomSecret, SecretPrefix};
use crate::storage::api_clients::{self, ApiClient};
use crate::storage::{Executor, Page, Priority, vehicles};

pub use replace::{Replaced, replace};
pub use rotate::{OVERLAP_MAX, rotate_secret};
pub use token::{ApiClientToken, issue_token};

const CREATE: &str = "api_clients.create";

/// The credentials of an API client, at the only time they are shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// Identifies the API client; also its `client_id` (RFC 6749 section 2.2).
    pub api_client_id: ApiClientId,
    /// What people call it.
    pub name: String,
    /// What it may do at most.
    pub scopes: Vec<Scope>,
    /// The cars that it may have to do with; `None` for all.
    pub vehicle_ids: Option<Vec<VehicleId>>,
    /// Its `client_secret`; only a hash of it is kept.
    pub client_secret: String,
    /// From when on it may do nothing any more.
    pub expires_at: Option<Timestamp>,
    /// The time at which it was created.
    pub created_at: Timestamp,
}

/// What an API client is made from.
#[derive(Debug)]
pub struct NewApiClient {
    /// What people call it.
    pub name: ShortText,
    /// What it may do at most.
    pub scopes: Vec<Scope>,
    /// The cars that it may have to do with; `None` for all.
    pub vehicle_ids: Option<Vec<VehicleId>>,
    /// From when on it may do nothing any more.
    pub expires_at: Option<Timestamp>,
}

/// Creates credentials for a program.
///
/// # Errors
/// [`super::Denial::AdminOnly`]; [`Error::Invalid`] for an end in the past and for a car that the organization does not
/// have.
pub async fn create(
    service: &Service,
    caller: &Caller,
    idempotency: &Idempotency,
    new: &NewApiClient,
) -> Result<Answer<Credentials>, Error> {
    service.base.authorize_in_organization(caller, Operation::CreateApiClient)?;
    if new.expires_at.is_some_and(|expires_at| expires_at <= service.base.clock.now()) {
        return Err(Error::invalid("/expires_at", "in_the_past", "must be in the future"));
    }
    service
        .base
        .transact(CREATE, Priority::Ordinary, |work| {
            Box::pin(async move {
                if let Some(answer) =
                    idempotency.find_or_take(&service.base, &mut work.tx, caller, CREATE).await?
                {
                    return Ok(answer);
                }
                must_be_there(&mut work.tx, caller, new.vehicle_ids.as_deref()).await?;
                let secret =
                    RandomSecret::generate(SecretPrefix::ApiClient, &*service.base.entropy)?;
                let client = ApiClient {
                    api_client_id: service.base.entropy.id(work.now)?,
                    organization_id: caller.actor.organization_id,
                    name: new.name.as_str().to_owned(),
                    secret_hash: secret.hash(),
                    previous: None,
                    scopes: new.scopes.clone(),
                    vehicles: new.vehicle_ids.clone(),
                    expires_at: new.expires_at,
                    revoked_at: None,
                    created_at: work.now,
                };
                api_clients::insert(&mut work.tx, &client).await?;
                let credentials = Credentials {
                    api_client_id: client.api_client_id,
                    name: client.name,
                    scopes: client.scopes.clone(),
                    vehicle_ids: client.vehicles,
                    client_secret: secret.expose().to_owned(),
                    expires_at: client.expires_at,
                    created_at: client.created_at,
                };
                idempotency.keep(&service.base, &mut work.tx, caller, CREATE, &credentials).await?;
                let (api_client_id, scopes) = (client.api_client_id, client.scopes);
                work.record(caller, Event::ApiClientCreated { api_client_id, scopes })?;
                Ok(Answer::fresh(credentials))
            })
        })
        .await
}

/// Whether the cars to which a client is limited are the organization's.
async fn must_be_there(
    on: &mut impl Executor,
    caller: &Caller,
    vehicle_ids: Option<&[VehicleId]>,
) -> Result<(), Error> {
    let mut violations = Vec::new();
    for (place, &vehicle_id) in vehicle_ids.unwrap_or_default().iter().enumerate() {
        if vehicles::find(on, caller.actor.organization_id, vehicle_id).await?.is_none() {
            let pointer = format!("/vehicle_ids/{place}");
            let detail = "there is no vehicle with this id";
            violations.push(Violation::of(&pointer, "unknown_vehicle", detail));
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::Invalid(violations)) }
}

/// The API clients of the organization, newest first.
///
/// # Errors
/// [`super::Denial::AdminOnly`].
pub async fn list(base: &Base, caller: &Caller, page: Page) -> Result<Vec<ApiClient>, Error> {
    base.authorize_in_organization(caller, Operation::ListApiClients)?;
    let mut reader = base.store.read().await?;
    Ok(api_clients::list(&mut reader, caller.actor.organization_id, page).await?)
}

/// Takes an API client's rights away; its access tokens stop working at once. A second time changes
/// nothing and has the same answer.
///
/// # Errors
/// [`super::Denial::AdminOnly`]; [`Error::NotFound`] for one that the organization does not have.
pub async fn revoke(
    base: &Base,
    caller: &Caller,
    api_client_id: ApiClientId,
) -> Result<ApiClient, Error> {
    base.transact("api_clients.revoke", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (operation, now) = (Operation::RevokeApiClient, work.now);
            let mut client = find_for(base, &mut work.tx, caller, operation, api_client_id).await?;
            let organization_id = client.organization_id;
            if api_clients::revoke(&mut work.tx, organization_id, api_client_id, now).await? {
                work.record(caller, Event::ApiClientRevoked { api_client_id })?;
                client.revoked_at = Some(now);
            }
            Ok(client)
        })
    })
    .await
}

/// An API client of the caller's organization, if the caller may do this with it.
async fn find_for(
    base: &Base,
    on: &mut impl Executor,
    caller: &Caller,
    operation: Operation,
    api_client_id: ApiClientId,
) -> Result<ApiClient, Error> {
    let organization_id = caller.actor.organization_id;
    let found = api_clients::find(on, api_client_id).await?;
    let found = found.filter(|client| client.organization_id == organization_id);
    let object = Object::found(found.as_ref(), |_| Object::ORGANIZATION);
    let sought = Sought::of(api_client_id);
    base.authorize(caller, operation, &object, sought.clone())?;
    found.ok_or(Error::NotFound(sought))
}
