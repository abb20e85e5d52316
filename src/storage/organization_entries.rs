//! Which entries of an organization have which positions in the record: what its events are read by.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use super::record::{PlacedEntry, named, signed};
use super::record_queue::QueuedEntry;
use crate::domain::id::{AuditEntryId, OrganizationId};

const NOTE: &str = "INSERT INTO organization_entries (organization_id, last_position, entries) VALUES {rows:uuid,bigint,bytea} \
    ON CONFLICT (organization_id, last_position) DO UPDATE SET entries = excluded.entries";
const FROM: &str = "SELECT organization_id, last_position, entries FROM organization_entries WHERE organization_id = $1 AND last_position >= $2 \
    ORDER BY last_position LIMIT $3";
const LAST: &str = "SELECT last_position FROM organization_entries WHERE organization_id = $1 ORDER BY last_position DESC LIMIT 1";

const HAS_NEWER: &str = "SELECT last_position FROM organization_entries WHERE organization_id = $1 AND last_position >= $2 LIMIT 1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[NOTE, FROM, LAST, HAS_NEWER];

const PLACE_BYTES: usize = 8 + 16;
/// The most entries in one row.
const RUN_MAX: usize = 256;
/// So many rows are read at once. A row has as many entries as the organization had in one batch of the sequencer.
const RUNS_AT_ONCE: i64 = 32;

/// Some entries of an organization, and their positions.
struct Run(Vec<(u64, AuditEntryId)>);

impl FromRow for Run {
    const ORIGIN: Origin = Origin::of::<OrganizationId>("organization_entries", "organization_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let bytes: Vec<u8> = row.get("entries")?;
        let (places, rest) = bytes.as_chunks::<PLACE_BYTES>();
        let place = |bytes: &[u8; PLACE_BYTES]| {
            let (position, id) = bytes.split_first_chunk()?;
            let id = uuid::Uuid::from_slice(id).ok()?;
            Some((u64::from_be_bytes(*position), AuditEntryId::from_uuid(id)))
        };
        let run = places.iter().map(place).collect::<Option<_>>().filter(|_| rest.is_empty());
        run.map(Self).ok_or_else(|| corrupt("entries", "are not whole"))
    }
}

/// Notes the positions of entries that begin at `first`, for the organization of each.
pub async fn note(tx: &mut Tx, first: u64, entries: &[QueuedEntry]) -> Result<(), StorageError> {
    let mut placed: Vec<_> = (first..).zip(entries).collect();
    placed.sort_by_key(|(position, queued)| (queued.organization_id, *position));
    let same = placed.chunk_by(|(_, one), (_, next)| one.organization_id == next.organization_id);
    let runs = same.flat_map(|of_one| of_one.chunks(RUN_MAX)).filter_map(|run| {
        let (last, queued) = run.last()?;
        let mut bytes = Vec::with_capacity(run.len() * PLACE_BYTES);
        for (position, queued) in run {
            bytes.extend_from_slice(&position.to_be_bytes());
            bytes.extend_from_slice(queued.entry_id.as_uuid().as_bytes());
        }
        Some([queued.organization_id.into(), signed(*last).into(), bytes.into()])
    });
    query(NOTE).rows(runs).execute(tx).await.map(drop)
}

/// The positions of an organization's entries from a position on, in order, at most so many.
pub async fn places(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    from: u64,
    limit: usize,
) -> Result<Vec<(u64, AuditEntryId)>, StorageError> {
    let mut places: Vec<(u64, AuditEntryId)> = Vec::new();
    while places.len() < limit {
        let next = places.last().map_or(from, |(last, _)| last.saturating_add(1));
        let runs = query(FROM).bind(organization_id).bind(signed(next)).bind(RUNS_AT_ONCE);
        let runs: Vec<Run> = runs.fetch_all(on).await?;
        if runs.is_empty() {
            break;
        }
        let run = runs.into_iter().flat_map(|Run(run)| run);
        places.extend(run.filter(|(position, _)| *position >= next));
    }
    places.truncate(limit);
    Ok(places)
}

/// The entries at these positions, in order; whatever is not in the database is left out.
pub async fn entries(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    places: &[(u64, AuditEntryId)],
) -> Result<Vec<PlacedEntry>, StorageError> {
    let names = places.iter().map(|&(position, entry_id)| (position, (organization_id, entry_id)));
    named(on, names.collect()).await
}

/// Whether an organization has entries at this position or later.
pub async fn has_newer(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    position: u64,
) -> Result<bool, StorageError> {
    let newer = query(HAS_NEWER).bind(organization_id).bind(signed(position));
    Ok(newer.fetch_optional::<i64>(on).await?.is_some())
}

/// The position after the organization's last entry that has one.
pub async fn end(
    on: &mut impl Executor,
    organization_id: OrganizationId,
) -> Result<u64, StorageError> {
    let last: Option<i64> = query(LAST).bind(organization_id).fetch_optional(on).await?;
    let last = last.unwrap_or(-1);
    u64::try_from(last.saturating_add(1)).map_err(|error| corrupt("last_position", error))
}
