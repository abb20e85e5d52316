//! Outcomes: what became of commands, as changes of their status. The gate writes those
//! that came in while its last transaction was being committed together with its next decisions, each
//! with its audit entry. Only then are those who wait notified.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{changed, count};
use crate::domain::actor::Actor;
use crate::domain::event::AuditEntry;
use crate::domain::id::CommandId;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Base, Caller, Error, Service};
use crate::storage::commands::{self, Outcome};
use crate::storage::{Priority, Tx};

/// Senders wait when so many outcomes are not written yet.
const QUEUE_MAX: usize = 4096;
/// A database that is away is tried again, the first time after this.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// No longer than this between two tries.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(2);
/// How often, which takes half a minute; then the recovery takes over and calls the commands
/// `unknown`.
const RETRIES_MAX: u32 = 20;

/// The queue of outcomes that are to be written.
#[derive(Debug, Clone)]
pub(super) struct OutcomeQueue {
    queue: mpsc::Sender<Outcome>,
}

impl OutcomeQueue {
    /// The queue and its receiving end, which ends when the last sender is gone.
    pub(super) fn new() -> (Self, mpsc::Receiver<Outcome>) {
        let (queue, receiver) = mpsc::channel(QUEUE_MAX);
        (Self { queue }, receiver)
    }

    /// Queues an outcome to be written.
    pub(super) async fn submit(&self, outcome: Outcome) {
        if self.queue.send(outcome).await.is_err() {
            tracing::error!(
                "an outcome came after the writer had stopped; the recovery takes the command over"
            );
        }
    }
}

/// Writes outcomes within a transaction; returns the commands whose outcome was written here and not
/// elsewhere, and the entries that are to be recorded with them.
pub(super) async fn write_in(
    base: &Base,
    tx: &mut Tx,
    outcomes: &[Outcome],
) -> Result<(HashSet<CommandId>, Vec<AuditEntry>), Error> {
    let written = commands::write_outcomes(tx, outcomes).await?.into_iter().collect();
    let entries = entries(base, outcomes, &written)?;
    Ok((written, entries))
}

/// The entries of those outcomes that were written.
pub(super) fn entries(
    base: &Base,
    outcomes: &[Outcome],
    written: &HashSet<CommandId>,
) -> Result<Vec<AuditEntry>, Error> {
    let mut entries = Vec::with_capacity(written.len());
    for Outcome { command, .. } in outcomes {
        if !written.contains(&command.command_id) {
            continue;
        }
        let actor = Actor::system(command.organization_id);
        let caller = Caller { actor, request_id: None };
        entries.push(base.entry(&caller, changed(command), command.changed_at)?);
    }
    Ok(entries)
}

/// After an unknown commit: adds the commands whose outcome it had written.
pub(super) async fn with_earlier(
    base: &Base,
    outcomes: &[Outcome],
    mut written: HashSet<CommandId>,
) -> Result<HashSet<CommandId>, Error> {
    let mut reader = base.store.read_urgent().await?;
    for Outcome { command, .. } in outcomes {
        let found =
            commands::find(&mut reader, command.organization_id, command.command_id).await?;
        let is_written = found.is_some_and(|found| {
            (found.status, found.changed_at) == (command.status, command.changed_at)
        });
        if is_written {
            written.insert(command.command_id);
        }
    }
    Ok(written)
}

/// Writes outcomes in a transaction of their own, each with its audit entry; returns the commands whose
/// outcome was written here.
pub(super) async fn write(base: &Base, outcomes: &[Outcome]) -> Result<HashSet<CommandId>, Error> {
    let written = base.transact("commands.write_outcomes", Priority::Urgent, |work| {
        Box::pin(async move {
            let (written, entries) = write_in(base, &mut work.tx, outcomes).await?;
            work.record_entries(entries);
            failpoint::reached(Failpoint::OutcomesWritten);
            Ok(written)
        })
    });
    let written = written.await?;
    failpoint::reached(Failpoint::OutcomesCommitted);
    Ok(written)
}

/// Notifies those who wait for the outcomes that were written, and counts these.
pub(super) fn notify(service: &Service, outcomes: &[Outcome], written: &HashSet<CommandId>) {
    let commands = outcomes.iter().map(|outcome| &outcome.command);
    let written = commands.filter(|command| written.contains(&command.command_id));
    service.waiters.wake(written.inspect(|command| count(command)));
}

/// As [`notify`], when nothing more is to come from the senders of these commands: also those who wait for
/// an outcome that was not written are let go.
pub(super) fn notify_and_forget(
    service: &Service,
    outcomes: &[Outcome],
    written: &HashSet<CommandId>,
) {
    notify(service, outcomes, written);
    for outcome in outcomes {
        service.waiters.forget(outcome.command.command_id);
    }
}

/// Writes outcomes whose transaction failed, or of which it is not known whether it did, in a task
/// of its own: requests do not wait for it.
pub(super) fn keep_trying(service: &Service, outcomes: Vec<Outcome>) {
    if outcomes.is_empty() {
        return;
    }
    let (writer, tasks) = (service.clone(), service.tasks.clone());
    tasks.spawn(async move {
        let mut wait = RETRY_FIRST;
        for _ in 0..RETRIES_MAX {
            let attempt = match write(&writer.base, &outcomes).await {
                Ok(written) => with_earlier(&writer.base, &outcomes, written).await,
                failed => failed,
            };
            match attempt {
                Ok(written) => return notify_and_forget(&writer, &outcomes, &written),
                Err(error) => {
                    tracing::warn!(error = ?error, outcomes = outcomes.len(), "outcomes were not written");
                    tokio::time::sleep(wait).await;
                    wait = wait.saturating_mul(2).min(RETRY_AFTER_MAX);
                }
            }
        }
        notify_and_forget(&writer, &outcomes, &HashSet::new());
    });
}
