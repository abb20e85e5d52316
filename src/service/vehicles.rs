//! Cars, as those who own, borrow or administer them see them, and what is read from them.

mod choose;
mod describe;
mod holders;
mod observe;
mod read;
mod read_gate;
mod remove;
mod transfer;

use super::{Base, Caller, Error, StateFault};
use crate::domain::access::{ActingAs, Object, Operation, Sought};
use crate::domain::grant::Grant;
use crate::domain::id::VehicleId;
use crate::domain::vehicle::Vehicle;
use crate::storage::vehicles::VehicleFilter;
use crate::storage::{Executor, Page, decisions, vehicles};

pub use choose::{Wish, choose_grant};
pub use describe::{VehicleChanges, describe};
pub use holders::{HeldAt, Holder, holder_at};
pub(super) use holders::{NEVER, action_of};
pub use observe::Readings;
pub(super) use observe::observe;
pub(super) use read::read_for_owner;
pub use read::{read, read_batch};
pub use read_gate::{Read, ReadGate, ReadGateTask};
pub use remove::{RemovedVehicle, remove};
pub use transfer::{Transfer, transfer, withdraw_transfer};

/// Cars, newest first: all of them for the organization, otherwise the person's own and those the
/// person has a grant for.
///
/// # Errors
/// [`super::Denial::ScopeMissing`].
pub async fn list(
    base: &Base,
    caller: &Caller,
    mut filter: VehicleFilter,
    page: Page,
) -> Result<Vec<Vehicle>, Error> {
    let acting_as = base.authorize_in_organization(caller, Operation::ListVehicles)?;
    let over_by = Grant::over_by(base.clock.now());
    filter.concerning = acting_as.person().map(|user_id| (user_id, over_by));
    let mut reader = base.store.read().await?;
    let found = vehicles::list(&mut reader, caller.actor.organization_id, &filter, page).await?;
    Ok(found.into_iter().map(|vehicle| shown_to(acting_as, vehicle)).collect())
}

/// A car as its reader may see it.
fn shown_to(acting_as: ActingAs, vehicle: Vehicle) -> Vehicle {
    match acting_as {
        ActingAs::Person(user_id) if user_id != vehicle.owner_id => vehicle.for_others(),
        ActingAs::Person(_) | ActingAs::Organization => vehicle,
    }
}

/// One car, for its owner, those who hold a grant for it, and the organization.
///
/// # Errors
/// [`Error::NotFound`], [`super::Denial::ScopeMissing`].
pub async fn get(base: &Base, caller: &Caller, vehicle_id: VehicleId) -> Result<Vehicle, Error> {
    let mut reader = base.store.read().await?;
    let operation = Operation::GetVehicle;
    let (vehicle, acting_as) = find_for(base, &mut reader, caller, operation, vehicle_id).await?;
    Ok(shown_to(acting_as, vehicle))
}

/// A car of the caller's organization, and in whose place the caller does something with it.
pub(super) async fn find_for(
    base: &Base,
    on: &mut impl Executor,
    caller: &Caller,
    operation: Operation,
    vehicle_id: VehicleId,
) -> Result<(Vehicle, ActingAs), Error> {
    let organization_id = caller.actor.organization_id;
    let found = vehicles::find(on, organization_id, vehicle_id).await?;
    let mut object = Object::found(found.as_ref(), Object::vehicle);
    if found.is_some()
        && let Some(user_id) = caller.actor.user_id()
    {
        let now = base.clock.now();
        let grants = decisions::grants_of(on, organization_id, vehicle_id, user_id).await?;
        let has_one = grants.iter().any(|facts| facts.grant.is_alive(now));
        object = object.with_grantee(has_one.then_some(user_id));
    }
    let sought = Sought::of(vehicle_id);
    let acting_as = base.authorize(caller, operation, &object, sought.clone())?;
    Ok((found.ok_or(Error::NotFound(sought))?, acting_as))
}

/// Refuses what rests on an owner's right whose account somebody else gave new credentials after the owner
/// consented to the car.
pub(super) async fn require_unrecovered_owner(
    on: &mut impl Executor,
    vehicle_id: VehicleId,
) -> Result<(), Error> {
    let facts = decisions::vehicles(on, &[vehicle_id]).await?;
    if facts.iter().any(|row| row.facts.owner_recovered) {
        return Err(Error::State(StateFault::AccountRecovered));
    }
    Ok(())
}
