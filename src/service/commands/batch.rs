//! Working off a whole batch in one transaction of set-based statements: read the facts of all
//! requests and hold them, ask the policy in order of arrival, insert the commands, change those whose outcome is known, record all of it, commit.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future;

use super::batch_state::BatchState;
use super::outcomes;
use super::request::{Batch, Pending};
use super::ruling::{self, Ruling};
use crate::domain::command::SEND_TIME;
use crate::domain::event::AuditEntry;
use crate::domain::id::CommandId;
use crate::domain::time::Timestamp;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Error, Service};
use crate::storage::audit_entries::{self, HashedEntries};
use crate::storage::commands;
use crate::storage::decisions::KeyedCommand;
use crate::storage::{StorageError, Tx};

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What was ruled on each request.
    pub(super) rulings: Vec<Ruling>,
    /// The commands whose outcome was written here.
    pub(super) outcomes: HashSet<CommandId>,
}

/// Why nothing of a batch is known to be durable.
#[derive(Debug)]
pub(super) enum Undecided {
    /// Nothing of it is kept.
    Failed(Error),
    /// All of this may be durable: the answer to the commit did not come.
    Unknown(Written, StorageError),
}

impl<E: Into<Error>> From<E> for Undecided {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a transaction decides.
#[derive(Default)]
struct BatchDecision {
    rulings: Vec<Ruling>,
    /// The commands that are new.
    commands: Vec<KeyedCommand>,
    /// What is to be recorded of them.
    entries: Vec<AuditEntry>,
}

/// Works off a batch; when this returns, every ruling is durable, and so are the outcomes.
pub(super) async fn write(service: &Service, batch: &Batch) -> Result<Written, Undecided> {
    let send_by = service.clock.monotonic().saturating_add(SEND_TIME);
    let mut tx = service.store.begin_urgent().await?;
    let BatchDecision { rulings, commands, mut entries } =
        decide(service, &mut tx, &batch.requests, send_by).await?;
    let (outcomes, more) = outcomes::take(service, &mut tx, &batch.outcomes).await?;
    entries.extend(more);
    insert(&mut tx, &commands, &entries).await?;
    if !rulings.is_empty() {
        failpoint::reached(Failpoint::GateDecided);
    }
    if !outcomes.is_empty() {
        failpoint::reached(Failpoint::OutcomesWritten);
    }
    let written = Written { rulings, outcomes };
    match tx.commit().await {
        Ok(()) => Ok(written),
        Err(error @ StorageError::Unknown(_)) => Err(Undecided::Unknown(written, error)),
        Err(error) => Err(error.into()),
    }
}

/// Rules on requests by facts that are held until the transaction ends.
async fn decide(
    service: &Service,
    tx: &mut Tx,
    requests: &[Pending],
    send_by: Duration,
) -> Result<BatchDecision, Error> {
    if requests.is_empty() {
        return Ok(BatchDecision::default());
    }
    let mut state = BatchState::read(tx, requests).await?;
    // After the write lock or the reads: no decision rests on a time before its facts.
    let now = service.clock.now();
    let mut rulings = Vec::with_capacity(requests.len());
    for pending in requests {
        rulings.push(ruling::rule(service, &mut state, pending, now, send_by)?);
    }
    state.facts.write_uses(tx).await?;
    let (commands, entries) = decided_on(service, requests, &rulings, now)?;
    Ok(BatchDecision { rulings, commands, entries })
}

/// The commands that were allowed or refused, and the entries that say so.
fn decided_on(
    service: &Service,
    requests: &[Pending],
    rulings: &[Ruling],
    now: Timestamp,
) -> Result<(Vec<KeyedCommand>, Vec<AuditEntry>), Error> {
    let (mut commands, mut entries) = (Vec::new(), Vec::new());
    for (Pending { request, .. }, decided) in requests.iter().zip(rulings) {
        let (command, event) = match decided {
            Ruling::Send(order) => (&order.command, ruling::authorized(order)),
            Ruling::Refused(command) => (command.as_ref(), ruling::refused(command)),
            _ => continue,
        };
        entries.push(service.entry(&request.caller, event, now)?);
        commands.push(KeyedCommand {
            principal_id: request.caller.principal_id(),
            idempotency_key: request.idempotency_key.clone(),
            request_hash: request.request_hash,
            command: command.clone(),
        });
    }
    Ok((commands, entries))
}

async fn insert(
    tx: &mut Tx,
    commands: &[KeyedCommand],
    entries: &[AuditEntry],
) -> Result<(), Error> {
    // Entries are hashed while the database inserts the commands.
    let hashed = async { HashedEntries::of(entries) };
    let (added, entries) = future::join(commands::insert_many(tx, commands), hashed).await;
    if added? != commands.len() {
        // Another instance was faster with one of the keys: read again and find its command.
        return Err(Error::Storage(StorageError::LostRace));
    }
    Ok(audit_entries::insert_hashed(tx, entries).await?)
}
