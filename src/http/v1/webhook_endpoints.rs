//! Webhook endpoints: addresses that events are sent to.

pub(in crate::http) mod change;
pub(in crate::http) mod create;
pub(in crate::http) mod deliveries;
pub(in crate::http) mod list;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::WebhookEndpointId;
use crate::domain::published::EventType;
use crate::domain::time::Timestamp;
use crate::domain::webhook::PauseReason;
use crate::storage::webhook_endpoints::WebhookEndpoint;

/// Whether events are sent to an endpoint.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum EndpointStatus {
    /// They are.
    Active,
    /// They are not, until somebody resumes it.
    Paused,
}

/// An address that events are sent to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct WebhookEndpointBody {
    /// Identifies the endpoint.
    #[schema(example = "whe_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    webhook_endpoint_id: WebhookEndpointId,
    /// Where events are sent.
    url: String,
    /// What people call it.
    description: Option<String>,
    /// Only events of these types are sent; `null` for all.
    types: Option<Vec<EventType>>,
    /// Whether events are sent.
    status: EndpointStatus,
    /// Why nothing is sent: `requested`, `unreachable` after five days in which it took nothing, or `gone` after it answered 410.
    paused_reason: Option<PauseReason>,
    /// Since when nothing is sent.
    paused_at: Option<Timestamp>,
    /// Since when it has taken nothing; `null` while it does.
    failing_since: Option<Timestamp>,
    /// Until then messages are signed with the secret before too.
    previous_secret_until: Option<Timestamp>,
    /// The time at which it was made.
    created_at: Timestamp,
}

impl From<WebhookEndpoint> for WebhookEndpointBody {
    fn from(endpoint: WebhookEndpoint) -> Self {
        Self {
            webhook_endpoint_id: endpoint.webhook_endpoint_id,
            url: endpoint.url,
            description: endpoint.description,
            types: endpoint.types,
            status: match endpoint.paused {
                Some(_) => EndpointStatus::Paused,
                None => EndpointStatus::Active,
            },
            paused_reason: endpoint.paused.map(|(reason, _)| reason),
            paused_at: endpoint.paused.map(|(_, at)| at),
            failing_since: endpoint.failing_since,
            previous_secret_until: endpoint.previous_secret.map(|(_, until)| until),
            created_at: endpoint.created_at,
        }
    }
}

/// The secret of an endpoint, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct WebhookSecretBody {
    /// The endpoint.
    webhook_endpoint_id: WebhookEndpointId,
    /// What its messages are signed with (Standard Webhooks 1.0); keep it where your program reads its secrets.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    secret: String,
}
