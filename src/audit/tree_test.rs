//! Against ct-merkle, an implementation of RFC 6962 that shares no code with ours.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sha2::Sha256;

use super::*;
use crate::audit::entry::leaf_hash;
use crate::tally::Tally;

fn leaf(position: u64) -> Vec<u8> {
    format!("entry {position}").into_bytes()
}

/// The same tree, grown in steps of these sizes, by both.
fn grown(steps: &[usize]) -> (Tiles, MemoryBackedTree<Sha256, Vec<u8>>, u64) {
    let (mut ours, mut theirs, mut size) = (Tiles::default(), MemoryBackedTree::new(), 0_u64);
    for &step in steps {
        let leaves: Vec<Vec<u8>> = (size..).take(step).map(leaf).collect();
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        ours.grow(size, &hashes).unwrap();
        leaves.into_iter().for_each(|leaf| theirs.push(leaf));
        size += step as u64;
    }
    (ours, theirs, size)
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

/// Steps after which a tree often ends where a tile does.
fn steps() -> impl Strategy<Value = Vec<usize>> {
    let step = prop_oneof![1_usize..700, select(vec![1, 255, 256, 257, 512])];
    prop::collection::vec(step, 1..5)
}

/// Anywhere within so many, the ends of tiles and the last of all as likely as the others together.
fn place(count: u64, at: Index, way: u8) -> u64 {
    let anywhere = at.index(count as usize) as u64;
    match way {
        0 => count - 1,
        1 => (anywhere / WIDTH * WIDTH).min(count - 1),
        _ => anywhere,
    }
}

#[test]
fn roots_and_proofs_are_those_of_another_implementation() {
    let cases = (steps(), any::<[Index; 2]>(), [0_u8..4, 0..4]);
    let tally = Tally::of(96, cases, |(steps, at, ways), tally| {
        let (ours, theirs, size) = grown(&steps);
        let root = ours.root(size).unwrap();
        let their_root: RootHash<Sha256> = theirs.root();
        prop_assert_eq!(root.0.as_slice(), their_root.as_bytes().as_slice());

        let position = place(size, at[0], ways[0]);
        let entry = leaf(position);
        let proof = ours.prove_entry(position, size).unwrap();
        let other = theirs.prove_inclusion(position as usize);
        prop_assert_eq!(bytes(&proof), other.as_bytes());
        prop_assert!(proves_entry(&proof, size, root, position, leaf_hash(&entry)));
        let given = InclusionProof::<Sha256>::try_from_bytes(bytes(&proof)).unwrap();
        prop_assert!(their_root.verify_inclusion(&entry, position, &given).is_ok());

        let old = 1 + place(size, at[1], ways[1]);
        let growth = ours.prove_growth(old, size).unwrap();
        let other = theirs.prove_consistency((size - old) as usize);
        prop_assert_eq!(bytes(&growth), other.as_bytes());
        let old_root = ours.root(old).unwrap();
        prop_assert!(proves_growth(&growth, size, root, old, old_root));
        let given = ConsistencyProof::<Sha256>::try_from_bytes(bytes(&growth)).unwrap();
        let before = RootHash::new(old_root.0.into(), old);
        prop_assert!(their_root.verify_consistency(&before, &given).is_ok());

        tally.count_if(size.is_multiple_of(WIDTH), "full tiles only");
        tally.count_if(size < WIDTH, "less than a tile");
        tally.count_if(position + 1 == size, "the last entry");
        tally.count_if(position.is_multiple_of(WIDTH), "the first entry of a tile");
        tally.count_if(old == size, "nothing grown");
        tally.count_if(old % WIDTH == 1, "grown from the beginning of a tile");
        Ok(())
    });
    tally.assert_each(8, ["the last entry", "the first entry of a tile", "nothing grown"]);
    tally.assert_each(8, ["grown from the beginning of a tile"]);
    tally.assert_each(1, ["full tiles only", "less than a tile"]);
}

/// Every way in which a list of hashes can be changed in one place.
fn changed(proof: &[Hash], at: Index, bit: usize, stray: Hash) -> Vec<Vec<Hash>> {
    let mut changed = vec![[proof, &[stray]].concat(), [&[stray], proof].concat()];
    if !proof.is_empty() {
        let at = at.index(proof.len());
        let mut flipped = proof.to_vec();
        flipped[at].0[bit / 8] ^= 1 << (bit % 8);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        changed.extend([flipped, shorter]);
    }
    changed
}

#[test]
fn a_changed_proof_proves_nothing() {
    let cases = (2_u64..600, any::<[Index; 3]>(), 0_usize..256);
    let tally = Tally::of(64, cases, |(size, at, bit), tally| {
        let (tiles, _, size) = grown(&[size as usize]);
        let root = tiles.root(size).unwrap();
        let position = at[0].index(size as usize) as u64;
        let proof = tiles.prove_entry(position, size).unwrap();
        let hash = leaf_hash(&leaf(position));
        prop_assert!(!proves_entry(&proof, size, root, (position + 1) % size, hash));
        for proof in changed(&proof, at[1], bit, hash) {
            prop_assert!(!proves_entry(&proof, size, root, position, hash));
        }
        let old = 1 + at[2].index(size as usize - 1) as u64;
        let growth = tiles.prove_growth(old, size).unwrap();
        let old_root = tiles.root(old).unwrap();
        prop_assert!(!proves_growth(&growth, size, root, old, root));
        prop_assert!(!proves_growth(&growth, size, old_root, old, old_root));
        for growth in changed(&growth, at[1], bit, hash) {
            prop_assert!(!proves_growth(&growth, size, root, old, old_root));
        }
        tally.count_if(!growth.is_empty(), "a proof of growth with hashes");
        Ok(())
    });
    tally.assert_each(60, ["a proof of growth with hashes"]);
}

#[test]
fn no_proof_is_too_strange() {
    // Sizes of which a proof has as many hashes as are drawn, and sizes without bounds.
    let number = || prop_oneof![0_u64..300, any::<u64>()];
    let hashes = prop_oneof![
        prop::collection::vec(any::<[u8; 32]>(), 0..12),
        prop::collection::vec(any::<[u8; 32]>(), 55..70),
    ];
    let tally = Tally::of(512, (hashes, number(), number()), |(hashes, size, other), tally| {
        let proof: Vec<Hash> = hashes.into_iter().map(Hash).collect();
        let root = Hash([1; 32]);
        prop_assert!(!proves_entry(&proof, size, root, other, Hash([2; 32])));
        prop_assert!(!proves_growth(&proof, size, root, other, Hash([2; 32])));
        tally.count(if other < size { "an entry within" } else { "an entry beyond" });
        tally.count_if(other == 0, "grown from nothing");
        tally.count_if(other > 0 && other < size && proof.len() < 12, "few hashes");
        Ok(())
    });
    tally.assert_each(80, ["an entry within", "an entry beyond", "few hashes"]);
}

#[test]
fn growing_in_steps_writes_the_tiles_that_changed() {
    let hashes: Vec<Hash> = (0..300).map(|position| leaf_hash(&leaf(position))).collect();
    let mut tiles = Tiles::default();
    let at = |level, number| TileId { level, number };
    assert_eq!(tiles.grow(0, &hashes[..200]).unwrap(), [at(0, 0)].into());
    assert_eq!(tiles.grow(200, &hashes[200..]).unwrap(), [at(0, 0), at(0, 1), at(1, 0)].into());
    assert_eq!(tiles.get(at(0, 1)).unwrap().len(), 44 * 32);
    assert_eq!(tiles.get(at(1, 0)).unwrap().len(), 32);
}

#[test]
fn what_is_missing_is_named_and_then_enough() {
    let (all, _, size) = grown(&[70_000]);
    let mut few = Tiles::default();
    let position = 12_345;
    let proof = loop {
        match few.prove_entry(position, size) {
            Ok(proof) => break proof,
            Err(TreeError::Missing(tiles)) => {
                for tile in tiles {
                    few.insert(tile, all.get(tile).unwrap().to_vec());
                }
            }
            Err(TreeError::Invalid) => panic!("the tiles are good"),
        }
    };
    assert!(few.0.len() <= 6, "{} tiles", few.0.len());
    assert_eq!(bytes(&proof), bytes(&all.prove_entry(position, size).unwrap()));
    let edge = TileId::edge(size);
    assert_eq!(Tiles::default().grow(size, &[Hash([0; 32])]), Err(TreeError::Missing(edge)));
}

#[test]
fn tiles_that_are_too_short_prove_nothing() {
    let (tiles, _, _) = grown(&[100]);
    assert_eq!(tiles.root(200), Err(TreeError::Invalid));
    assert_eq!(tiles.prove_entry(100, 100), Err(TreeError::Invalid));
    assert_eq!(tiles.prove_growth(101, 100), Err(TreeError::Invalid));
}

#[test]
fn everything_grows_from_nothing() {
    let (tiles, _, size) = grown(&[3]);
    let root = tiles.root(size).unwrap();
    let nothing = Tiles::default().root(0).unwrap();
    assert_eq!(tiles.prove_growth(0, size), Ok(Vec::new()));
    assert!(proves_growth(&[], size, root, 0, nothing));
    assert!(!proves_growth(&[], size, root, 0, root));
    assert!(!proves_growth(&[], 3, root, 4, root));
}
