//! The queue of entries that have no position in the tree yet. A transaction that records something
//! puts all its entries into one row, so that the queue costs a transaction one row and not each
//! entry several.

mod entry;
#[cfg(test)]
pub(crate) mod meaning;

use super::StorageError;
use super::db::{FromRow, Origin, Query, Row, Tx, corrupt, query, run_each};
use crate::domain::id::AuditEntryId;
use crate::domain::time::Timestamp;
use entry::ENTRY_BYTES;

pub use entry::QueuedEntry;

const ADD: &str = "INSERT INTO record_queue (first_at, first_id, entries, lowest, subjects) \
    VALUES {rows:bigint,uuid,bytea,uuid,bytea} ON CONFLICT DO NOTHING";
const IS_WAITING: &str = "SELECT first_at FROM record_queue ORDER BY first_at, first_id LIMIT 1";
const TAKE: &str = "DELETE FROM record_queue WHERE (first_at, first_id) IN \
    (SELECT first_at, first_id FROM record_queue ORDER BY first_at, first_id LIMIT $1) \
    RETURNING first_at, first_id, entries, subjects";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[ADD, IS_WAITING, TAKE];

/// One row of the queue.
struct Queued {
    /// The order of its first entry.
    first: (Timestamp, AuditEntryId),
    entries: Vec<QueuedEntry>,
}

impl FromRow for Queued {
    const ORIGIN: Origin = Origin::of::<AuditEntryId>("record_queue", "first_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let (bytes, subjects): (Vec<u8>, Vec<u8>) = (row.get("entries")?, row.get("subjects")?);
        let (parts, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let entries = parts.iter().map(QueuedEntry::read).collect::<Option<Vec<_>>>();
        let entries = entries.filter(|_| rest.is_empty());
        let mut entries = entries.ok_or_else(|| corrupt("entries", "are not whole entries"))?;
        let mut rest = subjects.as_slice();
        let read = entries.iter_mut().try_for_each(|entry| entry.read_subjects(&mut rest));
        read.filter(|()| rest.is_empty())
            .ok_or_else(|| corrupt("subjects", "are not those of the entries"))?;
        Ok(Self { first: (row.get("first_at")?, row.get("first_id")?), entries })
    }
}

/// The statement that queues the entries of a transaction as one row; for none, no row.
pub(super) fn addition(entries: Vec<QueuedEntry>) -> Query {
    let first = entries.iter().map(QueuedEntry::order).min();
    let lowest = entries.iter().map(|entry| entry.entry_id).min();
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    let mut subjects = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    for entry in entries {
        entry.write(&mut bytes);
        entry.write_subjects(&mut subjects);
    }
    let row = first.map(|(first_at, first_id)| {
        [first_at.into(), first_id.into(), bytes.into(), lowest.into(), subjects.into()]
    });
    query(ADD).rows(row)
}

/// Queues the entries of a transaction.
///
/// # Errors
/// [`StorageError::LostRace`] if they are queued already.
pub async fn add(tx: &mut Tx, entries: Vec<QueuedEntry>) -> Result<(), StorageError> {
    let rows = usize::from(!entries.is_empty());
    let [queued] = run_each(tx, [addition(entries)]).await?;
    queued.must_count(rows)
}

/// When the first of the entries happened that have no position yet, if there are any.
pub async fn waiting_since(
    on: &mut impl super::Executor,
) -> Result<Option<Timestamp>, StorageError> {
    query(IS_WAITING).fetch_optional(on).await
}

/// Takes the oldest entries off the queue, those of up to `limit` transactions, in the order in
/// which they get their positions. Whatever stays in the queue comes after all of them.
pub async fn take(tx: &mut Tx, limit: u16) -> Result<Vec<QueuedEntry>, StorageError> {
    let rows: Vec<Queued> = query(TAKE).bind(i64::from(limit)).fetch_all(tx).await?;
    let may_be_more = rows.len() >= usize::from(limit);
    let last = rows.iter().map(|row| row.first).max();
    let mut taken: Vec<QueuedEntry> = rows.into_iter().flat_map(|row| row.entries).collect();
    taken.sort_unstable_by_key(QueuedEntry::order);
    // Entries of a row that is still in the queue may precede some of these.
    if let Some(last) = last.filter(|_| may_be_more) {
        let early = taken.partition_point(|entry| entry.order() <= last);
        add(tx, taken.split_off(early)).await?;
    }
    Ok(taken)
}
