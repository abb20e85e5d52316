//! Ending all grants of a scope, for those who may end each of them.

use serde::{Deserialize, Serialize};

use super::{NewEnd, carry_out, draw_line, permit};
use crate::domain::grant::EndReason;
use crate::domain::id::CommandId;
use crate::domain::key_scope::KeyScope;
use crate::domain::scope_end::ScopeEnd;
use crate::domain::time::Timestamp;
use crate::service::failpoint::{self, Failpoint};
use crate::service::grants::AnswerWhen;
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Base, Caller, Error, Work, commands};
use crate::storage::{Priority, commands as stored_commands};

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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndedScope {
    /// The end.
    pub end: ScopeEnd,
    /// The commands within its scope that were authorized before it and may still be on their way.
    pub in_flight: Vec<CommandId>,
}

/// Ends all grants of a scope, and returns when each has it on its own row. Nothing is authorized by them from before that on:
/// from when the line was committed.
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
    let mut ended = base
        .transact(END, Priority::Urgent, |work| {
            Box::pin(end_in(base, work, caller, idempotency, ending))
        })
        .await?;
    failpoint::reached(Failpoint::EndBeginCommitted);
    let EndedScope { end, in_flight } = &mut ended.value;
    end.grants = carry_out(base, caller, end).await?;
    if wait == AnswerWhen::Drained && !in_flight.is_empty() {
        *in_flight = commands::drain(base, ending.scope, in_flight).await?;
    }
    Ok(ended)
}

async fn end_in(
    base: &Base,
    work: &mut Work<'_>,
    caller: &Caller,
    idempotency: &Idempotency,
    ending: &EndingOfScope,
) -> Result<Answer<EndedScope>, Error> {
    if let Some(answer) = idempotency.find(base, &mut work.tx, caller, END).await? {
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
    let ended = EndedScope { end, in_flight };
    idempotency.keep(base, &mut work.tx, caller, END, &ended).await?;
    failpoint::reached(Failpoint::EndBegun);
    Ok(Answer::fresh(ended))
}
