//! How Connect sends owners back: with what, and whether the next of them comes back with an error.
//! It can be set when the cloud starts and changed while it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::answer::Failure;
use super::connect_error::ConnectError;
use super::state::Cloud;
use crate::smartcar::ErrorKind;

/// What an owner who agreed brings back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectResult {
    /// A code and the owner's id.
    #[default]
    Both,
    /// A code, as API v2.0 needs it.
    V2,
    /// The owner's id, as API v3 needs it.
    V3,
}

/// How Connect sends owners back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectOptions {
    /// What an owner who agreed brings back.
    pub result: ConnectResult,
    /// What the next owner comes back with, whatever they decide; then it is over.
    pub next_error: Option<ConnectError>,
}

/// The present choice.
#[derive(Debug)]
pub(super) struct ConnectManners(Mutex<ConnectOptions>);

impl ConnectManners {
    pub(super) const fn new(options: ConnectOptions) -> Self {
        Self(Mutex::new(options))
    }

    pub(super) fn result(&self) -> ConnectResult {
        self.lock().result
    }

    /// What this owner comes back with.
    pub(super) fn take_error(&self) -> Option<ConnectError> {
        self.lock().next_error.take()
    }

    fn lock(&self) -> MutexGuard<'_, ConnectOptions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Body of `PUT /_sim/connect`; what it does not name stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
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
pub(super) async fn get(State(cloud): State<Arc<Cloud>>) -> Json<ConnectOptions> {
    Json(*cloud.connect_manners.lock())
}

/// `PUT /_sim/connect`.
pub(super) async fn set(
    State(cloud): State<Arc<Cloud>>,
    body: Bytes,
) -> Result<Json<ConnectOptions>, Failure> {
    let change: Change = serde_json::from_slice(&body).map_err(|error| {
        Failure::new(ErrorKind::ValidationParameter).describing(error.to_string())
    })?;
    let mut options = cloud.connect_manners.lock();
    options.result = change.result.unwrap_or(options.result);
    options.next_error = change.next_error.unwrap_or(options.next_error);
    Ok(Json(*options))
}
