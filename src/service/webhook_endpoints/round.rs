//! One round for one endpoint: what waits and what is new is sent, and what came of it is kept in one transaction. A process that
//! dies before has sent something that is sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use uuid::Uuid;

use super::secrets;
use crate::connector::endpoint::{EndpointAnswer, WebhookMessage};
use crate::domain::actor::Actor;
use crate::domain::event::{EndpointChange, Event};
use crate::domain::time::Timestamp;
use crate::domain::webhook::{
    DeliveryStatus, HELD_BACK, OUTAGE, PauseReason, UNREACHABLE_AFTER, probe_after, retry_after,
};
use crate::measures;
use crate::service::events::PublishedEvent;
use crate::service::{Base, Caller, Error, Service, Work};
use crate::signing::standard_webhook::WebhookSecret;
use crate::storage::webhook_deliveries::{self, WebhookDelivery};
use crate::storage::webhook_endpoints::{self, Settled, WebhookEndpoint};
use crate::storage::{Priority, Reader, organization_entries};

/// So many events are sent in a round.
const BATCH: usize = 64;
/// So many entries are looked at for it.
const LOOKED_AT_MAX: usize = 256;
/// So many events are on their way to one endpoint at once.
const AT_ONCE: usize = 8;
/// After so long no further one leaves in this round.
const LEAVING_TIME: Duration = Duration::from_secs(5);
/// An answer with this status says that the endpoint is no more (Standard Webhooks 1.0).
const GONE: i64 = 410;

/// One event that may be sent in this round.
struct Outgoing {
    delivery: WebhookDelivery,
    /// The message's body.
    body: Vec<u8>,
}

/// A delivery as the round leaves it, and whether it was tried in it.
struct TriedDelivery {
    delivery: WebhookDelivery,
    was_tried: bool,
}

/// What a round is about.
struct Load {
    outgoing: Vec<Outgoing>,
    /// What waits for an earlier event of the same subject.
    held: Vec<WebhookDelivery>,
    next_position: u64,
}

/// Sends what there is. What fails here is tried again when nobody has taken the endpoint up for a while.
pub(super) async fn run(service: &Service, endpoint: &WebhookEndpoint) {
    if let Err(error) = attempt(service, endpoint).await {
        let id = endpoint.webhook_endpoint_id;
        tracing::error!(%id, error = ?error, "events could not be sent to a webhook endpoint");
    }
}

async fn attempt(service: &Service, endpoint: &WebhookEndpoint) -> Result<(), Error> {
    let base = &service.base;
    let now = base.clock.now();
    let secrets = secrets(base, endpoint, now)?;
    let load = load(base, endpoint, now).await?;
    let until = base.clock.monotonic().saturating_add(LEAVING_TIME);
    let secrets = &secrets;
    let sent = stream::iter(by_subject(load.outgoing))
        .map(|events| send_in_order(service, endpoint, secrets, events, until))
        .buffer_unordered(AT_ONCE);
    let mut sent: Vec<TriedDelivery> = sent.concat().await;
    sent.extend(load.held.into_iter().map(|delivery| TriedDelivery { delivery, was_tried: false }));
    let (sent, next_position) = (&sent, load.next_position);
    let settled = base.transact("webhook_endpoints.settle", Priority::Ordinary, |work| {
        Box::pin(settle(work, endpoint, sent, next_position))
    });
    settled.await
}

/// What waits and may be tried, and then what is new. An endpoint that takes nothing is tried with one event.
async fn load(base: &Base, endpoint: &WebhookEndpoint, now: Timestamp) -> Result<Load, Error> {
    let limit = if endpoint.failures > 0 { 1 } else { BATCH };
    let mut reader = base.store.read().await?;
    let (id, held_since) = (endpoint.webhook_endpoint_id, now.minus(HELD_BACK));
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let due = webhook_deliveries::due(&mut reader, id, now, held_since, rows).await?;
    let mut load =
        Load { outgoing: Vec::new(), held: Vec::new(), next_position: endpoint.next_position };
    let mut archived = Vec::new();
    let places: Vec<_> =
        due.iter().map(|delivery| (delivery.position, delivery.event_id)).collect();
    let entries =
        organization_entries::entries(&mut reader, endpoint.organization_id, &places).await?;
    for delivery in due {
        let entry = entries.iter().find(|placed| placed.entry.entry_id == delivery.event_id);
        match entry.and_then(|placed| PublishedEvent::of(&placed.entry)) {
            Some(event) => load.outgoing.push(Outgoing { delivery, body: body(&event)? }),
            None => archived.push(delivery),
        }
    }
    // Nothing can be said of an entry that is no longer there.
    load.held.extend(archived.into_iter().map(|delivery| WebhookDelivery {
        status: DeliveryStatus::Failed,
        next_attempt_at: None,
        ..delivery
    }));
    let room = limit.saturating_sub(load.outgoing.len());
    if room > 0 {
        add_new(&mut reader, endpoint, now, room, &mut load).await?;
    }
    Ok(load)
}

async fn add_new(
    reader: &mut Reader,
    endpoint: &WebhookEndpoint,
    now: Timestamp,
    room: usize,
    load: &mut Load,
) -> Result<(), Error> {
    let (id, organization_id) = (endpoint.webhook_endpoint_id, endpoint.organization_id);
    let from = endpoint.next_position;
    let places = organization_entries::places(reader, organization_id, from, LOOKED_AT_MAX).await?;
    let placed = organization_entries::entries(reader, organization_id, &places).await?;
    let mut fresh = Vec::new();
    for placed in placed {
        let takes = |told: &PublishedEvent| {
            endpoint.types.as_ref().is_none_or(|types| types.contains(&told.event_type))
        };
        if let Some(event) = PublishedEvent::of(&placed.entry).filter(takes) {
            let entry = &placed.entry;
            let subject_id = entry.grant_id.map(|id| id.as_uuid());
            let of_command = entry.command_id.map(|id| id.as_uuid());
            let named = (event.event_id, event.event_type);
            let subject_id = subject_id.or(of_command);
            let delivery = WebhookDelivery::new(id, named, placed.position, subject_id, now);
            fresh.push(Outgoing { delivery, body: body(&event)? });
        }
    }
    let subjects: BTreeSet<Uuid> =
        fresh.iter().filter_map(|outgoing| outgoing.delivery.subject_id).collect();
    let held_since = now.minus(HELD_BACK);
    let waiting = webhook_deliveries::waiting_subjects(reader, id, subjects, held_since).await?;
    let is_held = |outgoing: &Outgoing| {
        outgoing.delivery.subject_id.is_some_and(|subject| waiting.contains(&subject))
    };
    // Also past what is in an archive by now.
    load.next_position = places.last().map_or(from, |(last, _)| last.saturating_add(1));
    let mut room = room;
    for outgoing in fresh {
        if is_held(&outgoing) {
            load.held.push(outgoing.delivery);
        } else if room > 0 {
            room -= 1;
            load.outgoing.push(outgoing);
        } else {
            load.next_position = outgoing.delivery.position;
            break;
        }
    }
    Ok(())
}

/// The events in groups, each of one subject and in its order, by the position of their first.
fn by_subject(outgoing: Vec<Outgoing>) -> impl Iterator<Item = Vec<Outgoing>> {
    let mut groups: BTreeMap<Uuid, Vec<Outgoing>> = BTreeMap::new();
    for outgoing in outgoing {
        let alone = outgoing.delivery.event_id.as_uuid();
        groups.entry(outgoing.delivery.subject_id.unwrap_or(alone)).or_default().push(outgoing);
    }
    let mut groups: Vec<Vec<Outgoing>> = groups.into_values().collect();
    groups.sort_by_key(|group| group.first().map(|first| first.delivery.position));
    groups.into_iter()
}

/// Sends the events of one subject one after the other, until one is not taken or the time is over. Those after it wait.
async fn send_in_order(
    service: &Service,
    endpoint: &WebhookEndpoint,
    secrets: &[WebhookSecret],
    events: Vec<Outgoing>,
    until: Duration,
) -> Vec<TriedDelivery> {
    let mut sent = Vec::with_capacity(events.len());
    let mut goes_on = true;
    for Outgoing { delivery, body } in events {
        goes_on &= service.base.clock.monotonic() < until;
        if !goes_on {
            sent.push(TriedDelivery { delivery, was_tried: false });
            continue;
        }
        let now = service.base.clock.now();
        let id = delivery.event_id.to_string();
        let answer = service.endpoints.send(signed(endpoint, secrets, id, body, now)).await;
        let delivery = after(&service.base, delivery, answer, now);
        let outcome = delivery.status.as_str();
        metrics::counter!(measures::WEBHOOK_DELIVERIES, "outcome" => outcome).increment(1);
        goes_on = delivery.status == DeliveryStatus::Delivered;
        sent.push(TriedDelivery { delivery, was_tried: true });
    }
    sent
}

fn body(event: &PublishedEvent) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(event).map_err(Error::internal)
}

/// A message as it leaves at this time.
pub(super) fn signed(
    endpoint: &WebhookEndpoint,
    secrets: &[WebhookSecret],
    id: String,
    body: Vec<u8>,
    now: Timestamp,
) -> WebhookMessage {
    let unix_seconds = now.as_unix_micros().div_euclid(1_000_000);
    let signatures: Vec<String> =
        secrets.iter().map(|secret| secret.sign(&id, unix_seconds, &body)).collect();
    let (url, signatures) = (endpoint.url.clone(), signatures.join(" "));
    WebhookMessage { url, id, unix_seconds, signatures, body }
}

/// What an answer makes of a delivery.
fn after(
    base: &Base,
    delivery: WebhookDelivery,
    answer: EndpointAnswer,
    now: Timestamp,
) -> WebhookDelivery {
    let attempts = delivery.attempts.saturating_add(1);
    let mut jitter = [127];
    // Without randomness nothing is spread, and everything is sent all the same.
    let _ = base.entropy.fill(&mut jitter);
    let [jitter] = jitter;
    let again = answer.fault.and_then(|_| retry_after(attempts, jitter));
    let status = match (answer.fault, again) {
        (None, _) => DeliveryStatus::Delivered,
        (Some(_), Some(_)) => DeliveryStatus::Waiting,
        (Some(_), None) => DeliveryStatus::Failed,
    };
    WebhookDelivery {
        status,
        attempts,
        next_attempt_at: again.map(|wait| now.plus(wait)),
        attempted_at: Some(now),
        answer_status: answer.status.map(i64::from),
        answer: Some(answer.text),
        fault: answer.fault,
        ..delivery
    }
}

/// Keeps what the round came to, unless the endpoint was deleted or somebody else has taken it up meanwhile.
async fn settle(
    work: &mut Work<'_>,
    endpoint: &WebhookEndpoint,
    sent: &[TriedDelivery],
    next_position: u64,
) -> Result<(), Error> {
    let (id, now) = (endpoint.webhook_endpoint_id, work.now);
    let held = webhook_endpoints::hold_lease(&mut work.tx, id, endpoint.leased_until).await?;
    let Some(current) = held else { return Ok(()) };
    let deliveries: Vec<WebhookDelivery> = sent.iter().map(|sent| sent.delivery.clone()).collect();
    webhook_deliveries::settle(&mut work.tx, &deliveries).await?;
    let tried = sent.iter().filter(|sent| sent.was_tried).map(|sent| &sent.delivery);
    let tried: Vec<&WebhookDelivery> = tried.collect();
    let took = tried.iter().any(|delivery| delivery.status == DeliveryStatus::Delivered);
    let (failures, failing_since) = match (took, tried.is_empty()) {
        (true, _) => (0, None),
        (false, true) => (current.failures, current.failing_since),
        (false, false) => (current.failures.saturating_add(1), current.failing_since.or(Some(now))),
    };
    // After an outage. What one event is refused for is not mended by another that is taken.
    if took && current.failing_since.is_some_and(|since| now.since(since) >= OUTAGE) {
        webhook_deliveries::wake(&mut work.tx, id, now).await?;
    }
    let is_gone = tried.iter().any(|delivery| delivery.answer_status == Some(GONE));
    let is_dead = failing_since.is_some_and(|since| now.since(since) >= UNREACHABLE_AFTER);
    let paused = match (is_gone, is_dead) {
        (true, _) => Some(PauseReason::Gone),
        (false, true) => Some(PauseReason::Unreachable),
        (false, false) => None,
    };
    let is_paused = current.paused.is_some() || paused.is_some();
    let next = next_look(work, endpoint, next_position, now).await?;
    // When nothing is left to be taken, nothing is known of the endpoint any more.
    let (failures, failing_since) =
        if next.is_some() { (failures, failing_since) } else { (0, None) };
    let probe = (failures > 0 && !tried.is_empty()).then(|| now.plus(probe_after(failures)));
    let due_at =
        next.map(|next| probe.map_or(next, |probe| next.max(probe))).filter(|_| !is_paused);
    let settled = Settled { next_position, failures, failing_since, due_at };
    webhook_endpoints::settle(&mut work.tx, id, settled).await?;
    if let Some(reason) = paused.filter(|_| current.paused.is_none()) {
        webhook_endpoints::pause(&mut work.tx, id, reason, now).await?;
        let actor = Actor::system(endpoint.organization_id);
        let change = EndpointChange::Paused { reason };
        let event = Event::WebhookEndpointChanged { webhook_endpoint_id: id, change };
        work.record(&Caller { actor, request_id: None }, event)?;
    }
    Ok(())
}

/// When there is something to look at: now if there is more, or when something is to be tried again; in a few minutes at the latest,
/// when what was held back may have waited long enough. The row of the endpoint is locked: whoever gives a position to more has
/// changed it before, or does so afterwards.
async fn next_look(
    work: &mut Work<'_>,
    endpoint: &WebhookEndpoint,
    next_position: u64,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let (id, organization_id) = (endpoint.webhook_endpoint_id, endpoint.organization_id);
    let newer =
        organization_entries::has_newer(&mut work.tx, organization_id, next_position).await?;
    let held_since = now.minus(HELD_BACK);
    let again = webhook_deliveries::next_attempt(&mut work.tx, id, held_since).await?;
    let next = if newer { Some(now) } else { again };
    Ok(next.map(|next| next.min(now.plus(OUTAGE))))
}
