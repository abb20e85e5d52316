//! Cars, as those who own, borrow or administer them see them, and what is read from them.

use super::{Ban, Caller, Error, Service};
use crate::connector::{Attributes, ConnectorError, LockStatus};
use crate::domain::actor::Scope;
use crate::domain::entitlement::Entitlement;
use crate::domain::event::Event;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::policy::{self, Decision, Facts, GrantFacts, Request};
use crate::domain::vehicle::Vehicle;
use crate::storage::{Connection, Page, StorageError, Tx, decisions, grants, repeat, vehicles};

/// The cars the caller may know of, newest first: all for administrators and machines with the
/// scope, otherwise their own and those they hold a grant for.
///
/// # Errors
/// [`Ban::ScopeMissing`].
pub async fn list(service: &Service, caller: &Caller, page: Page) -> Result<Vec<Vehicle>, Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = service.store.read().await?;
    if sees_all(caller)? {
        return Ok(vehicles::list(&mut reader, organization_id, page).await?);
    }
    let user_id = caller.actor.user_id().ok_or(Error::NotFound)?;
    let now = service.clock.now();
    Ok(vehicles::list_for(&mut reader, (organization_id, user_id), page, now).await?)
}

fn sees_all(caller: &Caller) -> Result<bool, Error> {
    if caller.actor.is_api_client() && !caller.actor.has_scope(Scope::VehiclesRead) {
        return Err(Error::Forbidden(Ban::ScopeMissing(Scope::VehiclesRead.as_str())));
    }
    Ok(caller.actor.is_admin() || caller.actor.is_api_client())
}

/// One car the caller may know of.
///
/// # Errors
/// [`Error::NotFound`], [`Ban::ScopeMissing`].
pub async fn get(
    service: &Service,
    caller: &Caller,
    vehicle_id: VehicleId,
) -> Result<Vehicle, Error> {
    let everything = sees_all(caller)?;
    let mut reader = service.store.read().await?;
    let vehicle = find_visible(&mut reader, service, caller, vehicle_id, everything).await?;
    vehicle.ok_or(Error::NotFound)
}

/// The car, if the caller sees everything, owns it or holds a grant for it that has not ended.
pub(super) async fn find_visible(
    on: &mut impl Connection,
    service: &Service,
    caller: &Caller,
    vehicle_id: VehicleId,
    everything: bool,
) -> Result<Option<Vehicle>, Error> {
    let organization_id = caller.actor.organization_id;
    let Some(vehicle) = vehicles::find(on, organization_id, vehicle_id).await? else {
        return Ok(None);
    };
    let user_id = caller.actor.user_id();
    if everything || user_id == Some(vehicle.owner_id) {
        return Ok(Some(vehicle));
    }
    let Some(user_id) = user_id else { return Ok(None) };
    let now = service.clock.now();
    let held = grants::list_held(on, organization_id, vehicle_id, user_id).await?;
    Ok(held.iter().any(|grant| grant.ended_by(now).is_none()).then_some(vehicle))
}

/// What a person asks to read, by which grant; without one they must be the owner.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// Whose right.
    pub user_id: UserId,
    /// The car.
    pub vehicle_id: VehicleId,
    /// The grant it rests on.
    pub grant_id: Option<GrantId>,
    /// What is to be read.
    pub entitlement: Entitlement,
}

/// Decides on a read and records the decision. Gives the car's address at the vehicle cloud.
async fn authorize(
    service: &Service,
    caller: &Caller,
    read: Read,
) -> Result<decisions::VehicleRow, Error> {
    repeat(|| authorize_once(service, caller, read)).await
}

async fn authorize_once(
    service: &Service,
    caller: &Caller,
    read: Read,
) -> Result<decisions::VehicleRow, Error> {
    let Read { user_id, vehicle_id, grant_id, entitlement } = read;
    let mut tx = service.store.begin().await?;
    let (vehicle, claimed) = facts(&mut tx, caller, read).await?;
    let facts = Facts { vehicle: &vehicle.facts, grant: claimed.as_ref() };
    let request = Request { user_id, vehicle_id, entitlement, spends_use: false };
    let now = service.clock.now();
    let (event, refusal) = match policy::decide(facts, &request, now) {
        Decision::Allow(_) => {
            claim(&mut tx, &vehicle, claimed.as_ref()).await?;
            (Event::VehicleRead { vehicle_id, grant_id, user_id, entitlement }, None)
        }
        Decision::Deny(reasons) => {
            let refused = Event::VehicleReadRefused {
                vehicle_id,
                grant_id,
                user_id,
                entitlement,
                reasons: reasons.clone(),
            };
            (refused, Some(reasons))
        }
    };
    service.record(&mut tx, caller, now, [event]).await?;
    tx.commit().await?;
    match refusal {
        None => Ok(vehicle),
        Some(reasons) => Err(Error::Refused(reasons)),
    }
}

/// What a read is decided on; a car or grant of another organization is not there (P10).
async fn facts(
    tx: &mut Tx,
    caller: &Caller,
    read: Read,
) -> Result<(decisions::VehicleRow, Option<GrantFacts>), Error> {
    let organization_id = caller.actor.organization_id;
    let vehicle = decisions::vehicles(tx, &[read.vehicle_id]).await?.into_iter().next();
    let vehicle = vehicle.filter(|row| row.organization_id == organization_id);
    let vehicle = vehicle.ok_or(Error::NotFound)?;
    let Some(grant_id) = read.grant_id else { return Ok((vehicle, None)) };
    let found = decisions::grants(tx, &[grant_id]).await?.into_iter().next();
    let found = found.filter(|facts| facts.grant.organization_id == organization_id);
    Ok((vehicle, Some(found.ok_or(Error::NotFound)?)))
}

/// Holds on to the rows that were decided on, so that no revocation commits in between (P2).
async fn claim(
    tx: &mut Tx,
    vehicle: &decisions::VehicleRow,
    claimed: Option<&GrantFacts>,
) -> Result<(), Error> {
    let held = match claimed {
        Some(facts) => {
            let claim = (facts.grant.grant_id, facts.grant.revision, 0);
            decisions::claim_grants(tx, &[claim]).await?.len()
        }
        None => {
            let claim = (vehicle.facts.vehicle_id, vehicle.revision);
            decisions::claim_vehicles(tx, &[claim]).await?.len()
        }
    };
    if held == 1 { Ok(()) } else { Err(Error::Storage(StorageError::LostRace)) }
}

/// Reads a car's make, model and year from the vehicle cloud.
///
/// # Errors
/// [`Error::Refused`] if the policy says no; [`Error::Connector`] if the cloud does not answer.
pub async fn read_attributes(
    service: &Service,
    caller: &Caller,
    read: Read,
) -> Result<Attributes, Error> {
    let vehicle = authorize(service, caller, read).await?;
    let token = service.access_tokens.get(service, vehicle.connection_id).await?;
    let read = service.connector.attributes(&token.access_token, &vehicle.provider_vehicle_id);
    answered(service, &vehicle, &token, read.await).await
}

/// Reads from the vehicle cloud whether a car is locked.
///
/// # Errors
/// [`Error::Refused`] if the policy says no; [`Error::Connector`] if the cloud does not answer.
pub async fn read_lock_status(
    service: &Service,
    caller: &Caller,
    read: Read,
) -> Result<LockStatus, Error> {
    let vehicle = authorize(service, caller, read).await?;
    let token = service.access_tokens.get(service, vehicle.connection_id).await?;
    let read = service.connector.lock_status(&token.access_token, &vehicle.provider_vehicle_id);
    answered(service, &vehicle, &token, read.await).await
}

async fn answered<T>(
    service: &Service,
    vehicle: &decisions::VehicleRow,
    token: &super::connections::AccessToken,
    answer: Result<T, ConnectorError>,
) -> Result<T, Error> {
    if let Err(error) = &answer {
        service.access_tokens.notice(service, vehicle.connection_id, token, error).await;
    }
    answer.map_err(|error| Error::Connector(Box::new(error)))
}
