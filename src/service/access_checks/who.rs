//! Who may do something to a car, and when: the policy's answer for everybody who has to do with it.

use crate::domain::access::{Operation, Sought};
use crate::domain::allowed_times::{Period, allowed_times};
use crate::domain::device_key::Thumbprint;
use crate::domain::grant::VALIDITY_MAX;
use crate::domain::id::{UserId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::policy::{Basis, Facts, GrantFacts, Request};
use crate::service::{Base, Caller, Error, vehicles};
use crate::storage::decisions;

/// So many grants are looked at.
const GRANTS_MAX: usize = 1_000;

/// Somebody who may.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// The person.
    pub user_id: UserId,
    /// By what right.
    pub basis: Basis,
    /// When, within the period; never empty.
    pub times: Vec<Period>,
}

/// Everybody who may.
#[derive(Debug, Clone)]
pub struct Who {
    /// The owner first, then by grants, the newest first.
    pub allowed: Vec<Allowed>,
    /// Whether all grants were looked at that can allow something in the period.
    pub is_complete: bool,
}

/// Who may do something to a car within a period, if everything stays as it is today.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheOwner`]; [`Error::Invalid`] for a period that is empty or longer than a grant
/// can be.
pub async fn who(
    base: &Base,
    caller: &Caller,
    vehicle_id: VehicleId,
    action: Action,
    within: Period,
) -> Result<Who, Error> {
    if within.until <= within.from {
        return Err(Error::invalid("/until", "ends_before_start", "must be later than from"));
    }
    if within.until.since(within.from) > VALIDITY_MAX {
        return Err(Error::invalid("/until", "too_long", "must be at most 400 days after from"));
    }
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read().await?;
    vehicles::find_for(base, &mut reader, caller, Operation::ListAccess, vehicle_id).await?;
    let vehicle = decisions::vehicles(&mut reader, &[vehicle_id]).await?.into_iter().next();
    let vehicle = vehicle.ok_or_else(|| Error::NotFound(Sought::of(vehicle_id)))?.facts;
    let limit = i64::try_from(GRANTS_MAX.saturating_add(1)).unwrap_or(i64::MAX);
    let lent =
        decisions::lent_within(&mut reader, organization_id, vehicle_id, within, limit).await?;
    let allowed = |user_id, basis, grant: Option<&GrantFacts>| {
        let (entitlement, spends_use) = (action.entitlement(), action.spends_use());
        let device_key = Some(Thumbprint::WHICHEVER);
        let request = Request { user_id, vehicle_id, entitlement, spends_use, device_key };
        let times = allowed_times(Facts { vehicle: &vehicle, grant }, &request, within);
        (!times.is_empty()).then_some(Allowed { user_id, basis, times })
    };
    let owner = allowed(vehicle.owner_id, Basis::Ownership, None);
    let by_grants = lent.iter().take(GRANTS_MAX).filter_map(|facts| {
        let grant = &facts.grant;
        allowed(grant.grantee_id, Basis::Grant(grant.grant_id), Some(facts))
    });
    let allowed = owner.into_iter().chain(by_grants).collect();
    Ok(Who { allowed, is_complete: lent.len() <= GRANTS_MAX })
}
