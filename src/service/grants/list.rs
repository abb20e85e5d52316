//! Showing grants to those they concern.

use super::find_for;
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::grant::Grant;
use crate::domain::id::{GrantId, VehicleId};
use crate::service::{Base, Caller, Error};
use crate::storage::Page;
use crate::storage::grants::{self, GrantFilter};

/// Grants, newest first: all of them for the organization, otherwise those of which the person is grantee
/// and those for the person's cars.
///
/// # Errors
/// [`crate::service::Denial::ScopeMissing`].
pub async fn list(
    base: &Base,
    caller: &Caller,
    vehicle_id: Option<VehicleId>,
    page: Page,
) -> Result<Vec<Grant>, Error> {
    let object = vehicle_id.map_or(Object::ORGANIZATION, |id| Object::ORGANIZATION.about(id));
    let sought = Sought::of(caller.actor.organization_id);
    let acting_as = base.authorize(caller, Operation::ListGrants, &object, sought)?;
    let filter = GrantFilter { concerning: acting_as.person(), vehicle_id };
    let mut reader = base.store.read().await?;
    Ok(grants::list(&mut reader, caller.actor.organization_id, filter, page).await?)
}

/// One grant, for its grantee, the car's owner and the organization.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::ScopeMissing`].
pub async fn get(base: &Base, caller: &Caller, grant_id: GrantId) -> Result<Grant, Error> {
    let mut reader = base.store.read().await?;
    let (grant, ..) = find_for(base, &mut reader, caller, Operation::GetGrant, grant_id).await?;
    Ok(grant)
}
