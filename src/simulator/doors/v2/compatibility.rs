//! API v2.0, which cars could be connected: one by its number, or all kinds.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use crate::simulator::cloud::compatibility::{CarKind, capabilities, fits, is_region, kinds};
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Shared;
use crate::simulator::doors::credentials::client_id;
use crate::simulator::doors::query::{pairs, text};
use crate::smartcar::v2::management::{Capability, Compatibility};
use crate::smartcar::{ErrorKind, permission};

const VIN_LENGTH: usize = 17;

/// `GET /compatibility`: one car, by its number.
pub(super) async fn of_vin(
    State(cloud): Shared,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<Compatibility>, Failure> {
    let query = opened(&headers, query)?;
    let vin = text(&query, "vin").filter(|vin| vin.len() == VIN_LENGTH);
    let vin = vin.ok_or_else(|| wrong("`vin` must have 17 characters."))?;
    let scope = scope(&query)?;
    if scope.is_empty() {
        return Err(wrong("`scope` must name at least one permission."));
    }
    let car = cloud.cars().iter().find(|car| car.vin.eq_ignore_ascii_case(&vin));
    let Some(car) = car else {
        let reason = Some("VEHICLE_NOT_COMPATIBLE".to_owned());
        return Ok(Json(Compatibility { compatible: false, reason, capabilities: Vec::new() }));
    };
    let able = capabilities(car.state_at(cloud.clock.now()).powertrain);
    let asked = scope.iter().flat_map(|name| {
        let mut paths: Vec<_> = able.iter().filter(|(needed, ..)| needed == name).collect();
        let nothing = &(*name, "", false);
        if paths.is_empty() {
            paths.push(nothing);
        }
        paths
            .into_iter()
            .map(|(name, path, capable)| capability(name, path, *capable))
            .collect::<Vec<_>>()
    });
    let capabilities = asked.collect();
    Ok(Json(Compatibility { compatible: true, reason: None, capabilities }))
}

/// What has no path is nothing that this cloud can do with any car.
fn capability(permission: &str, path: &str, capable: bool) -> Capability {
    let reason = match (capable, path) {
        (true, _) => None,
        (false, "") if permission != permission::READ_VEHICLE_INFO => Some("SMARTCAR_NOT_CAPABLE"),
        (false, _) => Some("VEHICLE_NOT_CAPABLE"),
    };
    Capability {
        permission: permission.to_owned(),
        endpoint: if path.is_empty() { "/" } else { path }.to_owned(),
        capable,
        reason: reason.map(str::to_owned),
    }
}

/// `GET /compatibility/matrix`: all kinds of cars, by their makers.
pub(super) async fn matrix(
    State(cloud): Shared,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Json<BTreeMap<String, Vec<CarKind>>>, Failure> {
    let query = opened(&headers, query)?;
    let region = text(&query, "region");
    if !region.is_some_and(|region| is_region(&region)) {
        return Err(wrong("`region` must be `US`, `CA` or `EUROPE`."));
    }
    let scope = scope(&query)?;
    let (make, wanted) = (text(&query, "make"), text(&query, "type"));
    let mut kinds = kinds(&cloud);
    kinds.retain(|known, _| fits(make.as_deref(), known));
    for list in kinds.values_mut() {
        list.retain(|kind| {
            let has_all = scope.iter().all(|name| kind.permissions.contains(name));
            has_all && fits(wanted.as_deref(), kind.powertrain.as_str())
        });
    }
    kinds.retain(|_, list| !list.is_empty());
    Ok(Json(kinds))
}

fn opened(headers: &HeaderMap, query: Option<String>) -> Result<Vec<(String, String)>, Failure> {
    client_id(headers).ok_or_else(|| Failure::new(ErrorKind::Authentication))?;
    Ok(pairs(query.unwrap_or_default().as_bytes()))
}

fn scope(query: &[(String, String)]) -> Result<Vec<&'static str>, Failure> {
    let scope = text(query, "scope").unwrap_or_default();
    let names = permission::parse_scope(&scope).map(|(name, _)| {
        permission::find(name).ok_or_else(|| wrong("`scope` names an unknown permission."))
    });
    names.collect()
}

fn wrong(why: &str) -> Failure {
    Failure::new(ErrorKind::ValidationParameter).describing(why)
}
