//! Writing outcomes: all that came in while the last transaction was being committed go into the
//! next one, each with its audit entry. Only then are those who wait told.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::mpsc;

use super::changed;
use crate::domain::actor::Actor;
use crate::domain::command::Command;
use crate::domain::id::CommandId;
use crate::failpoint::{self, Failpoint};
use crate::service::{Caller, Error, Service};
use crate::storage::audit_entries;
use crate::storage::commands::{self, Change};

/// At most so many outcomes in one transaction.
const BATCH_MAX: usize = 256;
/// Senders wait when so many outcomes are not written yet.
const QUEUE_MAX: usize = 4096;
/// A database that is away is tried again, the first time after this.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// How often; then the recovery takes over and calls the commands `unknown`.
const RETRIES_MAX: u32 = 8;

/// The way to the writer.
#[derive(Debug, Clone)]
pub(super) struct Outcomes {
    queue: mpsc::Sender<Change>,
}

impl Outcomes {
    /// Starts the writer; it ends when the last sender is gone and everything is written.
    pub(super) fn start(service: &Service) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let writer = service.clone();
        service.tasks.spawn(run(writer, receiver));
        Self { queue: sender }
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

async fn run(service: Service, mut queue: mpsc::Receiver<Change>) {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
        write_with_patience(&service, &batch).await;
        batch.clear();
    }
}

async fn write_with_patience(service: &Service, batch: &[Change]) {
    let mut wait = RETRY_FIRST;
    for _ in 0..RETRIES_MAX {
        match write(service, batch).await {
            Ok(written) => {
                let told: Vec<Command> = batch
                    .iter()
                    .filter(|change| written.contains(&change.command.command_id))
                    .map(|change| change.command.clone())
                    .collect();
                service.waiters.wake(&told);
                break;
            }
            Err(error) => {
                tracing::warn!(error = ?error, outcomes = batch.len(), "outcomes were not written");
                tokio::time::sleep(wait).await;
                wait = wait.saturating_mul(2);
            }
        }
    }
    for change in batch {
        service.waiters.forget(change.command.command_id);
    }
}

/// Takes steps in commands' lives, each with its audit entry; returns those that were taken here.
pub(super) async fn write(
    service: &Service,
    changes: &[Change],
) -> Result<HashSet<CommandId>, Error> {
    let mut tx = service.store.begin().await?;
    let written: HashSet<CommandId> =
        commands::change_many(&mut tx, changes).await?.into_iter().collect();
    let mut entries = Vec::with_capacity(written.len());
    for change in changes.iter().filter(|change| written.contains(&change.command.command_id)) {
        let actor = Actor::system(change.command.organization_id);
        let caller = Caller { actor, request_id: None };
        let moment = change.command.changed_at;
        entries.push(service.entry(&caller, changed(&change.command), moment)?);
    }
    audit_entries::insert_many(&mut tx, &entries).await?;
    failpoint::reached(Failpoint::OutcomesWritten);
    tx.commit().await?;
    failpoint::reached(Failpoint::OutcomesCommitted);
    Ok(written)
}
