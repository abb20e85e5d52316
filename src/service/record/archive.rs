//! Moving old entries out of the database into files: whole bundles, each checked against the
//! signed tree and durable in the archive before anything is dropped. Hashes and positions stay.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use super::Record;
use super::export::{CopyError, Covering, newest, turn};
use super::tiles::ask;
use super::{RolledBack, examine, verifier_keys};
use crate::audit::bundle;
use crate::audit::checkpoint::{self, TreeHead};
use crate::audit::files::{BUNDLE_LENGTH_MAX, Files as _};
use crate::audit::tile::{TileId, TileSlice, WIDTH};
use crate::audit::tree::{Tiles, proves_entry};
use crate::disk::folder::{Folder, Turn};
use crate::domain::actor::Actor;
use crate::domain::event::Event;
use crate::domain::id::OrganizationId;
use crate::domain::time::Timestamp;
use crate::service::{Base, Caller, Error};
use crate::storage::record::{self, PlacedEntry};
use crate::storage::{Priority, Reader, record_archive, webhook_endpoints};

/// At most so many entries are dropped in one transaction, so that nobody waits long for it.
const DROPPED_AT_ONCE: u64 = 4 * WIDTH;

/// Entries wait for webhook endpoints that are not paused until they are so old.
const AWAITED_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What archiving did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// These positions were archived now.
    pub now: Range<u64>,
    /// Why the next entry was not, if there is one.
    pub next: Option<Unready>,
}

/// Why entries cannot be archived yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    /// Only bundles that are full, and whose signed tree covers them, are archived.
    #[error("entries from {0} on do not fill a bundle of 256 that the newest checkpoint covers")]
    NotCovered(u64),
    /// They may still have to be sent to a webhook endpoint, and are not so old that nobody waits for that any more.
    #[error("entries from {0} on are kept: a webhook endpoint has not been sent them yet")]
    Awaited(u64),
    /// One of the bundle's entries is not that old.
    #[error("entries {first} to {last} are kept: the newest of them is of {newest}")]
    TooYoung {
        /// The first position of the bundle.
        first: u64,
        /// Its last.
        last: u64,
        /// When the newest of them happened.
        newest: Timestamp,
    },
}

/// Why nothing, or nothing more, was archived.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The database does not continue what was signed.
    #[error(transparent)]
    RolledBack(#[from] RolledBack),
    /// The entry is not the one whose hash was signed.
    #[error("entry {0} is not the one that was signed; nothing of its bundle was archived")]
    Changed(u64),
    /// The archive holds other entries.
    #[error("{0} is in the archive already, and holds other entries than the database")]
    OtherArchive(String),
    /// Somebody else is archiving.
    #[error("another process has archived meanwhile; nothing was dropped by this one")]
    Overtaken,
    /// The copy.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Anything else of ours.
    #[error(transparent)]
    Service(#[from] Error),
}

impl From<crate::storage::StorageError> for ArchiveError {
    fn from(error: crate::storage::StorageError) -> Self {
        Self::Service(error.into())
    }
}

impl From<crate::disk::folder::FolderError> for ArchiveError {
    fn from(error: crate::disk::folder::FolderError) -> Self {
        Self::Copy(error.into())
    }
}

/// Archives what is older than `before`, from the oldest entry on, in three steps: the files are
/// written; it is noted that they are there, and recorded; the entries are dropped. A run that is
/// cut off is gone on with by the next, which checks and writes again what is not dropped yet.
///
/// # Errors
/// [`ArchiveError`].
pub async fn archive(
    log: &Record,
    folder: &Folder,
    before: Timestamp,
) -> Result<Archived, ArchiveError> {
    let written = write(log, folder, before).await?;
    note(&log.base, &written).await?;
    drop_archived(&log.base).await?;
    Ok(Archived { now: written.archived..written.end, next: written.next })
}

/// What [`write`] put into the archive.
#[derive(Debug)]
pub struct WrittenBundles {
    /// What the database said was archived before.
    archived: u64,
    /// Up to here the archive holds everything that the database does not.
    end: u64,
    /// Of whom entries were archived now.
    organizations: BTreeSet<OrganizationId>,
    next: Option<Unready>,
}

/// The first step: writes whole bundles. Nothing in the database changes. The tree over them is
/// not copied: it stays in the database, and so in every export.
///
/// # Errors
/// [`ArchiveError`].
pub async fn write(
    log: &Record,
    folder: &Folder,
    before: Timestamp,
) -> Result<WrittenBundles, ArchiveError> {
    if let Some(rolled_back) = examine(log).await? {
        return Err(rolled_back.into());
    }
    let turn = turn(folder)?;
    let mut reader = log.base.store.read().await?;
    let newest = signed(log, &mut reader).await?;
    let state = record::state(&mut reader).await?;
    let awaited = webhook_endpoints::awaited(&mut reader).await?;
    let kept_since = log.base.clock.now().minus(AWAITED_MAX);
    let (archived, organizations) = (state.archived, BTreeSet::new());
    let mut written = WrittenBundles { archived, end: state.archived, organizations, next: None };
    for first in (state.dropped..).step_by(256) {
        let end = first.saturating_add(WIDTH);
        if end > newest.head.size {
            written.next = (first < state.size).then_some(Unready::NotCovered(first));
            break;
        }
        let placed = record::entries(&mut reader, first..end).await?;
        let youngest = placed.iter().map(|placed| placed.entry.occurred_at).max();
        if let Some(newest) = youngest.filter(|&at| at >= before && first >= archived) {
            written.next = Some(Unready::TooYoung { first, last: end - 1, newest });
            break;
        }
        let is_awaited = awaited.is_some_and(|position| position < end);
        if first >= archived && is_awaited && youngest.is_some_and(|at| at > kept_since) {
            written.next = Some(Unready::Awaited(first));
            break;
        }
        check(&mut reader, newest.head, first, &placed).await?;
        keep(&turn, first, &placed)?;
        if first >= archived {
            written.organizations.extend(placed.iter().map(|placed| placed.entry.organization_id));
            written.end = end;
        }
    }
    Ok(written)
}

/// The newest checkpoint, if it is one of this service's.
async fn signed(log: &Record, reader: &mut Reader) -> Result<Covering, ArchiveError> {
    let newest = newest(reader, log.witnesses.quorum()).await?;
    let origin = log.origin();
    let keys = verifier_keys(&log.base.keys(), origin).map_err(Error::internal)?;
    match checkpoint::open(&newest.note, origin, &keys) {
        Ok(_) => Ok(newest),
        Err(source) => {
            let place = "the database".to_owned();
            Err(CopyError::Checkpoint { place, source }.into())
        }
    }
}

/// Whether these are the entries of a bundle of the signed tree.
async fn check(
    reader: &mut Reader,
    head: TreeHead,
    first: u64,
    placed: &[PlacedEntry],
) -> Result<(), ArchiveError> {
    let mut tiles = Tiles::default();
    let proof = ask(reader, &mut tiles, |tiles| tiles.prove_entry(first, head.size)).await?;
    let tile = tiles.get(TileId { level: 0, number: first / WIDTH }).unwrap_or_default();
    let hashes = crate::audit::tree::hashes(tile);
    for position in first..first + WIDTH {
        let at = usize::try_from(position - first).unwrap_or(usize::MAX);
        let entry = placed.get(at).filter(|placed| placed.position == position);
        let entry = entry.ok_or(CopyError::NoEntry(position))?;
        let hash = entry.entry.leaf_hash();
        // The proof of the first leads over all hashes of its tile to the root.
        let is_proved = at > 0 || proves_entry(&proof, head.size, head.root, position, hash);
        if !is_proved || hashes.get(at) != Some(&hash) {
            return Err(ArchiveError::Changed(position));
        }
    }
    Ok(())
}

/// Writes a bundle, unless the archive has it.
fn keep(turn: &Turn, first: u64, placed: &[PlacedEntry]) -> Result<(), ArchiveError> {
    let tile = TileId { level: 0, number: first / WIDTH };
    let path = TileSlice { tile, width: WIDTH }.entries_path();
    let mut bytes = Vec::new();
    for placed in placed {
        bundle::push(&mut bytes, &placed.entry.leaf()).map_err(Error::internal)?;
    }
    match turn.folder().read(&path, BUNDLE_LENGTH_MAX)? {
        Some(held) if held == bytes => Ok(()),
        Some(_) => Err(ArchiveError::OtherArchive(path)),
        None => Ok(turn.replace(&path, &bytes)?),
    }
}

/// The second step: notes in the database what the archive holds, and records it for every
/// organization of whom entries are in it.
///
/// # Errors
/// [`ArchiveError`]; then nothing is noted.
pub async fn note(base: &Base, written: &WrittenBundles) -> Result<(), ArchiveError> {
    if written.end == written.archived {
        return Ok(());
    }
    let noted = base.transact("record.note_archive", Priority::Ordinary, |work| {
        Box::pin(async move {
            if record::lock(&mut work.tx).await?.archived != written.archived {
                return Ok(false);
            }
            record_archive::archive(&mut work.tx, written.archived, written.end).await?;
            for &organization_id in &written.organizations {
                let caller = Caller { actor: Actor::system(organization_id), request_id: None };
                let (first, entries) = (written.archived, written.end - written.archived);
                work.record(&caller, Event::RecordArchived { first, entries })?;
            }
            Ok(true)
        })
    });
    if noted.await? { Ok(()) } else { Err(ArchiveError::Overtaken) }
}

/// The third step: drops what is noted as archived.
///
/// # Errors
/// [`ArchiveError`]; what is not dropped yet is by the next run.
pub async fn drop_archived(base: &Base) -> Result<(), ArchiveError> {
    loop {
        let is_done = base.transact("record.drop_archived", Priority::Ordinary, |work| {
            Box::pin(async move {
                let state = record::lock(&mut work.tx).await?;
                let end = state.archived.min(state.dropped.saturating_add(DROPPED_AT_ONCE));
                if end == state.dropped {
                    return Ok(true);
                }
                record_archive::drop_archived(&mut work.tx, state.dropped, end).await?;
                Ok(false)
            })
        });
        if is_done.await? {
            return Ok(());
        }
    }
}
