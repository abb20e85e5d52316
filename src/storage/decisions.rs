//! What the gate reads and claims, a whole batch in each statement: the facts of all requests,
//! and the compare-and-set on the rows they were decided on.

#[cfg(test)]
pub(crate) mod meaning;

use super::StorageError;
use super::db::{Executor, FromRow, Row, Tx, Value, query};
use crate::domain::command::Command;
use crate::domain::grant::Grant;
use crate::domain::id::{ConnectionId, GrantId, OrganizationId, VehicleId};
use crate::domain::policy::{GrantFacts, VehicleFacts};

const VEHICLES: &str = "SELECT v.vehicle_id, v.organization_id, v.owner_id, v.removed_at, v.suspended_reason, v.permissions, \
    v.connection_id, v.provider_vehicle_id, v.revision, o.disabled_at AS owner_disabled_at, c.status AS connection_status \
    FROM vehicles v JOIN users o ON o.user_id = v.owner_id JOIN connections c ON c.connection_id = v.connection_id \
    WHERE v.vehicle_id IN (VALUES {rows:uuid})";
const GRANTS: &str = "SELECT g.*, u.disabled_at AS grantee_disabled_at FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    WHERE g.grant_id IN (VALUES {rows:uuid})";
const CLAIM_GRANTS: &str = "UPDATE grants SET uses = grants.uses + v.column3 \
    FROM (VALUES {rows:uuid,bigint,bigint}) AS v WHERE grants.grant_id = v.column1 AND grants.revision = v.column2 \
    AND grants.ended_at IS NULL AND (grants.uses_max IS NULL OR grants.uses + v.column3 <= grants.uses_max) \
    RETURNING grants.grant_id";
const CLAIM_VEHICLES: &str = "UPDATE vehicles SET revision = vehicles.revision \
    FROM (VALUES {rows:uuid,bigint}) AS v WHERE vehicles.vehicle_id = v.column1 AND vehicles.revision = v.column2 \
    RETURNING vehicles.vehicle_id";
const REPLAYS: &str = "SELECT c.* FROM (VALUES {rows:uuid,text}) AS v JOIN commands c \
    ON c.principal_id = v.column1 AND c.idempotency_key = v.column2";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[VEHICLES, GRANTS, CLAIM_GRANTS, CLAIM_VEHICLES, REPLAYS];

/// A car as the gate sees it.
#[derive(Debug, Clone)]
pub struct VehicleRow {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// What the policy needs.
    pub facts: VehicleFacts,
    /// The consent it is reached through.
    pub connection_id: ConnectionId,
    /// Its name at the vehicle cloud.
    pub provider_vehicle_id: String,
    /// What a claim must name.
    pub revision: i64,
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
            revision: row.get("revision")?,
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

/// Claims grants at the revision they were decided on, and spends uses. Those that are not
/// returned were changed by somebody else; the others are locked until the transaction ends.
///
/// # Errors
/// [`StorageError`].
pub async fn claim_grants(
    tx: &mut Tx,
    claims: &[(GrantId, i64, i64)],
) -> Result<Vec<GrantId>, StorageError> {
    let rows = claims
        .iter()
        .map(|&(grant_id, revision, uses)| [grant_id.into(), revision.into(), uses.into()]);
    query(CLAIM_GRANTS).rows(rows).fetch_all(tx).await
}

/// Claims cars at the revision they were decided on, for their owners' own commands.
///
/// # Errors
/// [`StorageError`].
pub async fn claim_vehicles(
    tx: &mut Tx,
    claims: &[(VehicleId, i64)],
) -> Result<Vec<VehicleId>, StorageError> {
    let rows = claims.iter().map(|&(id, revision)| [id.into(), revision.into()]);
    query(CLAIM_VEHICLES).rows(rows).fetch_all(tx).await
}
