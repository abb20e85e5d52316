//! The tree over the record: which entries have which position and whom they are about, tiles, and
//! the state of all that.

use std::collections::HashMap;
use std::ops::Range;

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use super::record_queue::QueuedEntry;
use crate::audit::entry::RecordedEntry;
use crate::audit::tile::{TileId, WIDTH};
use crate::domain::id::{AuditEntryId, OrganizationId};
use crate::domain::time::Timestamp;

const LOCK: &str = "UPDATE record_state SET size = size WHERE only_row = 1 \
    RETURNING only_row, size, checkpoint, checkpoint_size, archived, dropped";
const STATE: &str = "SELECT only_row, size, checkpoint, checkpoint_size, archived, dropped FROM record_state WHERE only_row = 1";
const CHECKPOINT: &str =
    "SELECT checkpoint FROM record_state WHERE only_row = 1 AND checkpoint IS NOT NULL";
const SET_SIZE: &str = "UPDATE record_state SET size = $1, \
    newest_at = CASE WHEN newest_at > $2 THEN newest_at ELSE $2 END WHERE only_row = 1";
const NEWEST: &str = "SELECT at FROM (SELECT newest_at AS at FROM record_state UNION ALL SELECT MAX(first_at) FROM record_queue) AS known \
    WHERE at IS NOT NULL ORDER BY at DESC LIMIT 1";
const PUBLISH: &str = "UPDATE record_state SET checkpoint = $1, checkpoint_size = $2 \
    WHERE only_row = 1 AND size >= $2 AND (checkpoint IS NULL OR checkpoint_size < $2)";
const PUT_TILE: &str = "INSERT INTO record_tiles (level, number, hashes) VALUES ($1, $2, $3) \
    ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes";
const TILE: &str = "SELECT hashes FROM record_tiles WHERE level = $1 AND number = $2";
const PUT_BUNDLE: &str = "INSERT INTO record_bundles (number, entries, lowest, reached) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (number) DO UPDATE SET entries = excluded.entries, lowest = excluded.lowest, reached = excluded.reached";
const BUNDLES: &str = "SELECT number, entries, lowest, reached FROM record_bundles WHERE number >= $1 AND number < $2 ORDER BY number";
const BUNDLES_AROUND: &str = "SELECT number, entries, lowest, reached FROM record_bundles \
    WHERE reached >= $1 AND lowest <= $1 AND number >= $2 ORDER BY reached, number LIMIT 4";
const ENTRIES: &str = "SELECT e.* FROM (VALUES {rows:uuid,uuid}) AS v JOIN audit_entries e \
    ON e.organization_id = v.column1 AND e.entry_id = v.column2";

const NOTE_SUBJECTS: &str = "INSERT INTO record_subjects (subject_id, entry_id) VALUES {rows:uuid,uuid} ON CONFLICT DO NOTHING";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    LOCK,
    STATE,
    CHECKPOINT,
    SET_SIZE,
    NEWEST,
    PUBLISH,
    PUT_TILE,
    TILE,
    PUT_BUNDLE,
    BUNDLES,
    BUNDLES_AROUND,
    ENTRIES,
    NOTE_SUBJECTS,
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
    const ORIGIN: Origin = Origin::of::<i64>("record_state", "only_row");

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
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The name of an entry in the place where it is kept: its tenant's, and its own.
pub(super) type Name = (OrganizationId, AuditEntryId);

const NAME_BYTES: usize = 16 + 16;

/// Which entries have the positions of one bundle, as many as there are so far.
#[derive(Debug, Clone)]
struct Bundle {
    number: u64,
    /// Their names, one after the other.
    entries: Vec<u8>,
    /// The smallest name in it.
    lowest: AuditEntryId,
    /// The greatest name in it and in all bundles before it: an entry is in no bundle that ends
    /// before this reaches it. Names rise with time, so it is in one of the first that do.
    reached: AuditEntryId,
}

impl FromRow for Bundle {
    const ORIGIN: Origin = Origin::of::<i64>("record_bundles", "number");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            number: unsigned("number", row.get("number")?)?,
            entries: row.get("entries")?,
            lowest: row.get("lowest")?,
            reached: row.get("reached")?,
        })
    }
}

impl Bundle {
    fn push(&mut self, queued: &QueuedEntry) {
        self.entries.extend_from_slice(queued.organization_id.as_uuid().as_bytes());
        self.entries.extend_from_slice(queued.entry_id.as_uuid().as_bytes());
        self.lowest = self.lowest.min(queued.entry_id);
        self.reached = self.reached.max(queued.entry_id);
    }

    /// The names in it, each with its position.
    fn placed(&self) -> impl Iterator<Item = (u64, Name)> + '_ {
        let names = self.entries.as_chunks::<NAME_BYTES>().0.iter();
        let names = names.filter_map(|name| {
            let (organization, entry) = name.split_first_chunk()?;
            let entry: [u8; 16] = entry.try_into().ok()?;
            let organization_id = OrganizationId::from_uuid(uuid::Uuid::from_bytes(*organization));
            Some((organization_id, AuditEntryId::from_uuid(uuid::Uuid::from_bytes(entry))))
        });
        (self.number.saturating_mul(WIDTH)..).zip(names)
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

/// How far the record is.
///
/// # Errors
/// [`StorageError::Corrupt`] if the row is missing; another [`StorageError`] if the database does not
/// answer.
pub async fn state(on: &mut impl Executor) -> Result<RecordState, StorageError> {
    let state = query(STATE).fetch_optional(on).await?;
    state.ok_or_else(|| corrupt("record_state", "has no row"))
}

/// The newest checkpoint that was published. It reads nothing else, so that it can be asked of a schema of
/// another version.
pub async fn checkpoint(on: &mut impl Executor) -> Result<Option<Vec<u8>>, StorageError> {
    query(CHECKPOINT).fetch_optional(on).await
}

/// As [`state`]; from now on until the transaction ends, nobody else gives positions.
///
/// # Errors
/// [`StorageError::Conflict`] if somebody else does it for too long.
pub async fn lock(tx: &mut Tx) -> Result<RecordState, StorageError> {
    let state = query(LOCK).fetch_optional(tx).await?;
    state.ok_or_else(|| corrupt("record_state", "has no row"))
}

/// When the newest entry was made, of whatever organization.
pub async fn newest(on: &mut impl Executor) -> Result<Option<Timestamp>, StorageError> {
    query(NEWEST).fetch_optional(on).await
}

/// When the first entry happened that a tree of this size does not have; `None` if there is none,
/// or if it is not in the database any more.
pub async fn first_beyond(
    on: &mut impl Executor,
    size: u64,
) -> Result<Option<Timestamp>, StorageError> {
    let first = entries(on, size..size.saturating_add(1)).await?;
    Ok(first.first().map(|placed| placed.entry.occurred_at))
}

/// Gives entries the positions from `first` on, notes whom they are about, and records the new size.
///
/// # Errors
/// [`StorageError::Corrupt`] if there are not as many entries with a position as `first` says.
pub async fn place(tx: &mut Tx, first: u64, entries: &[QueuedEntry]) -> Result<(), StorageError> {
    let mut before = match first.checked_sub(1) {
        Some(last) => bundles(tx, last / WIDTH..last / WIDTH + 1).await?.pop(),
        None => None,
    };
    let held = before.as_ref().and_then(|bundle| bundle.placed().last());
    if held.map_or(0, |(position, _)| position + 1) != first {
        return Err(corrupt("record_bundles.entries", "are not as many as the record has"));
    }
    let Some(newest) = entries.iter().map(|queued| queued.occurred_at).max() else { return Ok(()) };
    let mut size = first;
    let mut waiting = entries;
    while let Some(next) = waiting.first() {
        let room = usize::try_from(WIDTH - size % WIDTH).unwrap_or(usize::MAX);
        let (fitting, rest) = waiting.split_at(room.min(waiting.len()));
        let number = size / WIDTH;
        let reached = before.as_ref().map_or(next.entry_id, |bundle| bundle.reached);
        let fresh = || Bundle { number, entries: Vec::new(), lowest: next.entry_id, reached };
        let mut bundle = before.filter(|bundle| bundle.number == number).unwrap_or_else(fresh);
        fitting.iter().for_each(|queued| bundle.push(queued));
        put_bundle(tx, &bundle).await?;
        size = size.saturating_add(fitting.len() as u64);
        (before, waiting) = (Some(bundle), rest);
    }
    note_subjects(tx, entries).await?;
    query(SET_SIZE).bind(signed(size)).bind(newest).execute_one(tx).await
}

/// Notes whom entries are about, in the order in which the table is kept.
async fn note_subjects(tx: &mut Tx, entries: &[QueuedEntry]) -> Result<(), StorageError> {
    let about = |queued: &QueuedEntry| {
        let entry_id = queued.entry_id.as_uuid();
        queued.subjects.iter().map(move |&subject| (subject, entry_id)).collect::<Vec<_>>()
    };
    let mut noted: Vec<_> = entries.iter().flat_map(about).collect();
    noted.sort_unstable();
    let rows = noted.into_iter().map(|(subject, entry)| [subject.into(), entry.into()]);
    query(NOTE_SUBJECTS).rows(rows).execute(tx).await.map(drop)
}

async fn put_bundle(tx: &mut Tx, bundle: &Bundle) -> Result<(), StorageError> {
    let put = query(PUT_BUNDLE).bind(signed(bundle.number)).bind(bundle.entries.clone());
    put.bind(bundle.lowest).bind(bundle.reached).execute_one(tx).await
}

async fn bundles(on: &mut impl Executor, numbers: Range<u64>) -> Result<Vec<Bundle>, StorageError> {
    query(BUNDLES).bind(signed(numbers.start)).bind(signed(numbers.end)).fetch_all(on).await
}

/// Keeps a tile, new or longer than it was.
pub async fn put_tile(tx: &mut Tx, tile: TileId, hashes: &[u8]) -> Result<(), StorageError> {
    let number = signed(tile.number);
    let put = query(PUT_TILE).bind(i64::from(tile.level)).bind(number).bind(hashes.to_vec());
    put.execute_one(tx).await
}

/// All hashes of a tile.
pub async fn tile(on: &mut impl Executor, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
    query(TILE).bind(i64::from(tile.level)).bind(signed(tile.number)).fetch_optional(on).await
}

/// Publishes a checkpoint, unless a newer one is; returns whether it did.
pub async fn publish(tx: &mut Tx, checkpoint: &[u8], size: u64) -> Result<bool, StorageError> {
    let published = query(PUBLISH).bind(checkpoint.to_vec()).bind(signed(size));
    Ok(published.execute(tx).await? == 1)
}

/// Where an entry is in the tree; `None` while it waits for its position.
pub async fn position(
    on: &mut impl Executor,
    entry_id: AuditEntryId,
) -> Result<Option<u64>, StorageError> {
    let mut from = 0;
    loop {
        let around = query(BUNDLES_AROUND).bind(entry_id).bind(signed(from));
        let around: Vec<Bundle> = around.fetch_all(on).await?;
        let Some(last) = around.last() else { return Ok(None) };
        from = last.number.saturating_add(1);
        let mut placed = around.iter().flat_map(Bundle::placed);
        if let Some((position, _)) = placed.find(|(_, (_, name))| *name == entry_id) {
            return Ok(Some(position));
        }
    }
}

/// The names of the entries at these positions, in order.
pub(super) async fn names(
    on: &mut impl Executor,
    positions: Range<u64>,
) -> Result<Vec<(u64, Name)>, StorageError> {
    let numbers = positions.start / WIDTH..positions.end.div_ceil(WIDTH);
    let bundles = bundles(on, numbers).await?;
    let placed = bundles.iter().flat_map(Bundle::placed);
    Ok(placed.filter(|(position, _)| positions.contains(position)).collect())
}

/// The entries at these positions, in order; whatever is not in the database is left out.
pub async fn entries(
    on: &mut impl Executor,
    positions: Range<u64>,
) -> Result<Vec<PlacedEntry>, StorageError> {
    let placed = names(on, positions).await?;
    named(on, placed).await
}

/// The entries of these names, in their order; whatever is not in the database is left out.
pub(super) async fn named(
    on: &mut impl Executor,
    placed: Vec<(u64, Name)>,
) -> Result<Vec<PlacedEntry>, StorageError> {
    let names = placed.iter().map(|(_, (tenant, entry))| [(*tenant).into(), (*entry).into()]);
    let found: Vec<RecordedEntry> = query(ENTRIES).rows(names).fetch_all(on).await?;
    let mut found: HashMap<AuditEntryId, RecordedEntry> =
        found.into_iter().map(|entry| (entry.entry_id, entry)).collect();
    let entries = placed.into_iter().filter_map(|(position, (_, name))| {
        found.remove(&name).map(|entry| PlacedEntry { position, entry })
    });
    Ok(entries.collect())
}
