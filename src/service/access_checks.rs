//! Asking what the policy would say, now or at a given time, without any effect.

use super::{Caller, Error, Service, vehicles};
use crate::domain::id::{GrantId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::policy::{self, Decision, Facts, Reason, Request};
use crate::domain::time::Timestamp;
use crate::storage::decisions;

/// What to ask.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The car.
    pub vehicle_id: VehicleId,
    /// What would be done.
    pub action: Action,
    /// By which grant; without one the best of the person's is taken.
    pub grant_id: Option<GrantId>,
    /// When; now if not given.
    pub at: Option<Timestamp>,
}

/// What the policy would say to this caller. The facts are today's, whatever the time asked for.
///
/// # Errors
/// As for a command that names the same car and grant.
pub async fn check(
    service: &Service,
    caller: &Caller,
    question: Question,
) -> Result<Decision, Error> {
    service.must_agree()?;
    let Question { vehicle_id, action, grant_id, at } = question;
    let (_, user_id, grant_id) =
        vehicles::choose_right(service, caller, vehicle_id, action.into(), grant_id).await?;
    let organization_id = caller.actor.organization_id;
    let mut reader = service.store.read().await?;
    let vehicle = decisions::vehicles(&mut reader, &[vehicle_id]).await?.into_iter().next();
    let vehicle =
        vehicle.filter(|row| row.organization_id == organization_id).ok_or(Error::NotFound)?;
    let claimed = match grant_id {
        None => None,
        Some(grant_id) => {
            let found = decisions::grants(&mut reader, &[grant_id]).await?.into_iter().next();
            let found = found.filter(|facts| facts.grant.organization_id == organization_id);
            Some(found.ok_or(Error::NotFound)?)
        }
    };
    let facts = Facts { vehicle: &vehicle.facts, grant: claimed.as_ref() };
    let request = Request {
        user_id,
        vehicle_id,
        entitlement: action.entitlement(),
        spends_use: action.spends_use(),
    };
    match policy::decide(facts, &request, at.unwrap_or_else(|| service.clock.now())) {
        // Who has nothing to do with the car must not learn that it is there.
        Decision::Deny(reasons) if reasons.contains(&Reason::NotFound) => Err(Error::NotFound),
        decision => Ok(decision),
    }
}
