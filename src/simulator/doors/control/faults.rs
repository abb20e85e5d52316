//! The queues of faults, of each car and of the token endpoints: reading, replacing and clearing them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use bytes::Bytes;

use super::request::{car, parsed, wrong};
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Shared;
use crate::simulator::faults::car_faults::FaultScript;
use crate::simulator::faults::token_faults::TokenFaultScript;

/// `GET /_sim/vehicles/{id}/faults`: what is left of the queue.
pub(super) async fn of_car(
    State(cloud): Shared,
    Path(id): Path<String>,
) -> Result<Json<FaultScript>, Failure> {
    let script = car(&cloud, &id)?.faults().clone();
    Ok(Json(script))
}

/// `PUT /_sim/vehicles/{id}/faults`: a new queue in place of the old one.
pub(super) async fn set_of_car(
    State(cloud): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<FaultScript>, Failure> {
    let car = car(&cloud, &id)?;
    let script: FaultScript = parsed(&body)?;
    script.check().map_err(wrong)?;
    *car.faults() = script.clone();
    Ok(Json(script))
}

/// `DELETE /_sim/vehicles/{id}/faults`: nothing goes wrong any more.
pub(super) async fn clear_of_car(
    State(cloud): Shared,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    *car(&cloud, &id)?.faults() = FaultScript::default();
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /_sim/token-faults`: what is left of the queue.
pub(super) async fn of_tokens(State(cloud): Shared) -> Json<TokenFaultScript> {
    Json(cloud.token_faults.queue().clone())
}

/// `PUT /_sim/token-faults`: a new queue in place of the old one.
pub(super) async fn set_of_tokens(
    State(cloud): Shared,
    body: Bytes,
) -> Result<Json<TokenFaultScript>, Failure> {
    let script: TokenFaultScript = parsed(&body)?;
    script.check().map_err(wrong)?;
    *cloud.token_faults.queue() = script.clone();
    Ok(Json(script))
}

/// `DELETE /_sim/token-faults`: nothing goes wrong any more.
pub(super) async fn clear_of_tokens(State(cloud): Shared) -> StatusCode {
    *cloud.token_faults.queue() = TokenFaultScript::default();
    StatusCode::NO_CONTENT
}
