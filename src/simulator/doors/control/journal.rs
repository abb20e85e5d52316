//! The journal of the cars and the clock that its entries are written by.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::simulator::cloud::journal::Moment;
use crate::simulator::doors::call::Shared;

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
