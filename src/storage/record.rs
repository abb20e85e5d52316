//! The tree over the record: the queue of entries without a position, positions, tiles, and the
//! state of all that.

use super::db::{Connection, FromRow, Row, Tx, corrupt, query};
use super::{StorageError, audit_entries};
use crate::audit::Hash;
use crate::audit::entry::RecordedEntry;
use crate::audit::tile::TileId;
use crate::domain::id::AuditEntryId;
use crate::domain::time::Timestamp;

const IS_WAITING: &str =
    "SELECT occurred_at FROM record_queue ORDER BY occurred_at, entry_id LIMIT 1";
const TAKE: &str = "DELETE FROM record_queue WHERE (occurred_at, entry_id) IN \
    (SELECT occurred_at, entry_id FROM record_queue ORDER BY occurred_at, entry_id LIMIT $1) \
    RETURNING occurred_at, entry_id, leaf_hash";
const HOLD: &str = "UPDATE record_state SET size = size WHERE only_row = 1 \
    RETURNING size, checkpoint, checkpoint_size, archived, dropped";
const STATE: &str = "SELECT size, checkpoint, checkpoint_size, archived, dropped FROM record_state WHERE only_row = 1";
const SET_SIZE: &str = "UPDATE record_state SET size = $1 WHERE only_row = 1";
const PUBLISH: &str = "UPDATE record_state SET checkpoint = $1, checkpoint_size = $2 \
    WHERE only_row = 1 AND size >= $2 AND (checkpoint IS NULL OR checkpoint_size < $2)";
const PLACE: &str = "INSERT INTO record_positions (position, entry_id) VALUES {rows:bigint,uuid} ON CONFLICT DO NOTHING";
const PUT_TILE: &str = "INSERT INTO record_tiles (level, number, hashes) VALUES ($1, $2, $3) \
    ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes";
const TILE: &str = "SELECT hashes FROM record_tiles WHERE level = $1 AND number = $2";
const POSITION: &str = "SELECT position FROM record_positions WHERE entry_id = $1";
const ENTRIES: &str = "SELECT e.*, p.position FROM record_positions p JOIN audit_entries e ON e.entry_id = p.entry_id \
    WHERE p.position >= $1 AND p.position < $2 ORDER BY p.position";
const ARCHIVE: &str = "UPDATE record_state SET archived = $2 WHERE only_row = 1 AND archived = $1 AND checkpoint_size >= $2";
// Nothing goes that an archive does not hold, whatever it is called with.
const DROP_ENTRIES: &str = "DELETE FROM audit_entries WHERE entry_id IN (SELECT entry_id FROM record_positions \
    WHERE position >= $1 AND position < $2 AND position < (SELECT archived FROM record_state WHERE only_row = 1))";
const DROP_PERSONAL_DATA: &str = "DELETE FROM personal_data WHERE entry_id IN (SELECT entry_id FROM record_positions \
    WHERE position >= $1 AND position < $2 AND position < (SELECT archived FROM record_state WHERE only_row = 1))";
const SET_DROPPED: &str =
    "UPDATE record_state SET dropped = $2 WHERE only_row = 1 AND dropped = $1 AND archived >= $2";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    IS_WAITING,
    TAKE,
    HOLD,
    STATE,
    SET_SIZE,
    PUBLISH,
    PLACE,
    PUT_TILE,
    TILE,
    POSITION,
    ENTRIES,
    ARCHIVE,
    DROP_ENTRIES,
    DROP_PERSONAL_DATA,
    SET_DROPPED,
];

/// How far the record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordState {
    /// So many entries have a position.
    pub size: u64,
    /// The newest checkpoint that was published.
    pub checkpoint: Option<Vec<u8>>,
    /// How many entries it covers.
    pub checkpoint_size: u64,
    /// Entries at positions below this are in an archive.
    pub archived: u64,
    /// Entries at positions below this are no longer in the database.
    pub dropped: u64,
}

impl FromRow for RecordState {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            size: unsigned("size", row.get("size")?)?,
            checkpoint: row.optional("checkpoint")?,
            checkpoint_size: unsigned("checkpoint_size", row.get("checkpoint_size")?)?,
            archived: unsigned("archived", row.get("archived")?)?,
            dropped: unsigned("dropped", row.get("dropped")?)?,
        })
    }
}

fn unsigned(column: &'static str, value: i64) -> Result<u64, StorageError> {
    u64::try_from(value).map_err(|error| corrupt(column, error))
}

/// No database holds more rows than this.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// An entry that waits for its position.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedEntry {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Its name.
    pub entry_id: AuditEntryId,
    /// Missing for entries from before there was a tree.
    pub leaf_hash: Option<Hash>,
}

impl FromRow for QueuedEntry {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let leaf_hash: Option<Vec<u8>> = row.optional("leaf_hash")?;
        let leaf_hash = leaf_hash.map(|bytes| {
            <[u8; 32]>::try_from(bytes).map_err(|_| corrupt("leaf_hash", "is not 32 bytes"))
        });
        Ok(Self {
            occurred_at: row.get("occurred_at")?,
            entry_id: row.get("entry_id")?,
            leaf_hash: leaf_hash.transpose()?.map(Hash),
        })
    }
}

/// An entry with its place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedEntry {
    /// 0 is the first.
    pub position: u64,
    /// The entry.
    pub entry: RecordedEntry,
}

impl FromRow for PlacedEntry {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let position = unsigned("position", row.get("position")?)?;
        Ok(Self { position, entry: RecordedEntry::from_row(row)? })
    }
}

/// When the first of the entries happened that have no position yet, if there are any.
///
/// # Errors
/// [`StorageError`].
pub async fn waiting_since(on: &mut impl Connection) -> Result<Option<Timestamp>, StorageError> {
    query(IS_WAITING).fetch_optional(on).await
}

/// How far the record is.
///
/// # Errors
/// [`StorageError`].
pub async fn state(on: &mut impl Connection) -> Result<RecordState, StorageError> {
    let state = query(STATE).fetch_optional(on).await?;
    state.ok_or_else(|| corrupt("record_state", "has no row"))
}

/// As [`state`]; from now on until the transaction ends, nobody else gives positions.
///
/// # Errors
/// [`StorageError::Conflict`] if somebody else does it for too long.
pub async fn hold(tx: &mut Tx) -> Result<RecordState, StorageError> {
    let state = query(HOLD).fetch_optional(tx).await?;
    state.ok_or_else(|| corrupt("record_state", "has no row"))
}

/// Takes the oldest entries off the queue, in the order in which they get their positions.
///
/// # Errors
/// [`StorageError`].
pub async fn take(tx: &mut Tx, limit: i64) -> Result<Vec<QueuedEntry>, StorageError> {
    let mut taken: Vec<QueuedEntry> = query(TAKE).bind(limit).fetch_all(tx).await?;
    taken.sort_unstable_by_key(|queued| (queued.occurred_at, queued.entry_id));
    Ok(taken)
}

/// The hash of the leaf that a queued entry is: for those that were queued without.
///
/// # Errors
/// [`StorageError::Corrupt`] if the entry is not there.
pub async fn leaf_hash(tx: &mut Tx, queued: &QueuedEntry) -> Result<Hash, StorageError> {
    if let Some(hash) = queued.leaf_hash {
        return Ok(hash);
    }
    let entry = audit_entries::find_any(tx, queued.entry_id).await?;
    let entry = entry.ok_or_else(|| corrupt("record_queue.entry_id", "there is no such entry"))?;
    Ok(entry.leaf_hash())
}

/// Gives entries the positions from `first` on, and records the new size.
///
/// # Errors
/// [`StorageError::LostRace`] if one of them has a position, or a position is taken.
pub async fn place(tx: &mut Tx, first: u64, entries: &[QueuedEntry]) -> Result<(), StorageError> {
    let rows = (first..).zip(entries);
    let rows = rows.map(|(position, queued)| vec![signed(position).into(), queued.entry_id.into()]);
    if query(PLACE).rows(rows.collect()).execute(tx).await? != entries.len() as u64 {
        return Err(StorageError::LostRace);
    }
    query(SET_SIZE).bind(signed(first.saturating_add(entries.len() as u64))).execute_one(tx).await
}

/// Keeps a tile, new or longer than it was.
///
/// # Errors
/// [`StorageError`].
pub async fn put_tile(tx: &mut Tx, tile: TileId, hashes: &[u8]) -> Result<(), StorageError> {
    let number = signed(tile.number);
    let put = query(PUT_TILE).bind(i64::from(tile.level)).bind(number).bind(hashes.to_vec());
    put.execute_one(tx).await
}

/// All hashes of a tile.
///
/// # Errors
/// [`StorageError`].
pub async fn tile(on: &mut impl Connection, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
    query(TILE).bind(i64::from(tile.level)).bind(signed(tile.number)).fetch_optional(on).await
}

/// Publishes a checkpoint, unless a newer one is; returns whether it did.
///
/// # Errors
/// [`StorageError`].
pub async fn publish(tx: &mut Tx, checkpoint: &[u8], size: u64) -> Result<bool, StorageError> {
    let published = query(PUBLISH).bind(checkpoint.to_vec()).bind(signed(size));
    Ok(published.execute(tx).await? == 1)
}

/// Where an entry is in the tree; `None` while it waits for its position.
///
/// # Errors
/// [`StorageError`].
pub async fn position(
    on: &mut impl Connection,
    entry_id: AuditEntryId,
) -> Result<Option<u64>, StorageError> {
    let position: Option<i64> = query(POSITION).bind(entry_id).fetch_optional(on).await?;
    position.map(|position| unsigned("position", position)).transpose()
}

/// The entries at these positions, in order; whatever is not in the database is left out.
///
/// # Errors
/// [`StorageError`].
pub async fn entries(
    on: &mut impl Connection,
    positions: std::ops::Range<u64>,
) -> Result<Vec<PlacedEntry>, StorageError> {
    query(ENTRIES).bind(signed(positions.start)).bind(signed(positions.end)).fetch_all(on).await
}

/// Notes that an archive holds the entries from `archived`, the value so far, to `end`.
///
/// # Errors
/// [`StorageError::LostRace`] if the value so far is another, or no checkpoint covers them.
pub async fn archive(tx: &mut Tx, archived: u64, end: u64) -> Result<(), StorageError> {
    query(ARCHIVE).bind(signed(archived)).bind(signed(end)).execute_one(tx).await
}

/// Drops the entries from `dropped`, the value so far, to `end`, with what is kept beside them;
/// their positions and hashes stay. Returns how many there were.
///
/// # Errors
/// [`StorageError::LostRace`] if the value so far is another, or not all are archived.
pub async fn drop_archived(tx: &mut Tx, dropped: u64, end: u64) -> Result<u64, StorageError> {
    let (from, to) = (signed(dropped), signed(end));
    query(SET_DROPPED).bind(from).bind(to).execute_one(tx).await?;
    query(DROP_PERSONAL_DATA).bind(from).bind(to).execute(tx).await?;
    query(DROP_ENTRIES).bind(from).bind(to).execute(tx).await
}
