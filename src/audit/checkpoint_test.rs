//! Checkpoints: who must have signed one.

use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::domain::time::Timestamp;

const ORIGIN: &str = "keys.example.com/log";
const HEAD: TreeHead = TreeHead { size: 42, root: Hash([9; 32]) };

fn signer(seed: u8, name: &str, kind: KeyKind) -> (VerifierKey, Ed25519KeyPair) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let key = VerifierKey::new(name, kind, pair.public_key().as_ref().try_into().unwrap());
    (key.unwrap(), pair)
}

fn signed(origin: &str, head: TreeHead, by: &[&(VerifierKey, Ed25519KeyPair)]) -> Vec<u8> {
    let now = Timestamp::from_unix_seconds(1_700_000_000).unwrap();
    let text = text(origin, head).unwrap();
    let signatures: Vec<Signature> = by
        .iter()
        .map(|(key, pair)| {
            key.signature(pair.sign(&key.message(&text, now)).as_ref(), now).unwrap()
        })
        .collect();
    note(&text, &signatures).unwrap()
}

#[test]
fn a_checkpoint_reads_back_with_who_signed_it() {
    let log = signer(1, ORIGIN, KeyKind::Log);
    let witness = signer(2, "witness.example", KeyKind::Witness);
    let stranger = signer(3, "stranger.example", KeyKind::Witness);
    let bytes = signed(ORIGIN, HEAD, &[&log, &witness, &stranger]);
    let opened = open(&bytes, ORIGIN, &[log.0.clone(), witness.0.clone()]).unwrap();
    assert_eq!(opened.head, HEAD);
    assert_eq!(opened.signatures.len(), 1);
    assert_eq!(opened.cosignatures.len(), 1, "strangers do not count");
    assert_eq!(opened.cosignatures[0].0, witness.0);
}

#[test]
fn only_the_log_s_own_signature_makes_a_checkpoint() {
    let log = signer(1, ORIGIN, KeyKind::Log);
    let witness = signer(2, "witness.example", KeyKind::Witness);
    let keys = [log.0.clone(), witness.0.clone()];
    let not_signed =
        |bytes: &[u8]| matches!(open(bytes, ORIGIN, &keys), Err(InvalidCheckpoint::NotSigned(_)));
    assert!(not_signed(&signed(ORIGIN, HEAD, &[&witness])));
    assert!(not_signed(&signed(ORIGIN, HEAD, &[&signer(9, ORIGIN, KeyKind::Log)])));
    let good = String::from_utf8(signed(ORIGIN, HEAD, &[&log])).unwrap();
    assert!(not_signed(good.replace("\n42\n", "\n43\n").as_bytes()));
    let other = signed("other.example/log", HEAD, &[&log]);
    assert!(matches!(open(&other, ORIGIN, &keys), Err(InvalidCheckpoint::OtherLog(_))));
    let long = [good.as_bytes(), &vec![b'x'; LENGTH_MAX]].concat();
    assert!(matches!(open(&long, ORIGIN, &keys), Err(InvalidCheckpoint::Malformed)));
}

#[test]
fn an_origin_is_one_line() {
    assert!(text("", HEAD).is_err());
    assert!(text("a\nb", HEAD).is_err());
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open(&bytes, ORIGIN, &[]).is_err());
    }
}

#[test]
fn no_changed_bit_is_overlooked() {
    let log = signer(1, ORIGIN, KeyKind::Log);
    let good = signed(ORIGIN, HEAD, &[&log]);
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&bytes, ORIGIN, std::slice::from_ref(&log.0)).is_err(), "bit {bit}");
    }
}
