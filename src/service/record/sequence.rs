//! Giving positions: entries come in the transactions of what they describe, in whatever order
//! those commit; one transaction at a time takes what is there and appends it to the tree.

use std::collections::BTreeSet;

use super::tiles::ask;
use crate::audit::Hash;
use crate::audit::tree::Tiles;
use crate::domain::id::OrganizationId;
use crate::domain::time::Timestamp;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Base, Error};
use crate::storage::record_queue::{self, QueuedEntry};
use crate::storage::{Priority, Tx, organization_entries, record, webhook_endpoints};

/// The entries of at most so many transactions in one: on SQLite nobody else writes meanwhile.
const BATCH_MAX: u16 = 32;

/// Gives every entry that waits its position; returns how many there were.
///
/// # Errors
/// [`Error::Storage`], [`Error::Internal`] if the tiles in the database are damaged.
pub async fn sequence(base: &Base) -> Result<u64, Error> {
    let mut total = 0;
    loop {
        let mut reader = base.store.read().await?;
        if record_queue::waiting_since(&mut reader).await?.is_none() {
            return Ok(total);
        }
        drop(reader);
        total += batch(base).await?;
    }
}

async fn batch(base: &Base) -> Result<u64, Error> {
    let placed = base.transact("record.sequence", Priority::Ordinary, |work| {
        Box::pin(async move {
            let state = record::lock(&mut work.tx).await?;
            let queued = record_queue::take(&mut work.tx, BATCH_MAX).await?;
            append(&mut work.tx, state.size, &queued, work.now).await?;
            failpoint::reached(Failpoint::SequencePlaced);
            Ok(queued.len() as u64)
        })
    });
    let placed = placed.await?;
    failpoint::reached(Failpoint::SequenceCommitted);
    Ok(placed)
}

async fn append(
    tx: &mut Tx,
    size: u64,
    queued: &[QueuedEntry],
    now: Timestamp,
) -> Result<(), Error> {
    let leaves: Vec<Hash> = queued.iter().map(|queued| queued.leaf_hash).collect();
    let mut tiles = Tiles::default();
    let changed = ask(tx, &mut tiles, |tiles| tiles.grow(size, &leaves)).await?;
    for tile in changed {
        if let Some(hashes) = tiles.get(tile) {
            record::put_tile(tx, tile, hashes).await?;
        }
    }
    record::place(tx, size, queued).await?;
    organization_entries::note(tx, size, queued).await?;
    let organizations = queued.iter().map(|queued| queued.organization_id);
    let organizations: BTreeSet<OrganizationId> = organizations.collect();
    Ok(webhook_endpoints::wake(tx, organizations, now).await?)
}
