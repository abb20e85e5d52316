//! What became of the events for an endpoint, sending one again, and sending one that is only a test.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::id::{AuditEntryId, WebhookEndpointId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::{DeliveryFault, DeliveryStatus};
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiPath, List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::webhook_endpoints;
use crate::storage::webhook_deliveries::WebhookDelivery;

/// One event for one endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct DeliveryBody {
    /// The event: the `webhook-id` of the message.
    #[schema(example = "evt_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    event_id: AuditEntryId,
    /// Its type; `webhook_endpoint.test` for a test.
    #[serde(rename = "type")]
    event_type: &'static str,
    /// `waiting`, while it is tried again or waits for an earlier event of the same grant; `delivered`; or `failed`, when it is not
    /// tried any more.
    status: DeliveryStatus,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next, while it waits.
    next_attempt_at: Option<Timestamp>,
    /// When it was tried last.
    attempted_at: Option<Timestamp>,
    /// The HTTP status that came back then.
    answer_status: Option<i64>,
    /// The beginning of what came back, or what went wrong.
    answer: Option<String>,
    /// Why it was not taken: `address_not_allowed`, `unreachable`, `timed_out`, `answer_too_large` or `status`.
    fault: Option<DeliveryFault>,
}

impl From<WebhookDelivery> for DeliveryBody {
    fn from(delivery: WebhookDelivery) -> Self {
        Self {
            event_id: delivery.event_id,
            event_type: delivery.type_word(),
            status: delivery.status,
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at,
            attempted_at: delivery.attempted_at,
            answer_status: delivery.answer_status,
            answer: delivery.answer,
            fault: delivery.fault,
        }
    }
}

/// Which deliveries.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct DeliveryFilter {
    /// Only those that are `waiting`, `delivered` or `failed`.
    status: Option<DeliveryStatus>,
}

/// List what became of the events for an endpoint, newest event first. They are kept for a week.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{webhook_endpoint_id}/deliveries", operation_id = "webhook_endpoints.list_deliveries",
    tag = "webhook_endpoints", security(("session" = []), ("api_client" = ["webhooks:write"])),
    params(("webhook_endpoint_id" = WebhookEndpointId, Path, description = "The endpoint."), PageParams, DeliveryFilter),
    responses((status = 200, description = "The deliveries.", body = List<DeliveryBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(webhook_endpoint_id): ApiPath<WebhookEndpointId>,
    paged: Paged<DeliveryFilter>,
) -> Result<List<DeliveryBody>, Problem> {
    let (base, status) = (&gateway.service.base, paged.filter.status);
    let id = webhook_endpoint_id;
    let rows = webhook_endpoints::list_deliveries(base, &caller, id, status, paged.page).await?;
    Ok(paged.list(rows, |delivery| delivery.event_id.as_uuid(), DeliveryBody::from))
}

/// Which event is to be sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Redeliver {
    /// The event.
    event_id: AuditEntryId,
}

/// Have an event sent again, whatever became of it before.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{webhook_endpoint_id}/redeliver", operation_id = "webhook_endpoints.redeliver",
    tag = "webhook_endpoints", security(("session" = []), ("api_client" = ["webhooks:write"])), request_body = Redeliver,
    params(("webhook_endpoint_id" = WebhookEndpointId, Path, description = "The endpoint.")),
    responses((status = 202, description = "It is sent in a moment.", body = DeliveryBody)))]
pub(in crate::http) async fn redeliver(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(webhook_endpoint_id): ApiPath<WebhookEndpointId>,
    body: ApiJson<Redeliver>,
) -> Result<(StatusCode, Json<DeliveryBody>), Problem> {
    let (base, id) = (&gateway.service.base, webhook_endpoint_id);
    let delivery = webhook_endpoints::redeliver(base, &caller, id, body.value.event_id).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery.into())))
}

/// Send a message of the type `webhook_endpoint.test` now, and learn what comes back.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{webhook_endpoint_id}/test", operation_id = "webhook_endpoints.test",
    tag = "webhook_endpoints", security(("session" = []), ("api_client" = ["webhooks:write"])),
    params(("webhook_endpoint_id" = WebhookEndpointId, Path, description = "The endpoint.")),
    responses((status = 200, description = "What came back.", body = DeliveryBody)))]
pub(in crate::http) async fn test(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(webhook_endpoint_id): ApiPath<WebhookEndpointId>,
) -> Result<Json<DeliveryBody>, Problem> {
    let tried = webhook_endpoints::test(&gateway.service, &caller, webhook_endpoint_id).await?;
    Ok(Json(tried.into()))
}
