//! Outcomes: what became of commands that were sent. The gate writes those that came in while its
//! last transaction was being committed together with its next decisions, each with its audit
//! entry. Only then are those who wait told.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::mpsc;

use super::changed;
use crate::domain::actor::Actor;
use crate::domain::event::AuditEntry;
use crate::domain::id::CommandId;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Caller, Error, Service};
use crate::storage::commands::{self, Change};
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

/// The way to whoever writes outcomes.
#[derive(Debug, Clone)]
pub(super) struct Outcomes {
    queue: mpsc::Sender<Change>,
}

impl Outcomes {
    /// The way, and its end, which ends when the last sender is gone.
    pub(super) fn new() -> (Self, mpsc::Receiver<Change>) {
        let (queue, receiver) = mpsc::channel(QUEUE_MAX);
        (Self { queue }, receiver)
    }

    /// Has an outcome written.
    pub(super) async fn submit(&self, change: Change) {
        if self.queue.send(change).await.is_err() {
            tracing::error!(
                "an outcome came after the writer had stopped; the recovery settles it"
            );
        }
    }
}

/// Takes steps in commands' lives within a transaction; returns those that were taken here, and
/// the entries that are to be recorded with them.
pub(super) async fn take(
    service: &Service,
    tx: &mut Tx,
    changes: &[Change],
) -> Result<(HashSet<CommandId>, Vec<AuditEntry>), Error> {
    let taken = commands::change_many(tx, changes).await?.into_iter().collect();
    let entries = entries(service, changes, &taken)?;
    Ok((taken, entries))
}

/// The entries of those steps that were taken.
pub(super) fn entries(
    service: &Service,
    changes: &[Change],
    taken: &HashSet<CommandId>,
) -> Result<Vec<AuditEntry>, Error> {
    let mut entries = Vec::with_capacity(taken.len());
    for change in changes.iter().filter(|change| taken.contains(&change.command.command_id)) {
        let actor = Actor::system(change.command.organization_id);
        let caller = Caller { actor, request_id: None };
        let moment = change.command.changed_at;
        entries.push(service.entry(&caller, changed(&change.command), moment)?);
    }
    Ok(entries)
}

/// After a commit that was not answered: also the steps that it has taken.
pub(super) async fn with_earlier(
    service: &Service,
    changes: &[Change],
    mut written: HashSet<CommandId>,
) -> Result<HashSet<CommandId>, Error> {
    let mut reader = service.store.read_urgent().await?;
    for Change { command, .. } in changes {
        let found =
            commands::find(&mut reader, command.organization_id, command.command_id).await?;
        let is_taken = found.is_some_and(|found| {
            (found.status, found.changed_at) == (command.status, command.changed_at)
        });
        if is_taken {
            written.insert(command.command_id);
        }
    }
    Ok(written)
}

/// Takes steps in commands' lives, each with its audit entry; returns those that were taken here.
pub(super) async fn write(
    service: &Service,
    changes: &[Change],
) -> Result<HashSet<CommandId>, Error> {
    let written = service.transact("commands.settle", Priority::Urgent, |work| {
        Box::pin(async move {
            let (taken, entries) = take(service, &mut work.tx, changes).await?;
            work.record_entries(entries);
            failpoint::reached(Failpoint::OutcomesWritten);
            Ok(taken)
        })
    });
    let written = written.await?;
    failpoint::reached(Failpoint::OutcomesCommitted);
    Ok(written)
}

/// Tells those who wait what was written.
pub(super) fn tell(service: &Service, changes: &[Change], written: &HashSet<CommandId>) {
    let told = changes.iter().map(|change| &change.command);
    let told = told.filter(|command| written.contains(&command.command_id));
    service.waiters.wake(told);
}

/// As [`tell`], when whoever sent the commands has nothing more to say about them.
pub(super) fn finish(service: &Service, changes: &[Change], written: &HashSet<CommandId>) {
    tell(service, changes, written);
    for change in changes {
        service.waiters.forget(change.command.command_id);
    }
}

/// Writes outcomes whose transaction failed, or of which it is not known whether it did, in a task
/// of its own: requests do not wait for it.
pub(super) fn keep_trying(service: &Service, changes: Vec<Change>) {
    if changes.is_empty() {
        return;
    }
    let (writer, tasks) = (service.clone(), service.tasks.clone());
    tasks.spawn(async move {
        let mut wait = RETRY_FIRST;
        for _ in 0..RETRIES_MAX {
            let outcome = match write(&writer, &changes).await {
                Ok(written) => with_earlier(&writer, &changes, written).await,
                failed => failed,
            };
            match outcome {
                Ok(written) => return finish(&writer, &changes, &written),
                Err(error) => {
                    tracing::warn!(error = ?error, outcomes = changes.len(), "outcomes were not written");
                    tokio::time::sleep(wait).await;
                    wait = wait.saturating_mul(2).min(RETRY_AFTER_MAX);
                }
            }
        }
        finish(&writer, &changes, &HashSet::new());
    });
}
