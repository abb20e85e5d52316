//! The strings behind the stage: looking at all cars, writing their queues of faults, reading the
//! journal. Only processes of this machine can pull them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::adjustment::Adjustment;
use super::answer::Failure;
use super::car::Car;
use super::faults::FaultScript;
use super::journal::Moment;
use super::listener::Peer;
use super::shown::Shown;
use super::state::Cloud;
use crate::smartcar::ErrorKind;

type Shared = State<Arc<Cloud>>;

/// Lets only processes of this machine through; others see nothing here.
pub(super) async fn only_this_machine(
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if peer.is_this_machine() {
        return next.run(request).await;
    }
    Failure::new(ErrorKind::ResourceNotFoundPath).into_response()
}

/// `GET /_sim/vehicles`: all cars and their present state.
pub(super) async fn cars(State(cloud): Shared) -> Response {
    let now = cloud.clock.now();
    let cars: Vec<Shown<'_>> = cloud.cars().iter().map(|car| car.shown(now)).collect();
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
    let car = find(&cloud, &id)?;
    let wrong = |why: String| Failure::new(ErrorKind::ValidationParameter).describing(why);
    let Patch { adjustment } =
        serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
    adjustment.check().map_err(|why| wrong(why.to_owned()))?;
    let now = cloud.clock.now();
    car.adjust(&adjustment, now);
    cloud.changed(car);
    Ok(Json(car.shown(now)).into_response())
}

/// `GET /_sim/vehicles/{id}/faults`: what is left of the queue.
pub(super) async fn faults(
    State(cloud): Shared,
    Path(id): Path<String>,
) -> Result<Json<FaultScript>, Failure> {
    let script = find(&cloud, &id)?.faults().clone();
    Ok(Json(script))
}

/// `PUT /_sim/vehicles/{id}/faults`: a new queue in place of the old one.
pub(super) async fn set_faults(
    State(cloud): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<FaultScript>, Failure> {
    let car = find(&cloud, &id)?;
    let wrong = |why: String| Failure::new(ErrorKind::ValidationParameter).describing(why);
    let script: FaultScript =
        serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
    script.check().map_err(|why| wrong(why.to_owned()))?;
    *car.faults() = script.clone();
    Ok(Json(script))
}

/// `DELETE /_sim/vehicles/{id}/faults`: nothing goes wrong any more.
pub(super) async fn clear_faults(
    State(cloud): Shared,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    *find(&cloud, &id)?.faults() = FaultScript::default();
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /_sim/clock`: the moment at which it answers, as the journal would write it.
pub(super) async fn clock(State(cloud): Shared) -> Response {
    Json(Moment::of(&*cloud.clock)).into_response()
}

/// What of the journal is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct JournalQuery {
    /// Only the number, not the entries.
    #[serde(default)]
    count: bool,
    /// Only the entries of this car.
    vehicle_id: Option<String>,
}

/// `GET /_sim/journal`: the number of executed commands of this run, and the latest of them.
pub(super) async fn journal(State(cloud): Shared, Query(query): Query<JournalQuery>) -> Response {
    let count = cloud.journal.total();
    if query.count {
        return Json(json!({ "count": count })).into_response();
    }
    let entries = cloud.journal.entries(query.vehicle_id.as_deref());
    Json(json!({ "count": count, "commands": entries })).into_response()
}

fn find<'a>(cloud: &'a Cloud, id: &str) -> Result<&'a Car, Failure> {
    let car = cloud.car(id).map(|(_, car)| car.as_ref());
    car.ok_or_else(|| Failure::new(ErrorKind::ResourceNotFoundPath))
}
