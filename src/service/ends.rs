//! Ends by scope: all that a person was lent, that was lent of a car or in an organization ends at once. The line is one
//! change of the row of the scope (P2), however many grants there are. Then each grant gets the end on its own row, in small
//! transactions between those of everybody else; what a crash leaves, a worker goes on with.

mod carry_out;
mod end;
mod line;
mod preview;

use super::{Base, Caller, Error, grants, vehicles};
use crate::domain::access::{ActingAs, Object, Operation, Sought};
use crate::domain::event::Subjects;
use crate::domain::key_scope::KeyScope;
use crate::storage::{Executor, users};

pub use carry_out::go_on;
pub(super) use carry_out::{carry_out, carry_out_or_leave};
pub use end::{EndedScope, EndingOfScope, end};
pub(super) use line::{NewEnd, draw_line};
pub use preview::{MidTrip, Preview, preview};

/// Whether the caller may end all grants of a scope, what the record says it is about, and in whose place they do.
async fn permit(
    base: &Base,
    on: &mut impl Executor,
    caller: &Caller,
    scope: KeyScope,
) -> Result<(Subjects, ActingAs), Error> {
    Ok(match scope {
        KeyScope::Grant(grant_id) => {
            let operation = Operation::RevokeGrant;
            let (grant, _, acting_as) =
                grants::find_for(base, on, caller, operation, grant_id).await?;
            (Subjects::of_grant(grant_id, grant.vehicle_id, grant.grantee_id), acting_as)
        }
        KeyScope::Vehicle(vehicle_id) => {
            let operation = Operation::EndGrantsOfVehicle;
            let (vehicle, acting_as) =
                vehicles::find_for(base, on, caller, operation, vehicle_id).await?;
            (Subjects::of_vehicle(vehicle_id, None, vehicle.owner_id), acting_as)
        }
        KeyScope::User(user_id) => {
            let found = users::find(on, caller.actor.organization_id, user_id).await?;
            let object = Object::found(found.as_ref(), |user| Object::user(user.user_id));
            let (operation, sought) = (Operation::EndGrantsOfUser, Sought::of(user_id));
            let acting_as = base.authorize(caller, operation, &object, sought)?;
            (Subjects::of_user(user_id), acting_as)
        }
        KeyScope::Organization(_) => {
            let operation = Operation::EndGrantsOfOrganization;
            (Subjects::NONE, base.authorize_in_organization(caller, operation)?)
        }
    })
}
