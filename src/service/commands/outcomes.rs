//! Outcomes: the transitions of commands that were sent, to what became of them. The gate writes those
//! that came in while its last transaction was being committed together with its next decisions, each
//! with its audit entry. Only then are those who wait notified.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::mpsc;

use super::changed;
use crate::domain::actor::Actor;
use crate::domain::event::AuditEntry;
use crate::domain::id::CommandId;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Caller, Error, Service};
use crate::storage::commands::{self, Transition};
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
pub(super) struct Outcomes {
    queue: mpsc::Sender<Transition>,
}

impl Outcomes {
    /// The queue and its receiving end, which ends when the last sender is gone.
    pub(super) fn new() -> (Self, mpsc::Receiver<Transition>) {
        let (queue, receiver) = mpsc::channel(QUEUE_MAX);
        (Self { queue }, receiver)
    }

    /// Queues an outcome to be written.
    pub(super) async fn submit(&self, transition: Transition) {
        if self.queue.send(transition).await.is_err() {
            tracing::error!(
                "an outcome came after the writer had stopped; the recovery takes the command over"
            );
        }
    }
}

/// Applies transitions within a transaction; returns the commands to which they were applied here and not
/// elsewhere, and the entries that are to be recorded with them.
pub(super) async fn apply(
    service: &Service,
    tx: &mut Tx,
    transitions: &[Transition],
) -> Result<(HashSet<CommandId>, Vec<AuditEntry>), Error> {
    let applied = commands::apply(tx, transitions).await?.into_iter().collect();
    let entries = entries(service, transitions, &applied)?;
    Ok((applied, entries))
}

/// The entries of those transitions that were applied.
pub(super) fn entries(
    service: &Service,
    transitions: &[Transition],
    applied: &HashSet<CommandId>,
) -> Result<Vec<AuditEntry>, Error> {
    let mut entries = Vec::with_capacity(applied.len());
    for Transition { command, .. } in transitions {
        if !applied.contains(&command.command_id) {
            continue;
        }
        let actor = Actor::system(command.organization_id);
        let caller = Caller { actor, request_id: None };
        entries.push(service.entry(&caller, changed(command), command.changed_at)?);
    }
    Ok(entries)
}

/// After an unknown commit: adds the commands whose outcome it had written.
pub(super) async fn with_earlier(
    service: &Service,
    transitions: &[Transition],
    mut written: HashSet<CommandId>,
) -> Result<HashSet<CommandId>, Error> {
    let mut reader = service.store.read_urgent().await?;
    for Transition { command, .. } in transitions {
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
pub(super) async fn write(
    service: &Service,
    transitions: &[Transition],
) -> Result<HashSet<CommandId>, Error> {
    let written = service.transact("commands.write_outcomes", Priority::Urgent, |work| {
        Box::pin(async move {
            let (applied, entries) = apply(service, &mut work.tx, transitions).await?;
            work.record_entries(entries);
            failpoint::reached(Failpoint::OutcomesWritten);
            Ok(applied)
        })
    });
    let written = written.await?;
    failpoint::reached(Failpoint::OutcomesCommitted);
    Ok(written)
}

/// Notifies those who wait for the outcomes that were written.
pub(super) fn notify(service: &Service, transitions: &[Transition], written: &HashSet<CommandId>) {
    let commands = transitions.iter().map(|transition| &transition.command);
    service.waiters.wake(commands.filter(|command| written.contains(&command.command_id)));
}

/// As [`notify`], when nothing more is to come from the senders of these commands: also those who wait for
/// an outcome that was not written are let go.
pub(super) fn notify_and_forget(
    service: &Service,
    transitions: &[Transition],
    written: &HashSet<CommandId>,
) {
    notify(service, transitions, written);
    for transition in transitions {
        service.waiters.forget(transition.command.command_id);
    }
}

/// Writes outcomes whose transaction failed, or of which it is not known whether it did, in a task
/// of its own: requests do not wait for it.
pub(super) fn keep_trying(service: &Service, transitions: Vec<Transition>) {
    if transitions.is_empty() {
        return;
    }
    let (writer, tasks) = (service.clone(), service.tasks.clone());
    tasks.spawn(async move {
        let mut wait = RETRY_FIRST;
        for _ in 0..RETRIES_MAX {
            let outcome = match write(&writer, &transitions).await {
                Ok(written) => with_earlier(&writer, &transitions, written).await,
                failed => failed,
            };
            match outcome {
                Ok(written) => return notify_and_forget(&writer, &transitions, &written),
                Err(error) => {
                    tracing::warn!(error = ?error, outcomes = transitions.len(), "outcomes were not written");
                    tokio::time::sleep(wait).await;
                    wait = wait.saturating_mul(2).min(RETRY_AFTER_MAX);
                }
            }
        }
        notify_and_forget(&writer, &transitions, &HashSet::new());
    });
}
