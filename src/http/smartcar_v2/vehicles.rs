//! `GET /v2.0/vehicles…`: the one car of the grant.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::answer::{Refusal, success};
use super::holder::{Holder, HolderOfVehicle};
use crate::domain::entitlement::Entitlement;
use crate::http::Gateway;
use crate::service::{grants, vehicles};
use crate::smartcar::v2::{Attributes, Paging, PermissionList, VehicleList};

/// Smartcar's list of vehicles: the car of the grant.
#[utoipa::path(get, path = "/v2.0/vehicles", operation_id = "smartcar_v2.vehicles", tag = "smartcar",
    security(("grant_token" = [])),
    responses((status = 200, description = "The vehicles.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    holder: Holder,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let held = grants::held(&gateway.service, &holder.token).await;
    let (grant, _) = held.map_err(|error| named(error.into()))?;
    let body = VehicleList {
        vehicles: vec![grant.vehicle_id.as_uuid().hyphenated().to_string()],
        paging: Paging { count: 1, offset: 0 },
    };
    Ok(success(&holder.request_id, &body, None, None))
}

/// Smartcar's attributes of a vehicle.
#[utoipa::path(get, path = "/v2.0/vehicles/{id}", operation_id = "smartcar_v2.attributes", tag = "smartcar",
    security(("grant_token" = [])),
    params(("id" = String, Path, description = "The UUID inside the vehicle's id.")),
    responses((status = 200, description = "The attributes.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(in crate::http) async fn attributes(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
) -> Result<Response, Refusal> {
    let service = &gateway.service;
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let read = holder.read(Entitlement::ReadAttributes);
    let seen = vehicles::read_attributes(service, &holder.caller, read).await;
    let seen = seen.map_err(|error| named(error.into()))?;
    let body = Attributes {
        id: holder.token.claims().vehicle_id.as_uuid().hyphenated().to_string(),
        make: seen.make,
        model: seen.model,
        year: seen.year,
    };
    Ok(success(&holder.request_id, &body, Some(service.clock.now()), None))
}

/// Smartcar's permissions for a vehicle: what the grant allows, in Smartcar's words.
#[utoipa::path(get, path = "/v2.0/vehicles/{id}/permissions", operation_id = "smartcar_v2.permissions",
    tag = "smartcar", security(("grant_token" = [])),
    params(("id" = String, Path, description = "The UUID inside the vehicle's id.")),
    responses((status = 200, description = "The permissions.", body = Object),
        (status = "4XX", description = "An error in Smartcar's envelope.", body = Object),
        (status = "5XX", description = "An error in Smartcar's envelope.", body = Object)))]
pub(in crate::http) async fn permissions(
    State(gateway): State<Arc<Gateway>>,
    HolderOfVehicle(holder): HolderOfVehicle,
) -> Result<Response, Refusal> {
    let named = |refusal: Refusal| refusal.named(&holder.request_id);
    let held = grants::held(&gateway.service, &holder.token).await;
    let (grant, vehicle) = held.map_err(|error| named(error.into()))?;
    let words: BTreeSet<&str> = grant
        .entitlements
        .iter()
        .map(Entitlement::permission)
        .filter(|permission| vehicle.permissions.contains(permission))
        .collect();
    let permissions: Vec<String> = words.into_iter().map(str::to_owned).collect();
    let count = u32::try_from(permissions.len()).unwrap_or(u32::MAX);
    let body = PermissionList { permissions, paging: Paging { count, offset: 0 } };
    Ok(success(&holder.request_id, &body, None, None))
}
