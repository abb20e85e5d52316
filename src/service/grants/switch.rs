//! A booking moves to another car of its owner: one grant ends and another one begins, or neither.

use super::{end, find_for, issue};
use crate::domain::access::Operation;
use crate::domain::amendment::Terms;
use crate::domain::event::Event;
use crate::domain::grant::{End, EndReason, Grant};
use crate::domain::id::{CommandId, GrantId, VehicleId};
use crate::domain::key_scope::KeyScope;
use crate::domain::policy::Reason;
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Base, Caller, Error, StateFault, Work, vehicles};
use crate::storage::{Priority, StorageError, commands, grants};

const SWITCH: &str = "grants.switch_vehicle";

/// A booking that has moved.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct SwitchedGrant {
    /// The grant for the other car.
    pub grant: Grant,
    /// The commands of the grant before it that may still be on their way.
    pub in_flight: Vec<CommandId>,
}

/// Ends a grant, and issues one that allows the same with another car of the same owner, for as many uses as were left. What
/// the guest had of the car before can be locked for the grace.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheOwner`], [`StateFault::GrantEnded`], [`Error::Refused`] if no use is
/// left, a hold stands over the grant or it waits for the owner's word, and whatever issuing fails with.
pub async fn switch(
    base: &Base,
    caller: &Caller,
    idempotency: &Idempotency,
    grant_id: GrantId,
    vehicle_id: VehicleId,
) -> Result<Answer<SwitchedGrant>, Error> {
    let switched = base.transact(SWITCH, Priority::Urgent, |work| {
        Box::pin(switch_in(base, work, caller, idempotency, (grant_id, vehicle_id)))
    });
    switched.await
}

async fn switch_in(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    idempotency: &Idempotency,
    (grant_id, vehicle_id): (GrantId, VehicleId),
) -> Result<Answer<SwitchedGrant>, Error> {
    if let Some(answer) = idempotency.find_or_take(base, &mut work.tx, caller, SWITCH).await? {
        return Ok(answer);
    }
    let operation = Operation::SwitchVehicle;
    let (found, _, acting_as) = find_for(base, &mut work.tx, caller, operation, grant_id).await?;
    let (vehicle, _) =
        vehicles::find_for(base, &mut work.tx, caller, Operation::IssueGrant, vehicle_id).await?;
    if found.vehicle_id == vehicle_id {
        return Err(Error::invalid("/vehicle_id", "unchanged", "must be another car"));
    }
    let mut new = moved(&found, vehicle_id);
    let to_lend = issue::lock(base, work, caller, &new, Some(&found)).await?;
    let before = to_lend.before(work.now).filter(|(before, _)| before.is_alive(work.now));
    let (before, kept_from) = before.ok_or(Error::State(StateFault::GrantEnded))?;
    if !kept_from.is_empty() {
        return Err(Error::Refused(kept_from));
    }
    new = moved(&before, vehicle_id);
    if new.terms.uses_max.is_some_and(|left| left < 1) {
        return Err(Error::Refused(vec![Reason::GrantExhausted]));
    }
    let over = End { ended_at: work.now, end_reason: EndReason::Revoked, leave_lock: true };
    let ended = grants::end(&mut work.tx, before.organization_id, grant_id, over, None).await?;
    let ended = ended.ok_or(Error::Storage(StorageError::LostRace))?;
    let in_flight = commands::in_flight(&mut work.tx, KeyScope::Grant(grant_id)).await?;
    let grant = issue::lend(base, work, &new, &vehicle, &to_lend).await?;
    let events: [Event; 2] =
        [end::revoked(&ended, true, in_flight.len()), issue::event(&grant, Some(grant_id))];
    work.record_all(&caller.acting_as(acting_as), events)?;
    let switched = SwitchedGrant { grant, in_flight };
    idempotency.keep(base, &mut work.tx, caller, SWITCH, &switched).await?;
    Ok(Answer::fresh(switched))
}

/// The same rule for another car, with the uses that are left.
fn moved(before: &Grant, vehicle_id: VehicleId) -> issue::NewGrant {
    let mut terms = Terms::of(before);
    terms.uses_max = terms.uses_max.map(|most| most.saturating_sub(before.uses));
    issue::NewGrant {
        vehicle_id,
        grantee_id: before.grantee_id,
        terms,
        description: before.description.clone(),
    }
}
