//! Reading the record: administrators and machines with the scope read all of it, owners what
//! happened with their cars.

use super::{Caller, Error, Service, users};
use crate::audit::entry::RecordedEntry;
use crate::domain::actor::Scope;
use crate::storage::audit_entries::{self, Filter, Subject};
use crate::storage::{Page, grants, vehicles};

/// Entries, newest first.
///
/// # Errors
/// [`super::Denial::AdminOnly`] for a member who does not ask about a car of their own,
/// [`super::Denial::ScopeMissing`].
pub async fn list(
    service: &Service,
    caller: &Caller,
    filter: &Filter,
    page: Page,
) -> Result<Vec<RecordedEntry>, Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = service.store.read().await?;
    if let Err(ban) = users::may_administer(caller, Scope::AuditRead) {
        let vehicle_id = match filter.subject {
            Some(Subject::Vehicle(vehicle_id)) => Some(vehicle_id),
            Some(Subject::Grant(grant_id)) => {
                let grant = grants::find(&mut reader, organization_id, grant_id).await?;
                grant.map(|grant| grant.vehicle_id)
            }
            Some(Subject::User(_)) | None => None,
        };
        let Some(vehicle_id) = vehicle_id else { return Err(ban) };
        let vehicle = vehicles::find(&mut reader, organization_id, vehicle_id).await?;
        let is_owner =
            vehicle.is_some_and(|vehicle| caller.actor.user_id() == Some(vehicle.owner_id));
        if !is_owner || caller.actor.is_api_client() {
            return Err(ban);
        }
    }
    Ok(audit_entries::list(&mut reader, organization_id, filter, page).await?)
}
