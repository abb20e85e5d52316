//! Cars, as those who own, borrow or administer them see them, and what is read from them.

mod choose;
mod observe;
mod read;
mod read_gate;

use super::{Caller, Denial, Error, Service};
use crate::domain::actor::Scope;
use crate::domain::id::VehicleId;
use crate::domain::vehicle::Vehicle;
use crate::storage::{Executor, Page, grants, vehicles};

pub use choose::{Wish, choose_right};
pub use observe::Readings;
pub(super) use observe::look;
pub use read::{read, read_batch};
pub use read_gate::{Read, ReadGate, ReadGateTask};

/// The cars the caller may know of, newest first: all for administrators and machines with the
/// scope, otherwise their own and those they hold a grant for.
///
/// # Errors
/// [`Denial::ScopeMissing`].
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
        return Err(Error::Forbidden(Denial::ScopeMissing(Scope::VehiclesRead.as_str())));
    }
    Ok(caller.actor.is_admin() || caller.actor.is_api_client())
}

/// One car the caller may know of.
///
/// # Errors
/// [`Error::NotFound`], [`Denial::ScopeMissing`].
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
    on: &mut impl Executor,
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
