//! Cars.

pub(in crate::http) mod describe;
pub(in crate::http) mod get;
pub(in crate::http) mod holders;
pub(in crate::http) mod list;
pub(in crate::http) mod read;
pub(in crate::http) mod remove;
pub(in crate::http) mod transfer;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::calendar::Sharing;
use crate::domain::id::{ConnectionId, UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::domain::vehicle::Vehicle;
use crate::http::v1::FreeMap;

/// A car.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct VehicleBody {
    /// Identifies the vehicle.
    #[schema(example = "veh_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    vehicle_id: VehicleId,
    /// The user whose account connected it.
    owner_id: UserId,
    /// The consent it is reached through.
    connection_id: ConnectionId,
    /// The maker, upper case.
    make: String,
    /// The model's name.
    model: String,
    /// The model year.
    year: i64,
    /// What people call it.
    label: Option<String>,
    /// The text of its number plate.
    plate: Option<String>,
    /// Its colour.
    colour: Option<String>,
    /// Its identification number; for the owner and the organization.
    vin: Option<String>,
    /// Your own data; for the owner and the organization.
    #[schema(value_type = Option<FreeMap>)]
    metadata: Option<Value>,
    /// The organization's own name for it; for the owner and the organization.
    external_ref: Option<String>,
    /// `exclusive` if two grants that unlock it never overlap, otherwise `shared`.
    sharing: Sharing,
    /// How many minutes must be between two grants that unlock it, if it is exclusive.
    buffer_minutes: u16,
    /// Rises with every change of what describes it; the `ETag` for `If-Match`.
    version: i64,
    /// What the owner permitted at the vehicle cloud.
    permissions: Vec<String>,
    /// The time at which it was connected, the last time.
    connected_at: Timestamp,
    /// Why it cannot be used at present, in the vehicle cloud's word: the owner must act.
    suspended_reason: Option<String>,
    /// Since when it cannot be used any more.
    removed_at: Option<Timestamp>,
}

impl From<Vehicle> for VehicleBody {
    fn from(vehicle: Vehicle) -> Self {
        Self {
            vehicle_id: vehicle.vehicle_id,
            owner_id: vehicle.owner_id,
            connection_id: vehicle.connection_id,
            make: vehicle.make,
            model: vehicle.model,
            year: vehicle.year,
            label: vehicle.label,
            plate: vehicle.plate,
            colour: vehicle.colour,
            vin: vehicle.vin.map(String::from),
            metadata: vehicle.metadata.and_then(|text| serde_json::from_str(&text).ok()),
            external_ref: vehicle.external_ref,
            sharing: vehicle.sharing,
            buffer_minutes: vehicle.buffer.minutes(),
            version: vehicle.version,
            permissions: vehicle.permissions.iter().map(str::to_owned).collect(),
            connected_at: vehicle.connected_at,
            suspended_reason: vehicle.suspended_reason.map(|reason| reason.word().into_owned()),
            removed_at: vehicle.removed_at,
        }
    }
}
