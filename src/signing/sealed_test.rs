//! Seals open where they were made, unchanged, and nowhere else.

use proptest::prelude::*;

use crate::domain::time::Timestamp;
use crate::entropy::SeededEntropy;
use crate::signing::keyring::Keyring;
use crate::signing::sealed::{OVERHEAD, OpenError, open, seal};

fn ring(seed: u64) -> Keyring {
    Keyring::generate(&SeededEntropy::from_seed(seed), Timestamp::MIN).unwrap()
}

proptest! {
    #[test]
    fn what_was_sealed_opens_in_its_context_only(
        secret: Vec<u8>,
        context: Vec<u8>,
        elsewhere: Vec<u8>,
        seed: u64,
    ) {
        let ring = ring(1);
        let sealed = seal(&ring, &SeededEntropy::from_seed(seed), &context, &secret).unwrap();
        prop_assert_eq!(sealed.len(), secret.len() + OVERHEAD);
        let opened = open(&ring, &context, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), secret.as_slice());
        if elsewhere != context {
            prop_assert_eq!(open(&ring, &elsewhere, &sealed), Err(OpenError::Refused));
        }
    }

    #[test]
    fn any_bytes_are_refused_without_harm(bytes: Vec<u8>) {
        prop_assert!(open(&ring(1), b"", &bytes).is_err());
    }
}

#[test]
fn every_changed_bit_and_every_missing_byte_is_refused() {
    let ring = ring(1);
    let sealed = seal(&ring, &SeededEntropy::from_seed(2), b"row 1", b"secret").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&ring, b"row 1", &changed).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(open(&ring, b"row 1", &sealed[..length]).is_err());
    }
}

#[test]
fn seals_outlive_rotations_but_not_the_keyring() {
    let entropy = SeededEntropy::from_seed(3);
    let mut ring = ring(1);
    let sealed = seal(&ring, &entropy, b"row", b"secret").unwrap();
    let again = seal(&ring, &entropy, b"row", b"secret").unwrap();
    assert_ne!(sealed, again, "two seals share a nonce");
    ring.rotate(&entropy, Timestamp::MAX).unwrap();
    assert_eq!(open(&ring, b"row", &sealed).unwrap().as_slice(), b"secret");
    assert_eq!(open(&self::ring(9), b"row", &sealed), Err(OpenError::UnknownKey));
}
