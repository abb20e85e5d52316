//! What changes about a car when its connection changes: permissions, suspension, removal.
//! Each change waits for the decisions that have the car locked, and later ones see it (P2).

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, query};
use super::decisions::VehicleRow;
use crate::domain::connection::Permissions;
use crate::domain::id::{ConnectionId, OrganizationId, UserId, VehicleId};
use crate::domain::impairment::Suspension;
use crate::domain::time::Timestamp;

const SUSPEND: &str = "UPDATE vehicles SET suspended_reason = $2, suspended_at = $3, probe_at = $4, probes = 0, \
    revision = revision + 1 WHERE vehicle_id = $1 AND suspended_reason IS NULL AND removed_at IS NULL";
const RESUME: &str = "UPDATE vehicles SET suspended_reason = NULL, suspended_at = NULL, probe_at = NULL, probes = 0, \
    revision = revision + 1 WHERE vehicle_id = $1 AND suspended_reason IS NOT NULL AND suspended_at <= $2";
const SET_PERMISSIONS: &str = "UPDATE vehicles SET permissions = $2, revision = revision + 1, \
    consents = consents + CASE WHEN permissions = '' THEN 1 ELSE 0 END \
    WHERE vehicle_id = $1 AND permissions <> $2";
const REMOVE: &str = "UPDATE vehicles SET removed_at = $2, transfer_to = NULL, transfer_until = NULL, suspended_reason = NULL, suspended_at = NULL, probe_at = NULL, \
    revision = revision + 1 WHERE connection_id = $1 AND removed_at IS NULL RETURNING vehicle_id";
const OF_CONNECTION: &str = "SELECT v.*, o.revision AS owner_revision, c.revision AS connection_revision, n.revision AS organization_revision, o.disabled_at AS owner_disabled_at, o.recoveries, o.holds AS owner_holds, n.holds AS organization_holds, n.ends AS organization_ends, c.status AS connection_status \
    FROM vehicles v JOIN organizations n ON n.organization_id = v.organization_id JOIN users o ON o.user_id = v.owner_id \
    JOIN connections c ON c.connection_id = v.connection_id \
    WHERE v.connection_id = $1 AND v.removed_at IS NULL ORDER BY v.vehicle_id";
const BY_PROVIDER: &str = "SELECT v.*, o.revision AS owner_revision, c.revision AS connection_revision, n.revision AS organization_revision, o.disabled_at AS owner_disabled_at, o.recoveries, o.holds AS owner_holds, n.holds AS organization_holds, n.ends AS organization_ends, c.status AS connection_status \
    FROM vehicles v JOIN organizations n ON n.organization_id = v.organization_id JOIN users o ON o.user_id = v.owner_id \
    JOIN connections c ON c.connection_id = v.connection_id \
    WHERE v.provider_vehicle_id = $1 AND v.removed_at IS NULL AND c.status = 'active' ORDER BY v.vehicle_id LIMIT 100";
const OF_OTHERS: &str = "SELECT v.*, o.revision AS owner_revision, c.revision AS connection_revision, n.revision AS organization_revision, o.disabled_at AS owner_disabled_at, o.recoveries, o.holds AS owner_holds, n.holds AS organization_holds, n.ends AS organization_ends, c.status AS connection_status \
    FROM vehicles v JOIN organizations n ON n.organization_id = v.organization_id JOIN users o ON o.user_id = v.owner_id \
    JOIN connections c ON c.connection_id = v.connection_id \
    WHERE v.organization_id = $1 AND v.owner_id <> $2 AND (v.removed_at IS NULL OR v.holds IS NOT NULL) \
    AND v.provider_vehicle_id IN (VALUES {rows:text}) ORDER BY v.vehicle_id";
const REMOVE_ONE: &str = "UPDATE vehicles SET removed_at = $2, transfer_to = NULL, transfer_until = NULL, suspended_reason = NULL, suspended_at = NULL, probe_at = NULL, \
    revision = revision + 1 WHERE vehicle_id = $1 AND removed_at IS NULL";
const OFFER: &str = "UPDATE vehicles SET transfer_to = $2, transfer_until = $3 WHERE vehicle_id = $1 AND removed_at IS NULL";
const WITHDRAW_OFFER: &str = "UPDATE vehicles SET transfer_to = NULL, transfer_until = NULL \
    WHERE vehicle_id = $1 AND transfer_to IS NOT NULL";
/// Only if the owner has not changed their mind in the meantime.
const REMOVE_OFFERED: &str = "UPDATE vehicles SET removed_at = $2, transfer_to = NULL, transfer_until = NULL, suspended_reason = NULL, \
    suspended_at = NULL, probe_at = NULL, revision = revision + 1 \
    WHERE vehicle_id = $1 AND removed_at IS NULL AND transfer_to = $3 AND transfer_until > $2";
const TAKE_TO_PROBE: &str = "UPDATE vehicles SET probe_at = $2, probes = probes + 1 \
    WHERE vehicle_id IN (SELECT vehicle_id FROM vehicles WHERE probe_at <= $1 ORDER BY probe_at LIMIT $3) \
    AND probe_at <= $1 RETURNING vehicle_id, probes";
const PROBE_AGAIN: &str =
    "UPDATE vehicles SET probe_at = $2 WHERE vehicle_id = $1 AND probe_at IS NOT NULL";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    SUSPEND,
    RESUME,
    SET_PERMISSIONS,
    REMOVE,
    OF_CONNECTION,
    BY_PROVIDER,
    OF_OTHERS,
    REMOVE_ONE,
    OFFER,
    WITHDRAW_OFFER,
    REMOVE_OFFERED,
    TAKE_TO_PROBE,
    PROBE_AGAIN,
];

/// A suspended car that should be tried again.
#[derive(Debug, Clone, Copy)]
pub struct ToProbe {
    /// The car.
    pub vehicle_id: VehicleId,
    /// How often it was tried, this time included.
    pub probes: i64,
}

impl FromRow for ToProbe {
    const ORIGIN: Origin = VehicleRow::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { vehicle_id: row.get("vehicle_id")?, probes: row.get("probes")? })
    }
}

/// Suspends a car; `false` if it was suspended already or is gone.
pub async fn suspend(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    reason: &Suspension,
    now: Timestamp,
    probe_at: Timestamp,
) -> Result<bool, StorageError> {
    let suspended = query(SUSPEND).bind(vehicle_id).bind(reason.word()).bind(now).bind(probe_at);
    Ok(suspended.execute(tx).await? == 1)
}

/// Ends a suspension that began at `as_of` or earlier; `false` if there is none.
pub async fn resume(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    as_of: Timestamp,
) -> Result<bool, StorageError> {
    Ok(query(RESUME).bind(vehicle_id).bind(as_of).execute(tx).await? == 1)
}

/// Replaces what the owner permits; `false` if it is the same. Where it was nothing, the consent comes back, and what
/// was lent before waits for the owner's word.
pub async fn set_permissions(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    permissions: &Permissions,
) -> Result<bool, StorageError> {
    let set = query(SET_PERMISSIONS).bind(vehicle_id).bind(permissions.to_string());
    Ok(set.execute(tx).await? == 1)
}

/// Takes every car of a connection out of the service; returns them.
pub async fn remove(
    tx: &mut Tx,
    connection_id: ConnectionId,
    now: Timestamp,
) -> Result<Vec<VehicleId>, StorageError> {
    query(REMOVE).bind(connection_id).bind(now).fetch_all(tx).await
}

/// The cars of a connection.
pub async fn of_connection(
    on: &mut impl Executor,
    connection_id: ConnectionId,
) -> Result<Vec<VehicleRow>, StorageError> {
    query(OF_CONNECTION).bind(connection_id).fetch_all(on).await
}

/// The cars that the vehicle cloud knows by this name, through connections that hold. The same car
/// may have been connected in several organizations.
pub async fn by_provider(
    on: &mut impl Executor,
    provider_vehicle_id: &str,
) -> Result<Vec<VehicleRow>, StorageError> {
    query(BY_PROVIDER).bind(provider_vehicle_id).fetch_all(on).await
}

/// Cars of the organization that other people own and that the vehicle cloud knows by one of these names, however
/// their connections stand; those that left the service too, if something may still hold them.
pub async fn of_others(
    on: &mut impl Executor,
    (organization_id, owner_id): (OrganizationId, UserId),
    provider_vehicle_ids: &[&str],
) -> Result<Vec<VehicleRow>, StorageError> {
    let names = provider_vehicle_ids.iter().map(|&name| [name.into()]);
    query(OF_OTHERS).bind(organization_id).bind(owner_id).rows(names).fetch_all(on).await
}

/// Takes a car out of the service; `false` if it was.
pub async fn remove_one(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    Ok(query(REMOVE_ONE).bind(vehicle_id).bind(now).execute(tx).await? == 1)
}

/// Lets one person take a car until then, and nobody else any more; `false` if it is gone.
pub async fn offer(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    transfer_to: UserId,
    until: Timestamp,
) -> Result<bool, StorageError> {
    Ok(query(OFFER).bind(vehicle_id).bind(transfer_to).bind(until).execute(tx).await? == 1)
}

/// Lets nobody take a car any more; `false` if nobody might.
pub async fn withdraw_offer(tx: &mut Tx, vehicle_id: VehicleId) -> Result<bool, StorageError> {
    Ok(query(WITHDRAW_OFFER).bind(vehicle_id).execute(tx).await? == 1)
}

/// Takes a car out of the service that its owner lets this person take; `false` if they do not at `now`.
pub async fn remove_offered(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    transfer_to: UserId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let removed = query(REMOVE_OFFERED).bind(vehicle_id).bind(now).bind(transfer_to);
    Ok(removed.execute(tx).await? == 1)
}

/// Takes up to `limit` suspended cars to try again; nobody else takes them before `lease_until`.
pub async fn take_to_probe(
    tx: &mut Tx,
    now: Timestamp,
    lease_until: Timestamp,
    limit: i64,
) -> Result<Vec<ToProbe>, StorageError> {
    query(TAKE_TO_PROBE).bind(now).bind(lease_until).bind(limit).fetch_all(tx).await
}

/// Puts the next try off.
pub async fn probe_again(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    at: Timestamp,
) -> Result<(), StorageError> {
    query(PROBE_AGAIN).bind(vehicle_id).bind(at).execute(tx).await.map(drop)
}
