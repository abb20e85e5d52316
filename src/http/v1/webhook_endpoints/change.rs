//! Pausing, resuming and deleting an endpoint, and giving it another secret.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{WebhookEndpointBody, WebhookSecretBody};
use crate::domain::id::WebhookEndpointId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, IdempotencyKey, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::{created, idempotency};
use crate::service::Error;
use crate::service::webhook_endpoints::{self, OVERLAP_MAX};

/// Send nothing to an endpoint until it is resumed. What happens meanwhile is sent then.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{webhook_endpoint_id}/pause", operation_id = "webhook_endpoints.pause", tag = "webhook_endpoints",
    security(("session" = []), ("api_client" = ["webhooks:write"])),
    params(("webhook_endpoint_id" = WebhookEndpointId, Path, description = "The endpoint.")),
    responses((status = 200, description = "The endpoint.", body = WebhookEndpointBody)))]
pub(in crate::http) async fn pause(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(webhook_endpoint_id): ApiPath<WebhookEndpointId>,
) -> Result<Json<WebhookEndpointBody>, Problem> {
    let base = &gateway.service.base;
    let endpoint = webhook_endpoints::pause(base, &caller, webhook_endpoint_id).await?;
    Ok(Json(endpoint.into()))
}

/// Send to an endpoint again, from where it was.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{webhook_endpoint_id}/resume", operation_id = "webhook_endpoints.resume", tag = "webhook_endpoints",
    security(("session" = []), ("api_client" = ["webhooks:write"])),
    params(("webhook_endpoint_id" = WebhookEndpointId, Path, description = "The endpoint.")),
    responses((status = 200, description = "The endpoint.", body = WebhookEndpointBody)))]
pub(in crate::http) async fn resume(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(webhook_endpoint_id): ApiPath<WebhookEndpointId>,
) -> Result<Json<WebhookEndpointBody>, Problem> {
    let base = &gateway.service.base;
    let endpoint = webhook_endpoints::resume(base, &caller, webhook_endpoint_id).await?;
    Ok(Json(endpoint.into()))
}

/// How a secret is replaced.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RotateWebhookSecret {
    /// For so many seconds messages are signed with the secret before too; a day if not given, at most a week.
    #[schema(minimum = 0, maximum = 604_800, default = 86_400)]
    overlap_s: Option<u64>,
}

/// Give an endpoint another secret, while messages are signed with the one before too.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{webhook_endpoint_id}/rotate-secret", operation_id = "webhook_endpoints.rotate_secret",
    tag = "webhook_endpoints", security(("session" = []), ("api_client" = ["webhooks:write"])),
    request_body(content = Option<RotateWebhookSecret>),
    params(("webhook_endpoint_id" = WebhookEndpointId, Path, description = "The endpoint."),
        ("Idempotency-Key" = Option<IdempotencyKey>, Header, description = "Repeats with the same key get the same answer.")),
    responses((status = 201, description = "The endpoint's new secret.", body = WebhookSecretBody)))]
pub(in crate::http) async fn rotate_secret(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(webhook_endpoint_id): ApiPath<WebhookEndpointId>,
    key: Option<IdempotencyKey>,
    body: OptionalJson<RotateWebhookSecret>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(key, body.hash);
    let overlap = Duration::from_secs(body.value.overlap_s.unwrap_or(24 * 60 * 60));
    if overlap > OVERLAP_MAX {
        return Err(Error::invalid("/overlap_s", "out_of_range", "must be at most 604800").into());
    }
    let base = &gateway.service.base;
    let shown =
        webhook_endpoints::rotate_secret(base, &caller, &idempotency, webhook_endpoint_id, overlap);
    Ok(created(shown.await?, |shown| WebhookSecretBody {
        webhook_endpoint_id: shown.webhook_endpoint_id,
        secret: shown.secret,
    }))
}

/// Delete an endpoint, with all that waits to be sent to it.
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{webhook_endpoint_id}", operation_id = "webhook_endpoints.delete", tag = "webhook_endpoints",
    security(("session" = []), ("api_client" = ["webhooks:write"])),
    params(("webhook_endpoint_id" = WebhookEndpointId, Path, description = "The endpoint.")),
    responses((status = 204, description = "It is gone.")))]
pub(in crate::http) async fn delete(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(webhook_endpoint_id): ApiPath<WebhookEndpointId>,
) -> Result<StatusCode, Problem> {
    let base = &gateway.service.base;
    webhook_endpoints::delete(base, &caller, webhook_endpoint_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
