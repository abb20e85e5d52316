//! Showing grants to those they concern.

use std::collections::HashMap;

use super::find_for;
use crate::domain::access::{Object, Operation, Sought};
use crate::domain::grant::Grant;
use crate::domain::hold::{StandingHold, StandingHolds};
use crate::domain::id::GrantId;
use crate::domain::key_scope::KeyScope;
use crate::service::{Base, Caller, Error};
use crate::storage::grant_lists::{self, GrantFilter};
use crate::storage::key_scopes::{self, OverGrant};
use crate::storage::{Executor, Page};

/// A grant, and by what it is held.
#[derive(Debug, Clone)]
pub struct HeldGrant {
    /// The grant, as it is with what stands over it.
    pub grant: Grant,
    /// The holds that stand, and what each is over.
    pub held_by: Vec<(KeyScope, StandingHold)>,
}

/// Grants, newest first: all of them for the organization, otherwise those of which the person is grantee
/// and those for the person's cars. A status is asked of the grants' own rows: one that is just ending together with
/// others can be among those that have not.
///
/// # Errors
/// [`crate::service::Denial::ScopeMissing`].
pub async fn list(
    base: &Base,
    caller: &Caller,
    mut filter: GrantFilter,
    page: Page,
) -> Result<Vec<HeldGrant>, Error> {
    let organization_id = caller.actor.organization_id;
    let of_a_car = |id| Object::ORGANIZATION.about(id);
    let object = filter.vehicle_id.map_or(Object::ORGANIZATION, of_a_car);
    let sought = Sought::of(organization_id);
    let acting_as = base.authorize(caller, Operation::ListGrants, &object, sought)?;
    filter.concerning = acting_as.person();
    let (mut reader, now) = (base.store.read().await?, base.clock.now());
    let found = grant_lists::list(&mut reader, organization_id, &filter, page, now).await?;
    with_holds(base, &mut reader, found).await
}

/// One grant, for its grantee, the car's owner and the organization.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::ScopeMissing`].
pub async fn get(base: &Base, caller: &Caller, grant_id: GrantId) -> Result<HeldGrant, Error> {
    let mut reader = base.store.read().await?;
    let (grant, ..) = find_for(base, &mut reader, caller, Operation::GetGrant, grant_id).await?;
    let held = with_holds(base, &mut reader, vec![grant]).await?.pop();
    held.ok_or(Error::NotFound(Sought::of(grant_id)))
}

/// A grant, ended also if all grants of one of its scopes were ended and its own row does not say so yet.
pub(super) async fn with_ends_of_scopes(
    on: &mut impl Executor,
    grant: Grant,
) -> Result<Grant, Error> {
    let over = key_scopes::over_grants(on, std::iter::once(grant.grant_id)).await?;
    let ended = over.iter().flat_map(|over| &over.ends).find_map(|ends| ends.over(&grant));
    Ok(grant.ended_with(ended).into_owned())
}

async fn with_holds(
    base: &Base,
    on: &mut impl Executor,
    found: Vec<Grant>,
) -> Result<Vec<HeldGrant>, Error> {
    let now = base.clock.now();
    let over = key_scopes::over_grants(on, found.iter().map(|grant| grant.grant_id)).await?;
    let mut over: HashMap<GrantId, OverGrant> =
        over.into_iter().map(|over| (over.grant_id, over)).collect();
    let held = found.into_iter().map(|grant| {
        let Some(OverGrant { holds, ends, .. }) = over.remove(&grant.grant_id) else {
            return HeldGrant { held_by: Vec::new(), grant };
        };
        let standing = |(scope, holds): (KeyScope, StandingHolds)| {
            holds.standing(now).into_iter().map(move |hold| (scope, hold))
        };
        let ended = ends.iter().find_map(|ends| ends.over(&grant));
        HeldGrant {
            held_by: holds.into_iter().flat_map(standing).collect(),
            grant: grant.ended_with(ended).into_owned(),
        }
    });
    Ok(held.collect())
}
