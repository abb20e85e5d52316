//! Ending all grants of a scope, for those who may end each of them.

use serde::{Deserialize, Serialize};

use super::{NewEnd, carry_out, draw_line, permit};
use crate::domain::access::Sought;
use crate::domain::grant::EndReason;
use crate::domain::id::{CommandId, EndId};
use crate::domain::key_scope::KeyScope;
use crate::domain::scope_end::ScopeEnd;
use crate::domain::time::Timestamp;
use crate::service::failpoint::{self, Failpoint};
use crate::service::grants::AnswerWhen;
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Base, Caller, Error, Work, commands};
use crate::storage::{Priority, commands as stored_commands, scope_ends};

const END: &str = "ends.create";

/// Which grants end, and why.
#[derive(Debug, Clone)]
pub struct EndingOfScope {
    /// What it is over.
    pub scope: KeyScope,
    /// Only grants that were issued before this time; all that there are if not given.
    pub issued_before: Option<Timestamp>,
    /// Only grants that carry this reference.
    pub external_ref: Option<String>,
    /// Why, in the caller's words.
    pub reason: String,
}

/// A scope whose grants have ended.
#[derive(Debug, Clone)]
pub struct EndedScope {
    /// The end, as it is now.
    pub end: ScopeEnd,
    /// The commands within its scope that were authorized before it and may still be on their way.
    pub in_flight: Vec<CommandId>,
}

/// What is kept of an answer: nothing that a person wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptEnd {
    end_id: EndId,
    in_flight: Vec<CommandId>,
}

/// Ends all grants of a scope, and returns when each has it on its own row. From when the line was committed on, nothing is
/// authorized by them.
///
/// # Errors
/// [`Error::NotFound`], a [`crate::service::Denial`].
pub async fn end(
    base: &Base,
    caller: &Caller,
    idempotency: &Idempotency,
    ending: &EndingOfScope,
    wait: AnswerWhen,
) -> Result<Answer<EndedScope>, Error> {
    let Answer { value: kept, replayed } = base
        .transact(END, Priority::Urgent, |work| {
            Box::pin(end_in(base, work, caller, idempotency, ending))
        })
        .await?;
    failpoint::reached(Failpoint::EndBeginCommitted);
    let KeptEnd { end_id, mut in_flight } = kept;
    let end = scope_ends::find(&mut base.store.read_urgent().await?, end_id).await?;
    let end = end.ok_or(Error::NotFound(Sought::of(end_id)))?;
    let end = carry_out(base, caller, end).await?;
    if wait == AnswerWhen::Drained && !in_flight.is_empty() {
        in_flight = commands::drain(base, ending.scope, &in_flight).await?;
    }
    Ok(Answer { value: EndedScope { end, in_flight }, replayed })
}

async fn end_in(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    idempotency: &Idempotency,
    ending: &EndingOfScope,
) -> Result<Answer<KeptEnd>, Error> {
    if let Some(answer) = idempotency.find_or_take(base, &mut work.tx, caller, END).await? {
        return Ok(answer);
    }
    let (about, acting_as) = permit(base, &mut work.tx, caller, ending.scope).await?;
    let new = NewEnd {
        scope: ending.scope,
        about,
        issued_before: ending.issued_before,
        external_ref: ending.external_ref.as_deref(),
        end_reason: EndReason::Revoked,
        reason: Some(&ending.reason),
    };
    let end = draw_line(base, work, &caller.acting_as(acting_as), new).await?;
    let in_flight = stored_commands::in_flight(&mut work.tx, ending.scope).await?;
    let kept = KeptEnd { end_id: end.pending.end_id, in_flight };
    idempotency.keep(base, &mut work.tx, caller, END, &kept).await?;
    failpoint::reached(Failpoint::EndBegun);
    Ok(Answer::fresh(kept))
}
