//! What is published of the record: the checkpoint and the tiles for everybody, the entries
//! themselves, which are those of every organization, for the operator alone.

use super::Record;
use super::rounds;
use crate::audit::bundle;
use crate::audit::tile::{TileSlice, WIDTH};
use crate::domain::access::Sought;
use crate::service::{Base, CredentialFault, Error, StateFault};
use crate::storage::record;

/// What is said to be missing before there is a tree of that size.
const NOTHING: Sought = Sought::the("part of the record");
/// How long a hash is.
const HASH_LENGTH: usize = 32;

/// The newest checkpoint that as many witnesses have cosigned as must have, with every cosignature
/// that there is.
///
/// # Errors
/// [`Error::NotFound`] before the first.
pub async fn checkpoint(log: &Record) -> Result<Vec<u8>, Error> {
    let quorum = log.witnesses.quorum();
    if quorum.min() == 0 {
        return newest_checkpoint(log).await;
    }
    let mut reader = log.base.store.read().await?;
    let witnessed = rounds::newest_witnessed(&mut reader, quorum).await?;
    witnessed.map(|witnessed| witnessed.note).ok_or(Error::NotFound(NOTHING))
}

/// The newest checkpoint, whoever has cosigned it.
///
/// # Errors
/// [`Error::NotFound`] before the first.
pub async fn newest_checkpoint(log: &Record) -> Result<Vec<u8>, Error> {
    let mut reader = log.base.store.read().await?;
    let newest = rounds::newest(&mut reader, log.witnesses.quorum()).await?;
    newest.map(|newest| newest.note).ok_or(Error::NotFound(NOTHING))
}

/// The hashes of a tile.
///
/// # Errors
/// [`Error::NotFound`] if the tree is not there yet.
pub async fn tile(base: &Base, slice: TileSlice) -> Result<Vec<u8>, Error> {
    let mut reader = base.store.read().await?;
    let mut hashes =
        record::tile(&mut reader, slice.tile).await?.ok_or(Error::NotFound(NOTHING))?;
    let length = usize::try_from(slice.width).map_err(Error::internal)? * HASH_LENGTH;
    if hashes.len() < length {
        return Err(Error::NotFound(NOTHING));
    }
    hashes.truncate(length);
    Ok(hashes)
}

/// The entries of a bundle, for whoever knows the reader's token.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`StateFault::EntriesArchived`] for those that are only in an
/// archive; [`Error::NotFound`] if the tree is not there yet.
pub async fn entries(log: &Record, token: &str, slice: TileSlice) -> Result<Vec<u8>, Error> {
    log.admit_reader(token).map_err(Error::Unauthenticated)?;
    let first = slice.tile.number.saturating_mul(WIDTH);
    let mut reader = log.base.store.read().await?;
    let placed = record::entries(&mut reader, first..first.saturating_add(slice.width)).await?;
    if placed.len() as u64 != slice.width {
        let is_archived = first < record::state(&mut reader).await?.archived;
        let archived = Error::State(StateFault::EntriesArchived);
        return Err(if is_archived { archived } else { Error::NotFound(NOTHING) });
    }
    let mut bytes = Vec::new();
    for placed in placed {
        bundle::push(&mut bytes, &placed.entry.leaf()).map_err(Error::internal)?;
    }
    Ok(bytes)
}

impl super::Record {
    fn admit_reader(&self, token: &str) -> Result<(), CredentialFault> {
        use secrecy::ExposeSecret as _;
        use subtle::ConstantTimeEq as _;
        let expected = self.reader_token.as_ref().ok_or(CredentialFault::Invalid)?;
        let is_it = expected.expose_secret().as_bytes().ct_eq(token.as_bytes());
        if is_it.into() { Ok(()) } else { Err(CredentialFault::Invalid) }
    }
}
