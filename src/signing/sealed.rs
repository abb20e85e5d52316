//! Seals: secrets of others (connection tokens, webhook secrets), encrypted before they are
//! stored. AES-256-GCM (NIST SP 800-38D). Knows neither what is sealed nor where it is kept.
//!
//! The form: version byte 1, name of the key (8 bytes), nonce (12 bytes), ciphertext, tag
//! (16 bytes). The nonce is random: one key should seal fewer than 2^32 times, so rotate it.

use ring::aead::{Aad, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::signing::error::SigningError;
use crate::signing::keyring::Keyring;
use crate::signing::sealing_key::KID_LENGTH;

const VERSION: u8 = 1;
const TAG_LENGTH: usize = 16;
/// By how many bytes a sealed secret is longer than the secret.
pub const OVERHEAD: usize = 1 + KID_LENGTH + NONCE_LEN + TAG_LENGTH;

/// Why a seal was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It does not have the form of a seal.
    #[error("this is not a sealed secret of a known version")]
    Malformed,
    /// The keyring has no such key: it is a keyring of another database, or an old one.
    #[error("the keyring does not hold the key this secret was sealed with")]
    UnknownKey,
    /// It was changed, or sealed in another context.
    #[error("the sealed secret was changed or belongs elsewhere")]
    Refused,
}

/// Seals a secret with the active key. `context` says where the seal belongs, for example table,
/// column and row; it is not stored, and the seal opens with the same context only.
///
/// # Errors
/// [`SigningError::NoEntropy`] if the generator fails, [`SigningError::Refused`] if the secret is
/// longer than the cipher allows (64 GiB).
pub fn seal(
    keyring: &Keyring,
    entropy: &dyn Entropy,
    context: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, SigningError> {
    let key = keyring.seals().active();
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce)?;
    let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD);
    sealed.push(VERSION);
    sealed.extend_from_slice(&key.kid());
    sealed.extend_from_slice(&nonce);
    let mut body = Zeroizing::new(plaintext.to_vec());
    let tag = key
        .cipher()
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            body.as_mut_slice(),
        )
        .map_err(|_| SigningError::Refused)?;
    sealed.extend_from_slice(&body);
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// Opens a seal that was made in this context.
///
/// # Errors
/// [`OpenError`] says why not.
pub fn open(
    keyring: &Keyring,
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (version, rest) = sealed.split_first().ok_or(OpenError::Malformed)?;
    if *version != VERSION || sealed.len() < OVERHEAD {
        return Err(OpenError::Malformed);
    }
    let (kid, rest) = rest.split_first_chunk::<KID_LENGTH>().ok_or(OpenError::Malformed)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Malformed)?;
    let key = keyring.seals().get(*kid).ok_or(OpenError::UnknownKey)?;
    let mut opened = Zeroizing::new(body.to_vec());
    let length = key
        .cipher()
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(context),
            opened.as_mut_slice(),
        )
        .map_err(|_| OpenError::Refused)?
        .len();
    opened.truncate(length);
    Ok(opened)
}
