//! What decisions rest on, for a whole batch in each statement. A deciding transaction holds the rows that
//! it reads until it ends, together with others that decide: whatever narrows a right changes one of them,
//! and so commits before they are read or after the decision (P2).

#[cfg(test)]
pub(crate) mod meaning;

use super::StorageError;
use super::db::{Executor, FromRow, Row, Tx, Value, query};
use crate::domain::command::Command;
use crate::domain::grant::Grant;
use crate::domain::id::{ConnectionId, GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::policy::{GrantFacts, VehicleFacts};

const VEHICLES: &str = "SELECT v.vehicle_id, v.organization_id, v.owner_id, v.removed_at, v.suspended_reason, v.permissions, \
    v.connection_id, v.provider_vehicle_id, o.disabled_at AS owner_disabled_at, c.status AS connection_status \
    FROM vehicles v JOIN users o ON o.user_id = v.owner_id JOIN connections c ON c.connection_id = v.connection_id \
    WHERE v.vehicle_id IN (VALUES {rows:uuid})";
/// Consents before their cars, as in what narrows both: nobody waits for each other in a circle.
const HOLD_VEHICLES: &str = "SELECT v.vehicle_id, v.organization_id, v.owner_id, v.removed_at, v.suspended_reason, v.permissions, \
    v.connection_id, v.provider_vehicle_id, o.disabled_at AS owner_disabled_at, c.status AS connection_status \
    FROM vehicles v JOIN organizations n ON n.organization_id = v.organization_id JOIN users o ON o.user_id = v.owner_id \
    JOIN connections c ON c.connection_id = v.connection_id WHERE v.vehicle_id IN (VALUES {rows:uuid}) \
    ORDER BY v.vehicle_id FOR SHARE OF n FOR SHARE OF o FOR SHARE OF c FOR SHARE OF v";
const GRANTS: &str = "SELECT g.*, u.disabled_at AS grantee_disabled_at FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    WHERE g.grant_id IN (VALUES {rows:uuid})";
const HELD_BY: &str = "SELECT g.*, u.disabled_at AS grantee_disabled_at FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    WHERE g.organization_id = $1 AND g.vehicle_id = $2 AND g.grantee_id = $3 ORDER BY g.grant_id DESC LIMIT 64";
/// A grant is held alone: its uses are counted.
const HOLD_GRANTS: &str = "SELECT g.*, u.disabled_at AS grantee_disabled_at FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    WHERE g.grant_id IN (VALUES {rows:uuid}) ORDER BY g.grant_id FOR SHARE OF u FOR NO KEY UPDATE OF g";
const SPEND_USES: &str = "UPDATE grants SET uses = grants.uses + v.column2 FROM (VALUES {rows:uuid,bigint}) AS v \
    WHERE grants.grant_id = v.column1 AND (grants.uses_max IS NULL OR grants.uses + v.column2 <= grants.uses_max) \
    RETURNING grants.grant_id";
const REPLAYS: &str = "SELECT c.* FROM (VALUES {rows:uuid,text}) AS v JOIN commands c \
    ON c.principal_id = v.column1 AND c.idempotency_key = v.column2";

/// Every statement of this file.
pub const STATEMENTS: &[&str] =
    &[VEHICLES, HOLD_VEHICLES, GRANTS, HELD_BY, HOLD_GRANTS, SPEND_USES, REPLAYS];

/// A car as decisions see it.
#[derive(Debug, Clone)]
pub struct VehicleRow {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// What the policy needs.
    pub facts: VehicleFacts,
    /// The consent through which it is reached.
    pub connection_id: ConnectionId,
    /// Its id at the vehicle cloud.
    pub provider_vehicle_id: String,
}

impl FromRow for VehicleRow {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let owner_disabled: Option<i64> = row.optional("owner_disabled_at")?;
        let removed: Option<i64> = row.optional("removed_at")?;
        let suspended: Option<String> = row.optional("suspended_reason")?;
        Ok(Self {
            organization_id: row.get("organization_id")?,
            facts: VehicleFacts {
                vehicle_id: row.get("vehicle_id")?,
                owner_id: row.get("owner_id")?,
                owner_disabled: owner_disabled.is_some(),
                removed: removed.is_some(),
                suspended: suspended.is_some(),
                connection_status: row.get("connection_status")?,
                permissions: row.get("permissions")?,
            },
            connection_id: row.get("connection_id")?,
            provider_vehicle_id: row.get("provider_vehicle_id")?,
        })
    }
}

impl FromRow for GrantFacts {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let disabled: Option<i64> = row.optional("grantee_disabled_at")?;
        Ok(Self { grant: Grant::from_row(row)?, grantee_disabled: disabled.is_some() })
    }
}

/// A stored command with what tells replays from misuse.
#[derive(Debug, Clone)]
pub struct KeyedCommand {
    /// Who sent it.
    pub principal_id: uuid::Uuid,
    /// Under which key.
    pub idempotency_key: String,
    /// SHA-256 of the request.
    pub request_hash: [u8; 32],
    /// The command.
    pub command: Command,
}

impl FromRow for KeyedCommand {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            principal_id: row.get("principal_id")?,
            idempotency_key: row.get("idempotency_key")?,
            request_hash: row.get("request_hash")?,
            command: Command::from_row(row)?,
        })
    }
}

fn ids<K>(ids: &[crate::domain::id::Id<K>]) -> impl Iterator<Item = [Value; 1]> {
    ids.iter().map(|&id| [Value::from(id)])
}

/// The facts of cars.
///
/// # Errors
/// [`StorageError`].
pub async fn vehicles(
    on: &mut impl Executor,
    vehicle_ids: &[VehicleId],
) -> Result<Vec<VehicleRow>, StorageError> {
    query(VEHICLES).rows(ids(vehicle_ids)).fetch_all(on).await
}

/// As [`vehicles`]; nobody changes the cars, their owners, consents and tenant before the transaction
/// ends. A car whose consent is being replaced may be missing: it is there in the next statement.
///
/// # Errors
/// [`StorageError`].
pub async fn hold_vehicles(
    tx: &mut Tx,
    vehicle_ids: &[VehicleId],
) -> Result<Vec<VehicleRow>, StorageError> {
    query(HOLD_VEHICLES).rows(ids(vehicle_ids)).fetch_all(tx).await
}

/// The facts of grants.
///
/// # Errors
/// [`StorageError`].
pub async fn grants(
    on: &mut impl Executor,
    grant_ids: &[GrantId],
) -> Result<Vec<GrantFacts>, StorageError> {
    query(GRANTS).rows(ids(grant_ids)).fetch_all(on).await
}

/// As [`grants`]; nobody changes the grants and their grantees before the transaction ends.
///
/// # Errors
/// [`StorageError`].
pub async fn hold_grants(
    tx: &mut Tx,
    grant_ids: &[GrantId],
) -> Result<Vec<GrantFacts>, StorageError> {
    query(HOLD_GRANTS).rows(ids(grant_ids)).fetch_all(tx).await
}

/// The newest grants that a person holds or held for one car.
///
/// # Errors
/// [`StorageError`].
pub async fn held_by(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    vehicle_id: VehicleId,
    grantee_id: UserId,
) -> Result<Vec<GrantFacts>, StorageError> {
    query(HELD_BY).bind(organization_id).bind(vehicle_id).bind(grantee_id).fetch_all(on).await
}

/// Commands that were sent before under the same keys.
///
/// # Errors
/// [`StorageError`].
pub async fn replays(
    on: &mut impl Executor,
    keys: &[(uuid::Uuid, &str)],
) -> Result<Vec<KeyedCommand>, StorageError> {
    let rows = keys.iter().map(|&(principal_id, key)| [principal_id.into(), key.into()]);
    query(REPLAYS).rows(rows).fetch_all(on).await
}

/// Spends uses of grants that the transaction holds; returns how many grants had them.
///
/// # Errors
/// [`StorageError`].
pub async fn spend_uses(tx: &mut Tx, uses: &[(GrantId, i64)]) -> Result<usize, StorageError> {
    let rows = uses.iter().map(|&(grant_id, uses)| [grant_id.into(), uses.into()]);
    let spent: Vec<GrantId> = query(SPEND_USES).rows(rows).fetch_all(tx).await?;
    Ok(spent.len())
}
