//! Proofs: files that other programs read, and that no change to them survives.

use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::audit::checkpoint::TreeHead;
use crate::audit::note::KeyKind;
use crate::domain::time::Timestamp;

const ORIGIN: &str = "keys.example.com/log";

fn log() -> (VerifierKey, Ed25519KeyPair) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let public = pair.public_key().as_ref().try_into().unwrap();
    (VerifierKey::new(ORIGIN, KeyKind::Log, public).unwrap(), pair)
}

fn proof(size: u64, position: u64) -> Proof {
    let leaves: Vec<Vec<u8>> = (0..size).map(|n| format!("entry {n}").into_bytes()).collect();
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut tiles = tree::Tiles::default();
    tiles.grow(0, &hashes).unwrap();
    let head = TreeHead { size, root: tiles.root(size).unwrap() };
    let text = checkpoint::text(ORIGIN, head).unwrap();
    let (key, pair) = log();
    let now = Timestamp::from_unix_seconds(0).unwrap();
    let signature = key.signature(pair.sign(&text).as_ref(), now).unwrap();
    Proof {
        leaf: leaves[usize::try_from(position).unwrap()].clone(),
        position,
        hashes: tiles.prove_entry(position, size).unwrap(),
        checkpoint: checkpoint::note(&text, &[signature]).unwrap(),
    }
}

#[test]
fn the_file_has_the_form_of_the_specification() {
    let file = String::from_utf8(proof(3, 1).to_bytes()).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines[..3], ["c2sp.org/tlog-proof@v1", "extra ZW50cnkgMQ==", "index 1"]);
    assert_eq!(lines[5..8], ["", ORIGIN, "3"]);
    assert!(file.ends_with('\n'));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_proof_reads_back_and_holds(size in 1_u64..400, at in any::<prop::sample::Index>()) {
        let proof = proof(size, at.index(usize::try_from(size).unwrap()) as u64);
        let read = Proof::from_bytes(&proof.to_bytes()).unwrap();
        prop_assert_eq!(&read, &proof);
        prop_assert_eq!(read.check(ORIGIN, &[log().0]).unwrap().head.size, size);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Proof::from_bytes(&bytes).is_err());
    }
}

#[test]
fn no_changed_bit_is_overlooked() {
    let (good, keys) = (proof(5, 3).to_bytes(), [log().0]);
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let holds = Proof::from_bytes(&bytes).and_then(|proof| proof.check(ORIGIN, &keys));
        assert!(holds.is_err(), "bit {bit}");
    }
}

#[test]
fn another_entry_is_not_proved() {
    let mut proof = proof(70, 3);
    proof.leaf = b"entry 4".to_vec();
    assert!(matches!(proof.check(ORIGIN, &[log().0]), Err(InvalidProof::NotInTree)));
}
