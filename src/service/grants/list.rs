//! Showing grants to those they concern.

use super::{Relation, find_with_vehicle, relation};
use crate::domain::actor::Scope;
use crate::domain::grant::Grant;
use crate::domain::id::{GrantId, VehicleId};
use crate::service::{Caller, Denial, Error, Service};
use crate::storage::Page;
use crate::storage::grants::{self, Filter};

fn must_have_scope(caller: &Caller) -> Result<(), Error> {
    if caller.actor.is_api_client() && !caller.actor.has_scope(Scope::GrantsRead) {
        return Err(Error::Forbidden(Denial::ScopeMissing(Scope::GrantsRead.as_str())));
    }
    Ok(())
}

/// Grants, newest first: all for administrators and machines with the scope, otherwise those the
/// caller holds and those for the caller's cars.
///
/// # Errors
/// [`Denial::ScopeMissing`].
pub async fn list(
    service: &Service,
    caller: &Caller,
    vehicle_id: Option<VehicleId>,
    page: Page,
) -> Result<Vec<Grant>, Error> {
    must_have_scope(caller)?;
    let everything = caller.actor.is_admin()
        || (caller.actor.is_api_client() && caller.actor.user_id().is_none());
    let concerning = if everything { None } else { caller.actor.user_id() };
    let filter = Filter { concerning, vehicle_id };
    let mut reader = service.store.read().await?;
    Ok(grants::list(&mut reader, caller.actor.organization_id, filter, page).await?)
}

/// One grant, for its grantee, the car's owner, administrators and machines with the scope.
///
/// # Errors
/// [`Error::NotFound`], [`Denial::ScopeMissing`].
pub async fn get(service: &Service, caller: &Caller, grant_id: GrantId) -> Result<Grant, Error> {
    must_have_scope(caller)?;
    let mut reader = service.store.read().await?;
    let (grant, vehicle) = find_with_vehicle(&mut reader, caller, grant_id).await?;
    let is_machine = caller.actor.is_api_client() && caller.actor.user_id().is_none();
    if !is_machine && relation(caller, &grant, &vehicle) == Relation::Stranger {
        return Err(Error::NotFound);
    }
    Ok(grant)
}
