//! The record: entries are added, never changed and never removed.

#[cfg(test)]
pub(crate) mod meaning;

use super::db::{
    Answer, Executor, FromRow, Origin, Query, Row, Tx, Value, corrupt, query, run_each,
};
use super::record_queue::{self, QueuedEntry};
use super::{Page, StorageError};
use crate::audit;
use crate::audit::entry::RecordedEntry;
use crate::domain::event::AuditEntry;
use crate::domain::id::{AuditEntryId, GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO audit_entries (organization_id, entry_id, occurred_at, event, actor_kind, actor_id, \
    acting_for, grant_id, vehicle_id, user_id, command_id, request_id, details, personal_commitment) \
    VALUES {rows:uuid,uuid,bigint,text,text,uuid,uuid,uuid,uuid,uuid,uuid,text,text,bytea} ON CONFLICT DO NOTHING";
const KEEP_BESIDE: &str = "INSERT INTO personal_data (entry_id, salt, personal) VALUES {rows:uuid,bytea,text} ON CONFLICT DO NOTHING";
const LIST: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id < $2 \
    AND ($4 = '' OR event = $4) AND occurred_at >= $5 AND occurred_at < $6 ORDER BY entry_id DESC LIMIT $3";
/// Entries that have a position are found by whom they are about; those since the first that has
/// none are few, and looked through.
const LIST_ABOUT: &str = "SELECT * FROM (\
    SELECT * FROM (SELECT e.* FROM record_subjects s JOIN audit_entries e ON e.organization_id = $1 AND e.entry_id = s.entry_id \
    WHERE s.subject_id = $7 AND s.entry_id < $2 AND s.entry_id < COALESCE((SELECT lowest FROM record_queue ORDER BY lowest LIMIT 1), $9) \
    AND ($4 = '' OR e.event = $4) AND e.occurred_at >= $5 AND e.occurred_at < $6 AND ($8 = $7 OR e.grant_id = $8) \
    ORDER BY s.entry_id DESC LIMIT $3) AS placed UNION ALL \
    SELECT * FROM (SELECT e.* FROM audit_entries e WHERE e.organization_id = $1 AND e.entry_id < $2 AND e.entry_id >= COALESCE((SELECT lowest FROM record_queue ORDER BY lowest LIMIT 1), $9) \
    AND $7 IN (e.vehicle_id, e.user_id, e.actor_id, e.acting_for) \
    AND ($4 = '' OR e.event = $4) AND e.occurred_at >= $5 AND e.occurred_at < $6 AND ($8 = $7 OR e.grant_id = $8) \
    ORDER BY e.entry_id DESC LIMIT $3) AS waiting) AS known ORDER BY entry_id DESC LIMIT $3";
const VEHICLE_OF_GRANT: &str =
    "SELECT vehicle_id FROM grants WHERE organization_id = $1 AND grant_id = $2";
const FIND: &str = "SELECT * FROM audit_entries WHERE organization_id = $1 AND entry_id = $2";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[INSERT, KEEP_BESIDE, FIND, LIST, LIST_ABOUT, VEHICLE_OF_GRANT];

impl FromRow for RecordedEntry {
    const ORIGIN: Origin = Origin::of::<AuditEntryId>("audit_entries", "entry_id");

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

fn inserted(entry: &RecordedEntry) -> [Value; 14] {
    [
        entry.organization_id.into(),
        entry.entry_id.into(),
        entry.occurred_at.into(),
        entry.event.clone().into(),
        entry.actor_kind.clone().into(),
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

fn kept_beside(entry: &AuditEntry) -> Option<[Value; 3]> {
    let personal = entry.personal.as_ref()?;
    let salt = personal.salt.to_vec();
    Some([entry.entry_id.into(), salt.into(), audit::personal::text(personal).into()])
}

/// Adds entries to the record, in the transaction of what they describe (P1).
///
/// # Errors
/// [`StorageError::LostRace`] if one of them is there already; then nothing else of the transaction may
/// be kept either.
pub async fn insert_many(tx: &mut Tx, entries: &[AuditEntry]) -> Result<(), StorageError> {
    let [added, queued, _] = run_each(tx, additions(entries)).await?;
    must_be_added(entries, &added, &queued)
}

/// The statements that add entries, queue them for their positions, and keep what can be erased.
pub(super) fn additions(entries: &[AuditEntry]) -> [Query; 3] {
    let recorded: Vec<RecordedEntry> = entries.iter().map(RecordedEntry::of).collect();
    [
        query(INSERT).rows(recorded.iter().map(inserted)),
        record_queue::addition(recorded.iter().map(QueuedEntry::of).collect()),
        query(KEEP_BESIDE).rows(entries.iter().filter_map(kept_beside)),
    ]
}

/// Whether the first two of [`additions`] did all that they must.
pub(super) fn must_be_added(
    entries: &[AuditEntry],
    added: &Answer,
    queued: &Answer,
) -> Result<(), StorageError> {
    added.must_count(entries.len())?;
    queued.must_count(usize::from(!entries.is_empty()))
}

/// The entry of this name.
pub async fn find(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    entry_id: AuditEntryId,
) -> Result<Option<RecordedEntry>, StorageError> {
    query(FIND).bind(organization_id).bind(entry_id).fetch_optional(on).await
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
pub struct EntriesAbout {
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
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    filter: &EntriesAbout,
    page: Page,
) -> Result<Vec<RecordedEntry>, StorageError> {
    let listing = |sql| {
        query(sql)
            .bind(organization_id)
            .bind(page.before())
            .bind(page.limit)
            .bind(filter.event.as_deref().unwrap_or_default())
            .bind(filter.from.unwrap_or(Timestamp::MIN))
            .bind(filter.until.unwrap_or(Timestamp::MAX))
    };
    // An entry about a grant is about the grant's car too.
    let (about, grant) = match filter.subject {
        None => return listing(LIST).fetch_all(on).await,
        Some(Subject::Vehicle(vehicle_id)) => (vehicle_id.as_uuid(), None),
        Some(Subject::User(user_id)) => (user_id.as_uuid(), None),
        Some(Subject::Grant(grant_id)) => {
            let vehicle = query(VEHICLE_OF_GRANT).bind(organization_id).bind(grant_id);
            let Some(vehicle_id) = vehicle.fetch_optional(on).await? else { return Ok(Vec::new()) };
            (vehicle_id, Some(grant_id.as_uuid()))
        }
    };
    let listing = listing(LIST_ABOUT).bind(about).bind(grant.unwrap_or(about));
    listing.bind(uuid::Uuid::max()).fetch_all(on).await
}
