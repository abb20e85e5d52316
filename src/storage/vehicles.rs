//! Cars.

use std::collections::BTreeMap;

#[cfg(test)]
pub(super) mod meaning;

use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use super::{Page, StorageError};
use crate::domain::calendar::Buffer;
use crate::domain::id::{ConnectionId, OrganizationId, UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::domain::vehicle::{IdentificationNumber, Vehicle};

const UPSERT: &str = "INSERT INTO vehicles (vehicle_id, organization_id, owner_id, connection_id, \
    provider_vehicle_id, make, model, year, permissions, connected_at, owner_recoveries, revision) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, (SELECT recoveries FROM users WHERE user_id = $3), 1) \
    ON CONFLICT (owner_id, provider_vehicle_id) DO UPDATE SET connection_id = excluded.connection_id, \
    make = excluded.make, model = excluded.model, year = excluded.year, permissions = excluded.permissions, \
    removed_at = NULL, suspended_reason = NULL, suspended_at = NULL, probe_at = NULL, probes = 0, transfer_to = NULL, transfer_until = NULL, connected_at = excluded.connected_at, \
    owner_recoveries = excluded.owner_recoveries, revision = vehicles.revision + 1, consents = vehicles.consents + \
    CASE WHEN vehicles.removed_at IS NULL AND vehicles.permissions <> '' AND EXISTS (SELECT 1 FROM connections c \
    WHERE c.connection_id = vehicles.connection_id AND c.status = 'active') THEN 0 ELSE 1 END \
    RETURNING vehicle_id";
const FIND: &str = "SELECT * FROM vehicles WHERE organization_id = $1 AND vehicle_id = $2";
const LIST: &str = "SELECT * FROM vehicles WHERE organization_id = $1 AND vehicle_id < $2 AND (CAST($4 AS UUID) IS NULL OR owner_id = $4) \
    AND (CAST($5 AS TEXT) IS NULL OR external_ref = $5) AND (CAST($6 AS TEXT) IS NULL OR plate = $6) ORDER BY vehicle_id DESC LIMIT $3";
/// What only owners are shown, only they can ask for.
const LIST_FOR: &str = "SELECT * FROM vehicles WHERE organization_id = $1 AND vehicle_id < $2 AND (CAST($4 AS UUID) IS NULL OR owner_id = $4) \
    AND (CAST($5 AS TEXT) IS NULL OR (external_ref = $5 AND owner_id = $7)) AND (CAST($6 AS TEXT) IS NULL OR plate = $6) \
    AND (owner_id = $7 OR vehicle_id IN (SELECT vehicle_id FROM grants \
    WHERE grantee_id = $7 AND ended_at IS NULL AND not_after > $8)) ORDER BY vehicle_id DESC LIMIT $3";
const DESCRIBE: &str = "UPDATE vehicles SET label = $2, plate = $3, colour = $4, vin = $5, metadata = $6, external_ref = $7, \
    sharing = $8, buffer_minutes = $9, version = version + 1 WHERE vehicle_id = $1 RETURNING *";

const OF_CONNECTION: &str =
    "SELECT * FROM vehicles WHERE connection_id = $1 AND removed_at IS NULL ORDER BY vehicle_id";

const OWNERS: &str = "SELECT vehicle_id, owner_id FROM vehicles WHERE organization_id = $1 AND vehicle_id IN (VALUES {rows:uuid})";

/// One of them that was consented to before somebody else gave the account new credentials.
const WAITING_FOR_OWNER: &str = "SELECT v.vehicle_id FROM vehicles v JOIN users o ON o.user_id = v.owner_id \
    WHERE v.owner_id = $1 AND v.removed_at IS NULL AND v.owner_recoveries <> o.recoveries LIMIT 1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] =
    &[UPSERT, FIND, LIST, LIST_FOR, DESCRIBE, OF_CONNECTION, OWNERS, WAITING_FOR_OWNER];

impl FromRow for Vehicle {
    const ORIGIN: Origin = Origin::of::<VehicleId>("vehicles", "vehicle_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let vin = row.optional::<String>("vin")?.map(|text| text.parse());
        Ok(Self {
            vehicle_id: row.get("vehicle_id")?,
            organization_id: row.get("organization_id")?,
            owner_id: row.get("owner_id")?,
            connection_id: row.get("connection_id")?,
            provider_vehicle_id: row.get("provider_vehicle_id")?,
            make: row.get("make")?,
            model: row.get("model")?,
            year: row.get("year")?,
            permissions: row.get("permissions")?,
            suspended_reason: row.optional("suspended_reason")?,
            removed_at: row.optional("removed_at")?,
            connected_at: row.get("connected_at")?,
            label: row.optional("label")?,
            plate: row.optional("plate")?,
            colour: row.optional("colour")?,
            vin: vin.transpose().map_err(|why| corrupt("vin", why))?,
            metadata: row.optional("metadata")?,
            external_ref: row.optional("external_ref")?,
            sharing: row.get("sharing")?,
            buffer: Buffer::try_from(row.get::<i64>("buffer_minutes")?)
                .map_err(|why| corrupt("buffer_minutes", why))?,
            version: row.get("version")?,
        })
    }
}

/// Adds a car, or gives the owner's existing one its new connection. Returns its id, which is the
/// old one if the owner had connected the car before. If their consent to it had been lost, what was lent before
/// waits for their word.
pub async fn upsert(tx: &mut Tx, vehicle: &Vehicle) -> Result<VehicleId, StorageError> {
    let vehicle_id: Option<VehicleId> = query(UPSERT)
        .bind(vehicle.vehicle_id)
        .bind(vehicle.organization_id)
        .bind(vehicle.owner_id)
        .bind(vehicle.connection_id)
        .bind(vehicle.provider_vehicle_id.as_str())
        .bind(vehicle.make.as_str())
        .bind(vehicle.model.as_str())
        .bind(vehicle.year)
        .bind(vehicle.permissions.to_string())
        .bind(vehicle.connected_at)
        .fetch_optional(tx)
        .await?;
    vehicle_id.ok_or(StorageError::LostRace)
}

/// One car.
pub async fn find(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    vehicle_id: VehicleId,
) -> Result<Option<Vehicle>, StorageError> {
    query(FIND).bind(organization_id).bind(vehicle_id).fetch_optional(on).await
}

/// A car, and who owns it.
struct Owned(VehicleId, UserId);

impl FromRow for Owned {
    const ORIGIN: Origin = Origin::of::<VehicleId>("vehicles", "vehicle_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self(row.get("vehicle_id")?, row.get("owner_id")?))
    }
}

/// Who owns these cars, also those that were removed.
pub async fn owners(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    vehicle_ids: &[VehicleId],
) -> Result<BTreeMap<VehicleId, UserId>, StorageError> {
    let rows = vehicle_ids.iter().map(|&vehicle_id| [vehicle_id.into()]);
    let owned: Vec<Owned> = query(OWNERS).bind(organization_id).rows(rows).fetch_all(on).await?;
    Ok(owned.into_iter().map(|Owned(vehicle_id, owner_id)| (vehicle_id, owner_id)).collect())
}

/// Which cars to list: those for which everything that is named is so.
#[derive(Debug, Clone, Default)]
pub struct VehicleFilter {
    /// Only those this person owns, or holds a grant for whose validity is not over by this time.
    pub concerning: Option<(UserId, Timestamp)>,
    /// Only those that this person owns.
    pub owner_id: Option<UserId>,
    /// Only the one with this name of the organization's.
    pub external_ref: Option<String>,
    /// Only those with this number plate.
    pub plate: Option<String>,
}

/// Cars, newest first.
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    filter: &VehicleFilter,
    page: Page,
) -> Result<Vec<Vehicle>, StorageError> {
    let sql = if filter.concerning.is_some() { LIST_FOR } else { LIST };
    let mut listing = query(sql)
        .bind(organization_id)
        .bind(page.before())
        .bind(page.limit)
        .bind(filter.owner_id)
        .bind(filter.external_ref.as_deref())
        .bind(filter.plate.as_deref());
    if let Some((user_id, over_by)) = filter.concerning {
        listing = listing.bind(user_id).bind(over_by);
    }
    listing.fetch_all(on).await
}

/// Writes what describes a car, and returns it as it is then. The row must be locked by this transaction since it was read.
///
/// # Errors
/// [`StorageError::Duplicate`] if another car of the organization has this name of its own.
pub async fn describe(tx: &mut Tx, vehicle: &Vehicle) -> Result<Vehicle, StorageError> {
    let described = query(DESCRIBE)
        .bind(vehicle.vehicle_id)
        .bind(vehicle.label.as_deref())
        .bind(vehicle.plate.as_deref())
        .bind(vehicle.colour.as_deref())
        .bind(vehicle.vin.as_ref().map(IdentificationNumber::as_str))
        .bind(vehicle.metadata.as_deref())
        .bind(vehicle.external_ref.as_deref())
        .bind(vehicle.sharing)
        .bind(i64::from(vehicle.buffer))
        .fetch_optional(tx)
        .await?;
    described.ok_or(StorageError::LostRace)
}

/// The cars of a connection.
pub async fn of_connection(
    on: &mut impl Executor,
    connection_id: ConnectionId,
) -> Result<Vec<Vehicle>, StorageError> {
    query(OF_CONNECTION).bind(connection_id).fetch_all(on).await
}

/// Whether a car of a person waits until they consent to it at its maker once more, because somebody else gave their
/// account new credentials.
pub async fn waits_for_owner(
    on: &mut impl Executor,
    owner_id: UserId,
) -> Result<bool, StorageError> {
    let waiting: Option<VehicleId> =
        query(WAITING_FOR_OWNER).bind(owner_id).fetch_optional(on).await?;
    Ok(waiting.is_some())
}
