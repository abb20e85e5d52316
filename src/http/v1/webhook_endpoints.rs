//! Webhook endpoints: addresses that events are sent to.

pub(in crate::http) mod change;
pub(in crate::http) mod create;
pub(in crate::http) mod deliveries;
pub(in crate::http) mod list;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::published::EventType;
use crate::storage::webhook_endpoints::WebhookEndpoint;

/// An address that events are sent to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct WebhookEndpointBody {
    /// Identifies the endpoint.
    #[schema(example = "whe_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    webhook_endpoint_id: String,
    /// Where events are sent.
    url: String,
    /// What people call it.
    description: Option<String>,
    /// Only events of these types are sent; `null` for all.
    types: Option<Vec<EventType>>,
    /// `active` or `paused`.
    status: &'static str,
    /// Why nothing is sent: `requested`, `unreachable` after five days in which it took nothing, or `gone` after it answered 410.
    paused_reason: Option<String>,
    /// Since when nothing is sent.
    #[schema(format = DateTime)]
    paused_at: Option<String>,
    /// Since when it has taken nothing; `null` while it does.
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    /// Until then messages are signed with the secret before too.
    #[schema(format = DateTime)]
    previous_secret_until: Option<String>,
    /// The time at which it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<WebhookEndpoint> for WebhookEndpointBody {
    fn from(endpoint: WebhookEndpoint) -> Self {
        Self {
            webhook_endpoint_id: endpoint.webhook_endpoint_id.to_string(),
            url: endpoint.url,
            description: endpoint.description,
            types: endpoint.types,
            status: if endpoint.paused.is_some() { "paused" } else { "active" },
            paused_reason: endpoint.paused.map(|(reason, _)| reason.to_string()),
            paused_at: endpoint.paused.map(|(_, at)| at.to_string()),
            failing_since: endpoint.failing_since.map(|at| at.to_string()),
            previous_secret_until: endpoint.previous_secret.map(|(_, until)| until.to_string()),
            created_at: endpoint.created_at.to_string(),
        }
    }
}

/// The secret of an endpoint, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct WebhookSecretBody {
    /// The endpoint.
    webhook_endpoint_id: String,
    /// What its messages are signed with (Standard Webhooks 1.0); keep it where your program reads its secrets.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    secret: String,
}
