//! The record: entries are added, never changed and never removed.

use serde_json::Value as Json;

use super::db::{Connection, FromRow, Row, Tx, Value, corrupt, query};
use super::{Page, StorageError};
use crate::domain::actor::{Actor, Principal};
use crate::domain::event::AuditEntry;
use crate::domain::id::{AuditEntryId, CommandId, GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO audit_entries (entry_id, organization_id, occurred_at, event, actor_kind, actor_id, \
    acting_for, grant_id, vehicle_id, user_id, command_id, request_id, details) \
    VALUES {rows:uuid,uuid,bigint,text,text,uuid,uuid,uuid,uuid,uuid,uuid,text,text} ON CONFLICT DO NOTHING";
const LIST: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id < $2 \
    AND ($4 = '' OR event = $4) AND occurred_at >= $5 AND occurred_at < $6 ORDER BY entry_id DESC LIMIT $3";
const LIST_OF_GRANT: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id < $2 \
    AND ($4 = '' OR event = $4) AND occurred_at >= $5 AND occurred_at < $6 AND vehicle_id = (SELECT vehicle_id FROM grants WHERE grants.grant_id = $7) AND grant_id = $7 ORDER BY entry_id DESC LIMIT $3";
const LIST_OF_VEHICLE: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id < $2 \
    AND ($4 = '' OR event = $4) AND occurred_at >= $5 AND occurred_at < $6 AND vehicle_id = $7 ORDER BY entry_id DESC LIMIT $3";
const LIST_OF_USER: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id < $2 \
    AND ($4 = '' OR event = $4) AND occurred_at >= $5 AND occurred_at < $6 \
    AND (user_id = $7 OR actor_id = $7 OR acting_for = $7) ORDER BY entry_id DESC LIMIT $3";

const NEWEST: &str = "SELECT occurred_at FROM audit_entries ORDER BY entry_id DESC LIMIT 1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] =
    &[NEWEST, INSERT, LIST, LIST_OF_GRANT, LIST_OF_VEHICLE, LIST_OF_USER];

/// An entry as it is read back: words and ids, nothing to act on.
#[derive(Debug, Clone)]
pub struct StoredEntry {
    /// Its name.
    pub entry_id: AuditEntryId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    pub event: String,
    /// `user`, `api_client` or `system`.
    pub actor_kind: String,
    /// Who.
    pub actor_id: Option<uuid::Uuid>,
    /// For whom.
    pub acting_for: Option<UserId>,
    /// The grant it is about.
    pub grant_id: Option<GrantId>,
    /// The car it is about.
    pub vehicle_id: Option<VehicleId>,
    /// The person it is about.
    pub user_id: Option<UserId>,
    /// The command it is about.
    pub command_id: Option<CommandId>,
    /// The HTTP request.
    pub request_id: Option<String>,
    /// Whatever else was recorded.
    pub details: Json,
}

impl FromRow for StoredEntry {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let details: String = row.get("details")?;
        Ok(Self {
            entry_id: row.get("entry_id")?,
            occurred_at: row.get("occurred_at")?,
            event: row.get("event")?,
            actor_kind: row.get("actor_kind")?,
            actor_id: row.optional("actor_id")?,
            acting_for: row.optional("acting_for")?,
            grant_id: row.optional("grant_id")?,
            vehicle_id: row.optional("vehicle_id")?,
            user_id: row.optional("user_id")?,
            command_id: row.optional("command_id")?,
            request_id: row.optional("request_id")?,
            details: serde_json::from_str(&details).map_err(|error| corrupt("details", error))?,
        })
    }
}

fn actor(actor: &Actor) -> (&'static str, Option<uuid::Uuid>, Option<UserId>) {
    match &actor.principal {
        Principal::User { user_id, .. } => ("user", Some(user_id.as_uuid()), None),
        Principal::ApiClient { api_client_id, acting_for, .. } => {
            ("api_client", Some(api_client_id.as_uuid()), *acting_for)
        }
        Principal::System => ("system", None, None),
    }
}

fn inserted(entry: &AuditEntry) -> Vec<Value> {
    let subjects = entry.event.subjects();
    let (actor_kind, actor_id, acting_for) = actor(&entry.actor);
    vec![
        entry.entry_id.into(),
        entry.actor.organization_id.into(),
        entry.occurred_at.into(),
        entry.event.name().into(),
        actor_kind.into(),
        actor_id.into(),
        acting_for.into(),
        subjects.grant_id.into(),
        subjects.vehicle_id.into(),
        subjects.user_id.into(),
        subjects.command_id.into(),
        entry.request_id.as_deref().into(),
        Json::Object(entry.event.details()).to_string().into(),
    ]
}

/// Adds entries to the record, in the transaction of what they describe (P1).
///
/// # Errors
/// [`StorageError`]; then nothing else of the transaction may be kept either.
pub async fn insert_many(tx: &mut Tx, entries: &[AuditEntry]) -> Result<(), StorageError> {
    let added = query(INSERT).rows(entries.iter().map(inserted).collect()).execute(tx).await?;
    if added == entries.len() as u64 { Ok(()) } else { Err(StorageError::LostRace) }
}

/// When the newest entry was made, of whatever organization.
///
/// # Errors
/// [`StorageError`].
pub async fn newest(on: &mut impl Connection) -> Result<Option<Timestamp>, StorageError> {
    query(NEWEST).fetch_optional(on).await
}

/// The one thing that entries are about.
#[derive(Debug, Clone, Copy)]
pub enum Subject {
    /// This grant.
    Grant(GrantId),
    /// This car.
    Vehicle(VehicleId),
    /// This person, as subject or actor.
    User(UserId),
}

/// Which entries to list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Only those about this.
    pub subject: Option<Subject>,
    /// Only this event.
    pub event: Option<String>,
    /// Only at this time or later.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub until: Option<Timestamp>,
}

/// Entries, newest first.
///
/// # Errors
/// [`StorageError`].
pub async fn list(
    on: &mut impl Connection,
    organization_id: OrganizationId,
    filter: &Filter,
    page: Page,
) -> Result<Vec<StoredEntry>, StorageError> {
    let sql = match filter.subject {
        None => LIST,
        Some(Subject::Grant(_)) => LIST_OF_GRANT,
        Some(Subject::Vehicle(_)) => LIST_OF_VEHICLE,
        Some(Subject::User(_)) => LIST_OF_USER,
    };
    let listing = query(sql)
        .bind(organization_id)
        .bind(page.before())
        .bind(page.limit)
        .bind(filter.event.as_deref().unwrap_or_default())
        .bind(filter.from.unwrap_or(Timestamp::MIN))
        .bind(filter.until.unwrap_or(Timestamp::MAX));
    match filter.subject {
        None => listing,
        Some(Subject::Grant(grant_id)) => listing.bind(grant_id),
        Some(Subject::Vehicle(vehicle_id)) => listing.bind(vehicle_id),
        Some(Subject::User(user_id)) => listing.bind(user_id),
    }
    .fetch_all(on)
    .await
}
