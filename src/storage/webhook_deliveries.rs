//! What became of events that were sent to endpoints, and those that wait to be sent again. A delivery is named by its endpoint and
//! its event.

use super::db::{Executor, FromRow, Origin, Row, Tx, Value, query};
use super::record::signed;
use super::{Page, StorageError};
use crate::domain::id::{AuditEntryId, WebhookEndpointId};
use crate::domain::published::EventType;
use crate::domain::time::Timestamp;
use crate::domain::webhook::{DeliveryFault, DeliveryStatus};

const PUT: &str = "INSERT INTO webhook_deliveries (webhook_endpoint_id, event_id, event_type, position, subject_id, status, attempts, \
    next_attempt_at, attempted_at, answer_status, answer, fault, created_at) \
    VALUES {rows:uuid,uuid,text,bigint,uuid,text,bigint,bigint,bigint,bigint,text,text,bigint} \
    ON CONFLICT (webhook_endpoint_id, event_id) DO UPDATE SET subject_id = excluded.subject_id, status = excluded.status, \
    attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at, attempted_at = excluded.attempted_at, answer_status = excluded.answer_status, \
    answer = excluded.answer, fault = excluded.fault";
/// Unless somebody has it sent anew since it was read.
const SETTLE: &str = "INSERT INTO webhook_deliveries (webhook_endpoint_id, event_id, event_type, position, subject_id, status, attempts, \
    next_attempt_at, attempted_at, answer_status, answer, fault, created_at) \
    VALUES {rows:uuid,uuid,text,bigint,uuid,text,bigint,bigint,bigint,bigint,text,text,bigint} \
    ON CONFLICT (webhook_endpoint_id, event_id) DO UPDATE SET status = excluded.status, attempts = excluded.attempts, \
    next_attempt_at = excluded.next_attempt_at, attempted_at = excluded.attempted_at, answer_status = excluded.answer_status, \
    answer = excluded.answer, fault = excluded.fault \
    WHERE webhook_deliveries.attempts = excluded.attempts OR webhook_deliveries.attempts = excluded.attempts - 1";
const FIND: &str =
    "SELECT * FROM webhook_deliveries WHERE webhook_endpoint_id = $1 AND event_id = $2";
const LIST: &str = "SELECT * FROM webhook_deliveries WHERE webhook_endpoint_id = $1 AND event_id < $2 \
    AND (CAST($4 AS TEXT) IS NULL OR status = $4) ORDER BY event_id DESC LIMIT $3";
/// None that waits for an earlier one of the same subject, unless that one was first tried long ago.
const DUE: &str = "SELECT * FROM webhook_deliveries d WHERE d.webhook_endpoint_id = $1 AND d.next_attempt_at <= $2 AND NOT EXISTS \
    (SELECT 1 FROM webhook_deliveries b WHERE b.webhook_endpoint_id = $1 AND b.subject_id = d.subject_id \
    AND b.next_attempt_at IS NOT NULL AND b.position < d.position AND b.created_at > $3) ORDER BY d.position LIMIT $4";
const NEXT: &str = "SELECT d.next_attempt_at FROM webhook_deliveries d WHERE d.webhook_endpoint_id = $1 AND d.next_attempt_at IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM webhook_deliveries b WHERE b.webhook_endpoint_id = $1 AND b.subject_id = d.subject_id \
    AND b.next_attempt_at IS NOT NULL AND b.position < d.position AND b.created_at > $2) ORDER BY d.next_attempt_at LIMIT 1";
const WAITING_SUBJECTS: &str = "SELECT DISTINCT d.subject_id FROM (VALUES {rows:uuid}) AS v JOIN webhook_deliveries d ON d.subject_id = v.column1 \
    WHERE d.webhook_endpoint_id = $1 AND d.next_attempt_at IS NOT NULL AND d.created_at > $2";
const WAKE: &str = "UPDATE webhook_deliveries SET next_attempt_at = $2 WHERE webhook_endpoint_id = $1 AND next_attempt_at > $2";
const AFRESH: &str = "UPDATE webhook_deliveries SET next_attempt_at = $2, attempts = 0 WHERE webhook_endpoint_id = $1 AND next_attempt_at IS NOT NULL";
const DELETE_OF: &str = "DELETE FROM webhook_deliveries WHERE webhook_endpoint_id = $1";
const DELETE_OLD: &str = "DELETE FROM webhook_deliveries WHERE (webhook_endpoint_id, event_id) IN (SELECT webhook_endpoint_id, event_id \
    FROM webhook_deliveries WHERE event_id < $1 AND next_attempt_at IS NULL ORDER BY event_id LIMIT $2)";

/// Every statement of this file.
pub const STATEMENTS: &[&str] =
    &[PUT, SETTLE, FIND, LIST, DUE, NEXT, WAITING_SUBJECTS, WAKE, AFRESH, DELETE_OF, DELETE_OLD];

/// One event for one endpoint.
#[derive(Debug, Clone)]
pub struct WebhookDelivery {
    /// The endpoint.
    pub webhook_endpoint_id: WebhookEndpointId,
    /// The event.
    pub event_id: AuditEntryId,
    /// Its type; `None` for a test.
    pub event_type: Option<EventType>,
    /// Its position in the record.
    pub position: u64,
    /// What it has an order with others by: its grant, or its command.
    pub subject_id: Option<uuid::Uuid>,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, while it waits.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was tried last.
    pub attempted_at: Option<Timestamp>,
    /// The status that came back then.
    pub answer_status: Option<i64>,
    /// The beginning of what came back, or what went wrong.
    pub answer: Option<String>,
    /// Why it was not taken.
    pub fault: Option<DeliveryFault>,
    /// When it was first to be sent.
    pub created_at: Timestamp,
}

/// The word that a test has in the place of a type.
const TEST: &str = "webhook_endpoint.test";

impl FromRow for WebhookDelivery {
    const ORIGIN: Origin = Origin::of::<AuditEntryId>("webhook_deliveries", "event_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let event_type: String = row.get("event_type")?;
        let is_test = event_type == TEST;
        let position: i64 = row.get("position")?;
        Ok(Self {
            webhook_endpoint_id: row.get("webhook_endpoint_id")?,
            event_id: row.get("event_id")?,
            event_type: if is_test { None } else { Some(row.get("event_type")?) },
            position: position.try_into().map_err(|why| super::db::corrupt("position", why))?,
            subject_id: row.optional("subject_id")?,
            status: row.get("status")?,
            attempts: row.get("attempts")?,
            next_attempt_at: row.optional("next_attempt_at")?,
            attempted_at: row.optional("attempted_at")?,
            answer_status: row.optional("answer_status")?,
            answer: row.optional("answer")?,
            fault: row.optional("fault")?,
            created_at: row.get("created_at")?,
        })
    }
}

impl WebhookDelivery {
    /// An event that was not sent yet, to be sent now.
    #[must_use]
    pub const fn new(
        webhook_endpoint_id: WebhookEndpointId,
        (event_id, event_type): (AuditEntryId, EventType),
        position: u64,
        subject_id: Option<uuid::Uuid>,
        now: Timestamp,
    ) -> Self {
        Self {
            webhook_endpoint_id,
            event_id,
            event_type: Some(event_type),
            position,
            subject_id,
            status: DeliveryStatus::Waiting,
            attempts: 0,
            next_attempt_at: Some(now),
            attempted_at: None,
            answer_status: None,
            answer: None,
            fault: None,
            created_at: now,
        }
    }

    /// The word of its type.
    #[must_use]
    pub fn type_word(&self) -> &'static str {
        self.event_type.map_or(TEST, EventType::as_str)
    }
}

/// Keeps a delivery as it is now, whatever it was before.
pub async fn put(tx: &mut Tx, delivery: &WebhookDelivery) -> Result<(), StorageError> {
    query(PUT).rows(rows(std::slice::from_ref(delivery))).execute(tx).await.map(drop)
}

/// Keeps what became of deliveries, but for those that somebody has sent anew since they were read.
pub async fn settle(tx: &mut Tx, deliveries: &[WebhookDelivery]) -> Result<(), StorageError> {
    query(SETTLE).rows(rows(deliveries)).execute(tx).await.map(drop)
}

fn rows(deliveries: &[WebhookDelivery]) -> impl Iterator<Item = [Value; 13]> {
    deliveries.iter().map(|delivery| {
        [
            delivery.webhook_endpoint_id.into(),
            delivery.event_id.into(),
            delivery.type_word().into(),
            signed(delivery.position).into(),
            delivery.subject_id.into(),
            delivery.status.into(),
            delivery.attempts.into(),
            delivery.next_attempt_at.into(),
            delivery.attempted_at.into(),
            delivery.answer_status.into(),
            delivery.answer.clone().into(),
            delivery.fault.map(DeliveryFault::as_str).into(),
            delivery.created_at.into(),
        ]
    })
}

/// One delivery.
pub async fn find(
    on: &mut impl Executor,
    webhook_endpoint_id: WebhookEndpointId,
    event_id: AuditEntryId,
) -> Result<Option<WebhookDelivery>, StorageError> {
    query(FIND).bind(webhook_endpoint_id).bind(event_id).fetch_optional(on).await
}

/// The deliveries to an endpoint, newest event first.
pub async fn list(
    on: &mut impl Executor,
    webhook_endpoint_id: WebhookEndpointId,
    status: Option<DeliveryStatus>,
    page: Page,
) -> Result<Vec<WebhookDelivery>, StorageError> {
    query(LIST)
        .bind(webhook_endpoint_id)
        .bind(page.before())
        .bind(page.limit)
        .bind(status.map(DeliveryStatus::as_str))
        .fetch_all(on)
        .await
}

/// What waits and may be tried now, at most so many, in the order of the record. An event waits for an earlier one of its subject
/// that was first tried after `held_since`.
pub async fn due(
    on: &mut impl Executor,
    webhook_endpoint_id: WebhookEndpointId,
    now: Timestamp,
    held_since: Timestamp,
    limit: i64,
) -> Result<Vec<WebhookDelivery>, StorageError> {
    let due = query(DUE).bind(webhook_endpoint_id).bind(now).bind(held_since).bind(limit);
    due.fetch_all(on).await
}

/// When the first of those that wait for nothing but their time is tried.
pub async fn next_attempt(
    on: &mut impl Executor,
    webhook_endpoint_id: WebhookEndpointId,
    held_since: Timestamp,
) -> Result<Option<Timestamp>, StorageError> {
    query(NEXT).bind(webhook_endpoint_id).bind(held_since).fetch_optional(on).await
}

/// Those of these subjects of which something waits that was first tried after `held_since`.
pub async fn waiting_subjects(
    on: &mut impl Executor,
    webhook_endpoint_id: WebhookEndpointId,
    subjects: impl IntoIterator<Item = uuid::Uuid>,
    held_since: Timestamp,
) -> Result<Vec<uuid::Uuid>, StorageError> {
    let rows = subjects.into_iter().map(|subject| [subject.into()]);
    let waiting = query(WAITING_SUBJECTS).bind(webhook_endpoint_id).bind(held_since).rows(rows);
    waiting.fetch_all(on).await
}

/// Has everything that waits tried now.
pub async fn wake(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
    now: Timestamp,
) -> Result<(), StorageError> {
    query(WAKE).long().bind(webhook_endpoint_id).bind(now).execute(tx).await.map(drop)
}

/// Has everything that waits tried now, as if it had not been tried before.
pub async fn begin_afresh(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
    now: Timestamp,
) -> Result<(), StorageError> {
    query(AFRESH).long().bind(webhook_endpoint_id).bind(now).execute(tx).await.map(drop)
}

/// Forgets the deliveries to an endpoint.
pub async fn delete_of(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<(), StorageError> {
    query(DELETE_OF).long().bind(webhook_endpoint_id).execute(tx).await.map(drop)
}

/// Forgets at most so many deliveries of events with smaller ids that are not tried any more; returns how many.
pub async fn delete_old(
    tx: &mut Tx,
    before: AuditEntryId,
    limit: i64,
) -> Result<u64, StorageError> {
    query(DELETE_OLD).long().bind(before).bind(limit).execute(tx).await
}
