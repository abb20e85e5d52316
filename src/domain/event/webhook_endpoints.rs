//! What happens to the addresses that events are sent to.

use serde_json::{Value, json};

use crate::domain::id::WebhookEndpointId;
use crate::domain::time::Timestamp;
use crate::domain::webhook::PauseReason;

/// What happened to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointChange {
    /// It was made.
    Created,
    /// Nothing is sent to it any more until somebody resumes it.
    Paused {
        /// Why.
        reason: PauseReason,
    },
    /// Somebody resumed it.
    Resumed,
    /// It has another secret; messages are signed with the one before too until then.
    SecretRotated {
        /// Until then.
        until: Timestamp,
    },
    /// Something was to be sent to it again.
    Redelivered,
    /// It was deleted.
    Deleted,
}

impl EndpointChange {
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::Created => "webhook_endpoint.created",
            Self::Paused { .. } => "webhook_endpoint.paused",
            Self::Resumed => "webhook_endpoint.resumed",
            Self::SecretRotated { .. } => "webhook_endpoint.secret_rotated",
            Self::Redelivered => "webhook_endpoint.redelivered",
            Self::Deleted => "webhook_endpoint.deleted",
        }
    }

    pub(super) fn details(self, webhook_endpoint_id: WebhookEndpointId) -> Value {
        match self {
            Self::Paused { reason } => {
                json!({ "webhook_endpoint_id": webhook_endpoint_id, "reason": reason })
            }
            Self::SecretRotated { until } => {
                json!({ "webhook_endpoint_id": webhook_endpoint_id, "previous_until": until })
            }
            Self::Created | Self::Resumed | Self::Redelivered | Self::Deleted => {
                json!({ "webhook_endpoint_id": webhook_endpoint_id })
            }
        }
    }
}
