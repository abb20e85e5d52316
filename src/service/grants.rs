//! Lending: issuing, showing, signing and ending grants.

mod amend;
mod calendar;
mod confirm;
mod end;
mod end_check;
mod ends_read;
mod extensions;
mod issue;
mod list;
mod of_token;
mod statement;
mod switch;
mod token;
mod tokens;

use super::{Base, Caller, Error, Violation};
use crate::domain::access::{ActingAs, Object, Operation, Sought};
use crate::domain::connection::Permissions;
use crate::domain::entitlement::Entitlements;
use crate::domain::grant::Grant;
use crate::domain::id::GrantId;
use crate::domain::policy::{GrantFacts, Reason, VehicleFacts};
use crate::domain::vehicle::Vehicle;
use crate::storage::decisions::{self, LockedRows, RowsToLock};
use crate::storage::{Executor, StorageError, Tx, grants, vehicles};

pub use amend::{AmendedGrant, Changes, amend};
pub(super) use calendar::require_exclusive;
pub use confirm::confirm;
pub(super) use confirm::confirmed;
pub use end::{AnswerWhen, EndedGrant, Ending, end};
pub use end_check::{check_end, relinquish};
pub use ends_read::read_for_statements;
pub use extensions::{
    KnownExtension, WantedExtension, decide_extension, list_extensions, request_extension,
};
pub use issue::{NewGrant, issue};
pub use list::{HeldGrant, get, list};
pub use of_token::of_token;
pub use statement::{StatedReading, Statement, Used, statement};
pub use switch::{SwitchedGrant, switch};
pub use token::{MintedToken, mint_token};
pub use tokens::{end_token, list_tokens};

/// A grant of the caller's organization, its car, and in whose place the caller does something with
/// it.
pub(super) async fn find_for(
    base: &Base,
    on: &mut impl Executor,
    caller: &Caller,
    operation: Operation,
    grant_id: GrantId,
) -> Result<(Grant, Vehicle, ActingAs), Error> {
    let found = find_permitted(base, on, caller, operation, grant_id).await?;
    base.pace.admit(&caller.acting_as(found.2), operation)?;
    Ok(found)
}

/// The same, for what is counted later.
async fn find_permitted(
    base: &Base,
    on: &mut impl Executor,
    caller: &Caller,
    operation: Operation,
    grant_id: GrantId,
) -> Result<(Grant, Vehicle, ActingAs), Error> {
    let organization_id = caller.actor.organization_id;
    let found = match grants::find(on, organization_id, grant_id).await? {
        Some(grant) => {
            let vehicle = vehicles::find(on, organization_id, grant.vehicle_id).await?;
            vehicle.map(|vehicle| (grant, vehicle))
        }
        None => None,
    };
    let object = Object::found(found.as_ref(), |(grant, vehicle)| Object::grant(grant, vehicle));
    let sought = Sought::of(grant_id);
    let acting_as = base.permit(caller, operation, &object, sought.clone())?;
    let (grant, vehicle) = found.ok_or(Error::NotFound(sought))?;
    Ok((grant, vehicle, acting_as))
}

/// Locks the rows of the grant and its car, so that nobody else decides on it, changes it or ends it, and reads it once more:
/// as it is with the ends of its scopes, which its own row may not say yet.
async fn lock(tx: &mut Tx, found: Grant) -> Result<Grant, Error> {
    let (claimed, vehicle) = lock_facts(tx, &found).await?;
    Ok(claimed.with_ends_of_scopes(&vehicle).into_owned())
}

/// The same, with all that is known of both.
async fn lock_facts(tx: &mut Tx, found: &Grant) -> Result<(GrantFacts, VehicleFacts), Error> {
    let (vehicle_ids, grant_ids) = (vec![found.vehicle_id], vec![found.grant_id]);
    let asked = RowsToLock { vehicle_ids, grant_ids, ..RowsToLock::default() };
    let LockedRows { mut vehicles, mut grants, .. } = decisions::lock_rows(tx, asked).await?;
    // A row that is being replaced is there when it is looked for again.
    let locked = grants.pop().zip(vehicles.pop());
    let (claimed, vehicle) = locked.ok_or(Error::Storage(StorageError::LostRace))?;
    Ok((claimed, vehicle.facts))
}

/// Whoever may open a car may close it (P11).
fn lock_missing() -> Violation {
    let detail = "who may `unlock` must be able to `lock`";
    Violation::of("/entitlements", "lock_missing", detail)
}

/// One violation for each entitlement that the owner did not permit at the vehicle cloud.
fn missing_permissions<'a>(
    entitlements: &'a Entitlements,
    permissions: &'a Permissions,
) -> impl Iterator<Item = Violation> + 'a {
    let needed = entitlements.iter().map(|entitlement| (entitlement, entitlement.permission()));
    let missing = needed.filter(|(_, permission)| !permissions.contains(permission));
    missing.map(|(entitlement, permission)| {
        let detail = format!(
            "`{entitlement}` needs the permission `{permission}`, which the owner did not give"
        );
        Violation::of("/entitlements", Reason::PermissionMissing.as_str(), detail)
    })
}
