//! Placing a hold: for administrators and support over everything, for owners over their cars and what they lent, for
//! guests over their own keys and themselves.

use serde::{Deserialize, Serialize};

use super::{Over, lock, permit};
use crate::domain::access::Sought;
use crate::domain::event::Event;
use crate::domain::hold::{HOLDS_PER_RANK_MAX, Hold, StandingHold};
use crate::domain::id::{CommandId, HoldId};
use crate::domain::key_scope::KeyScope;
use crate::domain::time::Timestamp;
use crate::service::failpoint::{self, Failpoint};
use crate::service::grants::AnswerWhen;
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Base, Caller, Error, PersonalContext, StateFault, Work, commands};
use crate::storage::{Priority, commands as stored_commands, holds, key_scopes};

const PLACE: &str = "holds.place";

/// What a hold is made from.
#[derive(Debug, Clone)]
pub struct NewHold {
    /// What it is over.
    pub scope: KeyScope,
    /// Why, in the caller's words.
    pub reason: String,
    /// The first moment in which it no longer stands; `None` is until it is lifted.
    pub until: Option<Timestamp>,
    /// Whether cars can be locked all the same.
    pub allow_lock: bool,
}

/// A hold that was placed.
#[derive(Debug, Clone)]
pub struct PlacedHold {
    /// The hold, as it is now.
    pub hold: Hold,
    /// Whether it stands now: not if it was placed by an earlier request with the same key, and has been lifted since.
    pub stands: bool,
    /// The commands within its scope that were authorized before it and may still be on their way.
    pub in_flight: Vec<CommandId>,
}

/// What is kept of an answer: nothing that a person wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptHold {
    hold_id: HoldId,
    in_flight: Vec<CommandId>,
}

/// Places a hold.
///
/// # Errors
/// [`Error::NotFound`], a [`crate::service::Denial`], [`Error::Invalid`] for a time that is over,
/// [`StateFault::TooManyHolds`].
pub async fn place(
    base: &Base,
    caller: &Caller,
    idempotency: &Idempotency,
    new: &NewHold,
    wait: AnswerWhen,
) -> Result<Answer<PlacedHold>, Error> {
    let Answer { value: kept, replayed } = base
        .transact(PLACE, Priority::Urgent, |work| {
            Box::pin(place_in(base, work, caller, idempotency, new))
        })
        .await?;
    failpoint::reached(Failpoint::HoldPlaceCommitted);
    let KeptHold { hold_id, mut in_flight } = kept;
    if wait == AnswerWhen::Drained && !in_flight.is_empty() {
        in_flight = commands::drain(base, new.scope, &in_flight).await?;
    }
    let mut reader = base.store.read_urgent().await?;
    let hold = holds::find(&mut reader, caller.actor.organization_id, hold_id).await?;
    let hold = hold.ok_or(Error::NotFound(Sought::of(hold_id)))?;
    let stands = hold.stands(base.clock.now());
    Ok(Answer { value: PlacedHold { hold, stands, in_flight }, replayed })
}

async fn place_in(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    idempotency: &Idempotency,
    new: &NewHold,
) -> Result<Answer<KeptHold>, Error> {
    if let Some(answer) = idempotency.find_or_take(base, &mut work.tx, caller, PLACE).await? {
        return Ok(answer);
    }
    let over = permit(base, &mut work.tx, caller, new.scope).await?;
    let (mut kept, now) = lock(base, &mut work.tx, caller, new.scope).await?;
    work.now = now;
    if new.until.is_some_and(|until| until <= now) {
        return Err(Error::invalid("/until", "in_the_past", "must be later than now"));
    }
    let of_rank = kept.iter().filter(|hold| hold.stands(now) && hold.rank == over.rank);
    if of_rank.count() >= HOLDS_PER_RANK_MAX {
        return Err(Error::State(StateFault::TooManyHolds));
    }
    let standing = StandingHold {
        hold_id: base.entropy.id(now)?,
        rank: over.rank,
        until: new.until,
        allow_lock: new.allow_lock,
    };
    let hold = Hold {
        standing,
        organization_id: caller.actor.organization_id,
        scope: new.scope,
        reason: Some(new.reason.clone()),
        placed_by: caller.actor.principal_id(),
        placed_at: now,
        lifted_at: None,
    };
    holds::insert(&mut work.tx, &hold).await?;
    kept.push(standing);
    key_scopes::keep_holds(&mut work.tx, new.scope, &kept).await?;
    let in_flight = stored_commands::in_flight(&mut work.tx, new.scope).await?;
    let context = PersonalContext { note: Some(&new.reason), ..PersonalContext::default() };
    let event = placed(over, standing, in_flight.len());
    work.record_with(&caller.acting_as(over.acting_as), event, context)?;
    let kept = KeptHold { hold_id: standing.hold_id, in_flight };
    idempotency.keep(base, &mut work.tx, caller, PLACE, &kept).await?;
    failpoint::reached(Failpoint::HoldPlaced);
    Ok(Answer::fresh(kept))
}

/// What the record says of a hold.
const fn placed(over: Over, standing: StandingHold, in_flight: usize) -> Event {
    let StandingHold { hold_id, rank, until, allow_lock } = standing;
    let Over { scope, about, .. } = over;
    Event::HoldPlaced { hold_id, scope, about, rank, until, allow_lock, in_flight }
}
