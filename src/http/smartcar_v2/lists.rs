//! `GET /v2.0/user`, `/v2.0/vehicles` and a car's permissions: the grantee, the one car of the
//! grant, and what the grant allows.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::answer::{Refusal, success};
use super::holder::{Holder, HolderOfVehicle};
use crate::domain::entitlement::Entitlement;
use crate::http::Gateway;
use crate::service::pace::Lane;
use crate::smartcar::v2::{
    PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Paging, PermissionList, User, VehicleList,
};

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Page {
    limit: Option<u32>,
    offset: Option<u32>,
}

type PageAsked = Result<Query<Page>, QueryRejection>;

/// One page of a list.
fn cut(all: Vec<String>, page: PageAsked) -> Result<(Vec<String>, Paging), Refusal> {
    let Query(page) = page.map_err(|_| {
        Refusal::of("VALIDATION", None).describing("`limit` and `offset` must be whole numbers.")
    })?;
    let limit = page.limit.unwrap_or(PAGE_LIMIT_DEFAULT).clamp(1, PAGE_LIMIT_MAX);
    let offset = page.offset.unwrap_or(0);
    let paging = Paging { count: u32::try_from(all.len()).unwrap_or(u32::MAX), offset };
    let entries = all.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
    Ok((entries.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect(), paging))
}

/// Smartcar's user: the grantee.
#[utoipa::path(get, path = "/v2.0/user", operation_id = "smartcar_v2.user", tag = "smartcar_v2",
    security(("grant_token" = [])),
    responses((status = 200, description = "The grantee's id.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn user(
    State(gateway): State<Arc<Gateway>>,
    holder: Holder,
) -> Result<Response, Refusal> {
    let (grant, _) = holder.grant(&gateway, Lane::Show).await?;
    let body = User { id: grant.grantee_id.as_uuid().hyphenated().to_string() };
    Ok(success(&holder.request_id, &body, None, None))
}

/// Smartcar's list of vehicles: the car of the grant.
#[utoipa::path(get, path = "/v2.0/vehicles", operation_id = "smartcar_v2.vehicles", tag = "smartcar_v2",
    security(("grant_token" = [])),
    params(("limit" = Option<i64>, Query, description = "At most so many entries, 10 if not given."),
        ("offset" = Option<i64>, Query, description = "So many entries are left out at the beginning.")),
    responses((status = 200, description = "The vehicles.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn vehicles(
    State(gateway): State<Arc<Gateway>>,
    holder: Holder,
    page: PageAsked,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let (grant, _) = holder.grant(&gateway, Lane::Show).await?;
    let all = vec![grant.vehicle_id.as_uuid().hyphenated().to_string()];
    let (vehicles, paging) = cut(all, page).map_err(named)?;
    let body = VehicleList { vehicles, paging };
    Ok(success(&holder.request_id, &body, None, None))
}

/// Smartcar's permissions for a vehicle: what the grant allows, in Smartcar's words.
#[utoipa::path(get, path = "/v2.0/vehicles/{id}/permissions", operation_id = "smartcar_v2.permissions",
    tag = "smartcar_v2", security(("grant_token" = [])),
    params(("id" = String, Path, pattern = "^[0-9A-Fa-f-]{36}$", description = "The UUID inside the vehicle's id.")),
    responses((status = 200, description = "The permissions.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(super) async fn permissions(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
    page: PageAsked,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let (grant, vehicle) = holder.grant(&gateway, Lane::Show).await?;
    let words: BTreeSet<&str> = grant
        .entitlements
        .iter()
        .map(Entitlement::permission)
        .filter(|permission| vehicle.permissions.contains(permission))
        .collect();
    let all = words.into_iter().map(str::to_owned).collect();
    let (permissions, paging) = cut(all, page).map_err(named)?;
    let body = PermissionList { permissions, paging };
    Ok(success(&holder.request_id, &body, None, None))
}
