//! `DELETE /v1/vehicles/{vehicle_id}`: a car leaves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::VehicleBody;
use crate::domain::id::VehicleId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::vehicles;

/// A car that left, and what ended with it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct RemovedVehicleBody {
    /// The car.
    #[serde(flatten)]
    vehicle: VehicleBody,
    /// How many grants ended with it.
    grants: i64,
    /// Whether its consent at the vehicle cloud has ended too. If not, the owner ends it there; from here it can no longer be
    /// used either way.
    ended_upstream: bool,
}

/// Take a car out of the service: every grant for it ends, and the owner's consent to it at the vehicle cloud. Their other
/// cars stay. For its owner, administrators, or an API client for them.
#[utoipa::path(delete, path = "/v1/vehicles/{vehicle_id}", operation_id = "vehicles.remove", tag = "vehicles",
    security(("session" = []), ("api_client" = ["connections:write"])),
    params(("vehicle_id" = VehicleId, Path, description = "The car.")),
    responses((status = 200, description = "The car, and what ended with it.", body = RemovedVehicleBody)))]
pub(in crate::http) async fn remove(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(vehicle_id): ApiPath<VehicleId>,
) -> Result<Json<RemovedVehicleBody>, Problem> {
    let removed = vehicles::remove(&gateway.service, &caller, vehicle_id).await?;
    Ok(Json(RemovedVehicleBody {
        vehicle: removed.vehicle.into(),
        grants: removed.grants,
        ended_upstream: removed.ended_upstream,
    }))
}
