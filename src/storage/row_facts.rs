//! What decisions read of the rows that they rest on, for the record: read in the transaction that changed them.

#[cfg(test)]
pub(crate) mod meaning;

use std::collections::HashMap;

use super::StorageError;
use super::db::{Answer, FromRow, Origin, Readable, Row, Tx, Value, query, run_each};
use crate::domain::connection::{Connection, Permissions};
use crate::domain::event::AuditEntry;
use crate::domain::grant::Grant;
use crate::domain::id::OrganizationId;
use crate::domain::row_facts::{
    ConnectionRowFacts, FactsRow, GrantRowFacts, OrganizationRowFacts, RowFacts, UserRowFacts,
    VehicleRowFacts,
};
use crate::domain::scope_end::PendingEnds;
use crate::domain::user::User;
use crate::domain::vehicle::Vehicle;

const ORGANIZATIONS: &str = "SELECT organization_id, revision, holds, ends FROM organizations WHERE organization_id IN (VALUES {rows:uuid})";
const USERS: &str = "SELECT user_id, revision, disabled_at, recoveries, holds, ends FROM users WHERE user_id IN (VALUES {rows:uuid})";
const CONNECTIONS: &str = "SELECT connection_id, revision, status FROM connections WHERE connection_id IN (VALUES {rows:uuid})";
const VEHICLES: &str = "SELECT vehicle_id, revision, owner_id, connection_id, removed_at, suspended_reason, permissions, owner_recoveries, \
    consents, holds, ends FROM vehicles WHERE vehicle_id IN (VALUES {rows:uuid})";
const GRANTS: &str = "SELECT * FROM grants WHERE grant_id IN (VALUES {rows:uuid})";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[ORGANIZATIONS, USERS, CONNECTIONS, VEHICLES, GRANTS];

/// Has each entry say what decisions read from now on of the row that its event changed. A row that cannot be read is not
/// told: nothing is decided on it either.
///
/// # Errors
/// [`StorageError`], if the database does not answer.
pub async fn tell(tx: &mut Tx, entries: &mut [AuditEntry]) -> Result<(), StorageError> {
    let changes = |entry: &AuditEntry| entry.event.changes(entry.actor.organization_id);
    let rows: Vec<FactsRow> = entries.iter().filter_map(changes).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let known = read(tx, &rows).await?;
    let known: HashMap<FactsRow, RowFacts> =
        known.into_iter().map(|facts| (facts.row(), facts)).collect();
    for entry in entries {
        entry.facts = changes(entry).and_then(|row| known.get(&row).cloned());
    }
    Ok(())
}

/// What decisions read of these rows, as far as they can be read.
///
/// # Errors
/// [`StorageError`], if the database does not answer.
pub async fn read(tx: &mut Tx, rows: &[FactsRow]) -> Result<Vec<RowFacts>, StorageError> {
    type Ids = Vec<[Value; 1]>;
    let [mut organizations, mut users, mut connections, mut vehicles, mut grants]: [Ids; 5] =
        Default::default();
    for row in rows {
        match *row {
            FactsRow::Organization(id) => organizations.push([id.into()]),
            FactsRow::User(id) => users.push([id.into()]),
            FactsRow::Connection(id) => connections.push([id.into()]),
            FactsRow::Vehicle(id) => vehicles.push([id.into()]),
            FactsRow::Grant(id) => grants.push([id.into()]),
        }
    }
    let [organizations, users, connections, vehicles, grants] = run_each(
        tx,
        [
            query(ORGANIZATIONS).rows(organizations),
            query(USERS).rows(users),
            query(CONNECTIONS).rows(connections),
            query(VEHICLES).rows(vehicles),
            query(GRANTS).rows(grants),
        ],
    )
    .await?;
    let known = [
        told(&organizations, RowFacts::Organization)?,
        told(&users, RowFacts::User)?,
        told(&connections, RowFacts::Connection)?,
        told(&vehicles, RowFacts::Vehicle)?,
        told(&grants, RowFacts::Grant)?,
    ];
    Ok(known.into_iter().flatten().collect())
}

fn told<T: FromRow>(
    answer: &Answer,
    facts: fn(T) -> RowFacts,
) -> Result<Vec<RowFacts>, StorageError> {
    let rows: Vec<Readable<T>> = answer.rows()?;
    Ok(rows.into_iter().filter_map(|row| row.into_inner().map(facts)).collect())
}

impl FromRow for OrganizationRowFacts {
    const ORIGIN: Origin = Origin::of::<OrganizationId>("organizations", "organization_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            organization_id: row.get("organization_id")?,
            revision: row.get("revision")?,
            holds: row.kept("holds"),
            ends: (&row.kept("ends") as &PendingEnds).into(),
        })
    }
}

impl FromRow for UserRowFacts {
    const ORIGIN: Origin = User::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            user_id: row.get("user_id")?,
            revision: row.get("revision")?,
            disabled: row.optional::<i64>("disabled_at")?.is_some(),
            recoveries: row.get("recoveries")?,
            holds: row.kept("holds"),
            ends: (&row.kept("ends") as &PendingEnds).into(),
        })
    }
}

impl FromRow for ConnectionRowFacts {
    const ORIGIN: Origin = Connection::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            connection_id: row.get("connection_id")?,
            revision: row.get("revision")?,
            status: row.get("status")?,
        })
    }
}

impl FromRow for VehicleRowFacts {
    const ORIGIN: Origin = Vehicle::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let permissions: Permissions = row.get("permissions")?;
        Ok(Self {
            vehicle_id: row.get("vehicle_id")?,
            revision: row.get("revision")?,
            owner_id: row.get("owner_id")?,
            connection_id: row.get("connection_id")?,
            removed: row.optional::<i64>("removed_at")?.is_some(),
            suspended: row.optional::<String>("suspended_reason")?.is_some(),
            permissions: permissions.to_string(),
            owner_recoveries: row.get("owner_recoveries")?,
            consents: row.get("consents")?,
            holds: row.kept("holds"),
            ends: (&row.kept("ends") as &PendingEnds).into(),
        })
    }
}

impl FromRow for GrantRowFacts {
    const ORIGIN: Origin = Grant::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let grant = Grant::from_row(row)?;
        Ok(Self {
            grant_id: grant.grant_id,
            revision: grant.revision,
            vehicle_id: grant.vehicle_id,
            issuer_id: grant.issuer_id,
            grantee_id: grant.grantee_id,
            entitlements: grant.entitlements,
            not_before: grant.validity.not_before(),
            not_after: grant.validity.not_after(),
            grace_minutes: grant.grace,
            max_uses: grant.uses_max,
            require_device_key: grant.require_device_key,
            issued_at: grant.issued_at,
            ended_at: grant.end.map(|end| end.ended_at),
            end_reason: grant.end.map(|end| end.end_reason),
            leave_lock: grant.end.is_some_and(|end| end.leave_lock),
            grantee_recoveries: row.get("grantee_recoveries")?,
            vehicle_consents: row.get("vehicle_consents")?,
            holds: row.kept("holds"),
        })
    }
}
