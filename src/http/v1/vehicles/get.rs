//! `GET /v1/vehicles/{vehicle_id}`: one car.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use super::VehicleBody;
use crate::domain::id::VehicleId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::versioned;
use crate::service::vehicles;

/// Show a car one owns or may use.
#[utoipa::path(get, path = "/v1/vehicles/{vehicle_id}", operation_id = "vehicles.get", tag = "vehicles",
    security(("session" = []), ("api_client" = ["vehicles:read"])),
    params(("vehicle_id" = VehicleId, Path, description = "The car.")),
    responses((status = 200, description = "The car, with its version as `ETag`.", body = VehicleBody)))]
pub(in crate::http) async fn get(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(vehicle_id): ApiPath<VehicleId>,
) -> Result<Response, Problem> {
    let vehicle = vehicles::get(&gateway.service.base, &caller, vehicle_id).await?;
    Ok(versioned(vehicle.version, Json(VehicleBody::from(vehicle))))
}
