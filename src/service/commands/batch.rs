//! Working off a whole batch in one transaction of set-based statements: read the facts of all
//! requests, ask the policy in order of arrival, claim by compare-and-set what was decided on,
//! insert the commands, change those whose outcome is known, record all of it, commit.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future;

use super::gate::{Batch, Pending};
use super::outcomes;
use super::world::World;
use crate::domain::command::{Command, CommandStatus, Evidence, SEND_TIME};
use crate::domain::event::{AuditEntry, Event};
use crate::domain::id::CommandId;
use crate::domain::policy::{self, Basis, Decision, Facts, Reason, Request};
use crate::domain::time::Timestamp;
use crate::failpoint::{self, Failpoint};
use crate::service::{Error, Service};
use crate::storage::audit_entries::{self, HashedEntries};
use crate::storage::commands;
use crate::storage::decisions::{KeyedCommand, VehicleRow};
use crate::storage::{StorageError, Tx};

/// After the time to leave and the cloud's time to answer, this much passes before anybody else
/// may think that a command's sender is gone.
const ANSWER_MARGIN: Duration = Duration::from_secs(5);

/// A command that may leave, once.
#[derive(Debug)]
pub(super) struct SendOrder {
    pub(super) command: Command,
    pub(super) vehicle: Arc<VehicleRow>,
    /// The revision of the grant that was decided on.
    pub(super) grant_revision: Option<i64>,
    /// On the monotonic clock.
    pub(super) send_by: Duration,
}

/// What was ruled on one request.
#[derive(Debug)]
pub(super) enum Ruling {
    Send(Box<SendOrder>),
    Refused(Box<Command>),
    Replayed(Box<Command>),
    KeyReused,
    NotFound,
    /// The grant or car was changed by somebody else while it was decided on.
    Again,
}

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
struct Decided {
    rulings: Vec<Ruling>,
    /// The commands that are new.
    commands: Vec<KeyedCommand>,
    /// What is to be recorded of them.
    entries: Vec<AuditEntry>,
}

/// Works off a batch; when this returns, every ruling but [`Ruling::Again`] is durable, and so are
/// the outcomes.
pub(super) async fn write(service: &Service, batch: &Batch) -> Result<Written, Undecided> {
    let send_by = service.clock.monotonic().saturating_add(SEND_TIME);
    let mut tx = service.store.begin_urgent().await?;
    let Decided { rulings, commands, mut entries } =
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

/// Rules on requests and claims what they rest on.
async fn decide(
    service: &Service,
    tx: &mut Tx,
    requests: &[Pending],
    send_by: Duration,
) -> Result<Decided, Error> {
    if requests.is_empty() {
        return Ok(Decided::default());
    }
    let mut world = World::read(tx, requests).await?;
    // After the write lock or the reads: no decision rests on a time before its facts.
    let now = service.clock.now();
    let mut rulings = Vec::with_capacity(requests.len());
    for pending in requests {
        rulings.push(rule(service, &mut world, pending, now, send_by)?);
    }
    world.claim(tx, &mut rulings).await?;
    let (commands, entries) = decided_on(service, requests, &rulings, now)?;
    Ok(Decided { rulings, commands, entries })
}

fn rule(
    service: &Service,
    world: &mut World,
    pending: &Pending,
    now: Timestamp,
    send_by: Duration,
) -> Result<Ruling, Error> {
    let request = &pending.request;
    let key = (request.caller.principal_id(), request.idempotency_key.clone());
    if let Some((hash, command)) = world.replay(&key) {
        let same = *hash == request.request_hash;
        return Ok(if same {
            Ruling::Replayed(Box::new(command.clone()))
        } else {
            Ruling::KeyReused
        });
    }
    let tenant = request.caller.actor.organization_id;
    let Some(vehicle) = world.vehicle(tenant, request.vehicle_id) else {
        return Ok(Ruling::NotFound);
    };
    let grant = match request.grant_id.map(|grant_id| world.grant(tenant, grant_id)) {
        Some(None) => return Ok(Ruling::NotFound),
        found => found.flatten(),
    };
    let question = Request {
        user_id: request.user_id,
        vehicle_id: request.vehicle_id,
        entitlement: request.instruction.action().entitlement(),
        spends_use: request.instruction.action().spends_use(),
    };
    let decision = policy::decide(Facts { vehicle: &vehicle.facts, grant }, &question, now);
    let grant_revision = grant.map(|facts| facts.grant.revision);
    let command = begin(service, pending, now)?;
    match decision {
        Decision::Allow(basis) => {
            let vehicle = Arc::clone(vehicle);
            let order = SendOrder { command: command.clone(), vehicle, grant_revision, send_by };
            world.note_claim(basis, request.vehicle_id, question.spends_use);
            world.note_decided(key, request.request_hash, command);
            Ok(Ruling::Send(Box::new(order)))
        }
        Decision::Deny(reasons) => {
            let refused = refuse(command, &reasons);
            world.note_decided(key, request.request_hash, refused.clone());
            Ok(Ruling::Refused(Box::new(refused)))
        }
    }
}

/// A command as it begins, before it is known whether it is allowed.
fn begin(service: &Service, pending: &Pending, now: Timestamp) -> Result<Command, Error> {
    let request = &pending.request;
    let send_by = now.plus(SEND_TIME);
    Ok(Command {
        command_id: service.entropy.id(now)?,
        organization_id: request.caller.actor.organization_id,
        vehicle_id: request.vehicle_id,
        grant_id: request.grant_id,
        user_id: request.user_id,
        instruction: request.instruction,
        status: CommandStatus::Sending,
        evidence: Evidence::None,
        observed_at: None,
        reasons: Vec::new(),
        user_message: None,
        retry_after_ms: None,
        created_at: now,
        send_by,
        answer_by: send_by.plus(service.settings.connector_timeout).plus(ANSWER_MARGIN),
        instance_id: service.settings.instance_id,
        changed_at: now,
    })
}

fn refuse(mut command: Command, reasons: &[Reason]) -> Command {
    command.status = CommandStatus::Refused;
    command.reasons = reasons.iter().map(|reason| reason.as_str().to_owned()).collect();
    command
}

/// The commands that were allowed or refused, and the entries that say so.
fn decided_on(
    service: &Service,
    requests: &[Pending],
    rulings: &[Ruling],
    now: Timestamp,
) -> Result<(Vec<KeyedCommand>, Vec<AuditEntry>), Error> {
    let (mut commands, mut entries) = (Vec::new(), Vec::new());
    for (Pending { request, .. }, ruling) in requests.iter().zip(rulings) {
        let (command, event) = match ruling {
            Ruling::Send(order) => (&order.command, authorized(order)),
            Ruling::Refused(command) => (command.as_ref(), refused(command)),
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

fn authorized(order: &SendOrder) -> Event {
    let command = &order.command;
    Event::CommandAuthorized {
        command_id: command.command_id,
        vehicle_id: command.vehicle_id,
        user_id: command.user_id,
        action: command.action(),
        basis: command.grant_id.map_or(Basis::Ownership, Basis::Grant),
        grant_revision: order.grant_revision,
    }
}

fn refused(command: &Command) -> Event {
    Event::CommandRefused {
        command_id: command.command_id,
        vehicle_id: command.vehicle_id,
        grant_id: command.grant_id,
        user_id: command.user_id,
        action: command.action(),
        reasons: command.reasons.iter().filter_map(|word| word.parse().ok()).collect(),
    }
}
