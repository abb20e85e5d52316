//! Whose right is used by a caller who names no grant token. The choice is only a choice: the
//! policy decides.

use crate::domain::actor::Scope;
use crate::domain::entitlement::Entitlement;
use crate::domain::grant::Grant;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::reading::Observable;
use crate::service::{Caller, Denial, Error, Service};
use crate::storage::{grants, vehicles};

/// What somebody wants to do with a car.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    entitlement: Entitlement,
    spends_use: bool,
    /// What a machine must have to ask for it.
    scope: Scope,
}

impl From<Action> for Wish {
    fn from(action: Action) -> Self {
        Self {
            entitlement: action.entitlement(),
            spends_use: action.spends_use(),
            scope: Scope::CommandsWrite,
        }
    }
}

impl From<Observable> for Wish {
    fn from(observable: Observable) -> Self {
        Self {
            entitlement: observable.entitlement(),
            spends_use: false,
            scope: Scope::VehiclesRead,
        }
    }
}

/// Whose right a caller uses who names no grant token: the person themselves, or the one a machine
/// acts for; and the grant it rests on, if the person does not own the car. The choice is only a
/// choice: the gate decides.
///
/// # Errors
/// [`Denial::ScopeMissing`], [`Denial::ActingForMissing`], [`Error::NotFound`] for a car or grant that is
/// not there.
pub async fn choose_right(
    service: &Service,
    caller: &Caller,
    vehicle_id: VehicleId,
    wish: Wish,
    named: Option<GrantId>,
) -> Result<(Caller, UserId, Option<GrantId>), Error> {
    if caller.actor.is_api_client() && !caller.actor.has_scope(wish.scope) {
        return Err(Error::Forbidden(Denial::ScopeMissing(wish.scope.as_str())));
    }
    let organization_id = caller.actor.organization_id;
    let mut reader = service.store.read_urgent().await?;
    let user_id = match (caller.actor.user_id(), named) {
        (Some(user_id), _) => user_id,
        (None, Some(grant_id)) => {
            let grant = grants::find(&mut reader, organization_id, grant_id).await?;
            grant.ok_or(Error::NotFound)?.grantee_id
        }
        (None, None) => return Err(Error::Forbidden(Denial::ActingForMissing)),
    };
    let caller = caller.acting_for(user_id);
    if named.is_some() {
        return Ok((caller, user_id, named));
    }
    let vehicle = vehicles::find(&mut reader, organization_id, vehicle_id).await?;
    let vehicle = vehicle.ok_or(Error::NotFound)?;
    if vehicle.owner_id == user_id {
        return Ok((caller, user_id, None));
    }
    let held = grants::list_held(&mut reader, organization_id, vehicle_id, user_id).await?;
    // Who holds none is refused by the gate, which records it.
    let chosen = best(service, &held, wish).map(|grant| grant.grant_id);
    Ok((caller, user_id, chosen))
}

/// The grant most likely to be allowed; among equals the newest. If none is usable it is the one
/// whose refusal tells the person most.
fn best<'a>(service: &Service, held: &'a [Grant], wish: Wish) -> Option<&'a Grant> {
    let now = service.clock.now();
    let rank = |grant: &&Grant| {
        let alive = grant.end.is_none();
        let in_time = alive && grant.ended_by(now).is_none() && grant.validity.not_before() <= now;
        let entitled = grant.entitlements.contains(wish.entitlement);
        let uses_left = !wish.spends_use || grant.uses_left() != Some(0);
        (in_time && entitled && uses_left, in_time && entitled, in_time, alive)
    };
    // `max_by_key` prefers the last of equals, and the newest come first.
    held.iter().rev().max_by_key(rank)
}
