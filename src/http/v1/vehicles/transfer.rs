//! `/v1/vehicles/{vehicle_id}/transfer`: letting a car go to another account of the organization.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::id::{UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::vehicles;

/// Who may take the car.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct TransferVehicle {
    /// The person who may take it.
    to_user_id: UserId,
}

/// Who may take a car, and until when.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct VehicleTransferBody {
    /// The car.
    vehicle_id: VehicleId,
    /// The person who may take it.
    to_user_id: UserId,
    /// Until when they must have connected it.
    expires_at: Timestamp,
}

/// Let a car go to another person of the organization. They take it within a day by connecting it, with their own
/// consent at its maker; until then it stays the owner's. Every grant for it ends when it is taken. Another transfer
/// takes the place of this one.
#[utoipa::path(post, path = "/v1/vehicles/{vehicle_id}/transfer", operation_id = "vehicles.transfer",
    tag = "vehicles", security(("session" = []), ("api_client" = ["connections:write"])),
    request_body = TransferVehicle,
    params(("vehicle_id" = VehicleId, Path, description = "The car.")),
    responses((status = 200, description = "Who may take it.", body = VehicleTransferBody)))]
pub(in crate::http) async fn transfer(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(vehicle_id): ApiPath<VehicleId>,
    body: ApiJson<TransferVehicle>,
) -> Result<Json<VehicleTransferBody>, Problem> {
    let base = &gateway.service.base;
    let offered = vehicles::transfer(base, &caller, vehicle_id, body.value.to_user_id).await?;
    Ok(Json(VehicleTransferBody {
        vehicle_id: offered.vehicle_id,
        to_user_id: offered.to,
        expires_at: offered.until,
    }))
}

/// Take it back, as long as the car was not taken.
#[utoipa::path(delete, path = "/v1/vehicles/{vehicle_id}/transfer", operation_id = "vehicles.withdraw_transfer",
    tag = "vehicles", security(("session" = []), ("api_client" = ["connections:write"])),
    params(("vehicle_id" = VehicleId, Path, description = "The car.")),
    responses((status = 204, description = "Nobody may take it.")))]
pub(in crate::http) async fn withdraw(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(vehicle_id): ApiPath<VehicleId>,
) -> Result<StatusCode, Problem> {
    vehicles::withdraw_transfer(&gateway.service.base, &caller, vehicle_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
