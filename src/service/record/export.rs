//! Copying the record from the database into a folder, up to the newest checkpoint that its witnesses
//! have cosigned. The service may run meanwhile: positions, entries and hashes below a checkpoint never
//! change.

use crate::audit::bundle;
use crate::audit::checkpoint::{self, InvalidCheckpoint, LENGTH_MAX, TreeHead};
use crate::audit::files::{CHECKPOINT, Files as _};
use crate::audit::tile::{TileSlice, WIDTH};
use crate::audit::tree::{Tiles, proves_growth};
use crate::disk::folder::{Folder, FolderError, Turn};
use crate::service::Error;
use crate::service::record::Quorum;
use crate::service::record::rounds::{self, Witnessed};
use crate::service::record::tiles::ask;
use crate::storage::{Reader, StorageError, Store, record};

/// What an export did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exported {
    /// What the folder holds now.
    pub head: TreeHead,
    /// So many entries it held before.
    pub before: u64,
    /// Entries at positions below this are in an archive, and those that the folder did not hold
    /// before are not in it now.
    pub archived: u64,
    /// Whether enough witnesses have cosigned the checkpoint.
    pub is_witnessed: bool,
    /// So many entries have been signed; what is beyond the copy is not witnessed yet.
    pub signed: u64,
}

/// Why a copy was not made, or not completed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing to copy up to.
    #[error("no checkpoint has been published yet")]
    NothingSigned,
    /// Two writers would spoil each other's files.
    #[error("another process is writing into {0}")]
    Busy(String),
    /// What stands in the database or in the folder as the checkpoint is none.
    #[error("the checkpoint in {place}")]
    Checkpoint {
        /// Where.
        place: String,
        /// What is wrong with it.
        source: InvalidCheckpoint,
    },
    /// The folder holds something else.
    #[error(
        "the record in the database does not continue the one in {folder}, of {size} entries: \
         verify both, or copy into an empty folder"
    )]
    NotContinued {
        /// Where.
        folder: String,
        /// So many entries the folder holds.
        size: u64,
    },
    /// An entry that was signed is not in the database.
    #[error(
        "entry {0}: the checkpoint covers it, and the database does not have it; --as-found copies \
         what is there, for `keylend audit verify` to say more"
    )]
    NoEntry(u64),
    /// A tile that was signed is not in the database, or not as long as it was.
    #[error(
        "the database does not have the whole of {0}, over which a checkpoint was signed; \
         --as-found copies what is there, for `keylend audit verify` to say more"
    )]
    NoTile(String),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Anything else of ours.
    #[error(transparent)]
    Service(#[from] Error),
}

/// What to do where the database does not have what was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// The copy is not completed.
    Refuse,
    /// What is there is copied, as evidence.
    Leave,
}

/// A checkpoint in the database, as a copy needs it.
#[derive(Debug, Clone)]
pub(super) struct Covering {
    pub(super) note: Vec<u8>,
    pub(super) head: TreeHead,
    origin: String,
    archived: u64,
    /// Whether enough witnesses have cosigned it.
    is_witnessed: bool,
}

/// Copies what the folder does not hold yet. Files are replaced whole and the checkpoint is
/// written last, so a run that is cut off leaves the copy that was there, and the next goes on.
///
/// # Errors
/// [`CopyError`].
pub async fn export(
    store: &Store,
    folder: &Folder,
    quorum: &Quorum,
    gaps: Gaps,
) -> Result<Exported, CopyError> {
    let turn = turn(folder)?;
    let mut reader = store.read().await?;
    // Before the newest, which can only grow meanwhile. Evidence is what there is, witnessed or not.
    let witnessed = match gaps {
        Gaps::Refuse => rounds::newest_witnessed(&mut reader, quorum).await?,
        Gaps::Leave => None,
    };
    let newest = newest(&mut reader, quorum).await?;
    let before = continued(&mut reader, &turn, &newest).await?;
    let witnessed = witnessed.map(|witnessed| covering(witnessed, quorum, newest.archived));
    let signed = newest.head.size;
    // After an accepted rollback there may be rounds of the record that was.
    let is_meant = |witnessed: &Covering| {
        witnessed.origin == newest.origin && (before..=signed).contains(&witnessed.head.size)
    };
    let wanted = witnessed.transpose()?.filter(is_meant).unwrap_or(newest);
    for slice in TileSlice::of_level(0, wanted.head.size).skip(full_tiles(before)) {
        copy_entries(&mut reader, &turn, slice, gaps).await?;
    }
    copy_tree(&mut reader, &turn, &wanted, before, gaps).await?;
    let Covering { head, archived, is_witnessed, .. } = wanted;
    Ok(Exported { head, before, archived, is_witnessed, signed })
}

pub(super) fn turn(folder: &Folder) -> Result<Turn, CopyError> {
    folder.turn()?.ok_or_else(|| CopyError::Busy(folder.path().display().to_string()))
}

/// The newest checkpoint, with the cosignatures that it has.
pub(super) async fn newest(reader: &mut Reader, quorum: &Quorum) -> Result<Covering, CopyError> {
    let newest = rounds::newest(reader, quorum).await?.ok_or(CopyError::NothingSigned)?;
    let archived = record::state(reader).await?.archived;
    covering(newest, quorum, archived)
}

/// A checkpoint as a copy needs it.
fn covering(found: Witnessed, quorum: &Quorum, archived: u64) -> Result<Covering, CopyError> {
    let is_witnessed = found.is_by_enough(quorum);
    let (origin, head) = checkpoint::claimed(&found.note).map_err(invalid("the database"))?;
    Ok(Covering { note: found.note, origin, head, archived, is_witnessed })
}

fn invalid(place: &str) -> impl FnOnce(InvalidCheckpoint) -> CopyError + '_ {
    |source| CopyError::Checkpoint { place: place.to_owned(), source }
}

/// How many entries the folder holds, after a look whether the database continues them.
async fn continued(reader: &mut Reader, turn: &Turn, newest: &Covering) -> Result<u64, CopyError> {
    let folder = turn.folder();
    let Some(note) = folder.read(CHECKPOINT, LENGTH_MAX)? else { return Ok(0) };
    let place = folder.path().display().to_string();
    let (origin, before) = checkpoint::claimed(&note).map_err(invalid(&place))?;
    let (head, mut tiles) = (newest.head, Tiles::default());
    let is_continued = origin == newest.origin && before.size <= head.size && {
        let root = ask(reader, &mut tiles, |tiles| tiles.root(head.size)).await?;
        let growth = |tiles: &mut Tiles| tiles.prove_growth(before.size, head.size);
        let growth = ask(reader, &mut tiles, growth).await?;
        proves_growth(&growth, head.size, root, before.size, before.root)
    };
    if is_continued {
        Ok(before.size)
    } else {
        Err(CopyError::NotContinued { folder: place, size: before.size })
    }
}

/// How many full tiles or bundles a level of so many hashes has: they never change.
fn full_tiles(hashes: u64) -> usize {
    usize::try_from(hashes / WIDTH).unwrap_or(usize::MAX)
}

async fn copy_entries(
    reader: &mut Reader,
    turn: &Turn,
    slice: TileSlice,
    gaps: Gaps,
) -> Result<(), CopyError> {
    let first = slice.tile.number * WIDTH;
    let placed = record::entries(reader, first..first + slice.width).await?;
    let mut bytes = Vec::new();
    for position in first..first + slice.width {
        let at = usize::try_from(position - first).unwrap_or(usize::MAX);
        let entry = placed.get(at).filter(|placed| placed.position == position);
        let Some(entry) = entry else {
            // Asked now, because somebody may be archiving at the same time.
            match gaps {
                _ if first < record::state(reader).await?.archived => return Ok(()),
                Gaps::Refuse => return Err(CopyError::NoEntry(position)),
                Gaps::Leave => break,
            }
        };
        bundle::push(&mut bytes, &entry.entry.leaf()).map_err(Error::internal)?;
    }
    Ok(turn.replace(&slice.entries_path(), &bytes)?)
}

/// Copies the tiles and then the checkpoint, and removes what those before needed of tiles and
/// bundles that were not full.
async fn copy_tree(
    reader: &mut Reader,
    turn: &Turn,
    newest: &Covering,
    before: u64,
    gaps: Gaps,
) -> Result<(), CopyError> {
    let size = newest.head.size;
    let levels = 0..u8::try_from(size.checked_ilog2().unwrap_or(0) / 8 + 1).unwrap_or(u8::MAX);
    for level in levels.clone() {
        let done = full_tiles(before >> (u32::from(level) * 8));
        for slice in TileSlice::of_level(level, size).skip(done) {
            let bytes = record::tile(reader, slice.tile).await?.unwrap_or_default();
            let length = usize::try_from(slice.width * 32).unwrap_or(usize::MAX);
            match (bytes.get(..length), gaps) {
                (Some(whole), _) => turn.replace(&slice.path(), whole)?,
                (None, Gaps::Refuse) => return Err(CopyError::NoTile(slice.path())),
                (None, Gaps::Leave) => turn.replace(&slice.path(), &bytes)?,
            }
        }
    }
    turn.replace(CHECKPOINT, &newest.note)?;
    for level in levels {
        let done = full_tiles(before >> (u32::from(level) * 8));
        for slice in TileSlice::of_level(level, size).skip(done) {
            clear(turn, &slice.path())?;
            if level == 0 {
                clear(turn, &slice.entries_path())?;
            }
        }
    }
    Ok(())
}

fn clear(turn: &Turn, path: &str) -> Result<(), FolderError> {
    match path.rsplit_once('/') {
        Some((directory, kept)) if directory.ends_with(".p") => turn.clear(directory, Some(kept)),
        _ => turn.clear(&format!("{path}.p"), None),
    }
}
