//! How Connect sends owners back: with what, and whether the next of them comes back with an error.
//! It can be set when the cloud starts and changed while it runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::simulator::faults::connect_error::ConnectError;

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
pub(crate) struct ConnectManners(Mutex<ConnectOptions>);

impl ConnectManners {
    pub(crate) const fn new(options: ConnectOptions) -> Self {
        Self(Mutex::new(options))
    }

    pub(crate) fn result(&self) -> ConnectResult {
        self.options().result
    }

    /// What this owner comes back with.
    pub(crate) fn take_error(&self) -> Option<ConnectError> {
        self.options().next_error.take()
    }

    /// The present choice, to read or to change.
    pub(crate) fn options(&self) -> MutexGuard<'_, ConnectOptions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
