//! The strings behind the webhooks: registering them, ending them, and sending events by hand, also
//! such as no honest cloud would send.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::request::{parsed, unknown, wrong};
use crate::simulator::cloud::courier::{Courier, Letter, hex};
use crate::simulator::cloud::events::{self, Subject};
use crate::simulator::cloud::signals;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::cloud::webhook_endpoint::{EventVersion, WebhookEndpoint};
use crate::simulator::cloud::webhooks::{Book, Webhook};
use crate::simulator::doors::answer::Failure;
use crate::simulator::doors::call::Shared;
use crate::smartcar::ErrorKind;
use crate::smartcar::webhook::{EventError, Verification};

/// Cars that a new webhook hears of at once; of others it hears when they change.
const FIRST_MAX: usize = 1_000;
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// Body of `POST /_sim/webhooks`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    url: String,
    #[serde(default)]
    version: EventVersion,
    /// Codes; all signals without them.
    signals: Option<Vec<String>>,
    name: Option<String>,
}

/// `POST /_sim/webhooks`: asks the receiver to prove that it knows the secret. Only a right answer
/// makes the webhook; then it hears of every car that is shared.
pub(super) async fn register(State(cloud): Shared, body: Bytes) -> Result<Response, Failure> {
    let asked: Registration = parsed(&body)?;
    let url = Url::parse(&asked.url).ok();
    if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(wrong("`url` must begin with http:// or https://."));
    }
    let unknown = asked.signals.iter().flatten().find(|code| signals::find(code).is_none());
    if let Some(code) = unknown {
        return Err(wrong(format!("{code} is no signal.")));
    }
    let courier = Courier::new().map_err(|error| {
        tracing::error!(%error, "the simulator cannot build an HTTP client");
        Failure::new(ErrorKind::ServerInternal)
    })?;
    let webhook = Arc::new(Webhook {
        endpoint: WebhookEndpoint {
            id: cloud.secret()?,
            name: asked.name.unwrap_or_else(|| "simulated".to_owned()),
            url: asked.url,
            version: asked.version,
            signals: asked.signals,
        },
        courier,
        office: Arc::clone(&cloud.post_office),
        book: Book::default(),
    });
    verify(&cloud, &webhook).await?;
    if !cloud.webhooks.admit(Arc::clone(&webhook)) {
        return Err(wrong("There are too many webhooks."));
    }
    let shared = cloud.consents.find(|_| true);
    let mut places: Vec<usize> = shared.iter().map(|one| one.place).collect();
    places.sort_unstable();
    places.dedup();
    for place in places.into_iter().take(FIRST_MAX) {
        cloud.state_changed(place);
    }
    Ok((StatusCode::CREATED, Json(shown(&webhook))).into_response())
}

async fn verify(cloud: &Cloud, webhook: &Webhook) -> Result<(), Failure> {
    let challenge = hex(&cloud.entropy.bytes::<16>()?);
    let right = cloud.post_office.seal.of(challenge.as_bytes());
    let event = webhook.named(events::challenge(&webhook.endpoint, challenge))?;
    // A challenge is reported to arrive without a signature.
    let letter = Letter { signature: None, ..webhook.sealed(event)? };
    let refused = |why: &str| Err(wrong(format!("The webhook is not verified: {why}.")));
    let Some(answered) = webhook.courier.carry(&webhook.endpoint.url, letter).await else {
        return refused("there was no answer");
    };
    let proof = serde_json::from_slice::<Verification>(&answered.body);
    match proof {
        _ if !answered.is_taken() => refused(&format!("the answer was {}", answered.status)),
        Ok(proof) if proof.challenge == right => Ok(()),
        Ok(_) => refused("the challenge was signed with another secret"),
        Err(_) => refused("the answer is not a signed challenge"),
    }
}

/// `GET /_sim/webhooks`.
pub(super) async fn list(State(cloud): Shared) -> Json<Value> {
    let webhooks: Vec<Value> = cloud.webhooks.all().iter().map(|one| shown(one)).collect();
    Json(json!({ "webhooks": webhooks }))
}

/// `DELETE /_sim/webhooks/{id}`.
pub(super) async fn end(
    State(cloud): Shared,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    match cloud.webhooks.end(&id) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown()),
    }
}

/// Body of `POST /_sim/webhooks/{id}/deliver`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    vehicle_id: String,
    event: EventKind,
    error: Option<Trouble>,
    tamper: Option<Tamper>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventKind {
    State,
    Error,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trouble {
    #[serde(rename = "type")]
    error_type: String,
    code: Option<String>,
    state: Option<String>,
}

/// What no honest cloud would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tamper {
    /// The signature is that of another text.
    Signature,
    /// The last letter about the car, byte for byte.
    Replay,
    /// The car was last updated an hour ago.
    Old,
    /// The car will be updated in a minute.
    Early,
}

/// `POST /_sim/webhooks/{id}/deliver`: one event by hand; the answer tells what the receiver
/// answered, `null` if it did not. An honest delivery that failed is tried again later.
pub(super) async fn deliver(
    State(cloud): Shared,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Failure> {
    let webhook = cloud.webhooks.find(&id).ok_or_else(unknown)?;
    let asked: Delivery = parsed(&body)?;
    if asked.tamper == Some(Tamper::Replay) {
        let last = webhook.last_letter(&asked.vehicle_id);
        let last = last.ok_or_else(|| wrong("Nothing was delivered about this car yet."))?;
        let event: Value = serde_json::from_slice(&last.body).unwrap_or_default();
        return Ok(outcome(&event, webhook.carry(last).await.map(|answered| answered.status)));
    }
    let (place, car) = cloud.car(&asked.vehicle_id).ok_or_else(unknown)?;
    let consents = cloud.consents.at(place);
    let connection = consents.first().ok_or_else(|| wrong("Nobody shares this car."))?;
    let now = cloud.clock.now();
    let subject = Subject { car, connection, now };
    let event = match asked.event {
        EventKind::State => webhook.state_of(subject),
        EventKind::Error => {
            let error = asked.error.ok_or_else(|| wrong("`error` is missing."))?;
            let kind = ErrorKind::find(&error.error_type, error.code.as_deref())
                .ok_or_else(|| wrong("This type and code are not documented."))?;
            let state = error.state.as_deref().unwrap_or(EventError::ERROR);
            subject.error(&webhook.endpoint, kind, state)
        }
    };
    let mut event = webhook.named(event)?;
    let status = match asked.tamper {
        Some(Tamper::Signature) => {
            let mut letter = webhook.sealed(event.clone())?;
            letter.signature = Some(cloud.post_office.seal.of(b"something else"));
            webhook.carry(letter).await
        }
        Some(Tamper::Old | Tamper::Early | Tamper::Replay) => {
            let is_old = asked.tamper == Some(Tamper::Old);
            events::date(&mut event, if is_old { now.minus(HOUR) } else { now.plus(MINUTE) });
            webhook.carry(webhook.sealed(event.clone())?).await
        }
        None => {
            let answered = webhook.deliver(event.clone(), &asked.vehicle_id).await?;
            if !answered.as_ref().is_some_and(|answered| answered.is_taken()) {
                webhook.keep_telling(event.clone(), asked.vehicle_id, 1);
            }
            answered
        }
    };
    Ok(outcome(&event, status.map(|answered| answered.status)))
}

fn outcome(event: &Value, status: Option<u16>) -> Json<Value> {
    Json(json!({ "event_id": event.get("eventId"), "status": status }))
}

fn shown(webhook: &Webhook) -> Value {
    let endpoint = &webhook.endpoint;
    json!({
        "id": endpoint.id,
        "name": endpoint.name,
        "url": endpoint.url,
        "version": endpoint.version,
        "signals": endpoint.signals,
        "delivered": webhook.book.delivered.load(Ordering::Relaxed),
        "failed": webhook.book.failed.load(Ordering::Relaxed),
    })
}
