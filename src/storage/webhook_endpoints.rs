//! Addresses that events are sent to. `due_at` is when one is looked at next: whoever gives entries their positions sets it for the
//! endpoints of their organizations, and whoever has sent what there was, for what is to be tried again.

use super::db::{Executor, FromRow, Origin, Readable, Row, Tx, corrupt, query};
use super::record::signed;
use super::{Page, StorageError};
use crate::domain::id::{OrganizationId, WebhookEndpointId};
use crate::domain::published::EventType;
use crate::domain::time::Timestamp;
use crate::domain::webhook::PauseReason;

const INSERT: &str = "INSERT INTO webhook_endpoints (webhook_endpoint_id, organization_id, url, description, types, secret, \
    next_position, failures, leased_until, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8)";
const FIND: &str =
    "SELECT * FROM webhook_endpoints WHERE organization_id = $1 AND webhook_endpoint_id = $2";
/// Until the transaction ends nobody else changes it, or takes up its deliveries.
const LOCK: &str = "UPDATE webhook_endpoints SET url = url WHERE organization_id = $1 AND webhook_endpoint_id = $2 RETURNING *";
const LIST: &str = "SELECT * FROM webhook_endpoints WHERE organization_id = $1 AND webhook_endpoint_id < $2 \
    ORDER BY webhook_endpoint_id DESC LIMIT $3";
const COUNT: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) FROM webhook_endpoints WHERE organization_id = $1";
const PAUSE: &str = "UPDATE webhook_endpoints SET paused_reason = $2, paused_at = $3, due_at = NULL WHERE webhook_endpoint_id = $1";
const RESUME: &str = "UPDATE webhook_endpoints SET paused_reason = NULL, paused_at = NULL, failures = 0, failing_since = NULL, due_at = $2 \
    WHERE webhook_endpoint_id = $1";
const ROTATE: &str = "UPDATE webhook_endpoints SET previous_secret = secret, previous_secret_until = $3, secret = $2 WHERE webhook_endpoint_id = $1";
const DELETE: &str = "DELETE FROM webhook_endpoints WHERE webhook_endpoint_id = $1";
const WAKE: &str = "UPDATE webhook_endpoints SET due_at = $1 WHERE organization_id IN (VALUES {rows:uuid}) \
    AND paused_at IS NULL AND (due_at IS NULL OR leased_until > 0 OR (failures = 0 AND due_at > $1))";
const WAKE_ONE: &str =
    "UPDATE webhook_endpoints SET due_at = $2 WHERE webhook_endpoint_id = $1 AND paused_at IS NULL";
const IS_DUE: &str = "SELECT webhook_endpoint_id FROM webhook_endpoints WHERE due_at <= $1 AND leased_until <= $2 LIMIT 1";
const FIRST_DUE: &str =
    "SELECT due_at FROM webhook_endpoints WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1";
const TAKE: &str = "UPDATE webhook_endpoints SET leased_until = $3 WHERE webhook_endpoint_id IN (SELECT webhook_endpoint_id \
    FROM webhook_endpoints WHERE due_at <= $1 AND leased_until <= $2 AND (failures > 0) = $4 ORDER BY due_at LIMIT $5) \
    AND due_at <= $1 AND leased_until <= $2 RETURNING *";
const HOLD_LEASE: &str = "UPDATE webhook_endpoints SET leased_until = leased_until WHERE webhook_endpoint_id = $1 AND leased_until = $2 RETURNING *";
const SETTLE: &str = "UPDATE webhook_endpoints SET next_position = $2, failures = $3, failing_since = $4, due_at = $5, leased_until = 0 \
    WHERE webhook_endpoint_id = $1";
const AWAITED: &str = "SELECT position FROM (SELECT e.next_position AS position FROM webhook_endpoints e WHERE e.paused_at IS NULL AND EXISTS \
    (SELECT 1 FROM organization_entries o WHERE o.organization_id = e.organization_id AND o.last_position >= e.next_position) \
    UNION ALL SELECT d.position FROM webhook_deliveries d WHERE d.next_attempt_at IS NOT NULL) AS awaited ORDER BY position LIMIT 1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    INSERT, FIND, LOCK, LIST, COUNT, PAUSE, RESUME, ROTATE, DELETE, WAKE, WAKE_ONE, IS_DUE,
    FIRST_DUE, TAKE, HOLD_LEASE, SETTLE, AWAITED,
];

/// An endpoint as stored.
#[derive(Debug, Clone)]
pub struct WebhookEndpoint {
    /// Identifies the endpoint; UUIDv7.
    pub webhook_endpoint_id: WebhookEndpointId,
    /// The organization whose events are sent.
    pub organization_id: OrganizationId,
    /// Where they are sent.
    pub url: String,
    /// What people call it.
    pub description: Option<String>,
    /// Only events of these types are sent; `None` for all.
    pub types: Option<Vec<EventType>>,
    /// The secret, sealed.
    pub secret: Vec<u8>,
    /// The secret before, sealed, and until when messages are signed with it too.
    pub previous_secret: Option<(Vec<u8>, Timestamp)>,
    /// Entries at positions below this were sent, or wait to be sent again, or are not for the endpoint.
    pub next_position: u64,
    /// Why nothing is sent, and since when.
    pub paused: Option<(PauseReason, Timestamp)>,
    /// How often in a row it took nothing.
    pub failures: i64,
    /// When the first of these was.
    pub failing_since: Option<Timestamp>,
    /// Until then one process is sending.
    pub leased_until: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

impl FromRow for WebhookEndpoint {
    const ORIGIN: Origin =
        Origin::of::<WebhookEndpointId>("webhook_endpoints", "webhook_endpoint_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let types: Option<String> = row.optional("types")?;
        let types: Option<Result<Vec<EventType>, _>> =
            types.map(|words| words.split_whitespace().map(str::parse).collect());
        let next_position: i64 = row.get("next_position")?;
        let next_position = u64::try_from(next_position);
        Ok(Self {
            webhook_endpoint_id: row.get("webhook_endpoint_id")?,
            organization_id: row.get("organization_id")?,
            url: row.get("url")?,
            description: row.optional("description")?,
            types: types.transpose().map_err(|why| corrupt("types", why))?,
            secret: row.get("secret")?,
            previous_secret: row
                .optional("previous_secret")?
                .zip(row.optional("previous_secret_until")?),
            next_position: next_position.map_err(|why| corrupt("next_position", why))?,
            paused: row.optional("paused_reason")?.zip(row.optional("paused_at")?),
            failures: row.get("failures")?,
            failing_since: row.optional("failing_since")?,
            leased_until: row.get("leased_until")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Adds an endpoint.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert(tx: &mut Tx, endpoint: &WebhookEndpoint) -> Result<(), StorageError> {
    let types = endpoint.types.as_ref().map(|types| {
        let words: Vec<&str> = types.iter().map(|one| one.as_str()).collect();
        words.join(" ")
    });
    query(INSERT)
        .bind(endpoint.webhook_endpoint_id)
        .bind(endpoint.organization_id)
        .bind(endpoint.url.as_str())
        .bind(endpoint.description.as_deref())
        .bind(types)
        .bind(endpoint.secret.clone())
        .bind(signed(endpoint.next_position))
        .bind(endpoint.created_at)
        .execute_one(tx)
        .await
}

/// One endpoint.
pub async fn find(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<Option<WebhookEndpoint>, StorageError> {
    query(FIND).bind(organization_id).bind(webhook_endpoint_id).fetch_optional(on).await
}

/// One endpoint, which nobody else changes until the transaction ends.
pub async fn lock(
    tx: &mut Tx,
    organization_id: OrganizationId,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<Option<WebhookEndpoint>, StorageError> {
    query(LOCK).bind(organization_id).bind(webhook_endpoint_id).fetch_optional(tx).await
}

/// Endpoints, newest first.
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    page: Page,
) -> Result<Vec<WebhookEndpoint>, StorageError> {
    query(LIST).bind(organization_id).bind(page.before()).bind(page.limit).fetch_all(on).await
}

/// How many endpoints an organization has.
pub async fn count(
    on: &mut impl Executor,
    organization_id: OrganizationId,
) -> Result<i64, StorageError> {
    Ok(query(COUNT).bind(organization_id).fetch_optional(on).await?.unwrap_or_default())
}

/// Sends nothing to an endpoint from now on.
pub async fn pause(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
    reason: PauseReason,
    now: Timestamp,
) -> Result<(), StorageError> {
    query(PAUSE).bind(webhook_endpoint_id).bind(reason).bind(now).execute_one(tx).await
}

/// Sends to an endpoint again, from where it was.
pub async fn resume(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
    now: Timestamp,
) -> Result<(), StorageError> {
    query(RESUME).bind(webhook_endpoint_id).bind(now).execute_one(tx).await
}

/// Gives an endpoint another secret. Messages are signed with the one before too until `until`.
pub async fn rotate(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
    secret: Vec<u8>,
    until: Timestamp,
) -> Result<(), StorageError> {
    query(ROTATE).bind(webhook_endpoint_id).bind(secret).bind(until).execute_one(tx).await
}

/// Forgets an endpoint.
pub async fn delete(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
) -> Result<(), StorageError> {
    query(DELETE).bind(webhook_endpoint_id).execute_one(tx).await
}

/// Has the endpoints of these organizations looked at. One that takes nothing is tried in its own time. The row of one that is being
/// sent to is changed all the same: whoever ends that waits for this transaction then, and sees what it brings.
pub async fn wake(
    tx: &mut Tx,
    organizations: impl IntoIterator<Item = OrganizationId>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let rows = organizations.into_iter().map(|organization_id| [organization_id.into()]);
    query(WAKE).bind(now).rows(rows).execute(tx).await.map(drop)
}

/// Has one endpoint looked at, unless it is paused.
pub async fn wake_one(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
    now: Timestamp,
) -> Result<(), StorageError> {
    query(WAKE_ONE).bind(webhook_endpoint_id).bind(now).execute(tx).await.map(drop)
}

/// Whether some endpoint is to be looked at that was due by then.
pub async fn is_due(
    on: &mut impl Executor,
    due_by: Timestamp,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let due = query(IS_DUE).bind(due_by).bind(now);
    let found: Option<WebhookEndpointId> = due.fetch_optional(on).await?;
    Ok(found.is_some())
}

/// When the first of all endpoints is to be looked at, if any is.
pub async fn first_due(on: &mut impl Executor) -> Result<Option<Timestamp>, StorageError> {
    query(FIRST_DUE).fetch_optional(on).await
}

/// Takes up to so many endpoints that are to be looked at and were due by then: those that took something the last time, or those that did not.
/// Nobody else takes them until `until`. One that cannot be read keeps no other waiting.
pub async fn take(
    tx: &mut Tx,
    failing: bool,
    due_by: Timestamp,
    now: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Readable<WebhookEndpoint>>, StorageError> {
    let take = query(TAKE).bind(due_by).bind(now).bind(until).bind(failing).bind(limit);
    take.fetch_all(tx).await
}

/// The endpoint as it is now, if it was taken until this time and by nobody else since; locked until the transaction ends.
pub async fn hold_lease(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
    leased_until: Timestamp,
) -> Result<Option<WebhookEndpoint>, StorageError> {
    query(HOLD_LEASE).bind(webhook_endpoint_id).bind(leased_until).fetch_optional(tx).await
}

/// What sending came to.
#[derive(Debug, Clone, Copy)]
pub struct Settled {
    /// Where to go on.
    pub next_position: u64,
    /// How often in a row it took nothing.
    pub failures: i64,
    /// When the first of these was.
    pub failing_since: Option<Timestamp>,
    /// When it is looked at next.
    pub due_at: Option<Timestamp>,
}

/// Keeps what sending came to, and gives the endpoint back.
pub async fn settle(
    tx: &mut Tx,
    webhook_endpoint_id: WebhookEndpointId,
    settled: Settled,
) -> Result<(), StorageError> {
    query(SETTLE)
        .bind(webhook_endpoint_id)
        .bind(signed(settled.next_position))
        .bind(settled.failures)
        .bind(settled.failing_since)
        .bind(settled.due_at)
        .execute_one(tx)
        .await
}

/// The first position whose entry may still have to be sent to an endpoint that is not paused.
pub async fn awaited(on: &mut impl Executor) -> Result<Option<u64>, StorageError> {
    let first: Option<i64> = query(AWAITED).fetch_optional(on).await?;
    Ok(first.and_then(|position| u64::try_from(position).ok()))
}
