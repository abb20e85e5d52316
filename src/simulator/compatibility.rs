//! Which cars could be connected, and what they are capable of. This cloud knows only the cars of
//! its fleet: they and others of their kind are compatible, everything else is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use serde::Serialize;

use super::answer::Failure;
use super::asked::{pairs, text};
use super::car_state::Powertrain;
use super::oauth;
use super::readings::Reading;
use super::state::Cloud;
use crate::smartcar::v2::management::{Capability, Compatibility};
use crate::smartcar::{ErrorKind, permission};

const VIN_LENGTH: usize = 17;

/// What can be told, by its permission and path; whether a battery is needed for it.
const COMMANDS: [(&str, &str, bool); 4] = [
    (permission::CONTROL_SECURITY, "/security", false),
    ("control_charge", "/charge", true),
    ("control_charge", "/charge/limit", true),
    ("control_navigation", "/navigation/destination", false),
];

type Shared = State<Arc<Cloud>>;

/// Cars of one kind.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kind {
    pub(super) model: String,
    pub(super) start_year: i32,
    pub(super) end_year: i32,
    #[serde(rename = "type")]
    pub(super) powertrain: Powertrain,
    pub(super) endpoints: Vec<&'static str>,
    pub(super) permissions: Vec<&'static str>,
}

/// Every path below a car with its permission, and whether such a car is capable of it.
fn capabilities(powertrain: Powertrain) -> Vec<(&'static str, &'static str, bool)> {
    let reads = Reading::ALL.iter().filter_map(|reading| {
        Some((reading.permission()?, reading.path(), reading.is_had_by(powertrain)))
    });
    let commands = COMMANDS.into_iter();
    let commands =
        commands.map(|(name, path, battery)| (name, path, !battery || powertrain.has_battery()));
    reads.chain(commands).collect()
}

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
) -> Result<Json<BTreeMap<String, Vec<Kind>>>, Failure> {
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

/// Whether one of the words is this one, in whichever case; no words at all mean any.
pub(super) fn fits(words: Option<&str>, word: &str) -> bool {
    let words = words.filter(|words| !words.trim().is_empty());
    let same = |wanted: &str| wanted.eq_ignore_ascii_case(word);
    words.is_none_or(|words| words.split([' ', ',']).any(same))
}

/// A region that this cloud serves: all of them, with the same cars.
pub(super) fn is_region(name: &str) -> bool {
    matches!(name, "US" | "CA" | "EUROPE")
}

/// All kinds of cars, by their makers.
pub(super) fn kinds(cloud: &Cloud) -> BTreeMap<String, Vec<Kind>> {
    let now = cloud.clock.now();
    let mut kinds: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    for car in cloud.cars() {
        let powertrain = car.state_at(now).powertrain;
        let list = kinds.entry(car.make.clone()).or_default();
        let same = |kind: &&mut Kind| kind.model == car.model && kind.powertrain == powertrain;
        if let Some(known) = list.iter_mut().find(same) {
            known.start_year = known.start_year.min(car.year);
            known.end_year = known.end_year.max(car.year);
            continue;
        }
        let able = capabilities(powertrain).into_iter().filter(|(.., capable)| *capable);
        let (mut permissions, endpoints): (Vec<_>, Vec<_>) =
            able.map(|(name, path, _)| (name, if path.is_empty() { "/" } else { path })).unzip();
        permissions.dedup();
        list.push(Kind {
            model: car.model.clone(),
            start_year: car.year,
            end_year: car.year,
            powertrain,
            endpoints,
            permissions,
        });
    }
    kinds
}

fn opened(headers: &HeaderMap, query: Option<String>) -> Result<Vec<(String, String)>, Failure> {
    oauth::client_id(headers).ok_or_else(|| Failure::new(ErrorKind::Authentication))?;
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
