//! Working off a whole batch in one transaction of set-based statements: read the facts of all
//! requests, ask the policy in order of arrival, claim by compare-and-set what was decided on,
//! insert the commands, change those whose outcome is known, record all of it, commit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::gate::{Batch, Pending};
use super::outcomes;
use crate::domain::command::{Command, CommandStatus, Evidence, SEND_TIME};
use crate::domain::event::{AuditEntry, Event};
use crate::domain::id::{CommandId, GrantId, VehicleId};
use crate::domain::policy::{self, Basis, Decision, Facts, GrantFacts, Reason, Request};
use crate::domain::time::Timestamp;
use crate::failpoint::{self, Failpoint};
use crate::service::{Error, Service};
use crate::storage::decisions::{self, KeyedCommand, VehicleRow};
use crate::storage::{StorageError, Tx, audit_entries, commands};

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

/// What a batch is decided on.
struct World {
    vehicles: HashMap<VehicleId, Arc<VehicleRow>>,
    grants: HashMap<GrantId, GrantFacts>,
    replays: HashMap<(uuid::Uuid, String), ([u8; 32], Command)>,
    /// The revision each claimed grant was decided on, and the uses it spends.
    claimed_grants: HashMap<GrantId, (i64, i64)>,
    claimed_vehicles: HashMap<VehicleId, i64>,
}

/// Works off a batch; when this returns, every ruling but [`Ruling::Again`] is durable, and so are
/// the outcomes.
pub(super) async fn write(service: &Service, batch: &Batch) -> Result<Written, Undecided> {
    let send_by = service.clock.monotonic().saturating_add(SEND_TIME);
    let mut tx = service.store.begin().await?;
    let (rulings, mut entries) = decide(service, &mut tx, &batch.requests, send_by).await?;
    let (outcomes, more) = outcomes::take(service, &mut tx, &batch.outcomes).await?;
    entries.extend(more);
    audit_entries::insert_many(&mut tx, &entries).await?;
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

/// Rules on requests and inserts their commands; returns the entries that are to be recorded with
/// them.
async fn decide(
    service: &Service,
    tx: &mut Tx,
    requests: &[Pending],
    send_by: Duration,
) -> Result<(Vec<Ruling>, Vec<AuditEntry>), Error> {
    let mut world = read(tx, requests).await?;
    // After the write lock or the reads: no decision rests on a time before its facts.
    let now = service.clock.now();
    let mut rulings = Vec::with_capacity(requests.len());
    for pending in requests {
        rulings.push(rule(service, &mut world, pending, now, send_by)?);
    }
    claim(tx, &world, &mut rulings).await?;
    let entries = insert(service, tx, requests, &rulings, now).await?;
    Ok((rulings, entries))
}

async fn read(tx: &mut Tx, batch: &[Pending]) -> Result<World, Error> {
    let keys: Vec<(uuid::Uuid, &str)> = batch
        .iter()
        .map(|pending| {
            (pending.request.caller.principal_id(), pending.request.idempotency_key.as_str())
        })
        .collect();
    let vehicle_ids: HashSet<VehicleId> =
        batch.iter().map(|pending| pending.request.vehicle_id).collect();
    let grant_ids: HashSet<GrantId> =
        batch.iter().filter_map(|pending| pending.request.grant_id).collect();
    let replays = decisions::replays(tx, &keys).await?;
    let grant_ids: Vec<GrantId> = grant_ids.into_iter().collect();
    let grants = decisions::grants(tx, &grant_ids).await?;
    let vehicle_ids: Vec<VehicleId> = vehicle_ids.into_iter().collect();
    let vehicles = decisions::vehicles(tx, &vehicle_ids).await?;
    Ok(World {
        vehicles: vehicles.into_iter().map(|row| (row.facts.vehicle_id, Arc::new(row))).collect(),
        grants: grants.into_iter().map(|facts| (facts.grant.grant_id, facts)).collect(),
        replays: replays
            .into_iter()
            .map(|keyed| {
                let key = (keyed.principal_id, keyed.idempotency_key);
                (key, (keyed.request_hash, keyed.command))
            })
            .collect(),
        claimed_grants: HashMap::new(),
        claimed_vehicles: HashMap::new(),
    })
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
    if let Some((hash, command)) = world.replays.get(&key) {
        let same = *hash == request.request_hash;
        return Ok(if same {
            Ruling::Replayed(Box::new(command.clone()))
        } else {
            Ruling::KeyReused
        });
    }
    let organization_id = request.caller.actor.organization_id;
    let vehicle = world.vehicles.get(&request.vehicle_id);
    let Some(vehicle) = vehicle.filter(|row| row.organization_id == organization_id) else {
        return Ok(Ruling::NotFound);
    };
    let grant = match request.grant_id {
        None => None,
        Some(grant_id) => {
            let facts = world.grants.get(&grant_id);
            match facts.filter(|facts| facts.grant.organization_id == organization_id) {
                None => return Ok(Ruling::NotFound),
                some => some,
            }
        }
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
            world.replays.insert(key, (request.request_hash, command));
            Ok(Ruling::Send(Box::new(order)))
        }
        Decision::Deny(reasons) => {
            let refused = refuse(command, &reasons);
            world.replays.insert(key, (request.request_hash, refused.clone()));
            Ok(Ruling::Refused(Box::new(refused)))
        }
    }
}

impl World {
    /// Remembers what an allowed request rests on, so that the next one in the batch sees its use.
    fn note_claim(&mut self, basis: Basis, vehicle_id: VehicleId, spends_use: bool) {
        match basis {
            Basis::Ownership => {
                if let Some(row) = self.vehicles.get(&vehicle_id) {
                    self.claimed_vehicles.insert(vehicle_id, row.revision);
                }
            }
            Basis::Grant(grant_id) => {
                if let Some(facts) = self.grants.get_mut(&grant_id) {
                    let revision = facts.grant.revision;
                    let claim = self.claimed_grants.entry(grant_id).or_insert((revision, 0));
                    if spends_use {
                        claim.1 += 1;
                        facts.grant.uses += 1;
                    }
                }
            }
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

/// Claims what the allowed requests rest on. Where somebody else changed it first, the requests
/// are decided on again.
async fn claim(tx: &mut Tx, world: &World, rulings: &mut [Ruling]) -> Result<(), Error> {
    let mut grants: Vec<(GrantId, i64, i64)> = world
        .claimed_grants
        .iter()
        .map(|(&grant_id, &(revision, uses))| (grant_id, revision, uses))
        .collect();
    // One order for all instances keeps their row locks from crossing.
    grants.sort_unstable();
    let mut vehicles: Vec<(VehicleId, i64)> =
        world.claimed_vehicles.iter().map(|(&id, &revision)| (id, revision)).collect();
    vehicles.sort_unstable();
    let held: HashSet<GrantId> = decisions::claim_grants(tx, &grants).await?.into_iter().collect();
    let owned: HashSet<VehicleId> =
        decisions::claim_vehicles(tx, &vehicles).await?.into_iter().collect();
    let is_claimed = |command: &Command| match command.grant_id {
        Some(grant_id) => held.contains(&grant_id),
        None => owned.contains(&command.vehicle_id),
    };
    let mut postponed = HashSet::new();
    for ruling in rulings {
        match ruling {
            Ruling::Send(order) if !is_claimed(&order.command) => {
                postponed.insert(order.command.command_id);
                *ruling = Ruling::Again;
            }
            // One that repeats another of the same batch follows it.
            Ruling::Replayed(command) if postponed.contains(&command.command_id) => {
                *ruling = Ruling::Again;
            }
            _ => {}
        }
    }
    Ok(())
}

async fn insert(
    service: &Service,
    tx: &mut Tx,
    batch: &[Pending],
    rulings: &[Ruling],
    now: Timestamp,
) -> Result<Vec<AuditEntry>, Error> {
    let mut rows = Vec::new();
    let mut entries: Vec<AuditEntry> = Vec::new();
    for (pending, ruling) in batch.iter().zip(rulings) {
        let request = &pending.request;
        let (command, event) = match ruling {
            Ruling::Send(order) => (&order.command, authorized(order)),
            Ruling::Refused(command) => (command.as_ref(), refused(command)),
            _ => continue,
        };
        entries.push(service.entry(&request.caller, event, now)?);
        rows.push(KeyedCommand {
            principal_id: request.caller.principal_id(),
            idempotency_key: request.idempotency_key.clone(),
            request_hash: request.request_hash,
            command: command.clone(),
        });
    }
    if commands::insert_many(tx, &rows).await? != rows.len() {
        // Another instance was faster with one of the keys: read again and find its command.
        return Err(Error::Storage(StorageError::LostRace));
    }
    Ok(entries)
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
