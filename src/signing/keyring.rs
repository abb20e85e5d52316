//! The keys of the service: one set for grants, one for sessions, one for sealing. The newest of
//! each set signs and seals; the older ones still verify and open.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use super::digest::sha256;
use super::jwks::{Jwk, Jwks};
use crate::domain::grant::VALIDITY_MAX;
use crate::domain::time::Timestamp;
use crate::entropy::{Entropy, NoEntropy};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A session key verifies for so long after a newer one came; access tokens live ten minutes.
const SESSION_OVERLAP: Duration = DAY;

/// A seed that is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an Ed25519 seed")]
pub struct InvalidSeed;

/// An Ed25519 key that signs tokens.
pub struct SigningKey {
    /// The RFC 7638 thumbprint of the public key.
    kid: String,
    seed: Zeroizing<[u8; 32]>,
    public_key: [u8; 32],
    encoding: EncodingKey,
    decoding: DecodingKey,
    created_at: Timestamp,
}

impl SigningKey {
    /// A key from its seed (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// [`InvalidSeed`] if `ring` does not accept it.
    pub fn from_seed(seed: [u8; 32], created_at: Timestamp) -> Result<Self, InvalidSeed> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| InvalidSeed)?;
        let public_key: [u8; 32] =
            pair.public_key().as_ref().try_into().map_err(|_| InvalidSeed)?;
        let x = URL_SAFE_NO_PAD.encode(public_key);
        let thumbprint = sha256(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes());
        Ok(Self {
            kid: URL_SAFE_NO_PAD.encode(thumbprint),
            encoding: EncodingKey::from_ed_der(&seed),
            decoding: DecodingKey::from_ed_der(&public_key),
            seed: Zeroizing::new(seed),
            public_key,
            created_at,
        })
    }

    /// The key's name in tokens and in the JWKS.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) const fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(super) const fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    pub(super) fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    pub(super) const fn created_at(&self) -> Timestamp {
        self.created_at
    }
}

/// An AES-256 key that seals secrets at rest.
pub struct SealingKey {
    /// Eight bytes that name it inside what it sealed.
    pub(super) kid: [u8; 8],
    pub(super) key: Zeroizing<[u8; 32]>,
    pub(super) created_at: Timestamp,
}

/// One purpose's keys, the newest last. Never empty.
pub(super) struct Set<K> {
    older: Vec<K>,
    newest: K,
}

impl<K> Set<K> {
    pub(super) fn from_keys(mut keys: Vec<K>) -> Option<Self> {
        let newest = keys.pop()?;
        Some(Self { older: keys, newest })
    }

    pub(super) const fn newest(&self) -> &K {
        &self.newest
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &K> {
        self.older.iter().chain(std::iter::once(&self.newest))
    }

    fn add(&mut self, key: K) {
        self.older.push(std::mem::replace(&mut self.newest, key));
    }
}

impl Set<SigningKey> {
    pub(super) fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.iter().find(|key| key.kid == kid)
    }

    /// Drops keys that nothing valid can be signed with any more: each was retired when the next
    /// one was made.
    fn drop_retired(&mut self, overlap: Duration, now: Timestamp) {
        let successors: Vec<Timestamp> =
            self.iter().skip(1).map(|successor| successor.created_at).collect();
        let mut retired_at = successors.into_iter();
        self.older.retain(|_| retired_at.next().is_none_or(|at| at.plus(overlap) > now));
    }
}

/// All keys of the service.
pub struct Keyring {
    pub(super) grants: Set<SigningKey>,
    pub(super) sessions: Set<SigningKey>,
    pub(super) sealing: Set<SealingKey>,
}

fn signing_key(entropy: &dyn Entropy, now: Timestamp) -> Result<SigningKey, NoEntropy> {
    let seed = entropy.bytes::<32>()?;
    SigningKey::from_seed(seed, now).map_err(|InvalidSeed| NoEntropy)
}

fn sealing_key(entropy: &dyn Entropy, now: Timestamp) -> Result<SealingKey, NoEntropy> {
    let key = Zeroizing::new(entropy.bytes::<32>()?);
    Ok(SealingKey { kid: entropy.bytes::<8>()?, key, created_at: now })
}

impl Keyring {
    /// First keys.
    ///
    /// # Errors
    /// [`NoEntropy`] if there is no randomness.
    pub fn generate(entropy: &dyn Entropy, now: Timestamp) -> Result<Self, NoEntropy> {
        let one = |key| Set { older: Vec::new(), newest: key };
        Ok(Self {
            grants: one(signing_key(entropy, now)?),
            sessions: one(signing_key(entropy, now)?),
            sealing: Set { older: Vec::new(), newest: sealing_key(entropy, now)? },
        })
    }

    /// Adds a new key to each set. What the old ones signed stays verifiable until it expires;
    /// what they sealed can always be opened.
    ///
    /// # Errors
    /// [`NoEntropy`] if there is no randomness.
    pub fn rotate(&mut self, entropy: &dyn Entropy, now: Timestamp) -> Result<(), NoEntropy> {
        self.grants.add(signing_key(entropy, now)?);
        self.sessions.add(signing_key(entropy, now)?);
        self.sealing.add(sealing_key(entropy, now)?);
        self.grants.drop_retired(VALIDITY_MAX.saturating_add(DAY), now);
        self.sessions.drop_retired(SESSION_OVERLAP, now);
        Ok(())
    }

    /// The name of the key that signs grants now.
    #[must_use]
    pub fn active_grant_kid(&self) -> &str {
        self.grants.newest().kid()
    }

    /// The public keys with which anybody can verify grant tokens.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        let keys = self.grants.iter().map(|key| Jwk::ed25519(key.kid(), &key.public_key));
        Jwks { keys: keys.collect() }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring(grants are signed with {})", self.active_grant_kid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn day(n: u32) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000).unwrap().plus(DAY * n)
    }

    #[test]
    fn retired_keys_outlive_everything_they_signed() {
        let entropy = SeededEntropy::from_seed(1);
        let mut keyring = Keyring::generate(&entropy, day(0)).unwrap();
        let first = keyring.active_grant_kid().to_owned();
        keyring.rotate(&entropy, day(10)).unwrap();
        keyring.rotate(&entropy, day(10 + 400)).unwrap();
        assert!(keyring.grants.find(&first).is_some());
        assert_eq!(keyring.sessions.iter().count(), 2);
        keyring.rotate(&entropy, day(10 + 402)).unwrap();
        assert!(keyring.grants.find(&first).is_none());
        assert_eq!(keyring.sealing.iter().count(), 4);
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // RFC 8037 appendix A.1 and A.3.
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = SigningKey::from_seed(seed.try_into().unwrap(), day(0)).unwrap();
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
