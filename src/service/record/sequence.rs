//! Giving positions: entries come in the transactions of what they describe, in whatever order
//! those commit; one transaction at a time takes what is there and appends it to the tree.

use super::tiles::ask;
use crate::audit::Hash;
use crate::audit::tree::Tiles;
use crate::failpoint::{self, Failpoint};
use crate::service::{Error, Service};
use crate::storage::record::{self, QueuedEntry};
use crate::storage::{StorageError, Tx, repeat};

/// At most so many entries in one transaction.
const BATCH_MAX: i64 = 1024;

/// Gives every entry that waits its position; returns how many there were.
///
/// # Errors
/// [`Error::Storage`], [`Error::Internal`] if the tiles in the database are damaged.
pub async fn sequence(service: &Service) -> Result<u64, Error> {
    let mut total = 0;
    loop {
        let mut reader = service.store.read().await?;
        if record::waiting_since(&mut reader).await?.is_none() {
            return Ok(total);
        }
        drop(reader);
        total += repeat(|| batch(service)).await?;
    }
}

async fn batch(service: &Service) -> Result<u64, Error> {
    let mut tx = service.store.begin().await?;
    let state = record::hold(&mut tx).await?;
    let queued = record::take(&mut tx, BATCH_MAX).await?;
    append(&mut tx, state.size, &queued).await?;
    failpoint::reached(Failpoint::SequencePlaced);
    tx.commit().await?;
    failpoint::reached(Failpoint::SequenceCommitted);
    Ok(queued.len() as u64)
}

async fn append(tx: &mut Tx, size: u64, queued: &[QueuedEntry]) -> Result<(), Error> {
    let leaves = leaf_hashes(tx, queued).await?;
    let mut tiles = Tiles::default();
    let changed = ask(tx, &mut tiles, |tiles| tiles.grow(size, &leaves)).await?;
    for tile in changed {
        if let Some(hashes) = tiles.get(tile) {
            record::put_tile(tx, tile, hashes).await?;
        }
    }
    Ok(record::place(tx, size, queued).await?)
}

async fn leaf_hashes(tx: &mut Tx, queued: &[QueuedEntry]) -> Result<Vec<Hash>, StorageError> {
    let mut hashes = Vec::with_capacity(queued.len());
    for entry in queued {
        hashes.push(record::leaf_hash(tx, entry).await?);
    }
    Ok(hashes)
}
