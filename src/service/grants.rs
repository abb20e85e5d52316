//! Lending: issuing, showing, signing and ending grants.

mod end;
mod held;
mod issue;
mod list;
mod token;

use super::{Caller, Error, Service};
use crate::domain::grant::Grant;
use crate::domain::id::GrantId;
use crate::domain::vehicle::Vehicle;
use crate::storage::{Executor, grants, vehicles};

pub use end::{Ended, Wait, relinquish, revoke};
pub use held::held;
pub use issue::{NewGrant, issue};
pub use list::{get, list};
pub use token::{MintedToken, mint_token};

/// A grant of the caller's organization with its car, before anything is said about rights.
async fn find_with_vehicle(
    on: &mut impl Executor,
    caller: &Caller,
    grant_id: GrantId,
) -> Result<(Grant, Vehicle), Error> {
    let organization_id = caller.actor.organization_id;
    let grant = grants::find(on, organization_id, grant_id).await?.ok_or(Error::NotFound)?;
    let vehicle = vehicles::find(on, organization_id, grant.vehicle_id).await?;
    Ok((grant, vehicle.ok_or(Error::NotFound)?))
}

/// What a person has to do with a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Owner,
    Grantee,
    Administrator,
    Stranger,
}

fn relation(caller: &Caller, grant: &Grant, vehicle: &Vehicle) -> Relation {
    let user_id = caller.actor.user_id();
    if user_id == Some(vehicle.owner_id) {
        Relation::Owner
    } else if user_id == Some(grant.grantee_id) {
        Relation::Grantee
    } else if caller.actor.is_admin() {
        Relation::Administrator
    } else {
        Relation::Stranger
    }
}

impl Service {
    /// Whether a grant can never be used again, by an act or because its time is over.
    fn has_ended(&self, grant: &Grant) -> bool {
        grant.ended_by(self.clock.now()).is_some()
    }
}
