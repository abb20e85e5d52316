//! The record: entries are added, never changed and never removed.

use super::db::{Connection, FromRow, Row, Tx, Value, corrupt, query};
use super::{Page, StorageError};
use crate::audit;
use crate::audit::entry::RecordedEntry;
use crate::domain::event::AuditEntry;
use crate::domain::id::{AuditEntryId, GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO audit_entries (entry_id, organization_id, occurred_at, event, actor_kind, actor_id, \
    acting_for, grant_id, vehicle_id, user_id, command_id, request_id, details, personal_commitment) \
    VALUES {rows:uuid,uuid,bigint,text,text,uuid,uuid,uuid,uuid,uuid,uuid,text,text,bytea} ON CONFLICT DO NOTHING";
const QUEUE: &str = "INSERT INTO record_queue (occurred_at, entry_id, leaf_hash) VALUES {rows:bigint,uuid,bytea} ON CONFLICT DO NOTHING";
const KEEP_BESIDE: &str = "INSERT INTO personal_data (entry_id, salt, personal) VALUES {rows:uuid,bytea,text} ON CONFLICT DO NOTHING";
const LIST: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id < $2 \
    AND ($4 = '' OR event = $4) AND occurred_at >= $5 AND occurred_at < $6 ORDER BY entry_id DESC LIMIT $3";
const LIST_OF_GRANT: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id < $2 \
    AND ($4 = '' OR event = $4) AND occurred_at >= $5 AND occurred_at < $6 AND vehicle_id = (SELECT vehicle_id FROM grants WHERE grants.grant_id = $7) AND grant_id = $7 ORDER BY entry_id DESC LIMIT $3";
const LIST_OF_VEHICLE: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id < $2 \
    AND ($4 = '' OR event = $4) AND occurred_at >= $5 AND occurred_at < $6 AND vehicle_id = $7 ORDER BY entry_id DESC LIMIT $3";
const LIST_OF_USER: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id < $2 \
    AND ($4 = '' OR event = $4) AND occurred_at >= $5 AND occurred_at < $6 \
    AND (user_id = $7 OR actor_id = $7 OR acting_for = $7) ORDER BY entry_id DESC LIMIT $3";

const FIND: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id = $2";
const FIND_ANY: &str = "SELECT * FROM audit_entries WHERE entry_id = $1";
const NEWEST: &str = "SELECT occurred_at FROM audit_entries ORDER BY entry_id DESC LIMIT 1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    NEWEST,
    INSERT,
    QUEUE,
    KEEP_BESIDE,
    FIND,
    FIND_ANY,
    LIST,
    LIST_OF_GRANT,
    LIST_OF_VEHICLE,
    LIST_OF_USER,
];

impl FromRow for RecordedEntry {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let event: String = row.get("event")?;
        let actor_kind: String = row.get("actor_kind")?;
        let commitment: Option<Vec<u8>> = row.optional("personal_commitment")?;
        let commitment = commitment.map(|bytes| {
            bytes.try_into().map_err(|_| corrupt("personal_commitment", "is not 32 bytes"))
        });
        Ok(Self {
            entry_id: row.get("entry_id")?,
            organization_id: row.get("organization_id")?,
            occurred_at: row.get("occurred_at")?,
            event: event.into(),
            actor_kind: actor_kind.into(),
            actor_id: row.optional("actor_id")?,
            acting_for: row.optional("acting_for")?,
            grant_id: row.optional("grant_id")?,
            vehicle_id: row.optional("vehicle_id")?,
            user_id: row.optional("user_id")?,
            command_id: row.optional("command_id")?,
            request_id: row.optional("request_id")?,
            details: row.get("details")?,
            personal_commitment: commitment.transpose()?,
        })
    }
}

fn inserted(entry: &RecordedEntry) -> Vec<Value> {
    vec![
        entry.entry_id.into(),
        entry.organization_id.into(),
        entry.occurred_at.into(),
        entry.event.as_ref().into(),
        entry.actor_kind.as_ref().into(),
        entry.actor_id.into(),
        entry.acting_for.into(),
        entry.grant_id.into(),
        entry.vehicle_id.into(),
        entry.user_id.into(),
        entry.command_id.into(),
        entry.request_id.as_deref().into(),
        entry.details.as_str().into(),
        entry.personal_commitment.into(),
    ]
}

fn queued(entry: &RecordedEntry) -> Vec<Value> {
    vec![entry.occurred_at.into(), entry.entry_id.into(), entry.leaf_hash().0.into()]
}

fn kept_beside(entry: &AuditEntry) -> Option<Vec<Value>> {
    let personal = entry.personal.as_ref()?;
    let salt = personal.salt.to_vec();
    Some(vec![entry.entry_id.into(), salt.into(), audit::personal::text(personal).into()])
}

/// Adds entries to the record, in the transaction of what they describe (P1).
///
/// # Errors
/// [`StorageError`]; then nothing else of the transaction may be kept either.
pub async fn insert_many(tx: &mut Tx, entries: &[AuditEntry]) -> Result<(), StorageError> {
    let recorded: Vec<RecordedEntry> = entries.iter().map(RecordedEntry::of).collect();
    let added = query(INSERT).rows(recorded.iter().map(inserted).collect()).execute(tx).await?;
    if added != entries.len() as u64 {
        return Err(StorageError::LostRace);
    }
    query(QUEUE).rows(recorded.iter().map(queued).collect()).execute(tx).await?;
    query(KEEP_BESIDE).rows(entries.iter().filter_map(kept_beside).collect()).execute(tx).await?;
    Ok(())
}

/// The entry of this name.
///
/// # Errors
/// [`StorageError`].
pub async fn find(
    on: &mut impl Connection,
    organization_id: OrganizationId,
    entry_id: AuditEntryId,
) -> Result<Option<RecordedEntry>, StorageError> {
    query(FIND).bind(organization_id).bind(entry_id).fetch_optional(on).await
}

/// The entry of this name, of whatever organization.
///
/// # Errors
/// [`StorageError`].
pub(super) async fn find_any(
    on: &mut impl Connection,
    entry_id: AuditEntryId,
) -> Result<Option<RecordedEntry>, StorageError> {
    query(FIND_ANY).bind(entry_id).fetch_optional(on).await
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
) -> Result<Vec<RecordedEntry>, StorageError> {
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
