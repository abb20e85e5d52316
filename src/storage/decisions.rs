//! What decisions rest on, for a whole batch in each statement. A deciding transaction locks the rows that
//! it reads until it ends; others that decide may share the lock, but for those on cars and grants, which decisions write. Whatever narrows a right changes one of
//! them, and so commits before they are read or after the decision (P2). SQLite has one writer, and no row
//! is locked there.

#[cfg(test)]
pub(crate) mod meaning;

use std::collections::HashSet;

use super::commands::{self, KeyedCommand, Outcome};
use super::db::{Executor, FromRow, Origin, Row, Tx, Value, query, run_each};
use super::spent_proofs::{self, ProofToSpend, Spenders};
use super::{StorageError, audit_entries, grant_tokens};
use crate::domain::allowed_times::Period;
use crate::domain::event::AuditEntry;
use crate::domain::grant::{Grace, Grant};
use crate::domain::id::{
    CommandId, ConnectionId, GrantId, OrganizationId, TokenId, UserId, VehicleId,
};
use crate::domain::policy::{GrantFacts, VehicleFacts, VehicleRevisions};
use crate::domain::vehicle::Vehicle;

const VEHICLES: &str = "SELECT v.vehicle_id, v.organization_id, v.owner_id, v.removed_at, v.suspended_reason, v.permissions, \
    v.connection_id, v.provider_vehicle_id, o.disabled_at AS owner_disabled_at, v.owner_recoveries, v.consents, v.last_unlocked_by, v.holds, v.ends, o.recoveries, o.holds AS owner_holds, v.revision, o.revision AS owner_revision, c.revision AS connection_revision, n.revision AS organization_revision, n.holds AS organization_holds, n.ends AS organization_ends, c.status AS connection_status \
    FROM vehicles v JOIN organizations n ON n.organization_id = v.organization_id JOIN users o ON o.user_id = v.owner_id \
    JOIN connections c ON c.connection_id = v.connection_id WHERE v.vehicle_id IN (VALUES {rows:uuid})";
/// Connections before their cars, as in what narrows both, so that there is no deadlock. The lock on a car is exclusive:
/// who unlocks it is noted.
const LOCK_VEHICLE_ROWS: &str = "SELECT v.vehicle_id, v.organization_id, v.owner_id, v.removed_at, v.suspended_reason, v.permissions, \
    v.connection_id, v.provider_vehicle_id, o.disabled_at AS owner_disabled_at, v.owner_recoveries, v.consents, v.last_unlocked_by, v.holds, v.ends, o.recoveries, o.holds AS owner_holds, v.revision, o.revision AS owner_revision, c.revision AS connection_revision, n.revision AS organization_revision, n.holds AS organization_holds, n.ends AS organization_ends, c.status AS connection_status \
    FROM vehicles v JOIN organizations n ON n.organization_id = v.organization_id JOIN users o ON o.user_id = v.owner_id \
    JOIN connections c ON c.connection_id = v.connection_id WHERE v.vehicle_id IN (VALUES {rows:uuid}) \
    ORDER BY v.vehicle_id FOR SHARE OF n FOR SHARE OF o FOR SHARE OF c FOR NO KEY UPDATE OF v";
const GRANTS: &str = "SELECT g.*, u.disabled_at AS grantee_disabled_at, u.recoveries, u.holds AS grantee_holds, u.ends AS grantee_ends, u.revision AS grantee_revision FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    WHERE g.grant_id IN (VALUES {rows:uuid})";
const GRANTS_OF: &str = "SELECT g.*, u.disabled_at AS grantee_disabled_at, u.recoveries, u.holds AS grantee_holds, u.ends AS grantee_ends, u.revision AS grantee_revision FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    WHERE g.organization_id = $1 AND g.vehicle_id = $2 AND g.grantee_id = $3 ORDER BY g.grant_id DESC LIMIT 64";
/// Those that may still allow something after `$3`, the longest grace included, and begin before `$4`.
const LENT_WITHIN: &str = "SELECT g.*, u.disabled_at AS grantee_disabled_at, u.recoveries, u.holds AS grantee_holds, u.ends AS grantee_ends, u.revision AS grantee_revision FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    WHERE g.organization_id = $1 AND g.vehicle_id = $2 AND g.not_after > $3 AND g.not_before < $4 AND (g.ended_at IS NULL OR g.ended_at > $3) ORDER BY g.grant_id DESC LIMIT $5";
/// The lock on a grant is exclusive: its uses are counted.
const LOCK_GRANT_ROWS: &str = "SELECT g.*, u.disabled_at AS grantee_disabled_at, u.recoveries, u.holds AS grantee_holds, u.ends AS grantee_ends, u.revision AS grantee_revision FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    WHERE g.grant_id IN (VALUES {rows:uuid}) ORDER BY g.grant_id FOR SHARE OF u FOR NO KEY UPDATE OF g";
const SPEND_USES: &str = "UPDATE grants SET uses = grants.uses + v.column2 FROM (VALUES {rows:uuid,bigint}) AS v \
    WHERE grants.grant_id = v.column1 AND (grants.uses_max IS NULL OR grants.uses + v.column2 <= grants.uses_max)";

const NOTE_UNLOCKS: &str = "UPDATE vehicles SET last_unlocked_by = v.column2 FROM (VALUES {rows:uuid,uuid}) AS v \
    WHERE vehicles.vehicle_id = v.column1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    VEHICLES,
    LOCK_VEHICLE_ROWS,
    GRANTS,
    GRANTS_OF,
    LENT_WITHIN,
    LOCK_GRANT_ROWS,
    SPEND_USES,
    NOTE_UNLOCKS,
];

/// What decisions change in the rows that they rest on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Consequences {
    /// The uses that grants spend, each more than 0.
    pub uses: Vec<(GrantId, i64)>,
    /// Who unlocks a car that somebody else had unlocked last, or nobody.
    pub unlocked_by: Vec<(VehicleId, UserId)>,
}

/// A car as decisions see it.
#[derive(Debug, Clone)]
pub struct VehicleRow {
    /// Its organization.
    pub organization_id: OrganizationId,
    /// What the policy needs.
    pub facts: VehicleFacts,
    /// The connection through which it is reached.
    pub connection_id: ConnectionId,
    /// Its id at the vehicle cloud.
    pub provider_vehicle_id: String,
}

impl FromRow for VehicleRow {
    const ORIGIN: Origin = Vehicle::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let owner_disabled: Option<i64> = row.optional("owner_disabled_at")?;
        let removed: Option<i64> = row.optional("removed_at")?;
        // Whatever stands there suspends. A decision does not ask why, and a reason that is corrupt must
        // not stop the decisions on other cars.
        let suspended: Option<String> = row.optional("suspended_reason")?;
        Ok(Self {
            organization_id: row.get("organization_id")?,
            facts: VehicleFacts {
                vehicle_id: row.get("vehicle_id")?,
                owner_id: row.get("owner_id")?,
                owner_disabled: owner_disabled.is_some(),
                owner_recovered: recovered(row, "owner_recoveries")?,
                last_unlocked_by: row.optional("last_unlocked_by")?,
                consents: row.get("consents")?,
                holds: row.kept("holds"),
                owner_holds: row.kept("owner_holds"),
                organization_holds: row.kept("organization_holds"),
                ends: row.kept("ends"),
                organization_ends: row.kept("organization_ends"),
                removed: removed.is_some(),
                suspended: suspended.is_some(),
                connection_status: row.get("connection_status")?,
                permissions: row.get("permissions")?,
                revisions: VehicleRevisions {
                    organization: row.get("organization_revision")?,
                    owner: row.get("owner_revision")?,
                    connection: row.get("connection_revision")?,
                    vehicle: row.get("revision")?,
                },
            },
            connection_id: row.get("connection_id")?,
            provider_vehicle_id: row.get("provider_vehicle_id")?,
        })
    }
}

impl FromRow for GrantFacts {
    const ORIGIN: Origin = Grant::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let disabled: Option<i64> = row.optional("grantee_disabled_at")?;
        Ok(Self {
            grant: Grant::from_row(row)?,
            holds: row.kept("holds"),
            grantee_holds: row.kept("grantee_holds"),
            grantee_ends: row.kept("grantee_ends"),
            grantee_disabled: disabled.is_some(),
            grantee_recovered: recovered(row, "grantee_recoveries")?,
            vehicle_consents: row.get("vehicle_consents")?,
            grantee_revision: row.get("grantee_revision")?,
        })
    }
}

/// Whether the account was recovered since the number in the column was kept.
fn recovered(row: &Row, column: &'static str) -> Result<bool, StorageError> {
    let [kept, today]: [i64; 2] = [row.get(column)?, row.get("recoveries")?];
    Ok(kept != today)
}

fn ids<K>(ids: &[crate::domain::id::Id<K>]) -> impl Iterator<Item = [Value; 1]> {
    ids.iter().map(|&id| [Value::from(id)])
}

/// The facts of cars.
pub async fn vehicles(
    on: &mut impl Executor,
    vehicle_ids: &[VehicleId],
) -> Result<Vec<VehicleRow>, StorageError> {
    query(VEHICLES).rows(ids(vehicle_ids)).fetch_all(on).await
}

/// The facts of grants.
pub async fn grants(
    on: &mut impl Executor,
    grant_ids: &[GrantId],
) -> Result<Vec<GrantFacts>, StorageError> {
    query(GRANTS).rows(ids(grant_ids)).fetch_all(on).await
}

/// The newest grants of one grantee for one car, also those that have ended.
pub async fn grants_of(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    vehicle_id: VehicleId,
    grantee_id: UserId,
) -> Result<Vec<GrantFacts>, StorageError> {
    query(GRANTS_OF).bind(organization_id).bind(vehicle_id).bind(grantee_id).fetch_all(on).await
}

/// Up to `limit` grants for a car that may allow something within a period, the newest first.
pub async fn lent_within(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    vehicle_id: VehicleId,
    within: Period,
    limit: i64,
) -> Result<Vec<GrantFacts>, StorageError> {
    let since = within.from.minus(Grace::MAX.duration());
    let lent = query(LENT_WITHIN).long().bind(organization_id).bind(vehicle_id).bind(since);
    lent.bind(within.until).bind(limit).fetch_all(on).await
}

/// What a transaction that decides locks, and what it asks and writes in the same trip.
#[derive(Debug, Default)]
pub struct RowsToLock<'a> {
    /// The cars to lock, in one order for all transactions.
    pub vehicle_ids: Vec<VehicleId>,
    /// The grants to lock, in one order for all transactions.
    pub grant_ids: Vec<GrantId>,
    /// The grant tokens to lock, in one order for all transactions.
    pub token_ids: Vec<TokenId>,
    /// The proofs to spend.
    pub proofs: Vec<ProofToSpend>,
    /// The idempotency keys of the requests, each with the principal that sent it.
    pub keys: Vec<(uuid::Uuid, &'a str)>,
    /// Outcomes that are written meanwhile.
    pub outcomes: &'a [Outcome],
}

/// The rows that are locked now, and the answers to the rest.
#[derive(Debug)]
pub struct LockedRows {
    /// The cars that are there. Nobody changes them, their owners, connections and organization before the
    /// transaction ends.
    pub vehicles: Vec<VehicleRow>,
    /// The grants that are there. Nobody changes them and their grantees before the
    /// transaction ends.
    pub grants: Vec<GrantFacts>,
    /// The grant tokens that were not ended. They cannot be ended before the transaction ends.
    pub living_tokens: Vec<TokenId>,
    /// Which requests spent the proofs.
    pub spenders: Spenders,
    /// Commands that were asked for before under the same keys, whatever was decided.
    pub replays: Vec<KeyedCommand>,
    /// The commands whose outcome was written here, and not elsewhere before.
    pub written: Vec<CommandId>,
}

/// Locks and reads the rows that a decision rests on: cars before grants, as in what narrows both, so
/// that there is no deadlock.
pub async fn lock_rows(tx: &mut Tx, asked: RowsToLock<'_>) -> Result<LockedRows, StorageError> {
    let RowsToLock { vehicle_ids, grant_ids, token_ids, proofs, keys, outcomes } = asked;
    let [vehicles, grants, tokens, spenders, replays, written] = run_each(
        tx,
        [
            query(LOCK_VEHICLE_ROWS).rows(ids(&vehicle_ids)),
            query(LOCK_GRANT_ROWS).rows(ids(&grant_ids)),
            grant_tokens::locking(&token_ids),
            spent_proofs::spending(proofs),
            commands::replays(&keys),
            commands::update(outcomes),
        ],
    )
    .await?;
    let mut vehicles: Vec<VehicleRow> = vehicles.rows()?;
    // A car whose connection was being replaced is there in the next statement.
    let found: HashSet<VehicleId> = vehicles.iter().map(|row| row.facts.vehicle_id).collect();
    let missing = vehicle_ids.into_iter().filter(|vehicle_id| !found.contains(vehicle_id));
    let missing: Vec<VehicleId> = missing.collect();
    vehicles.extend(query(LOCK_VEHICLE_ROWS).rows(ids(&missing)).fetch_all(tx).await?);
    Ok(LockedRows {
        vehicles,
        grants: grants.rows()?,
        living_tokens: grant_tokens::living(&tokens)?,
        spenders: Spenders::of(&spenders)?,
        replays: replays.rows()?,
        written: written.rows()?,
    })
}

/// Writes what was decided: the consequences for rows that the transaction has locked, the commands, and
/// the entries that say so.
///
/// # Errors
/// [`StorageError::LostRace`] if another instance was faster with a key; nothing may be kept then.
pub async fn write(
    tx: &mut Tx,
    consequences: &Consequences,
    commands: &[KeyedCommand],
    entries: &[AuditEntry],
) -> Result<(), StorageError> {
    let Consequences { uses, unlocked_by } = consequences;
    let spend = uses.iter().map(|&(grant_id, uses)| [grant_id.into(), uses.into()]);
    let note = unlocked_by.iter().map(|&(vehicle_id, by)| [vehicle_id.into(), by.into()]);
    let [add, queue, personal] = audit_entries::additions(entries);
    let insert = commands::insertion(commands);
    let (spend, note) = (query(SPEND_USES).rows(spend), query(NOTE_UNLOCKS).rows(note));
    let [spent, noted, inserted, added, queued, _] =
        run_each(tx, [spend, note, insert, add, queue, personal]).await?;
    spent.must_count(uses.len())?;
    noted.must_count(unlocked_by.len())?;
    inserted.must_count(commands.len())?;
    audit_entries::must_be_added(entries, &added, &queued)
}

/// Writes outcomes with which nothing is to be decided. The entries say that each of them was written
/// here, so that all of it is one trip.
///
/// # Errors
/// [`StorageError::LostRace`] if one was written elsewhere; nothing may be kept then.
pub async fn write_outcomes(
    tx: &mut Tx,
    outcomes: &[Outcome],
    entries: &[AuditEntry],
) -> Result<(), StorageError> {
    let [add, queue, personal] = audit_entries::additions(entries);
    let update = commands::update(outcomes);
    let [written, added, queued, _] = run_each(tx, [update, add, queue, personal]).await?;
    written.must_count(outcomes.len())?;
    audit_entries::must_be_added(entries, &added, &queued)
}
