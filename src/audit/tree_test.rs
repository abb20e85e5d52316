//! Against ct-merkle, an implementation of RFC 6962 that shares no code with ours.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use sha2::Sha256;

use super::*;
use crate::audit::entry::leaf_hash;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn roots_and_proofs_are_those_of_another_implementation(
        steps in prop::collection::vec(1_usize..700, 1..5),
        at in any::<prop::sample::Index>(),
    ) {
        let (ours, theirs, size) = grown(&steps);
        let root = ours.root(size).unwrap();
        let their_root: RootHash<Sha256> = theirs.root();
        prop_assert_eq!(root.0.as_slice(), their_root.as_bytes().as_slice());

        let position = at.index(size as usize);
        let proof = ours.prove_entry(position as u64, size).unwrap();
        let other = theirs.prove_inclusion(position);
        prop_assert_eq!(bytes(&proof), other.as_bytes());
        prop_assert!(proves_entry(&proof, size, root, position as u64, leaf_hash(&leaf(position as u64))));
        let given = InclusionProof::<Sha256>::try_from_bytes(bytes(&proof)).unwrap();
        prop_assert!(their_root.verify_inclusion(&leaf(position as u64), position as u64, &given).is_ok());

        let old = 1 + at.index(size as usize) as u64;
        let growth = ours.prove_growth(old, size).unwrap();
        let other = theirs.prove_consistency((size - old) as usize);
        prop_assert_eq!(bytes(&growth), other.as_bytes());
        let old_root = ours.root(old).unwrap();
        prop_assert!(proves_growth(&growth, size, root, old, old_root));
        let given = ConsistencyProof::<Sha256>::try_from_bytes(bytes(&growth)).unwrap();
        let before = RootHash::new(old_root.0.into(), old);
        prop_assert!(their_root.verify_consistency(&before, &given).is_ok());
    }

    #[test]
    fn a_changed_proof_proves_nothing(
        size in 2_u64..600, at in any::<prop::sample::Index>(), bit in 0_usize..256,
    ) {
        let (tiles, _, size) = grown(&[size as usize]);
        let root = tiles.root(size).unwrap();
        let position = at.index(size as usize) as u64;
        let mut proof = tiles.prove_entry(position, size).unwrap();
        let hash = leaf_hash(&leaf(position));
        prop_assert!(!proves_entry(&proof, size, root, (position + 1) % size, hash));
        let changed = at.index(proof.len());
        proof[changed].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!proves_entry(&proof, size, root, position, hash));
        proof[changed].0[bit / 8] ^= 1 << (bit % 8);
        proof.push(hash);
        prop_assert!(!proves_entry(&proof, size, root, position, hash));
    }

    #[test]
    fn no_proof_is_too_strange(
        hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70), size in any::<u64>(), other in any::<u64>(),
    ) {
        let proof: Vec<Hash> = hashes.into_iter().map(Hash).collect();
        let root = Hash([1; 32]);
        prop_assert!(!proves_entry(&proof, size, root, other, Hash([2; 32])));
        prop_assert!(other == size || !proves_growth(&proof, size, root, other, Hash([2; 32])));
    }
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
