//! Showing what became of deliveries, and sending one again, or one that is only a test.

use serde_json::json;

use super::round::signed;
use super::{get, lock_for, permitted, secrets};
use crate::domain::access::{Operation, Sought};
use crate::domain::event::{EndpointChange, Event};
use crate::domain::id::{AuditEntryId, WebhookEndpointId};
use crate::domain::webhook::DeliveryStatus;
use crate::service::events::PublishedEvent;
use crate::service::{Base, Caller, Error, Service};
use crate::storage::webhook_deliveries::{self, WebhookDelivery};
use crate::storage::{Page, Priority, audit_entries, record, webhook_endpoints};

/// What became of the events for an endpoint, newest first. Those that were taken are kept for a week.
///
/// # Errors
/// [`crate::service::Denial`]; [`Error::NotFound`].
pub async fn list_deliveries(
    base: &Base,
    caller: &Caller,
    webhook_endpoint_id: WebhookEndpointId,
    status: Option<DeliveryStatus>,
    page: Page,
) -> Result<Vec<WebhookDelivery>, Error> {
    get(base, caller, webhook_endpoint_id).await?;
    let mut reader = base.store.read().await?;
    Ok(webhook_deliveries::list(&mut reader, webhook_endpoint_id, status, page).await?)
}

/// Has an event sent again, whatever became of it before, also if the endpoint does not take its type.
///
/// # Errors
/// [`crate::service::Denial`]; [`Error::NotFound`] for an event that the organization does not have or that is not published.
pub async fn redeliver(
    base: &Base,
    caller: &Caller,
    webhook_endpoint_id: WebhookEndpointId,
    event_id: AuditEntryId,
) -> Result<WebhookDelivery, Error> {
    let again = base.transact("webhook_endpoints.redeliver", Priority::Ordinary, |work| {
        Box::pin(async move {
            let now = work.now;
            let endpoint = lock_for(base, &mut work.tx, caller, webhook_endpoint_id).await?;
            let missing = || Error::NotFound(Sought::the("event"));
            let tx = &mut work.tx;
            let entry = audit_entries::find(tx, endpoint.organization_id, event_id).await?;
            let entry = entry.ok_or_else(missing)?;
            let published = PublishedEvent::of(&entry).ok_or_else(missing)?;
            let position = record::position(tx, event_id).await?.ok_or_else(missing)?;
            // Without a subject it delays no other event.
            let named = (event_id, published.event_type);
            let delivery = WebhookDelivery::new(webhook_endpoint_id, named, position, None, now);
            webhook_deliveries::put(tx, &delivery).await?;
            webhook_endpoints::wake_one(tx, webhook_endpoint_id, now).await?;
            let change = EndpointChange::Redelivered;
            work.record(caller, Event::WebhookEndpointChanged { webhook_endpoint_id, change })?;
            Ok(delivery)
        })
    });
    again.await
}

/// Sends a message that is only a test, once and now, and tells what came back; also to an endpoint that is paused.
///
/// # Errors
/// [`crate::service::Denial`]; [`Error::NotFound`].
pub async fn test(
    service: &Service,
    caller: &Caller,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<WebhookDelivery, Error> {
    let base = &service.base;
    let mut reader = base.store.read().await?;
    let organization_id = caller.actor.organization_id;
    let found = webhook_endpoints::find(&mut reader, organization_id, webhook_endpoint_id).await?;
    drop(reader);
    let operation = Operation::ChangeWebhookEndpoint;
    let endpoint = permitted(base, caller, operation, webhook_endpoint_id, found)?;
    let now = base.clock.now();
    let event_id: AuditEntryId = base.entropy.id(now)?;
    let mut delivery = WebhookDelivery {
        webhook_endpoint_id,
        event_id,
        event_type: None,
        position: 0,
        subject_id: None,
        status: DeliveryStatus::Failed,
        attempts: 1,
        next_attempt_at: None,
        attempted_at: Some(now),
        answer_status: None,
        answer: None,
        fault: None,
        created_at: now,
    };
    let body = json!({
        "event_id": event_id,
        "type": delivery.type_word(),
        "timestamp": now,
        "data": { "webhook_endpoint_id": webhook_endpoint_id },
    });
    let secrets = secrets(base, &endpoint, now)?;
    let body = body.to_string().into_bytes();
    let message = signed(&endpoint, &secrets, event_id.to_string(), body, now);
    let answer = service.endpoints.send(message).await;
    if answer.fault.is_none() {
        delivery.status = DeliveryStatus::Delivered;
    }
    delivery.answer_status = answer.status.map(i64::from);
    (delivery.answer, delivery.fault) = (Some(answer.text), answer.fault);
    let tried = &delivery;
    let kept = base.transact("webhook_endpoints.test", Priority::Ordinary, |work| {
        Box::pin(async move { Ok(webhook_deliveries::put(&mut work.tx, tried).await?) })
    });
    kept.await?;
    Ok(delivery)
}
