//! `GET /v1/vehicles`: the cars one may know of.

use std::sync::Arc;

use axum::extract::State;

use super::VehicleBody;
use crate::http::Gateway;
use crate::http::extract::{List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::vehicles;

/// List the cars one owns or may use, newest first; all of them for administrators.
#[utoipa::path(get, path = "/v1/vehicles", operation_id = "vehicles.list", tag = "vehicles",
    security(("session" = []), ("api_client" = ["vehicles:read"])), params(PageParams),
    responses((status = 200, description = "The cars.", body = List<VehicleBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged,
) -> Result<List<VehicleBody>, Problem> {
    let rows = vehicles::list(&gateway.service.base, &caller, paged.page).await?;
    Ok(paged.list(rows, |vehicle| vehicle.vehicle_id.as_uuid(), VehicleBody::from))
}
