//! `GET /v1/grants`: the grants that concern one.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::HeldGrantBody;
use crate::domain::grant::GrantStatus;
use crate::domain::id::{UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::domain::user::ShortText;
use crate::http::Gateway;
use crate::http::extract::{List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants::{self, HeldGrant};
use crate::storage::grant_lists::GrantFilter as Filter;

/// Which grants.
#[derive(Debug, Clone, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct GrantFilter {
    /// Only those for this car.
    vehicle_id: Option<VehicleId>,
    /// Only those that this person may use.
    grantee_id: Option<UserId>,
    /// Only those for the cars of this person.
    owner_id: Option<UserId>,
    /// Only those that carry this name of yours.
    external_ref: Option<ShortText>,
    /// Only those that are `upcoming`, `active` or `ended`.
    status: Option<GrantStatus>,
    /// Only those that are valid at this time or later.
    from: Option<Timestamp>,
    /// Only those that are valid before this time.
    until: Option<Timestamp>,
}

impl From<GrantFilter> for Filter {
    fn from(asked: GrantFilter) -> Self {
        Self {
            concerning: None,
            vehicle_id: asked.vehicle_id,
            grantee_id: asked.grantee_id,
            owner_id: asked.owner_id,
            external_ref: asked.external_ref.map(String::from),
            status: asked.status,
            from: asked.from,
            until: asked.until,
        }
    }
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
    let filter = paged.filter.clone().into();
    let rows = grants::list(&service.base, &caller, filter, paged.page).await?;
    let now = service.base.clock.now();
    let id = |held: &HeldGrant| held.grant.grant_id.as_uuid();
    Ok(paged.list(rows, id, |held| HeldGrantBody::at(held, now)))
}
