//! AES-256 keys that seal secrets: one key, and the set of them. Knows no format and no file.

use std::collections::BTreeMap;
use std::fmt;

use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use zeroize::Zeroizing;

use crate::domain::time::Timestamp;
use crate::entropy::Entropy;
use crate::signing::digest::sha256;
use crate::signing::error::SigningError;

/// Length of the secret key in bytes.
pub const KEY_LENGTH: usize = 32;
/// Length of a key's name in bytes.
pub const KID_LENGTH: usize = 8;

/// One key, ready to seal and to open.
pub struct SealingKey {
    kid: [u8; KID_LENGTH],
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
    cipher: LessSafeKey,
    created_at: Timestamp,
    retired_at: Option<Timestamp>,
}

impl SealingKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SigningError::NoEntropy`] if the generator fails.
    pub fn generate(entropy: &dyn Entropy, now: Timestamp) -> Result<Self, SigningError> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        entropy.fill(bytes.as_mut())?;
        Self::from_bytes(bytes, now, None)
    }

    /// The key with these bytes.
    ///
    /// # Errors
    /// [`SigningError::Refused`] if the cryptographic library does not take them.
    pub fn from_bytes(
        bytes: Zeroizing<[u8; KEY_LENGTH]>,
        created_at: Timestamp,
        retired_at: Option<Timestamp>,
    ) -> Result<Self, SigningError> {
        let cipher = UnboundKey::new(&AES_256_GCM, bytes.as_slice())
            .map(LessSafeKey::new)
            .map_err(|_| SigningError::Refused)?;
        Ok(Self { kid: name(&bytes), bytes, cipher, created_at, retired_at })
    }

    /// The name of the key, as it stands in what it sealed.
    #[must_use]
    pub const fn kid(&self) -> [u8; KID_LENGTH] {
        self.kid
    }

    /// The name as 16 hexadecimal digits, as it stands in the key file.
    #[must_use]
    pub fn kid_hex(&self) -> String {
        format!("{:016x}", u64::from_be_bytes(self.kid))
    }

    /// The time at which the key was made.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The time at which the key stopped sealing; `None` while it seals.
    #[must_use]
    pub const fn retired_at(&self) -> Option<Timestamp> {
        self.retired_at
    }

    pub(super) const fn bytes(&self) -> &Zeroizing<[u8; KEY_LENGTH]> {
        &self.bytes
    }

    pub(super) const fn cipher(&self) -> &LessSafeKey {
        &self.cipher
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("kid", &self.kid_hex())
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

/// The name follows from the key, so that a garbled key file is noticed when it is read.
fn name(bytes: &[u8; KEY_LENGTH]) -> [u8; KID_LENGTH] {
    let input = Zeroizing::new([b"keylend sealing key\0".as_slice(), bytes].concat());
    let mut kid = [0; KID_LENGTH];
    for (to, from) in kid.iter_mut().zip(sha256(&input)) {
        *to = from;
    }
    kid
}

/// One key that seals, and those that only open any more. None is ever dropped: what they
/// sealed may lie in a database or a backup for as long as anyone keeps it.
#[derive(Debug)]
pub struct SealingKeys {
    active: SealingKey,
    retired: BTreeMap<[u8; KID_LENGTH], SealingKey>,
}

impl SealingKeys {
    /// A set with these keys.
    #[must_use]
    pub fn new(active: SealingKey, retired: Vec<SealingKey>) -> Self {
        let retired = retired.into_iter().map(|key| (key.kid, key)).collect();
        Self { active, retired }
    }

    /// The key that seals.
    #[must_use]
    pub const fn active(&self) -> &SealingKey {
        &self.active
    }

    /// The key of this name, whether it still seals or not.
    #[must_use]
    pub fn get(&self, kid: [u8; KID_LENGTH]) -> Option<&SealingKey> {
        if self.active.kid == kid {
            return Some(&self.active);
        }
        self.retired.get(&kid)
    }

    /// All keys, the active one first.
    pub fn iter(&self) -> impl Iterator<Item = &SealingKey> {
        std::iter::once(&self.active).chain(self.retired.values())
    }

    /// Lets a new key seal.
    pub(super) fn replace(&mut self, fresh: SealingKey, now: Timestamp) {
        let mut old = std::mem::replace(&mut self.active, fresh);
        old.retired_at = Some(now);
        self.retired.insert(old.kid, old);
    }
}
