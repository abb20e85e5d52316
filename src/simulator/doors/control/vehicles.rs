//! Looking at all cars, and setting parts of their state as nobody could from afar.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::car_view::CarView;
use super::request::{car, parsed, wrong};
use crate::simulator::cloud::adjustment::Adjustment;
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Shared;

/// `GET /_sim/vehicles`: all cars and their present state.
pub(super) async fn cars(State(cloud): Shared) -> Response {
    let now = cloud.clock.now();
    let cars: Vec<_> = cloud.cars().iter().map(|car| CarView::of(car, now)).collect();
    Json(json!({ "vehicles": cars })).into_response()
}

/// Body of `PATCH /_sim/vehicles/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    #[serde(flatten)]
    adjustment: Adjustment,
}

/// `PATCH /_sim/vehicles/{id}`: sets parts of a car's state, as nobody could from afar.
pub(super) async fn adjust(
    State(cloud): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Failure> {
    let car = car(&cloud, &id)?;
    let Patch { adjustment } = parsed(&body)?;
    adjustment.check().map_err(wrong)?;
    let now = cloud.clock.now();
    car.adjust(&adjustment, now);
    cloud.changed(car);
    Ok(Json(CarView::of(car, now)).into_response())
}
