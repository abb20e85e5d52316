//! The Merkle tree (RFC 6962 section 2.1) over its tiles: growing it, its root, and the two proofs.
//!
//! A computation needs only a few of the tiles. It reports which ones it misses; the caller loads
//! them and tries again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tlog_tiles::{
    HashReader, Tile, check_record, check_tree, prove_record, prove_tree,
    stored_hashes_for_record_hash, tree_hash,
};

use super::Hash;
use super::tile::{HEIGHT, TileId, WIDTH};

const HASH_LENGTH: usize = 32;

/// Why something about a tree was not computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// These tiles are needed, at their full width within the tree.
    #[error("{} tiles are missing", .0.len())]
    Missing(Vec<TileId>),
    /// A tile holds fewer hashes than the tree has there, or the question is about no part of it.
    #[error("the tiles are not those of a tree of this size")]
    Invalid,
}

/// Tiles of one tree in memory, by name: all hashes of a tile, one after the other.
#[derive(Debug, Default)]
pub struct Tiles(BTreeMap<TileId, Vec<u8>>);

impl Tiles {
    /// Adds a tile.
    pub fn insert(&mut self, tile: TileId, hashes: Vec<u8>) {
        self.0.insert(tile, hashes);
    }

    /// The hashes of a tile.
    #[must_use]
    pub fn get(&self, tile: TileId) -> Option<&[u8]> {
        self.0.get(&tile).map(Vec::as_slice)
    }

    /// Adds leaves to a tree of `size` entries and returns the tiles that are new or longer.
    /// The tiles at its edge ([`TileId::edge`]) must be there.
    ///
    /// # Errors
    /// [`TreeError::Missing`], and then nothing has changed; [`TreeError::Invalid`].
    pub fn grow(&mut self, size: u64, leaves: &[Hash]) -> Result<BTreeSet<TileId>, TreeError> {
        let missing: Vec<TileId> =
            TileId::edge(size).into_iter().filter(|tile| !self.0.contains_key(tile)).collect();
        if !missing.is_empty() {
            return Err(TreeError::Missing(missing));
        }
        let mut changed = BTreeSet::new();
        for (position, &leaf) in (size..).zip(leaves) {
            let completed =
                self.ask(|reader| stored_hashes_for_record_hash(position, leaf, reader))?;
            for (height, hash) in (0_u8..).zip(completed) {
                if height % HEIGHT == 0 {
                    let number = (position >> height) / WIDTH;
                    let tile = TileId { level: height / HEIGHT, number };
                    self.0.entry(tile).or_default().extend_from_slice(&hash.0);
                    changed.insert(tile);
                }
            }
        }
        Ok(changed)
    }

    /// The hash of a tree of this size.
    ///
    /// # Errors
    /// [`TreeError::Missing`] names the tiles that are needed and not there; [`TreeError::Invalid`] if
    /// the tiles are not those of a tree of this size.
    pub fn root(&self, size: u64) -> Result<Hash, TreeError> {
        self.ask(|reader| tree_hash(size, reader))
    }

    /// The proof that a tree of `size` entries has this leaf at `position` (RFC 6962 2.1.1).
    ///
    /// # Errors
    /// [`TreeError`]; the position must lie within the tree.
    pub fn prove_entry(&self, position: u64, size: u64) -> Result<Vec<Hash>, TreeError> {
        if position >= size {
            return Err(TreeError::Invalid);
        }
        self.ask(|reader| prove_record(size, position, reader))
    }

    /// The proof that a tree of `size` entries begins with the one of `old` entries (RFC 6962
    /// 2.1.2). From the empty tree everything grows: that proof is empty.
    ///
    /// # Errors
    /// [`TreeError`]; the old tree must not be the larger one.
    pub fn prove_growth(&self, old: u64, size: u64) -> Result<Vec<Hash>, TreeError> {
        match old {
            0 => Ok(Vec::new()),
            _ if old > size => Err(TreeError::Invalid),
            _ => self.ask(|reader| prove_tree(size, old, reader)),
        }
    }

    fn ask<T>(
        &self,
        question: impl FnOnce(&Asked<'_>) -> Result<T, tlog_tiles::Error>,
    ) -> Result<T, TreeError> {
        let asked = Asked { tiles: &self.0, missing: RefCell::default() };
        question(&asked).map_err(|_| {
            let missing = asked.missing.into_inner();
            if missing.is_empty() {
                TreeError::Invalid
            } else {
                TreeError::Missing(missing.into_iter().collect())
            }
        })
    }
}

/// One question to the tiles, and what it misses.
struct Asked<'t> {
    tiles: &'t BTreeMap<TileId, Vec<u8>>,
    missing: RefCell<BTreeSet<TileId>>,
}

impl HashReader for Asked<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let mut hashes = Vec::with_capacity(indexes.len());
        for &index in indexes {
            let tile = Tile::from_index(HEIGHT, index);
            let id = TileId { level: tile.level(), number: tile.level_index() };
            match self.tiles.get(&id) {
                Some(data) => hashes.push(tile.hash_at_index(data, index)?),
                None => {
                    self.missing.borrow_mut().insert(id);
                }
            }
        }
        if hashes.len() < indexes.len() {
            return Err(tlog_tiles::Error::IndexesNotInTree);
        }
        Ok(hashes)
    }
}

/// Whether a proof shows that the tree of this size and root has this leaf at `position`.
#[must_use]
pub fn proves_entry(proof: &[Hash], size: u64, root: Hash, position: u64, leaf: Hash) -> bool {
    position < size && check_record(&proof.to_vec(), size, root, position, leaf).is_ok()
}

/// Whether a proof shows that the tree of `size` entries begins with the one of `old` entries.
#[must_use]
pub fn proves_growth(proof: &[Hash], size: u64, root: Hash, old_size: u64, old_root: Hash) -> bool {
    match old_size {
        0 => proof.is_empty() && old_root == tlog_tiles::EMPTY_HASH,
        _ if old_size > size => false,
        _ => check_tree(&proof.to_vec(), size, root, old_size, old_root).is_ok(),
    }
}

/// The hashes that a tile's bytes are.
#[must_use]
pub fn hashes(tile: &[u8]) -> Vec<Hash> {
    tile.as_chunks::<HASH_LENGTH>().0.iter().map(|hash| Hash(*hash)).collect()
}

#[cfg(test)]
#[path = "tree_test.rs"]
mod tests;
