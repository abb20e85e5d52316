//! Secrets at rest: AES-256-GCM with a key that is not in the database, bound to the row they
//! belong to, so that a sealed secret moved to another row does not open.
//!
//! ```text
//! version (1 byte) | key name (8) | nonce (12) | ciphertext and tag
//! ```

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::keyring::{Keyring, SealingKey};
use crate::entropy::Entropy;

const VERSION: u8 = 1;

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is no randomness for a nonce, or the plaintext is too long.
    #[error("could not be sealed")]
    Seal,
    /// It is not of our making, was altered, or belongs to another row.
    #[error("cannot be opened")]
    Open,
    /// The key it names is not in the key file.
    #[error("was sealed with a key that is not there")]
    UnknownKey,
}

fn cipher(key: &SealingKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, &*key.key).ok().map(LessSafeKey::new)
}

/// Seals a secret for one place: `context` names table, column and row.
///
/// # Errors
/// [`SealError::Seal`].
pub fn seal(
    keyring: &Keyring,
    entropy: &dyn Entropy,
    context: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let key = keyring.sealing.newest();
    let nonce = entropy.bytes::<NONCE_LEN>().map_err(|_| SealError::Seal)?;
    let mut sealed = plaintext.to_vec();
    cipher(key)
        .ok_or(SealError::Seal)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            &mut sealed,
        )
        .map_err(|_| SealError::Seal)?;
    Ok([&[VERSION][..], &key.kid, &nonce, &sealed].concat())
}

/// Opens a secret in its place.
///
/// # Errors
/// [`SealError::Open`] if anything about it or its place is not as it was sealed.
pub fn open(
    keyring: &Keyring,
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (&version, rest) = sealed.split_first().ok_or(SealError::Open)?;
    let (kid, rest) = rest.split_first_chunk::<8>().ok_or(SealError::Open)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Open)?;
    if version != VERSION {
        return Err(SealError::Open);
    }
    let key = keyring.sealing.iter().find(|key| key.kid == *kid).ok_or(SealError::UnknownKey)?;
    let mut opened = Zeroizing::new(ciphertext.to_vec());
    let length = cipher(key)
        .ok_or(SealError::Open)?
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(context),
            opened.as_mut_slice(),
        )
        .map_err(|_| SealError::Open)?
        .len();
    opened.truncate(length);
    Ok(opened)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;

    fn keyring() -> (Keyring, SeededEntropy) {
        let entropy = SeededEntropy::from_seed(1);
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        (Keyring::generate(&entropy, now).unwrap(), entropy)
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_in_its_place_alone(secret: Vec<u8>, place: Vec<u8>, other: Vec<u8>) {
            let (keyring, entropy) = keyring();
            let sealed = seal(&keyring, &entropy, &place, &secret).unwrap();
            prop_assert_eq!(&*open(&keyring, &place, &sealed).unwrap(), &secret);
            if other != place {
                prop_assert!(open(&keyring, &other, &sealed).is_err());
            }
        }

        #[test]
        fn no_altered_bit_goes_unnoticed(secret: Vec<u8>, bit: prop::sample::Index) {
            let (keyring, entropy) = keyring();
            let mut sealed = seal(&keyring, &entropy, b"place", &secret).unwrap();
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(open(&keyring, b"place", &sealed).is_err());
        }
    }

    #[test]
    fn old_secrets_open_after_a_rotation() {
        let (mut keyring, entropy) = keyring();
        let sealed = seal(&keyring, &entropy, b"place", b"secret").unwrap();
        let later = Timestamp::from_unix_seconds(1_900_000_000).unwrap();
        keyring.rotate(&entropy, later).unwrap();
        assert_eq!(&*open(&keyring, b"place", &sealed).unwrap(), b"secret");
    }
}
