//! Only what the root vouches for is believed, whatever stands in the files.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::*;
use crate::audit::entry::leaf_hash;
use crate::audit::tree::Tiles;

struct InMemory(BTreeMap<String, Vec<u8>>);

impl Files for InMemory {
    type Error = Infallible;

    fn read(&self, path: &str, _: usize) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(path).cloned())
    }
}

fn tree(size: u64) -> (InMemory, TreeHead, Vec<Hash>) {
    let leaves: Vec<Hash> = (0..size).map(|at| leaf_hash(&at.to_be_bytes())).collect();
    let mut tiles = Tiles::default();
    tiles.grow(0, &leaves).unwrap();
    let slices = (0..4).flat_map(|level| TileSlice::of_level(level, size));
    let files = slices.map(|slice| (slice.path(), tiles.get(slice.tile).unwrap().to_vec()));
    let head = TreeHead { size, root: tiles.root(size).unwrap() };
    (InMemory(files.collect()), head, leaves)
}

fn believed(files: &InMemory, head: TreeHead) -> Vec<Option<Vec<Hash>>> {
    let mut vouched = Vouched::under(head, files).unwrap();
    let numbers = 0..head.size.div_ceil(WIDTH);
    numbers.map(|number| vouched.leaves(number).unwrap().map(<[Hash]>::to_vec)).collect()
}

#[test]
fn the_hashes_of_a_good_tree_are_all_believed() {
    for size in [0, 1, 255, 256, 257, 512, 1000, 65_536, 65_537, 66_000] {
        let (files, head, leaves) = tree(size);
        let all: Option<Vec<Vec<Hash>>> = believed(&files, head).into_iter().collect();
        assert_eq!(all.unwrap().concat(), leaves, "{size}");
    }
}

#[test]
fn a_bit_that_was_changed_takes_the_belief_from_what_hangs_from_it_and_nothing_else() {
    let (files, head, _) = tree(66_000);
    for (path, unbelieved) in [
        ("tile/0/003", 3..4),
        ("tile/0/257.p/208", 0..258),
        ("tile/1/000", 0..256),
        ("tile/1/001.p/1", 0..258),
        ("tile/2/000.p/1", 0..258),
    ] {
        let mut changed = InMemory(files.0.clone());
        changed.0.get_mut(path).unwrap()[7] ^= 1;
        for (number, hashes) in (0..).zip(believed(&changed, head)) {
            assert_eq!(hashes.is_none(), unbelieved.contains(&number), "{path}: {number}");
        }
        changed.0.remove(path);
        for (number, hashes) in (0..).zip(believed(&changed, head)) {
            assert_eq!(hashes.is_none(), unbelieved.contains(&number), "without {path}: {number}");
        }
    }
}

#[test]
fn tiles_of_another_tree_are_not_believed() {
    let (files, head, _) = tree(600);
    let other = TreeHead { root: leaf_hash(b"other"), ..head };
    assert!(believed(&files, other).iter().all(Option::is_none));
}
