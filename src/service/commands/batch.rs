//! Working off a whole batch in one transaction of set-based statements: hold the facts of all requests
//! and change the commands whose outcome is known, ask the policy in order of arrival, insert the new
//! commands, record all of it, commit. A server is asked four times for that (docs/adr/0026).

use std::collections::HashSet;

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
use crate::storage::commands::KeyedCommand;
use crate::storage::{StorageError, decisions};

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

/// Works off a batch; when this returns, every ruling is durable, and so are the outcomes.
pub(super) async fn write(service: &Service, batch: &Batch) -> Result<Written, Undecided> {
    let send_by = service.clock.monotonic().saturating_add(SEND_TIME);
    let mut tx = service.store.begin_urgent().await?;
    let (mut state, taken) = BatchState::hold(&mut tx, batch).await?;
    // After the facts are held: no decision rests on a time before them.
    let now = service.clock.now();
    let mut rulings = Vec::with_capacity(batch.requests.len());
    for pending in &batch.requests {
        rulings.push(ruling::rule(service, &mut state, pending, now, send_by)?);
    }
    let outcomes: HashSet<CommandId> = taken.into_iter().collect();
    let (commands, mut entries) = decided_on(service, &batch.requests, &rulings, now)?;
    entries.extend(outcomes::entries(service, &batch.outcomes, &outcomes)?);
    decisions::keep(&mut tx, &state.facts.into_uses(), &commands, &entries).await?;
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

/// The commands that were allowed or refused, and the entries that say so.
fn decided_on(
    service: &Service,
    requests: &[Pending],
    rulings: &[Ruling],
    now: Timestamp,
) -> Result<(Vec<KeyedCommand>, Vec<AuditEntry>), Error> {
    let (mut commands, mut entries) = (Vec::new(), Vec::new());
    for (Pending { request, request_hash, .. }, decided) in requests.iter().zip(rulings) {
        let (command, event) = match decided {
            Ruling::Send(order) => (&order.command, ruling::authorized(order)),
            Ruling::Refused(command) => (command.as_ref(), ruling::refused(command)),
            _ => continue,
        };
        entries.push(service.entry(&request.caller, event, now)?);
        commands.push(KeyedCommand {
            principal_id: request.caller.principal_id(),
            idempotency_key: request.idempotency_key.clone(),
            request_hash: *request_hash,
            command: command.clone(),
        });
    }
    Ok((commands, entries))
}
