//! Answering questions about the tree from the tiles in the database.

use crate::audit::tile::TileId;
use crate::audit::tree::{Tiles, TreeError};
use crate::service::Error;
use crate::storage::{Executor, record};

/// No question needs more rounds: each brings the tiles that the one before missed.
const ROUNDS_MAX: usize = 8;

/// The answer, with whatever tiles it takes.
pub(super) async fn ask<T>(
    on: &mut impl Executor,
    tiles: &mut Tiles,
    mut question: impl FnMut(&mut Tiles) -> Result<T, TreeError>,
) -> Result<T, Error> {
    for _ in 0..ROUNDS_MAX {
        match question(tiles) {
            Ok(answer) => return Ok(answer),
            Err(TreeError::Missing(missing)) => bring(on, tiles, &missing).await?,
            Err(TreeError::Invalid) => break,
        }
    }
    Err(Error::Internal("the tiles of the record are not those of a tree".to_owned()))
}

async fn bring(on: &mut impl Executor, tiles: &mut Tiles, missing: &[TileId]) -> Result<(), Error> {
    for &tile in missing {
        let hashes = record::tile(on, tile).await?;
        let gone = || Error::Internal(format!("the record has no tile {tile:?}"));
        tiles.insert(tile, hashes.ok_or_else(gone)?);
    }
    Ok(())
}
