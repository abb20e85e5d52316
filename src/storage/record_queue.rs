//! The queue of entries that have no position in the tree yet. A transaction that records something
//! puts all its entries into one row, so that the queue costs a transaction one row and not each
//! entry several.

#[cfg(test)]
pub(crate) mod meaning;

use super::db::{FromRow, Row, Tx, corrupt, query};
use super::{StorageError, audit_entries};
use crate::audit::Hash;
use crate::audit::entry::RecordedEntry;
use crate::domain::id::{AuditEntryId, OrganizationId};
use crate::domain::time::Timestamp;

const ADD: &str =
    "INSERT INTO record_queue (first_at, first_id, entries, lowest) VALUES ($1, $2, $3, $4)";
const IS_WAITING: &str = "SELECT first_at FROM record_queue ORDER BY first_at, first_id LIMIT 1";
const TAKE: &str = "DELETE FROM record_queue WHERE (first_at, first_id) IN \
    (SELECT first_at, first_id FROM record_queue ORDER BY first_at, first_id LIMIT $1) \
    RETURNING first_at, first_id, organization_id, entries";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[ADD, IS_WAITING, TAKE];

/// Time, organization, name and hash of one entry, one after the other.
const ENTRY_BYTES: usize = 8 + 16 + 16 + 32;

/// An entry that waits for its position.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedEntry {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Its tenant.
    pub organization_id: OrganizationId,
    /// Its name.
    pub entry_id: AuditEntryId,
    /// The hash of the leaf that it is.
    pub leaf_hash: Hash,
}

impl QueuedEntry {
    /// What the queue needs to know of an entry.
    #[must_use]
    pub fn of(entry: &RecordedEntry) -> Self {
        Self {
            occurred_at: entry.occurred_at,
            organization_id: entry.organization_id,
            entry_id: entry.entry_id,
            leaf_hash: entry.leaf_hash(),
        }
    }

    /// Positions follow this order.
    const fn order(&self) -> (Timestamp, AuditEntryId) {
        (self.occurred_at, self.entry_id)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.occurred_at.as_unix_micros().to_be_bytes());
        bytes.extend_from_slice(self.organization_id.as_uuid().as_bytes());
        bytes.extend_from_slice(self.entry_id.as_uuid().as_bytes());
        bytes.extend_from_slice(&self.leaf_hash.0);
    }

    fn read(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (at, rest) = bytes.split_first_chunk()?;
        let (organization, rest) = rest.split_first_chunk()?;
        let (entry, hash) = rest.split_first_chunk()?;
        Some(Self {
            occurred_at: Timestamp::from_unix_micros(i64::from_be_bytes(*at))?,
            organization_id: OrganizationId::from_uuid(uuid::Uuid::from_bytes(*organization)),
            entry_id: AuditEntryId::from_uuid(uuid::Uuid::from_bytes(*entry)),
            leaf_hash: Hash(hash.try_into().ok()?),
        })
    }
}

/// One row of the queue.
struct Queued {
    /// The order of its first entry.
    first: (Timestamp, AuditEntryId),
    /// Only rows of one entry that is older than the tree have it, and no entries.
    organization_id: Option<OrganizationId>,
    entries: Vec<QueuedEntry>,
}

impl FromRow for Queued {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let bytes: Vec<u8> = row.optional("entries")?.unwrap_or_default();
        let (parts, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let entries = parts.iter().map(QueuedEntry::read).collect::<Option<Vec<_>>>();
        let entries = entries.filter(|_| rest.is_empty());
        Ok(Self {
            first: (row.get("first_at")?, row.get("first_id")?),
            organization_id: row.optional("organization_id")?,
            entries: entries.ok_or_else(|| corrupt("entries", "are not whole entries"))?,
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
    for entry in entries {
        entry.write(&mut bytes);
    }
    query(ADD).bind(first_at).bind(first_id).bind(bytes).bind(lowest).execute_one(tx).await
}

/// When the first of the entries happened that have no position yet, if there are any.
///
/// # Errors
/// [`StorageError`].
pub async fn waiting_since(
    on: &mut impl super::Connection,
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
            Some(organization_id) => taken.push(from_before(tx, organization_id, &row).await?),
            None => taken.extend(row.entries),
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

/// An entry that is older than the tree, which was queued by its name alone.
async fn from_before(
    tx: &mut Tx,
    organization_id: OrganizationId,
    row: &Queued,
) -> Result<QueuedEntry, StorageError> {
    let (occurred_at, entry_id) = row.first;
    let entry = audit_entries::find(tx, organization_id, entry_id).await?;
    let entry = entry.ok_or_else(|| corrupt("first_id", "there is no such entry"))?;
    Ok(QueuedEntry { occurred_at, organization_id, entry_id, leaf_hash: entry.leaf_hash() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let entry = QueuedEntry {
            occurred_at: Timestamp::from_unix_micros(1_800_000_000_123_456).unwrap(),
            organization_id: OrganizationId::from_uuid(uuid::Uuid::from_u128(1)),
            entry_id: AuditEntryId::from_uuid(uuid::Uuid::from_u128(2)),
            leaf_hash: Hash([3; 32]),
        };
        let mut bytes = Vec::new();
        entry.write(&mut bytes);
        let bytes: [u8; ENTRY_BYTES] = bytes.try_into().unwrap();
        assert_eq!(QueuedEntry::read(&bytes), Some(entry));
    }
}
