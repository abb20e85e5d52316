//! Deciding a whole batch in one transaction of set-based statements: lock and read the rows that all
//! requests rest on and write the outcomes that are known, ask the policy in order of arrival, insert the
//! new commands, record all of it, commit. A server is asked three times for that (docs/adr/0026).
//! [`super::decide`] calls it, and knows what to do when it fails.

use std::collections::HashSet;

use super::batch_state::BatchState;
use super::outcomes;
use super::request::{Batch, Pending};
use super::ruling::{self, Limits, Moment, Ruling};
use crate::domain::command::SEND_TIME;
use crate::domain::event::AuditEntry;
use crate::domain::id::CommandId;
use crate::domain::time::Timestamp;
use crate::service::budget::Budget;
use crate::service::failpoint::{self, Failpoint};
use crate::service::refusals::{Draft, Refusals};
use crate::service::{Base, Error};
use crate::storage::commands::{KeyedCommand, Outcome};
use crate::storage::{Priority, StorageError, Tx, decisions};

/// A batch that was decided.
#[derive(Debug, Default)]
pub(super) struct DecidedBatch {
    /// What was ruled on each request.
    pub(super) rulings: Vec<Ruling>,
    /// The commands whose outcome was written here, and not elsewhere.
    pub(super) written: HashSet<CommandId>,
}

/// Why one attempt to decide a batch ended without a commit that is known.
#[derive(Debug)]
pub(super) enum AttemptError {
    /// It was rolled back: nothing of it is kept.
    Failed(Error),
    /// The answer to the commit did not come. All of this may be durable.
    CommitUnknown(DecidedBatch, StorageError),
}

impl<E: Into<Error>> From<E> for AttemptError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Attempts to decide a batch, once. When this returns a batch, its rulings are durable, and so are the
/// outcomes.
pub(super) async fn decide_once(
    base: &Base,
    (budget, refusals): (&Budget, &Refusals),
    batch: &Batch,
) -> Result<DecidedBatch, AttemptError> {
    if batch.requests.is_empty() {
        match write_outcomes(base, &batch.outcomes).await {
            // One of them was written elsewhere; which one is found out below.
            Err(AttemptError::Failed(Error::Storage(StorageError::LostRace))) => {}
            attempted => return attempted,
        }
    }
    let deadline = base.clock.monotonic().saturating_add(SEND_TIME);
    let mut tx = base.begun(Priority::Urgent).await?;
    let (mut state, written) = BatchState::lock(&mut tx, batch).await?;
    // After the rows are locked: no decision rests on a time before its facts.
    let (now, elapsed) = (base.clock.now(), base.clock.monotonic());
    let moment = Moment { now, elapsed, deadline };
    let mut limits = Limits { budget, refusals: Draft::new(refusals, elapsed) };
    let mut rulings = Vec::with_capacity(batch.requests.len());
    for pending in &batch.requests {
        rulings.push(ruling::rule(base, &mut limits, &mut state, pending, moment)?);
    }
    let written: HashSet<CommandId> = written.into_iter().collect();
    let (commands, mut entries) = to_write(base, &batch.requests, &rulings, now)?;
    entries.extend(outcomes::entries(base, &batch.outcomes, &written)?);
    decisions::write(&mut tx, &state.facts.into_consequences(), &commands, &entries).await?;
    if !rulings.is_empty() {
        failpoint::reached(Failpoint::GateDecided);
    }
    if !written.is_empty() {
        failpoint::reached(Failpoint::OutcomesWritten);
    }
    commit(tx, DecidedBatch { rulings, written }).await
}

/// Writes outcomes with which no request came in, in one trip less: they are taken to be still unwritten.
async fn write_outcomes(base: &Base, outcomes: &[Outcome]) -> Result<DecidedBatch, AttemptError> {
    let written = outcomes.iter().map(|outcome| outcome.command.command_id).collect();
    let entries = outcomes::entries(base, outcomes, &written)?;
    let mut tx = base.begun(Priority::Urgent).await?;
    decisions::write_outcomes(&mut tx, outcomes, &entries).await?;
    failpoint::reached(Failpoint::OutcomesWritten);
    commit(tx, DecidedBatch { rulings: Vec::new(), written }).await
}

async fn commit(tx: Tx, decided: DecidedBatch) -> Result<DecidedBatch, AttemptError> {
    match tx.commit().await {
        Ok(()) => Ok(decided),
        Err(error @ StorageError::CommitUnknown(_)) => {
            Err(AttemptError::CommitUnknown(decided, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// The commands that were allowed or refused, and the entries that say so.
fn to_write(
    base: &Base,
    requests: &[Pending],
    rulings: &[Ruling],
    now: Timestamp,
) -> Result<(Vec<KeyedCommand>, Vec<AuditEntry>), Error> {
    let (mut commands, mut entries) = (Vec::new(), Vec::new());
    for (Pending { request, request_hash, .. }, ruling) in requests.iter().zip(rulings) {
        let (command, event) = match ruling {
            Ruling::Send(order) => (&order.command, ruling::authorized(order)),
            Ruling::Refused(refusal) => (&refusal.command, ruling::refused(refusal)),
            _ => continue,
        };
        entries.push(base.entry(&request.caller, event, now)?);
        commands.push(KeyedCommand {
            principal_id: request.caller.principal_id(),
            idempotency_key: request.idempotency_key.clone(),
            request_hash: *request_hash,
            command: command.clone(),
        });
    }
    Ok((commands, entries))
}
