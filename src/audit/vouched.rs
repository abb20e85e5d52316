//! The hashes of leaves as far as a signed root vouches for them: tiles are read from the top of
//! the tree downwards, and each is believed only if its hash is the one in the tile above it.
//! The memory this takes does not grow with the tree: one tile of each level.

use super::Hash;
use super::checkpoint::TreeHead;
use super::files::{Files, NoAnswer, ask, hashes};
use super::frontier::node;
use super::tile::{HEIGHT, TileId, TileSlice, WIDTH};

/// The tiles of a tree under a root that was signed.
#[derive(Debug)]
pub struct Vouched<'f, F> {
    files: &'f F,
    head: TreeHead,
    /// Whether the tiles at the tree's edge lead to the root: all others hang from them.
    is_rooted: bool,
    /// The tile of each level that was read last, the leaves' first.
    newest: Vec<Option<Believed>>,
}

/// A tile that was read.
#[derive(Debug, Clone)]
struct Believed {
    number: u64,
    /// None if nothing vouches for them.
    hashes: Option<Vec<Hash>>,
}

impl<'f, F: Files> Vouched<'f, F> {
    /// The tiles in these files, under this root.
    ///
    /// # Errors
    /// A file is there and cannot be read.
    pub fn under(head: TreeHead, files: &'f F) -> Result<Self, F::Error> {
        let is_rooted = match ask(files, head.size, |tiles| tiles.root(head.size)) {
            Ok(root) => root == head.root,
            Err(NoAnswer::Unreadable(error)) => return Err(error),
            Err(NoAnswer::Missing(_) | NoAnswer::Invalid) => false,
        };
        let levels = usize::from(u8::MAX / HEIGHT);
        Ok(Self { files, head, is_rooted, newest: vec![None; levels] })
    }

    /// Under which root.
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// The hashes of the leaves from `number * 256` on, as many as the tile has in this tree;
    /// `None` if the root does not vouch for them.
    ///
    /// # Errors
    /// A file is there and cannot be read.
    pub fn leaves(&mut self, number: u64) -> Result<Option<&[Hash]>, F::Error> {
        self.tile(TileId { level: 0, number })
    }

    fn tile(&mut self, id: TileId) -> Result<Option<&[Hash]>, F::Error> {
        let is_read = self.at(id.level).is_some_and(|believed| believed.number == id.number);
        if !is_read {
            let hashes = self.believable(id)?;
            if let Some(newest) = self.newest.get_mut(usize::from(id.level)) {
                *newest = Some(Believed { number: id.number, hashes });
            }
        }
        Ok(self.at(id.level).and_then(|believed| believed.hashes.as_deref()))
    }

    fn at(&self, level: u8) -> Option<&Believed> {
        self.newest.get(usize::from(level))?.as_ref()
    }

    fn believable(&mut self, id: TileId) -> Result<Option<Vec<Hash>>, F::Error> {
        let at_level = self.head.size.checked_shr(u32::from(id.level) * u32::from(HEIGHT));
        let from = id.number.saturating_mul(WIDTH);
        let width = at_level.unwrap_or(0).saturating_sub(from).min(WIDTH);
        if !self.is_rooted || width == 0 {
            return Ok(None);
        }
        let Some(read) = hashes(self.files, TileSlice { tile: id, width })? else {
            return Ok(None);
        };
        // The root is computed from every hash of a tile that is not full.
        if width < WIDTH {
            return Ok(Some(read));
        }
        let above = TileId { level: id.level.saturating_add(1), number: id.number / WIDTH };
        let place = usize::try_from(id.number % WIDTH).unwrap_or(usize::MAX);
        let vouched_for = self.tile(above)?.and_then(|above| above.get(place).copied());
        Ok(vouched_for.is_some_and(|hash| hash == root_of(&read)).then_some(read))
    }
}

/// The hash over the hashes of a full tile.
fn root_of(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|&[left, right]| node(left, right)).collect();
    }
    row.first().copied().unwrap_or(tlog_tiles::EMPTY_HASH)
}

#[cfg(test)]
#[path = "vouched_test.rs"]
mod tests;
