//! The queue of entries that have no position in the tree yet. A transaction that records something
//! puts all its entries into one row, so that the queue costs a transaction one row and not each
//! entry several.

mod entry;
#[cfg(test)]
pub(crate) mod meaning;

use super::db::{FromRow, Row, Tx, corrupt, query};
use super::{StorageError, audit_entries};
use crate::domain::id::{AuditEntryId, OrganizationId};
use crate::domain::time::Timestamp;
use entry::ENTRY_BYTES;

pub use entry::QueuedEntry;

const ADD: &str = "INSERT INTO record_queue (first_at, first_id, entries, lowest, subjects) VALUES ($1, $2, $3, $4, $5)";
const IS_WAITING: &str = "SELECT first_at FROM record_queue ORDER BY first_at, first_id LIMIT 1";
const TAKE: &str = "DELETE FROM record_queue WHERE (first_at, first_id) IN \
    (SELECT first_at, first_id FROM record_queue ORDER BY first_at, first_id LIMIT $1) \
    RETURNING first_at, first_id, organization_id, entries, subjects";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[ADD, IS_WAITING, TAKE];

/// One row of the queue.
struct Queued {
    /// The order of its first entry.
    first: (Timestamp, AuditEntryId),
    /// Only rows of one entry that is older than the tree have it, and no entries.
    organization_id: Option<OrganizationId>,
    entries: Vec<QueuedEntry>,
    /// Only rows that are older than the column have entries without their subjects.
    has_subjects: bool,
}

impl FromRow for Queued {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let bytes: Vec<u8> = row.optional("entries")?.unwrap_or_default();
        let (parts, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let entries = parts.iter().map(QueuedEntry::read).collect::<Option<Vec<_>>>();
        let entries = entries.filter(|_| rest.is_empty());
        let mut entries = entries.ok_or_else(|| corrupt("entries", "are not whole entries"))?;
        let subjects: Option<Vec<u8>> = row.optional("subjects")?;
        if let Some(bytes) = &subjects {
            let mut bytes = bytes.as_slice();
            let read = entries.iter_mut().try_for_each(|entry| entry.read_subjects(&mut bytes));
            read.filter(|()| bytes.is_empty())
                .ok_or_else(|| corrupt("subjects", "are not those of the entries"))?;
        }
        Ok(Self {
            first: (row.get("first_at")?, row.get("first_id")?),
            organization_id: row.optional("organization_id")?,
            entries,
            has_subjects: subjects.is_some(),
        })
    }
}

/// Queues the entries of a transaction.
///
/// # Errors
/// [`StorageError`].
pub async fn add(tx: &mut Tx, entries: Vec<QueuedEntry>) -> Result<(), StorageError> {
    let Some((first_at, first_id)) = entries.iter().map(QueuedEntry::order).min() else {
        return Ok(());
    };
    let lowest = entries.iter().map(|entry| entry.entry_id).min();
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    let mut subjects = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    for entry in entries {
        entry.write(&mut bytes);
        entry.write_subjects(&mut subjects);
    }
    let added = query(ADD).bind(first_at).bind(first_id).bind(bytes).bind(lowest).bind(subjects);
    added.execute_one(tx).await
}

/// When the first of the entries happened that have no position yet, if there are any.
///
/// # Errors
/// [`StorageError`].
pub async fn waiting_since(
    on: &mut impl super::Executor,
) -> Result<Option<Timestamp>, StorageError> {
    query(IS_WAITING).fetch_optional(on).await
}

/// Takes the oldest entries off the queue, those of up to `limit` transactions, in the order in
/// which they get their positions. Whatever stays in the queue comes after all of them.
///
/// # Errors
/// [`StorageError`].
pub async fn take(tx: &mut Tx, limit: u16) -> Result<Vec<QueuedEntry>, StorageError> {
    let rows: Vec<Queued> = query(TAKE).bind(i64::from(limit)).fetch_all(tx).await?;
    let may_be_more = rows.len() >= usize::from(limit);
    let last = rows.iter().map(|row| row.first).max();
    let mut taken = Vec::new();
    for row in rows {
        match row.organization_id {
            Some(organization_id) => {
                taken.push(from_before(tx, organization_id, row.first).await?);
            }
            None if row.has_subjects => taken.extend(row.entries),
            None => {
                for entry in row.entries {
                    taken.push(from_before(tx, entry.organization_id, entry.order()).await?);
                }
            }
        }
    }
    taken.sort_unstable_by_key(QueuedEntry::order);
    // Entries of a row that is still in the queue may precede some of these.
    if let Some(last) = last.filter(|_| may_be_more) {
        let early = taken.partition_point(|entry| entry.order() <= last);
        add(tx, taken.split_off(early)).await?;
    }
    Ok(taken)
}

/// An entry that was queued when the queue held less than it does now, in its place of the order.
async fn from_before(
    tx: &mut Tx,
    organization_id: OrganizationId,
    (occurred_at, entry_id): (Timestamp, AuditEntryId),
) -> Result<QueuedEntry, StorageError> {
    let entry = audit_entries::find(tx, organization_id, entry_id).await?;
    let entry = entry.ok_or_else(|| corrupt("first_id", "there is no such entry"))?;
    Ok(QueuedEntry { occurred_at, ..QueuedEntry::of(&entry) })
}
