//! Commands: written when they are decided on, changed when something is known about them.

#[cfg(test)]
pub(crate) mod meaning;

use super::db::{Executor, FromRow, Origin, Query, Row, Tx, Value, corrupt, query};
use super::{Page, StorageError};
use crate::domain::cause::Cause;
use crate::domain::command::{Command, CommandStatus};
use crate::domain::id::{CommandId, GrantId, OrganizationId, VehicleId};
use crate::domain::instruction::{Action, Instruction};
use crate::domain::key_scope::KeyScope;
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO commands (command_id, organization_id, vehicle_id, grant_id, user_id, principal_id, \
    idempotency_key, request_hash, action, parameters, status, evidence, causes, created_at, send_by, abandon_at, instance_id, changed_at, checks) \
    VALUES {rows:uuid,uuid,uuid,uuid,uuid,uuid,text,bytea,text,text,text,text,text,bigint,bigint,bigint,uuid,bigint,bigint} \
    ON CONFLICT DO NOTHING";
const REPLAYS: &str = "SELECT c.* FROM (VALUES {rows:uuid,text}) AS v JOIN commands c \
    ON c.principal_id = v.column1 AND c.idempotency_key = v.column2";
const WRITE_OUTCOMES: &str = "UPDATE commands SET status = v.column3, evidence = v.column4, observed_at = v.column5, causes = v.column6, \
    user_message = v.column7, retry_after_ms = v.column8, changed_at = v.column9, check_at = v.column10 \
    FROM (VALUES {rows:uuid,text,text,text,bigint,text,text,bigint,bigint,bigint}) AS v \
    WHERE commands.command_id = v.column1 AND commands.status = v.column2 RETURNING commands.command_id";
const FIND: &str = "SELECT * FROM commands WHERE organization_id = $1 AND command_id = $2";
const LIST_OF_VEHICLE: &str = "SELECT * FROM commands WHERE organization_id = $1 AND vehicle_id = $4 AND command_id < $2 \
    AND (CAST($5 AS UUID) IS NULL OR grant_id = $5) AND (CAST($6 AS TEXT) IS NULL OR status = $6) AND created_at >= $7 AND created_at < $8 \
    ORDER BY command_id DESC LIMIT $3";
const IN_FLIGHT_OF_GRANT: &str = "SELECT command_id FROM commands WHERE grant_id = $1 AND status = 'sending' ORDER BY command_id";
const IN_FLIGHT_OF_USER: &str =
    "SELECT command_id FROM commands WHERE user_id = $1 AND status = 'sending' ORDER BY command_id";
const IN_FLIGHT_OF_VEHICLE: &str = "SELECT command_id FROM commands WHERE vehicle_id = $1 AND status = 'sending' ORDER BY command_id";
const IN_FLIGHT_OF_ORGANIZATION: &str = "SELECT command_id FROM commands WHERE organization_id = $1 AND status = 'sending' ORDER BY command_id";
const MARK_ABANDONED: &str = "UPDATE commands SET status = 'unknown', causes = $3, check_at = $1, \
    changed_at = CASE WHEN changed_at < $1 THEN $1 ELSE changed_at + 1 END \
    WHERE command_id IN (SELECT command_id FROM commands WHERE status = 'sending' AND abandon_at <= $1 ORDER BY abandon_at LIMIT $2) \
    AND status = 'sending' RETURNING *";
const DUE: &str = "SELECT c.*, EXISTS (SELECT 1 FROM commands n WHERE n.vehicle_id = c.vehicle_id AND n.command_id > c.command_id \
    AND n.status NOT IN ('refused', 'failed', 'cancelled', 'expired')) AS is_overtaken \
    FROM commands c WHERE c.check_at <= $1 ORDER BY c.check_at, c.command_id LIMIT $2";
const LEASE: &str = "UPDATE commands SET check_at = v.column3, checks = checks + 1 \
    FROM (VALUES {rows:uuid,bigint,bigint}) AS v \
    WHERE commands.command_id = v.column1 AND commands.check_at <= v.column2 RETURNING commands.command_id";
const CHECK_AGAIN: &str =
    "UPDATE commands SET check_at = $2 WHERE command_id = $1 AND check_at IS NOT NULL";
const NEWEST_OF_VEHICLES: &str = "SELECT c.* FROM (VALUES {rows:uuid}) AS v JOIN commands c ON c.command_id = \
    (SELECT n.command_id FROM commands n WHERE n.vehicle_id = v.column1 \
    AND n.status NOT IN ('refused', 'failed', 'cancelled', 'expired') ORDER BY n.command_id DESC LIMIT 1)";

/// The newest of each car that may have moved its doors.
const NEWEST_AT_DOORS: &str = "SELECT c.* FROM (VALUES {rows:uuid}) AS v JOIN commands c ON c.command_id = \
    (SELECT n.command_id FROM commands n WHERE n.vehicle_id = v.column1 AND n.action IN ('lock', 'unlock') \
    AND n.status NOT IN ('refused', 'failed', 'cancelled', 'expired') ORDER BY n.command_id DESC LIMIT 1)";

/// By the indexes of what is taken over, and of what is checked.
const FIRST_DUE: &str = "SELECT due.due_at FROM (\
    SELECT a.due_at FROM (SELECT abandon_at AS due_at FROM commands WHERE status = 'sending' ORDER BY abandon_at LIMIT 1) AS a \
    UNION ALL SELECT b.due_at FROM (SELECT check_at AS due_at FROM commands WHERE check_at IS NOT NULL ORDER BY check_at LIMIT 1) AS b\
    ) AS due ORDER BY due.due_at LIMIT 1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    INSERT,
    REPLAYS,
    WRITE_OUTCOMES,
    FIND,
    LIST_OF_VEHICLE,
    IN_FLIGHT_OF_GRANT,
    IN_FLIGHT_OF_USER,
    IN_FLIGHT_OF_VEHICLE,
    IN_FLIGHT_OF_ORGANIZATION,
    MARK_ABANDONED,
    DUE,
    LEASE,
    CHECK_AGAIN,
    NEWEST_OF_VEHICLES,
    NEWEST_AT_DOORS,
    FIRST_DUE,
];

impl FromRow for Command {
    const ORIGIN: Origin = Origin::of::<CommandId>("commands", "command_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            command_id: row.get("command_id")?,
            organization_id: row.get("organization_id")?,
            vehicle_id: row.get("vehicle_id")?,
            grant_id: row.optional("grant_id")?,
            user_id: row.get("user_id")?,
            instruction: instruction(row)?,
            status: row.get("status")?,
            evidence: row.get("evidence")?,
            observed_at: row.optional("observed_at")?,
            causes: causes(row)?,
            user_message: row.optional("user_message")?,
            retry_after_ms: row.optional("retry_after_ms")?,
            created_at: row.get("created_at")?,
            send_by: row.get("send_by")?,
            abandon_at: row.get("abandon_at")?,
            instance_id: row.get("instance_id")?,
            changed_at: row.get("changed_at")?,
        })
    }
}

/// Action and parameters are stored apart and belong together.
fn instruction(row: &Row) -> Result<Instruction, StorageError> {
    let action: Action = row.get("action")?;
    let parameters: Option<String> = row.optional("parameters")?;
    Instruction::restore(action, parameters.as_deref()).map_err(|why| corrupt("parameters", why))
}

/// One word for each cause.
fn stored(causes: &[Cause]) -> String {
    causes.iter().map(Cause::stored).collect::<Vec<_>>().join(" ")
}

fn causes(row: &Row) -> Result<Vec<Cause>, StorageError> {
    let stored: String = row.get("causes")?;
    let causes: Result<_, _> = stored.split_whitespace().map(Cause::restore).collect();
    causes.map_err(|why| corrupt("causes", why))
}

/// A stored command with what tells replays from misuse.
#[derive(Debug, Clone)]
pub struct KeyedCommand {
    /// Who asked for it.
    pub principal_id: uuid::Uuid,
    /// Under which key.
    pub idempotency_key: String,
    /// SHA-256 of the request.
    pub request_hash: [u8; 32],
    /// The command.
    pub command: Command,
}

impl FromRow for KeyedCommand {
    const ORIGIN: Origin = Command::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            principal_id: row.get("principal_id")?,
            idempotency_key: row.get("idempotency_key")?,
            request_hash: row.get("request_hash")?,
            command: Command::from_row(row)?,
        })
    }
}

fn inserted(keyed: &KeyedCommand) -> [Value; 19] {
    let command = &keyed.command;
    [
        command.command_id.into(),
        command.organization_id.into(),
        command.vehicle_id.into(),
        command.grant_id.into(),
        command.user_id.into(),
        keyed.principal_id.into(),
        keyed.idempotency_key.as_str().into(),
        keyed.request_hash.into(),
        command.action().into(),
        command.instruction.parameters().into(),
        command.status.into(),
        command.evidence.into(),
        stored(&command.causes).into(),
        command.created_at.into(),
        command.send_by.into(),
        command.abandon_at.into(),
        command.instance_id.into(),
        command.changed_at.into(),
        0.into(),
    ]
}

/// The statement that adds commands. It leaves out those whose key somebody else used first.
pub(super) fn insertion(commands: &[KeyedCommand]) -> Query {
    query(INSERT).rows(commands.iter().map(inserted))
}

/// The statement that finds commands that were sent before under the same keys.
pub(super) fn replays(keys: &[(uuid::Uuid, &str)]) -> Query {
    query(REPLAYS).rows(keys.iter().map(|&(principal_id, key)| [principal_id.into(), key.into()]))
}

/// The command that was decided on under this key of a principal.
pub async fn find_by_key(
    on: &mut impl Executor,
    key: (uuid::Uuid, &str),
) -> Result<Option<KeyedCommand>, StorageError> {
    replays(&[key]).fetch_optional(on).await
}

/// What became of a command: a change of its status.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The status it leaves; it is written only over this one.
    pub from: CommandStatus,
    /// The command as it is afterwards.
    pub command: Command,
    /// When its car's state should be read, if it should.
    pub check_at: Option<Timestamp>,
}

fn values(outcome: &Outcome) -> [Value; 10] {
    let command = &outcome.command;
    [
        command.command_id.into(),
        outcome.from.into(),
        command.status.into(),
        command.evidence.into(),
        command.observed_at.into(),
        stored(&command.causes).into(),
        command.user_message.as_deref().into(),
        command.retry_after_ms.into(),
        command.changed_at.into(),
        outcome.check_at.into(),
    ]
}

/// The statement that writes outcomes. It returns the commands whose outcome it wrote; the others
/// had left that status before.
pub(super) fn update(outcomes: &[Outcome]) -> Query {
    query(WRITE_OUTCOMES).rows(outcomes.iter().map(values))
}

/// Writes outcomes. Commands that are not returned had left that status before.
pub async fn write_outcomes(
    tx: &mut Tx,
    outcomes: &[Outcome],
) -> Result<Vec<CommandId>, StorageError> {
    update(outcomes).fetch_all(tx).await
}

/// One command.
pub async fn find(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    command_id: CommandId,
) -> Result<Option<Command>, StorageError> {
    query(FIND).bind(organization_id).bind(command_id).fetch_optional(on).await
}

/// Which commands of a car to list: those for which everything that is named is so.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommandFilter {
    /// Only those that rested on this grant.
    pub grant_id: Option<GrantId>,
    /// Only those that came to this.
    pub status: Option<CommandStatus>,
    /// Only those that were asked for at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that were asked for before this time.
    pub until: Option<Timestamp>,
}

/// The commands of a car, newest first.
pub async fn list_of_vehicle(
    on: &mut impl Executor,
    (organization_id, vehicle_id): (OrganizationId, VehicleId),
    filter: CommandFilter,
    page: Page,
) -> Result<Vec<Command>, StorageError> {
    query(LIST_OF_VEHICLE)
        .bind(organization_id)
        .bind(page.before())
        .bind(page.limit)
        .bind(vehicle_id)
        .bind(filter.grant_id)
        .bind(filter.status.map(CommandStatus::as_str))
        .bind(filter.from.unwrap_or(Timestamp::MIN))
        .bind(filter.until.unwrap_or(Timestamp::MAX))
        .fetch_all(on)
        .await
}

/// The commands within a scope that may still be on their way.
pub async fn in_flight(
    on: &mut impl Executor,
    scope: KeyScope,
) -> Result<Vec<CommandId>, StorageError> {
    let sql = match scope {
        KeyScope::Grant(_) => IN_FLIGHT_OF_GRANT,
        KeyScope::User(_) => IN_FLIGHT_OF_USER,
        KeyScope::Vehicle(_) => IN_FLIGHT_OF_VEHICLE,
        KeyScope::Organization(_) => IN_FLIGHT_OF_ORGANIZATION,
    };
    query(sql).bind(scope.as_uuid()).fetch_all(on).await
}

/// Makes up to `limit` commands whose sender is gone `unknown`; returns them as they are afterwards.
pub async fn mark_abandoned(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Command>, StorageError> {
    query(MARK_ABANDONED)
        .bind(now)
        .bind(limit)
        .bind(Cause::Abandoned.stored().as_str())
        .fetch_all(tx)
        .await
}

/// A command whose car's state should be read.
#[derive(Debug, Clone)]
pub struct ToCheck {
    /// The command.
    pub command: Command,
    /// How often it was tried, this time included.
    pub checks: i64,
}

impl FromRow for ToCheck {
    const ORIGIN: Origin = Command::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { command: Command::from_row(row)?, checks: row.get::<i64>("checks")? + 1 })
    }
}

/// A command that should be checked by now.
#[derive(Debug, Clone)]
pub struct Due {
    /// The command, should its car be checked.
    pub check: ToCheck,
    /// Whether a later command may have moved its car.
    pub is_overtaken: bool,
}

impl FromRow for Due {
    const ORIGIN: Origin = Command::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { check: ToCheck::from_row(row)?, is_overtaken: row.get("is_overtaken")? })
    }
}

/// Up to `limit` commands that should be checked by now.
pub async fn due(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Due>, StorageError> {
    query(DUE).bind(now).bind(limit).fetch_all(tx).await
}

/// When the first of all commands is due to be taken over or checked, if any is at some time.
pub async fn first_due(on: &mut impl Executor) -> Result<Option<Timestamp>, StorageError> {
    query(FIRST_DUE).fetch_optional(on).await
}

/// Leases commands that are due to be checked; nobody else leases them before `lease_until`. Those that
/// are not returned were leased or settled elsewhere.
pub async fn lease(
    tx: &mut Tx,
    command_ids: impl Iterator<Item = CommandId>,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<CommandId>, StorageError> {
    let rows = command_ids.map(|id| [id.into(), now.into(), lease_until.into()]);
    query(LEASE).rows(rows).fetch_all(tx).await
}

/// Puts a check off.
pub async fn check_again(
    tx: &mut Tx,
    command_id: CommandId,
    at: Timestamp,
) -> Result<(), StorageError> {
    query(CHECK_AGAIN).bind(command_id).bind(at).execute(tx).await.map(drop)
}

/// The newest command of each car that may have moved it.
pub async fn newest_of_vehicles(
    on: &mut impl Executor,
    vehicle_ids: &[VehicleId],
) -> Result<Vec<Command>, StorageError> {
    query(NEWEST_OF_VEHICLES)
        .rows(vehicle_ids.iter().map(|&id| [Value::from(id)]))
        .fetch_all(on)
        .await
}

/// The newest command of each car that may have moved its doors.
pub async fn newest_at_doors(
    on: &mut impl Executor,
    vehicle_ids: &[VehicleId],
) -> Result<Vec<Command>, StorageError> {
    let ids = vehicle_ids.iter().map(|&id| [Value::from(id)]);
    query(NEWEST_AT_DOORS).rows(ids).fetch_all(on).await
}
