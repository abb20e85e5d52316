//! Ed25519 keys that sign tokens and checkpoints (RFC 8032, RFC 8037): one key, and the set of one purpose.
//! Knows no purpose and no file.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

use crate::domain::time::Timestamp;
use crate::entropy::Entropy;
use crate::signing::digest::sha256;
use crate::signing::error::SigningError;

/// How long after a rotation another instance may still sign with the old key.
const HANDOVER: Duration = Duration::from_secs(60 * 60);

/// Length of the secret seed in bytes.
pub const SEED_LENGTH: usize = 32;

/// What precedes the seed in a PKCS#8 version 1 document (RFC 8410 section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// One key pair, ready to sign and to verify.
pub struct SigningKey {
    kid: String,
    public: [u8; 32],
    seed: Zeroizing<[u8; SEED_LENGTH]>,
    pair: Ed25519KeyPair,
    encoding: EncodingKey,
    decoding: DecodingKey,
    created_at: Timestamp,
    retired_at: Option<Timestamp>,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SigningError::NoEntropy`] if the generator fails.
    pub fn generate(entropy: &dyn Entropy, now: Timestamp) -> Result<Self, SigningError> {
        let mut seed = Zeroizing::new([0; SEED_LENGTH]);
        entropy.fill(seed.as_mut())?;
        Self::from_seed(seed, now, None)
    }

    /// The key that follows from a seed (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// [`SigningError::Refused`] if the cryptographic library does not take the seed.
    pub fn from_seed(
        seed: Zeroizing<[u8; SEED_LENGTH]>,
        created_at: Timestamp,
        retired_at: Option<Timestamp>,
    ) -> Result<Self, SigningError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice())
            .map_err(|_| SigningError::Refused)?;
        let public =
            <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| SigningError::Refused)?;
        let pkcs8 = Zeroizing::new([PKCS8_PREFIX.as_slice(), seed.as_slice()].concat());
        Ok(Self {
            kid: thumbprint(&public),
            public,
            encoding: EncodingKey::from_ed_der(&pkcs8),
            decoding: DecodingKey::from_ed_der(&public),
            seed,
            pair,
            created_at,
            retired_at,
        })
    }

    /// The name of the key in token headers: its thumbprint (RFC 7638), base64url.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key, base64url: `x` of its JWK (RFC 8037 section 2).
    #[must_use]
    pub fn public_x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.public)
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The signature of a message (RFC 8032 section 5.1.6).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// The time at which the key was made.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it stopped signing; `None` while it signs.
    #[must_use]
    pub const fn retired_at(&self) -> Option<Timestamp> {
        self.retired_at
    }

    /// Whether it may have signed something at this time: a key that is retired signs only until every instance has
    /// read the file of the keys again. Whoever has an old key can sign, but not in the past of a token that lives.
    pub(super) fn may_have_signed(&self, at: Timestamp) -> bool {
        self.retired_at.is_none_or(|retired_at| at <= retired_at.plus(HANDOVER))
    }

    pub(super) const fn seed(&self) -> &Zeroizing<[u8; SEED_LENGTH]> {
        &self.seed
    }

    pub(super) const fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(super) const fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

/// The JWK thumbprint (RFC 7638 section 3, members as in RFC 8037 section 2) of a public key.
fn thumbprint(public: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(sha256(canonical.as_bytes()))
}

/// The keys of one purpose: one that signs, and those that only verify any more.
#[derive(Debug)]
pub struct SigningKeys {
    active: SigningKey,
    retired: BTreeMap<String, SigningKey>,
}

impl SigningKeys {
    /// A set with these keys.
    #[must_use]
    pub fn new(active: SigningKey, retired: Vec<SigningKey>) -> Self {
        let retired = retired.into_iter().map(|key| (key.kid.clone(), key)).collect();
        Self { active, retired }
    }

    /// The key that signs.
    #[must_use]
    pub const fn active(&self) -> &SigningKey {
        &self.active
    }

    /// The key of this name, whether it still signs or not. A name is looked up, never followed.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&SigningKey> {
        if self.active.kid == kid {
            return Some(&self.active);
        }
        self.retired.get(kid)
    }

    /// All keys, the active one first.
    pub fn iter(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.active).chain(self.retired.values())
    }

    /// Lets a new key sign, and drops the keys that retired `keep` or longer ago.
    pub(super) fn replace(&mut self, fresh: SigningKey, now: Timestamp, keep: Duration) {
        let mut old = std::mem::replace(&mut self.active, fresh);
        old.retired_at = Some(now);
        self.retired.insert(old.kid.clone(), old);
        self.retired.retain(|_, key| key.retired_at.is_none_or(|at| now.since(at) < keep));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 appendix A.1 to A.3.
    #[test]
    fn public_key_and_thumbprint_are_those_of_the_standard() {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).unwrap());
        let key = SigningKey::from_seed(seed, Timestamp::MIN, None).unwrap();
        assert_eq!(key.public_x(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert!(!format!("{key:?}").contains("seed"));
    }
}
