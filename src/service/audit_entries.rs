//! Reading the record: the organization reads all of it, owners what happened with their cars, and everybody what it
//! says about them.

use super::{Base, Caller, Error};
use crate::audit::entry::RecordedEntry;
use crate::domain::access::{Object, Operation, Sought};
use crate::storage::audit_entries::{self, EntriesAbout, Subject};
use crate::storage::{Page, grants, vehicles};

/// Entries, newest first.
///
/// # Errors
/// [`super::Denial::AdminOnly`] for a member who asks neither about a car of their own nor about themself,
/// [`super::Denial::ScopeMissing`].
pub async fn list(
    base: &Base,
    caller: &Caller,
    filter: &EntriesAbout,
    page: Page,
) -> Result<Vec<RecordedEntry>, Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read().await?;
    let vehicle_id = match filter.subject {
        Some(Subject::Vehicle(vehicle_id)) => Some(vehicle_id),
        Some(Subject::Grant(grant_id)) => {
            let grant = grants::find(&mut reader, organization_id, grant_id).await?;
            grant.map(|grant| grant.vehicle_id)
        }
        Some(Subject::User(_)) | None => None,
    };
    let vehicle = match vehicle_id {
        Some(vehicle_id) => vehicles::find(&mut reader, organization_id, vehicle_id).await?,
        None => None,
    };
    let object = match (&vehicle, filter.subject) {
        (Some(vehicle), _) => Object::vehicle(vehicle),
        (None, Some(Subject::User(user_id))) => Object::user(user_id),
        (None, _) => Object::ORGANIZATION,
    };
    let sought = Sought::the("audit entry");
    base.authorize(caller, Operation::ListAuditEntries, &object, sought)?;
    Ok(audit_entries::list(&mut reader, organization_id, filter, page).await?)
}
