//! Signing checkpoints: only what continues the last one that this key has signed. What that was
//! stands in a file beside the key, and is durable there before anybody sees it.

use std::sync::atomic::Ordering;

use signed_note::Signature;

use super::tiles::ask;
use super::{Record, verifier_keys};
use crate::audit::checkpoint::{self, TreeHead};
use crate::audit::tree::{Tiles, proves_growth};
use crate::service::Error;
use crate::service::failpoint::{self, Failpoint};
use crate::signing::Keyring;
use crate::storage::{Priority, Reader, record};

/// How the tree in the database relates to the last checkpoint that was signed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Continuity {
    /// It is the same tree, or continues it; nothing was signed yet.
    Good(TreeHead),
    /// It has fewer entries.
    Shorter { signed: u64, found: u64 },
    /// It has other entries where there were some.
    Other { signed: u64 },
}

/// Signs and publishes the tree as it is, if it has grown; returns whether it did.
///
/// # Errors
/// [`Error::Storage`]; [`Error::Internal`] if the tree does not continue the last one signed, or
/// the file beside the key cannot be used: then [`Record::trouble`] tells until it is mended.
pub async fn sign(log: &Record) -> Result<bool, Error> {
    let outcome = sign_if_grown(log).await;
    match &outcome {
        Ok(_) => log.set_trouble(None),
        Err(Error::Internal(why)) => log.set_trouble(Some(why.clone())),
        // A database that is away is told by its own check.
        Err(_) => {}
    }
    outcome
}

async fn sign_if_grown(log: &Record) -> Result<bool, Error> {
    let mut reader = log.base.store.read().await?;
    let state = record::state(&mut reader).await?;
    let seen = log.seen.load(Ordering::Relaxed);
    if state.size < seen {
        return Err(refused(seen, state.size));
    }
    if state.checkpoint_size == state.size {
        return Ok(false);
    }
    let signed = last_signed(log).await?;
    let head = match continuity(&mut reader, state.size, signed).await? {
        Continuity::Good(head) => head,
        Continuity::Shorter { signed, found } => return Err(refused(signed, found)),
        Continuity::Other { signed } => return Err(refused(signed, state.size)),
    };
    drop(reader);
    let note = signed_note(&log.base.keys(), log, head)?;
    failpoint::reached(Failpoint::CheckpointSigned);
    if !keep(log, head, note.clone()).await? {
        return Ok(false);
    }
    failpoint::reached(Failpoint::CheckpointKept);
    let note = &note;
    let published = log.base.transact("record.publish", Priority::Ordinary, |work| {
        Box::pin(async move {
            let published = record::publish(&mut work.tx, note, head.size).await?;
            failpoint::reached(Failpoint::CheckpointPublished);
            Ok(published)
        })
    });
    published.await
}

fn refused(signed: u64, found: u64) -> Error {
    Error::Internal(format!(
        "a checkpoint over {signed} entries was signed, and the record in the database, of {found} \
         entries, does not continue it; nothing more is signed"
    ))
}

/// What stands in the file beside the key.
pub(super) async fn last_signed(record: &Record) -> Result<Option<TreeHead>, Error> {
    let file = record.last_signed.clone();
    let read = tokio::task::spawn_blocking(move || file.read());
    let note = read.await.map_err(Error::internal)?.map_err(|error| unusable(record, &error))?;
    let head = note.map(|note| checkpoint::own_head(&note, &record.origin));
    let head = head.transpose().map_err(|error| unusable(record, &error))?;
    record.seen.fetch_max(head.map_or(0, |head| head.size), Ordering::Relaxed);
    Ok(head)
}

fn unusable(record: &Record, error: &dyn std::error::Error) -> Error {
    let path = record.last_signed.path().display();
    Error::Internal(format!(
        "{path}, which holds the last signed checkpoint, cannot be used: {error}; let this user read and \
         write it, or, if it is damaged, verify a copy of the record (`keylend audit verify`) and move \
         the file away"
    ))
}

/// Whether the tree of this size in the database continues the one that was signed.
pub(super) async fn continuity(
    reader: &mut Reader,
    size: u64,
    signed: Option<TreeHead>,
) -> Result<Continuity, Error> {
    let mut tiles = Tiles::default();
    let root = ask(reader, &mut tiles, |tiles| tiles.root(size)).await?;
    let Some(signed) = signed else { return Ok(Continuity::Good(TreeHead { size, root })) };
    if signed.size > size {
        return Ok(Continuity::Shorter { signed: signed.size, found: size });
    }
    let proof = ask(reader, &mut tiles, |tiles| tiles.prove_growth(signed.size, size)).await?;
    Ok(if proves_growth(&proof, size, root, signed.size, signed.root) {
        Continuity::Good(TreeHead { size, root })
    } else {
        Continuity::Other { signed: signed.size }
    })
}

/// The checkpoint, signed with every key that signs.
fn signed_note(keys: &Keyring, log: &Record, head: TreeHead) -> Result<Vec<u8>, Error> {
    let now = log.base.clock.now();
    let text = checkpoint::text(&log.origin, head).map_err(Error::internal)?;
    let public = verifier_keys(keys, &log.origin).map_err(Error::internal)?;
    let signatures = public.iter().zip(keys.checkpoints().iter()).map(|(public, key)| {
        public.signature(&key.sign(&public.message(&text, now)), now).map_err(Error::internal)
    });
    let signatures: Vec<Signature> = signatures.collect::<Result<_, _>>()?;
    checkpoint::note(&text, &signatures).map_err(Error::internal)
}

/// Keeps the checkpoint in the file beside the key, unless another process is at it or has kept a
/// newer one; returns whether it did.
async fn keep(log: &Record, head: TreeHead, note: Vec<u8>) -> Result<bool, Error> {
    let (file, origin) = (log.last_signed.clone(), log.origin.clone());
    let kept = tokio::task::spawn_blocking(move || {
        let Some(turn) = file.turn()? else { return Ok(false) };
        let before = file.read()?;
        let before = before.and_then(|note| checkpoint::own_head(&note, &origin).ok());
        if before.is_some_and(|before| before.size > head.size) {
            return Ok(false);
        }
        turn.replace(&note).map(|()| true)
    });
    let kept: std::io::Result<bool> = kept.await.map_err(Error::internal)?;
    if let Err(error) = &kept {
        log.halt.judge(log.last_signed.path(), error);
    }
    let kept = kept.map_err(|error| unusable(log, &error))?;
    if kept {
        log.seen.fetch_max(head.size, Ordering::Relaxed);
    }
    Ok(kept)
}
