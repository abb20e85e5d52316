//! Asking what the policy would say, now or at a given time, without any effect.

mod who;

use super::facts::DecisionFacts;
use super::pace::{Lane, Shown, Use};
use super::shown_token::ShownToken;
use super::vehicles::{self, Wish};
use super::{Base, Caller, Error};
use crate::domain::access::{Operation, Sought};
use crate::domain::id::{GrantId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::policy::{Decision, Reason, Request};
use crate::domain::time::Timestamp;

pub use who::{Allowed, Who, who};

/// What to ask.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The car.
    pub vehicle_id: VehicleId,
    /// What would be done.
    pub action: Action,
    /// By which grant; without one the best of the person's is taken.
    pub grant_id: Option<GrantId>,
    /// The grant token that shows that it is theirs, if one does.
    pub token: Option<ShownToken>,
    /// When; now if not given.
    pub at: Option<Timestamp>,
}

/// What the policy would say to this caller. The facts are today's, whatever the time asked for.
///
/// # Errors
/// As for a command that names the same car and grant.
pub async fn check(base: &Base, caller: &Caller, question: Question) -> Result<Decision, Error> {
    base.require_trusted_clock()?;
    let Question { vehicle_id, action, grant_id, token, at } = question;
    let wish = Wish::of(action, Operation::CheckAccess);
    let (caller, user_id, grant_id) =
        vehicles::choose_grant(base, caller, vehicle_id, wish, grant_id).await?;
    let used = Use { caller: &caller, user_id, grant_id, shown: Shown::by(token.is_some()) };
    base.pace.admit_use(used, Lane::Other)?;
    let mut reader = base.store.read().await?;
    let named = (vehicle_id, grant_id);
    let known = DecisionFacts::read(&mut reader, &[named]).await?;
    let facts = known.of(caller.actor.organization_id, named);
    let facts = facts.ok_or(Error::NotFound(Sought::VEHICLE_OR_GRANT))?;
    let request = Request {
        user_id,
        vehicle_id,
        entitlement: action.entitlement(),
        spends_use: action.spends_use(),
        device_key: token.and_then(|shown| shown.device_key),
    };
    match facts.decide(&request, at.unwrap_or_else(|| base.clock.now())) {
        // Who has nothing to do with the car must not learn that it is there.
        Decision::Deny(reasons) if reasons.contains(&Reason::NotFound) => {
            Err(Error::NotFound(Sought::VEHICLE_OR_GRANT))
        }
        decision => Ok(decision),
    }
}
