//! `GET /v1/vehicles/{vehicle_id}/holders`: who had a car at some moment.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::id::VehicleId;
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, ApiQuery, SignedIn};
use crate::http::problem::Problem;
use crate::service::vehicles::{self, HeldAt, Holder};

/// Which moment.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct HoldersQuery {
    /// The moment, with a zone; now if not given.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-07-01T12:00:00Z")]
    at: Option<Timestamp>,
}

/// Who had a car.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct HoldersBody {
    /// The car.
    vehicle_id: String,
    /// The moment.
    at: String,
    /// The last person who was authorized to unlock it until then, unless the car surely did not; `null` if the record that
    /// was looked through names nobody.
    holder: Option<HolderBody>,
    /// Whether all of the record that is kept in the database was looked through; `false` if there are too many entries.
    complete: bool,
}

/// The person who had a car.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct HolderBody {
    /// The person by whose right it was unlocked.
    user_id: String,
    /// The grant; `null` if the car is their own.
    grant_id: Option<String>,
    /// When the unlock was authorized.
    #[schema(format = DateTime)]
    since: String,
    /// When they were authorized to lock it after that, the last time until the moment.
    #[schema(format = DateTime)]
    locked_at: Option<String>,
    /// The unlock.
    command_id: String,
    /// What became of it; `null` if it is no longer kept.
    status: Option<String>,
    /// The entry of the record that says so: `GET /v1/audit-entries/{entry_id}/proof` proves it.
    entry_id: String,
}

impl From<Holder> for HolderBody {
    fn from(holder: Holder) -> Self {
        Self {
            user_id: holder.user_id.to_string(),
            grant_id: holder.grant_id.map(|id| id.to_string()),
            since: holder.since.to_string(),
            locked_at: holder.locked_at.map(|at| at.to_string()),
            command_id: holder.command_id.to_string(),
            status: holder.status.map(|status| status.to_string()),
            entry_id: holder.entry_id.to_string(),
        }
    }
}

/// Say who had a car at some moment, by the record: for its owner, administrators, support and auditors.
#[utoipa::path(get, path = "/v1/vehicles/{vehicle_id}/holders", operation_id = "vehicles.holders", tag = "vehicles",
    security(("session" = []), ("api_client" = ["audit:read"])),
    params(("vehicle_id" = String, Path, description = "The car."), HoldersQuery),
    responses((status = 200, description = "Who had it.", body = HoldersBody)))]
pub(in crate::http) async fn holders(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(vehicle_id): ApiPath<VehicleId>,
    ApiQuery(query): ApiQuery<HoldersQuery>,
) -> Result<Json<HoldersBody>, Problem> {
    let base = &gateway.service.base;
    let at = query.at.unwrap_or_else(|| base.clock.now());
    let HeldAt { holder, is_complete } = vehicles::holder_at(base, &caller, vehicle_id, at).await?;
    Ok(Json(HoldersBody {
        vehicle_id: vehicle_id.to_string(),
        at: at.to_string(),
        holder: holder.map(HolderBody::from),
        complete: is_complete,
    }))
}
