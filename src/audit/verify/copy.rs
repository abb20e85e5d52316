//! Verifying a copy of the record that stands in files.

use super::{Fault, Finding, Place, Verified, Verifier};
use crate::audit::Hash;
use crate::audit::bundle;
use crate::audit::checkpoint::TreeHead;
use crate::audit::entry::leaf_hash;
use crate::audit::files::{BUNDLE_LENGTH_MAX, Files, hashes};
use crate::audit::tile::{TileSlice, WIDTH};
use crate::audit::vouched::Vouched;

/// What is verified, and against what.
#[derive(Debug)]
pub struct Copied<'f, F> {
    /// The files that hold the entries.
    pub files: &'f F,
    /// The number of entries, as the copy's own checkpoint gives it.
    pub size: u64,
    /// What was signed, in any order: their own checkpoint, and those that were kept elsewhere.
    pub heads: Vec<TreeHead>,
    /// The copy's own tiles, unless its checkpoint is not good.
    pub tiles: Option<Vouched<'f, F>>,
    /// Tiles that were kept elsewhere. Where the copy's own tiles are wrong, these show which
    /// entry is not the one that was signed.
    pub kept_tiles: Option<Vouched<'f, F>>,
}

/// Why a copy does not verify.
#[derive(Debug)]
pub enum Unverified<E> {
    /// A file is there and cannot be read.
    Unreadable(E),
    /// The record is not what was signed, or contradicts itself.
    Found(Finding),
}

impl<E> From<Finding> for Unverified<E> {
    fn from(finding: Finding) -> Self {
        Self::Found(finding)
    }
}

/// Verifies a copy from its first entry to its last: each entry against the tiles, the tiles and
/// all entries against what was signed, and what they say.
///
/// # Errors
/// [`Unverified`]: the first finding, in the order of positions.
pub fn verify<F: Files>(mut copied: Copied<'_, F>) -> Result<Verified, Unverified<F::Error>> {
    let mut verifier = Verifier::new(std::mem::take(&mut copied.heads));
    let (mut doubt, has_tiles) = (None, copied.tiles.is_some());
    for slice in TileSlice::of_level(0, copied.size) {
        let path = slice.entries_path();
        let read = copied.files.read(&path, BUNDLE_LENGTH_MAX).map_err(Unverified::Unreadable)?;
        let Some(entries) = read else { return Err(verifier.missing(copied.size).into()) };
        let number = slice.tile.number;
        let own = hashes_of(&mut copied.tiles, number)?;
        let is_doubted = has_tiles && own.is_none();
        let kept = hashes_of(&mut copied.kept_tiles, number)?;
        push(&mut verifier, slice, &entries, [kept, own])?;
        if is_doubted && doubt.is_none() {
            doubt = Some(doubted(copied.files, slice, &entries)?);
        }
    }
    let verified = verifier.finish()?;
    doubt.map_or(Ok(verified), |finding| Err(Unverified::Found(finding)))
}

fn hashes_of<'v, F: Files>(
    tiles: &'v mut Option<Vouched<'_, F>>,
    number: u64,
) -> Result<Option<&'v [Hash]>, Unverified<F::Error>> {
    let Some(tiles) = tiles else { return Ok(None) };
    tiles.leaves(number).map_err(Unverified::Unreadable)
}

fn push<E>(
    verifier: &mut Verifier,
    slice: TileSlice,
    entries: &[u8],
    known: [Option<&[Hash]>; 2],
) -> Result<(), Unverified<E>> {
    let first = slice.tile.number * WIDTH;
    let mut count = 0;
    for leaf in bundle::leaves(entries) {
        let position = first + count as u64;
        let at = |fault| Finding { place: Place::At(position), fault };
        let leaf = leaf.map_err(|invalid| at(invalid.into()))?;
        if count as u64 == slice.width {
            return Err(at(Fault::Surplus).into());
        }
        let signed = known.into_iter().flatten().find_map(|hashes| hashes.get(count));
        verifier.push(leaf, signed.copied())?;
        count += 1;
    }
    if (count as u64) < slice.width {
        return Err(verifier.missing(first + slice.width).into());
    }
    Ok(())
}

/// Where the hashes of a tile that nothing vouches for differ from those of its entries.
fn doubted<F: Files>(
    files: &F,
    slice: TileSlice,
    entries: &[u8],
) -> Result<Finding, Unverified<F::Error>> {
    let first = slice.tile.number * WIDTH;
    let kept = hashes(files, slice).map_err(Unverified::Unreadable)?.unwrap_or_default();
    let leaves = bundle::leaves(entries).map_while(Result::ok).map(leaf_hash);
    let differing = (first..).zip(leaves.zip(kept)).find(|(_, (leaf, kept))| leaf != kept);
    let place = match differing {
        Some((position, _)) => Place::At(position),
        None => Place::Between(first, first + slice.width),
    };
    Ok(Finding { place, fault: Fault::Tile })
}
