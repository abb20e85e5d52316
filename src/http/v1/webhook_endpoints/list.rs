//! `GET /v1/webhook-endpoints`: where events are sent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::WebhookEndpointBody;
use crate::domain::id::WebhookEndpointId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::webhook_endpoints;

/// List where events are sent, newest first.
#[utoipa::path(get, path = "/v1/webhook-endpoints", operation_id = "webhook_endpoints.list", tag = "webhook_endpoints",
    security(("session" = []), ("api_client" = ["webhooks:write"])), params(PageParams),
    responses((status = 200, description = "The endpoints.", body = List<WebhookEndpointBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged,
) -> Result<List<WebhookEndpointBody>, Problem> {
    let rows = webhook_endpoints::list(&gateway.service.base, &caller, paged.page).await?;
    let id = |endpoint: &crate::storage::webhook_endpoints::WebhookEndpoint| {
        endpoint.webhook_endpoint_id.as_uuid()
    };
    Ok(paged.list(rows, id, WebhookEndpointBody::from))
}

/// Show one endpoint.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{webhook_endpoint_id}", operation_id = "webhook_endpoints.get", tag = "webhook_endpoints",
    security(("session" = []), ("api_client" = ["webhooks:write"])),
    params(("webhook_endpoint_id" = WebhookEndpointId, Path, description = "The endpoint.")),
    responses((status = 200, description = "The endpoint.", body = WebhookEndpointBody)))]
pub(in crate::http) async fn get(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(webhook_endpoint_id): ApiPath<WebhookEndpointId>,
) -> Result<Json<WebhookEndpointBody>, Problem> {
    let base = &gateway.service.base;
    let endpoint = webhook_endpoints::get(base, &caller, webhook_endpoint_id).await?;
    Ok(Json(endpoint.into()))
}
