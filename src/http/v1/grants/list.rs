//! `GET /v1/grants`: the grants that concern one.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::HeldGrantBody;
use crate::domain::id::VehicleId;
use crate::http::Gateway;
use crate::http::extract::{List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants::{self, HeldGrant};

/// Which grants.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct GrantFilter {
    /// Only those for this car.
    #[param(value_type = Option<String>)]
    vehicle_id: Option<VehicleId>,
}

/// List the grants one was given or has issued, newest first; all of them for administrators.
#[utoipa::path(get, path = "/v1/grants", operation_id = "grants.list", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:read"])), params(PageParams, GrantFilter),
    responses((status = 200, description = "The grants.", body = List<HeldGrantBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged<GrantFilter>,
) -> Result<List<HeldGrantBody>, Problem> {
    let service = &gateway.service;
    let rows = grants::list(&service.base, &caller, paged.filter.vehicle_id, paged.page).await?;
    let now = service.base.clock.now();
    let id = |held: &HeldGrant| held.grant.grant_id.as_uuid();
    Ok(paged.list(rows, id, |held| HeldGrantBody::at(held, now)))
}
