//! How Connect sends owners back: reading and changing it while the cloud runs.

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use serde::Deserialize;

use super::request::parsed;
use crate::simulator::cloud::connect::{ConnectOptions, ConnectResult};
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Shared;
use crate::simulator::faults::connect_error::ConnectError;

/// Body of `PUT /_sim/connect`; what it does not name stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectChange {
    result: Option<ConnectResult>,
    /// Present and `null`: no error after all.
    #[serde(default, deserialize_with = "present")]
    next_error: Option<Option<ConnectError>>,
}

fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<ConnectError>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// `GET /_sim/connect`.
pub(super) async fn get(State(cloud): Shared) -> Json<ConnectOptions> {
    Json(*cloud.connect_manners.options())
}

/// `PUT /_sim/connect`.
pub(super) async fn set(
    State(cloud): Shared,
    body: Bytes,
) -> Result<Json<ConnectOptions>, Failure> {
    let change: ConnectChange = parsed(&body)?;
    let mut options = cloud.connect_manners.options();
    options.result = change.result.unwrap_or(options.result);
    options.next_error = change.next_error.unwrap_or(options.next_error);
    Ok(Json(*options))
}
