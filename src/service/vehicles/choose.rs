//! Whose right is used by a caller who names no grant token. The choice is only a choice: the
//! policy decides.

use crate::domain::access::{Object, Operation, Sought};
use crate::domain::entitlement::Entitlement;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::policy::{self, Decision, Facts, GrantFacts, Request, VehicleFacts};
use crate::domain::reading::Observable;
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, Denial, Error};
use crate::storage::decisions;

/// What somebody wants to do with a car.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    entitlement: Entitlement,
    spends_use: bool,
    /// What the caller asks for.
    operation: Operation,
}

impl Wish {
    /// A wish to have the car do something, or to know whether it might be done.
    #[must_use]
    pub const fn of(action: Action, operation: Operation) -> Self {
        let (entitlement, spends_use) = (action.entitlement(), action.spends_use());
        Self { entitlement, spends_use, operation }
    }
}

impl From<Action> for Wish {
    fn from(action: Action) -> Self {
        Self::of(action, Operation::SendCommand)
    }
}

impl From<Observable> for Wish {
    fn from(observable: Observable) -> Self {
        Self {
            entitlement: observable.entitlement(),
            spends_use: false,
            operation: Operation::ReadVehicle,
        }
    }
}

/// Whose right a caller uses who names no grant token: the person themselves, or the one an API
/// client acts for; and the grant it rests on, if the person does not own the car. The choice is
/// only a choice: the gate decides.
///
/// # Errors
/// [`Denial::ScopeMissing`], [`Denial::ActingForMissing`], [`Error::NotFound`] for a car or grant that is
/// not there.
pub async fn choose_grant(
    base: &Base,
    caller: &Caller,
    vehicle_id: VehicleId,
    wish: Wish,
    named: Option<GrantId>,
) -> Result<(Caller, UserId, Option<GrantId>), Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read_urgent().await?;
    let (object, sought) = (Object::ORGANIZATION.about(vehicle_id), Sought::VEHICLE_OR_GRANT);
    let acting_as = base.authorize(caller, wish.operation, &object, sought)?;
    let user_id = acting_as.person().ok_or(Error::Forbidden(Denial::ActingForMissing))?;
    let caller = caller.acting_for(user_id);
    if named.is_some() {
        return Ok((caller, user_id, named));
    }
    let vehicle = decisions::vehicles(&mut reader, &[vehicle_id]).await?.into_iter().next();
    let vehicle = vehicle.filter(|vehicle| vehicle.organization_id == organization_id);
    let vehicle = vehicle.ok_or(Error::NotFound(Sought::VEHICLE_OR_GRANT))?;
    if vehicle.facts.owner_id == user_id {
        return Ok((caller, user_id, None));
    }
    let grants = decisions::grants_of(&mut reader, organization_id, vehicle_id, user_id).await?;
    let Wish { entitlement, spends_use, .. } = wish;
    let request = Request { user_id, vehicle_id, entitlement, spends_use, device_key: None };
    // The refusal of somebody who has none is the gate's, which records it.
    let chosen = best(&vehicle.facts, &grants, &request, base.clock.now());
    Ok((caller, user_id, chosen))
}

/// The grant that the policy allows; among equals the newest. If it allows none, it is one that has
/// not ended, and the one with the least to object to: reasons are in the order of their weight.
fn best(
    vehicle: &VehicleFacts,
    grants: &[GrantFacts],
    request: &Request,
    now: Timestamp,
) -> Option<GrantId> {
    let rank = |facts: &&GrantFacts| {
        let grant = Some(*facts);
        let objection = match policy::decide(Facts { vehicle, grant }, request, now) {
            Decision::Allow(_) => return (true, true, None),
            Decision::Deny(reasons) => reasons.first().copied(),
        };
        (false, facts.grant.is_alive(now), objection)
    };
    // `max_by_key` prefers the last of equals, and the newest come first.
    grants.iter().rev().max_by_key(rank).map(|facts| facts.grant.grant_id)
}
