//! `GET /v1/vehicles`: the cars one may know of.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::VehicleBody;
use crate::domain::id::UserId;
use crate::domain::user::ShortText;
use crate::http::Gateway;
use crate::http::extract::{List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::vehicles;
use crate::storage::vehicles::VehicleFilter as Filter;

/// Which cars.
#[derive(Debug, Clone, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct VehicleFilter {
    /// Only those that this person owns.
    owner_id: Option<UserId>,
    /// Only the one with this name of your own.
    external_ref: Option<ShortText>,
    /// Only those with this number plate.
    plate: Option<ShortText>,
}

impl From<VehicleFilter> for Filter {
    fn from(asked: VehicleFilter) -> Self {
        Self {
            concerning: None,
            owner_id: asked.owner_id,
            external_ref: asked.external_ref.map(String::from),
            plate: asked.plate.map(String::from),
        }
    }
}

/// List the cars one owns or may use, newest first; all of them for administrators.
#[utoipa::path(get, path = "/v1/vehicles", operation_id = "vehicles.list", tag = "vehicles",
    security(("session" = []), ("api_client" = ["vehicles:read"])), params(PageParams, VehicleFilter),
    responses((status = 200, description = "The cars.", body = List<VehicleBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged<VehicleFilter>,
) -> Result<List<VehicleBody>, Problem> {
    let filter = paged.filter.clone().into();
    let rows = vehicles::list(&gateway.service.base, &caller, filter, paged.page).await?;
    Ok(paged.list(rows, |vehicle| vehicle.vehicle_id.as_uuid(), VehicleBody::from))
}
