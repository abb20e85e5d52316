//! `GET /v1/vehicles/{vehicle_id}/holders`: who had a car at some moment.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::command::CommandStatus;
use crate::domain::id::{AuditEntryId, CommandId, GrantId, UserId, VehicleId};
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
    at: Option<Timestamp>,
}

/// Who had a car.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct HoldersBody {
    /// The car.
    vehicle_id: VehicleId,
    /// The moment.
    at: Timestamp,
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
    user_id: UserId,
    /// The grant; `null` if the car is their own.
    grant_id: Option<GrantId>,
    /// When the unlock was authorized.
    since: Timestamp,
    /// When they were authorized to lock it after that, the last time until the moment.
    locked_at: Option<Timestamp>,
    /// The unlock.
    command_id: CommandId,
    /// What became of it; `null` if it is no longer kept.
    status: Option<CommandStatus>,
    /// The entry of the record that says so: `GET /v1/audit-entries/{entry_id}/proof` proves it.
    entry_id: AuditEntryId,
}

impl From<Holder> for HolderBody {
    fn from(holder: Holder) -> Self {
        Self {
            user_id: holder.user_id,
            grant_id: holder.grant_id,
            since: holder.since,
            locked_at: holder.locked_at,
            command_id: holder.command_id,
            status: holder.status,
            entry_id: holder.entry_id,
        }
    }
}

/// Say who had a car at some moment, by the record: for its owner, administrators, support and auditors.
#[utoipa::path(get, path = "/v1/vehicles/{vehicle_id}/holders", operation_id = "vehicles.holders", tag = "vehicles",
    security(("session" = []), ("api_client" = ["audit:read"])),
    params(("vehicle_id" = VehicleId, Path, description = "The car."), HoldersQuery),
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
        vehicle_id,
        at,
        holder: holder.map(HolderBody::from),
        complete: is_complete,
    }))
}
