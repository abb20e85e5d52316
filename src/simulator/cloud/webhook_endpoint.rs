//! Where events are sent and which of them are wanted there, as an application registered it.

use serde::{Deserialize, Serialize};

/// Which events a webhook understands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EventVersion {
    #[default]
    #[serde(rename = "4.0")]
    V4,
    #[serde(rename = "2.0")]
    V2,
}

/// An address that events are sent to.
#[derive(Debug)]
pub(crate) struct WebhookEndpoint {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) version: EventVersion,
    /// Codes of the signals it asked for; `None`: all of them.
    pub(crate) signals: Option<Vec<String>>,
}

impl WebhookEndpoint {
    /// Whether it asked for this signal.
    pub(super) fn wants(&self, code: &str) -> bool {
        self.signals.as_ref().is_none_or(|signals| signals.iter().any(|one| one == code))
    }
}
