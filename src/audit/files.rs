//! The files of a copy of the record, in the layout of C2SP tlog-tiles, wherever they are: in a
//! folder, in several, in memory.

use super::bundle::LEAF_LENGTH_MAX;
use super::tile::{TileSlice, WIDTH};
use super::tree::{Tiles, TreeError};
use super::{Hash, tree};

/// The path of the checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
/// The longest tile, in bytes: 256 hashes.
pub const TILE_LENGTH_MAX: usize = 256 * HASH_LENGTH;
/// The longest bundle, in bytes: 256 entries, each after its length.
pub const BUNDLE_LENGTH_MAX: usize = 256 * (2 + LEAF_LENGTH_MAX);

const HASH_LENGTH: usize = 32;
/// No question needs more rounds: each brings the tiles that the one before missed.
const ROUNDS_MAX: usize = 8;

/// Files by their names: `checkpoint`, `tile/0/x001/234`, `tile/entries/x001/234`.
pub trait Files {
    /// Why a file that is there cannot be read.
    type Error;

    /// What a file holds; `None` if there is none. Of a file that is longer than `length_max`
    /// bytes, one byte more than that, so that it is seen to be.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    fn read(&self, path: &str, length_max: usize) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// The hashes of a tile, if the file is there and holds as many as it should. Whether they are
/// those of a tree is another question.
///
/// # Errors
/// The file is there and cannot be read.
pub fn hashes<F: Files>(files: &F, slice: TileSlice) -> Result<Option<Vec<Hash>>, F::Error> {
    Ok(tile(files, slice)?.map(|bytes| tree::hashes(&bytes)))
}

fn tile<F: Files>(files: &F, slice: TileSlice) -> Result<Option<Vec<u8>>, F::Error> {
    let bytes = files.read(&slice.path(), TILE_LENGTH_MAX)?;
    Ok(bytes.filter(|bytes| bytes.len() as u64 == slice.width * HASH_LENGTH as u64))
}

/// Why a question about a tree was not answered from files.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer<E> {
    /// A file is there and cannot be read.
    #[error(transparent)]
    Unreadable(E),
    /// A tile is not there, or not as long as the tree asks for.
    #[error("the tile {0} is missing or cut off")]
    Missing(String),
    /// The tiles are not those of a tree of this size.
    #[error("the tiles are not those of a tree of this size")]
    Invalid,
}

/// The answer to a question about a tree of `size` entries, with as many tiles as it needs.
///
/// # Errors
/// [`NoAnswer`] if a tile that is needed cannot be read, is missing, or belongs to another tree.
pub fn ask<F: Files, T>(
    files: &F,
    size: u64,
    question: impl Fn(&Tiles) -> Result<T, TreeError>,
) -> Result<T, NoAnswer<F::Error>> {
    let mut tiles = Tiles::default();
    for _ in 0..ROUNDS_MAX {
        let missing = match question(&tiles) {
            Ok(answer) => return Ok(answer),
            Err(TreeError::Invalid) => break,
            Err(TreeError::Missing(missing)) => missing,
        };
        for id in missing {
            let at_level = size >> (u32::from(id.level) * 8).min(63);
            let width = at_level.saturating_sub(id.number.saturating_mul(WIDTH)).min(WIDTH);
            let slice = TileSlice { tile: id, width };
            let bytes = tile(files, slice).map_err(NoAnswer::Unreadable)?;
            tiles.insert(id, bytes.ok_or_else(|| NoAnswer::Missing(slice.path()))?);
        }
    }
    Err(NoAnswer::Invalid)
}
