//! Placing a hold: for administrators and support over everything, for owners over their cars and what they lent, for
//! guests over their own keys and themselves.

use serde::{Deserialize, Serialize};

use super::{lock, permit};
use crate::domain::event::Event;
use crate::domain::hold::{HOLDS_PER_RANK_MAX, Hold, StandingHold};
use crate::domain::id::CommandId;
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlacedHold {
    /// The hold.
    pub hold: Hold,
    /// The commands within its scope that were authorized before it and may still be on their way.
    pub in_flight: Vec<CommandId>,
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
    let mut placed = base
        .transact(PLACE, Priority::Urgent, |work| {
            Box::pin(place_in(base, work, caller, idempotency, new))
        })
        .await?;
    failpoint::reached(Failpoint::HoldPlaceCommitted);
    let in_flight = &mut placed.value.in_flight;
    if wait == AnswerWhen::Drained && !in_flight.is_empty() {
        *in_flight = commands::drain(base, new.scope, in_flight).await?;
    }
    Ok(placed)
}

async fn place_in(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    idempotency: &Idempotency,
    new: &NewHold,
) -> Result<Answer<PlacedHold>, Error> {
    if let Some(answer) = idempotency.find(base, &mut work.tx, caller, PLACE).await? {
        return Ok(answer);
    }
    let over = permit(base, &mut work.tx, caller, new.scope).await?;
    let (mut standing, now) = lock(base, &mut work.tx, caller, new.scope).await?;
    work.now = now;
    if new.until.is_some_and(|until| until <= now) {
        return Err(Error::invalid("/until", "in_the_past", "must be later than now"));
    }
    let of_rank = standing.iter().filter(|hold| hold.standing.rank == over.rank);
    if of_rank.count() >= HOLDS_PER_RANK_MAX {
        return Err(Error::State(StateFault::TooManyHolds));
    }
    let hold = Hold {
        standing: StandingHold {
            hold_id: base.entropy.id(now)?,
            rank: over.rank,
            until: new.until,
            allow_lock: new.allow_lock,
        },
        organization_id: caller.actor.organization_id,
        scope: new.scope,
        reason: Some(new.reason.clone()),
        placed_by: caller.actor.principal_id(),
        placed_at: now,
        lifted_at: None,
    };
    holds::insert(&mut work.tx, &hold).await?;
    standing.push(hold.clone());
    let kept: Vec<StandingHold> = standing.iter().map(|hold| hold.standing).collect();
    key_scopes::keep_holds(&mut work.tx, new.scope, &kept).await?;
    let in_flight = stored_commands::in_flight(&mut work.tx, new.scope).await?;
    let StandingHold { hold_id, rank, until, allow_lock } = hold.standing;
    let (scope, about, in_flight_count) = (over.scope, over.about, in_flight.len());
    let event = Event::HoldPlaced {
        hold_id,
        scope,
        about,
        rank,
        until,
        allow_lock,
        in_flight: in_flight_count,
    };
    let context = PersonalContext { note: Some(&new.reason), ..PersonalContext::default() };
    work.record_with(&caller.acting_as(over.acting_as), event, context)?;
    let placed = PlacedHold { hold, in_flight };
    idempotency.keep(base, &mut work.tx, caller, PLACE, &placed).await?;
    failpoint::reached(Failpoint::HoldPlaced);
    Ok(Answer::fresh(placed))
}
