//! Pausing and resuming an endpoint, giving it another secret, and deleting it.

use std::time::Duration;

use super::{ShownSecret, lock_for, seal};
use crate::domain::event::{EndpointChange, Event};
use crate::domain::id::WebhookEndpointId;
use crate::domain::webhook::PauseReason;
use crate::service::idempotency::{Answer, Idempotency};
use crate::service::{Base, Caller, Error};
use crate::signing::standard_webhook::WebhookSecret;
use crate::storage::webhook_endpoints::{self, WebhookEndpoint};
use crate::storage::{Priority, webhook_deliveries};

/// The longest time in which messages are signed with two secrets.
pub const OVERLAP_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const ROTATE: &str = "webhook_endpoints.rotate_secret";

/// Sends nothing to an endpoint until it is resumed. A second time changes nothing.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`]; [`Error::NotFound`].
pub async fn pause(
    base: &Base,
    caller: &Caller,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<WebhookEndpoint, Error> {
    let paused = base.transact("webhook_endpoints.pause", Priority::Ordinary, |work| {
        Box::pin(async move {
            let now = work.now;
            let mut endpoint = lock_for(base, &mut work.tx, caller, webhook_endpoint_id).await?;
            if endpoint.paused.is_none() {
                let reason = PauseReason::Requested;
                webhook_endpoints::pause(&mut work.tx, webhook_endpoint_id, reason, now).await?;
                let change = EndpointChange::Paused { reason };
                work.record(caller, Event::WebhookEndpointChanged { webhook_endpoint_id, change })?;
                endpoint.paused = Some((reason, now));
            }
            Ok(endpoint)
        })
    });
    paused.await
}

/// Sends to an endpoint again, from where it was. What waits to be sent again is sent now, and has all its attempts again.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`]; [`Error::NotFound`].
pub async fn resume(
    base: &Base,
    caller: &Caller,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<WebhookEndpoint, Error> {
    let resumed = base.transact("webhook_endpoints.resume", Priority::Ordinary, |work| {
        Box::pin(async move {
            let now = work.now;
            let mut endpoint = lock_for(base, &mut work.tx, caller, webhook_endpoint_id).await?;
            if endpoint.paused.take().is_some() {
                webhook_endpoints::resume(&mut work.tx, webhook_endpoint_id, now).await?;
                webhook_deliveries::begin_afresh(&mut work.tx, webhook_endpoint_id, now).await?;
                (endpoint.failures, endpoint.failing_since) = (0, None);
                let change = EndpointChange::Resumed;
                work.record(caller, Event::WebhookEndpointChanged { webhook_endpoint_id, change })?;
            }
            Ok(endpoint)
        })
    });
    resumed.await
}

/// Gives an endpoint another secret. Messages are signed with the one before too until `overlap` has passed.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`]; [`Error::NotFound`].
pub async fn rotate_secret(
    base: &Base,
    caller: &Caller,
    idempotency: &Idempotency,
    webhook_endpoint_id: WebhookEndpointId,
    overlap: Duration,
) -> Result<Answer<ShownSecret>, Error> {
    let rotated = base.transact(ROTATE, Priority::Ordinary, |work| {
        Box::pin(async move {
            lock_for(base, &mut work.tx, caller, webhook_endpoint_id).await?;
            if let Some(answer) =
                idempotency.find_or_take(base, &mut work.tx, caller, ROTATE).await?
            {
                return Ok(answer);
            }
            let secret = WebhookSecret::generate(&*base.entropy)?;
            let until = work.now.plus(overlap.min(OVERLAP_MAX));
            let sealed = seal(base, webhook_endpoint_id, &secret)?;
            webhook_endpoints::rotate(&mut work.tx, webhook_endpoint_id, sealed, until).await?;
            let shown = ShownSecret { webhook_endpoint_id, secret: secret.expose() };
            idempotency.keep(base, &mut work.tx, caller, ROTATE, &shown).await?;
            let change = EndpointChange::SecretRotated { until };
            work.record(caller, Event::WebhookEndpointChanged { webhook_endpoint_id, change })?;
            Ok(Answer::fresh(shown))
        })
    });
    rotated.await
}

/// Forgets an endpoint, with all that waits to be sent to it.
///
/// # Errors
/// [`crate::service::Denial::AdminOnly`]; [`Error::NotFound`].
pub async fn delete(
    base: &Base,
    caller: &Caller,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<(), Error> {
    let deleted = base.transact("webhook_endpoints.delete", Priority::Ordinary, |work| {
        Box::pin(async move {
            lock_for(base, &mut work.tx, caller, webhook_endpoint_id).await?;
            webhook_deliveries::delete_of(&mut work.tx, webhook_endpoint_id).await?;
            webhook_endpoints::delete(&mut work.tx, webhook_endpoint_id).await?;
            let change = EndpointChange::Deleted;
            work.record(caller, Event::WebhookEndpointChanged { webhook_endpoint_id, change })
        })
    });
    deleted.await
}
