//! The root of a tree of which only the newest edge is kept: what reading a record from its
//! beginning needs, in memory that does not grow with it.

use ring::digest;

use super::Hash;

/// What precedes two hashes when they are hashed (RFC 6962 section 2.1).
const NODE_PREFIX: [u8; 1] = [1];

/// The complete subtrees of a tree, the largest first.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each trailing one in the size is a subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = node(left, hash);
            }
        }
        self.subtrees.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The hash over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        let smallest_first = self.subtrees.iter().rev().copied();
        smallest_first.reduce(|right, left| node(left, right)).unwrap_or(tlog_tiles::EMPTY_HASH)
    }
}

/// The hash over two hashes.
pub(super) fn node(left: Hash, right: Hash) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&NODE_PREFIX);
    context.update(&left.0);
    context.update(&right.0);
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    Hash(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::entry::leaf_hash;
    use crate::audit::tree::Tiles;

    #[test]
    fn its_root_is_that_of_the_tree_at_every_size() {
        let mut frontier = Frontier::default();
        let mut tiles = Tiles::default();
        for position in 0..600_u64 {
            assert_eq!(frontier.root(), tiles.root(position).unwrap());
            let leaf = leaf_hash(&position.to_be_bytes());
            tiles.grow(position, &[leaf]).unwrap();
            frontier.push(leaf);
            assert_eq!(frontier.size(), position + 1);
        }
    }
}
