//! Holds: pausing what grants allow, over one grant, a person, a car or the whole organization. Placing one is a line, as an
//! end is (P2): its commit raises the revision of what it is over, on which every decision rests.

mod lift;
mod list;
mod place;

use super::{Base, Caller, Error, grants, vehicles};
use crate::domain::access::{ActingAs, Object, Operation, Sought};
use crate::domain::event::Subjects;
use crate::domain::hold::{Rank, StandingHold};
use crate::domain::key_scope::KeyScope;
use crate::domain::time::Timestamp;
use crate::storage::{Tx, holds, key_scopes, users};

pub use lift::lift;
pub use list::{ListedHold, list};
pub use place::{NewHold, PlacedHold, place};

/// What a hold is over, as the caller may hold it.
#[derive(Debug, Clone, Copy)]
struct Over {
    scope: KeyScope,
    /// What the record says it is about.
    about: Subjects,
    /// The rank of the caller.
    rank: Rank,
    acting_as: ActingAs,
}

/// Whether the caller may place and lift holds over something, and at which rank.
async fn permit(base: &Base, tx: &mut Tx, caller: &Caller, scope: KeyScope) -> Result<Over, Error> {
    let (about, owner, acting_as) = match scope {
        KeyScope::Grant(grant_id) => {
            let operation = Operation::HoldGrant;
            let (grant, vehicle, acting_as) =
                grants::find_for(base, tx, caller, operation, grant_id).await?;
            let about = Subjects::of_grant(grant_id, grant.vehicle_id, grant.grantee_id);
            (about, Some(vehicle.owner_id), acting_as)
        }
        KeyScope::Vehicle(vehicle_id) => {
            let operation = Operation::HoldVehicle;
            let (vehicle, acting_as) =
                vehicles::find_for(base, tx, caller, operation, vehicle_id).await?;
            let owner_id = vehicle.owner_id;
            (Subjects::of_vehicle(vehicle_id, None, owner_id), Some(owner_id), acting_as)
        }
        KeyScope::User(user_id) => {
            let found = users::find(tx, caller.actor.organization_id, user_id).await?;
            let object = Object::found(found.as_ref(), |user| Object::user(user.user_id));
            let (operation, sought) = (Operation::HoldUser, Sought::of(user_id));
            let acting_as = base.authorize(caller, operation, &object, sought)?;
            (Subjects::of_user(user_id), None, acting_as)
        }
        KeyScope::Organization(_) => {
            let operation = Operation::HoldOrganization;
            (Subjects::NONE, None, base.authorize_in_organization(caller, operation)?)
        }
    };
    let rank = Rank::of(&caller.actor, acting_as, owner);
    Ok(Over { scope, about, rank, acting_as })
}

/// Holds that are over are kept beside what they are over only while the clock is not trusted, and no more than these.
const OVER_KEPT_MAX: usize = 32;

/// Locks what holds are over, so that nobody decides on it meanwhile, and returns what its row must keep of the holds over it,
/// oldest first, and the time.
async fn lock(
    base: &Base,
    tx: &mut Tx,
    caller: &Caller,
    scope: KeyScope,
) -> Result<(Vec<StandingHold>, Timestamp), Error> {
    if !key_scopes::lock(tx, caller.actor.organization_id, scope).await? {
        return Err(Error::NotFound(Sought::the(scope.kind().as_str())));
    }
    // Once it is locked: the change is later than all that was decided on before it.
    let now = base.clock.now();
    // While the clock is not trusted, a hold that it takes for over may stand.
    let since = if base.require_trusted_clock().is_ok() { now } else { Timestamp::MIN };
    let kept = holds::standing_over(tx, scope, since).await?;
    let kept: Vec<StandingHold> = kept.into_iter().map(|hold| hold.standing).collect();
    let over = kept.iter().filter(|hold| !hold.stands(now)).count();
    let mut too_many = over.saturating_sub(OVER_KEPT_MAX);
    let kept = kept.into_iter().filter(|hold| {
        let is_dropped = !hold.stands(now) && too_many > 0;
        too_many -= usize::from(is_dropped);
        !is_dropped
    });
    Ok((kept.collect(), now))
}
