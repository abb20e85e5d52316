//! `POST /v1/webhook-endpoints`: having events sent to an address; its secret is shown this once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::WebhookSecretBody;
use crate::domain::published::EventType;
use crate::domain::user::ShortText;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, IdempotencyKey, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::{created, idempotency};
use crate::service::Error;
use crate::service::webhook_endpoints::{self, NewWebhookEndpoint};

/// What an endpoint is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CreateWebhookEndpoint {
    /// Where events are to be sent: an `https://` address of a public server, at port 443 or 8443.
    #[schema(max_length = 2048, example = "https://backend.example.org/keylend")]
    url: String,
    /// What people call it.
    description: Option<ShortText>,
    /// Only events of these types are sent; all if not given.
    #[schema(min_items = 1)]
    types: Option<BTreeSet<EventType>>,
}

/// Have events sent to an address, from now on. Each message is signed after Standard Webhooks 1.0.
#[utoipa::path(post, path = "/v1/webhook-endpoints", operation_id = "webhook_endpoints.create", tag = "webhook_endpoints",
    security(("session" = []), ("api_client" = ["webhooks:write"])), request_body = CreateWebhookEndpoint,
    params(("Idempotency-Key" = Option<IdempotencyKey>, Header, description = "Repeats with the same key get the same answer.")),
    responses((status = 201, description = "The endpoint's secret.", body = WebhookSecretBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    key: Option<IdempotencyKey>,
    body: ApiJson<CreateWebhookEndpoint>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(key, body.hash);
    let CreateWebhookEndpoint { url, description, types } = body.value;
    if types.as_ref().is_some_and(BTreeSet::is_empty) {
        return Err(Error::invalid("/types", "invalid", "must name a type, or be left out").into());
    }
    let types = types.map(|types| types.into_iter().collect());
    let new = NewWebhookEndpoint { url, description, types };
    let shown = webhook_endpoints::create(&gateway.service, &caller, &idempotency, &new).await?;
    Ok(created(shown, |shown| WebhookSecretBody {
        webhook_endpoint_id: shown.webhook_endpoint_id,
        secret: shown.secret,
    }))
}
