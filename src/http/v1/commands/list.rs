//! `GET /v1/vehicles/{vehicle_id}/commands`: what was asked of a car.

use std::sync::Arc;

use axum::extract::State;

use super::CommandBody;
use crate::domain::id::VehicleId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::commands;

/// List what was asked of a car, newest first: for its owner and administrators.
#[utoipa::path(get, path = "/v1/vehicles/{vehicle_id}/commands", operation_id = "commands.list",
    tag = "commands", security(("session" = []), ("api_client" = ["commands:read"])),
    params(("vehicle_id" = String, Path, description = "The car."), PageParams),
    responses((status = 200, description = "The commands.", body = List<CommandBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(vehicle_id): ApiPath<VehicleId>,
    paged: Paged,
) -> Result<List<CommandBody>, Problem> {
    let rows =
        commands::list_of_vehicle(&gateway.service.base, &caller, vehicle_id, paged.page).await?;
    Ok(paged.list(rows, |command| command.command_id.as_uuid(), CommandBody::from))
}
