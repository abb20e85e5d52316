//! The content of a key file: JSON, version 2. Knows no file system.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::time::Timestamp;
use crate::entropy::Entropy;
use crate::signing::error::SigningError;
use crate::signing::keyring::Keyring;
use crate::signing::sealing_key::{SealingKey, SealingKeys};
use crate::signing::signing_key::{SigningKey, SigningKeys};

const VERSION: u64 = 2;
/// It had no key for checkpoints.
const OUTDATED: u64 = 1;

/// What is wrong with the content of a key file. No text repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is no JSON of the expected form.
    #[error(
        "not a key file, or cut off (line {line}, column {column}): restore it from your backup"
    )]
    NotAKeyFile {
        /// The line at which reading stopped.
        line: usize,
        /// The column at which reading stopped.
        column: usize,
    },
    /// A newer program wrote it.
    #[error(
        "version {0} of the key file is unknown; this program reads version 2: use the program that wrote it"
    )]
    UnknownVersion(u64),
    /// An older program wrote it.
    #[error("the key file has no key for checkpoints; `keylend migrate` adds one")]
    Outdated,
    /// A set does not have exactly one key that is in use.
    #[error(
        "`{0}` must hold exactly one key without retired_at: restore the file from your backup"
    )]
    NotOneActive(&'static str),
    /// A key is not 32 bytes of base64url.
    #[error(
        "`{0}`: a key is not 32 bytes (256 bits) of base64url: restore the file from your backup"
    )]
    ShortKey(&'static str),
    /// A key does not match its name.
    #[error(
        "`{0}`: a key does not match its kid; the file is damaged: restore it from your backup"
    )]
    Garbled(&'static str),
    /// The cryptographic library refused a key.
    #[error(transparent)]
    Refused(#[from] SigningError),
}

/// Read first, so that a newer file gets the right answer.
#[derive(Deserialize)]
struct VersionOnly {
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKeyring {
    version: u64,
    grant_signing: Vec<StoredKey>,
    session_signing: Vec<StoredKey>,
    #[serde(default)]
    checkpoint_signing: Vec<StoredKey>,
    sealing: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    kid: String,
    /// The Ed25519 seed or the AES key: 32 bytes, base64url.
    key: String,
    created_at: Timestamp,
    retired_at: Option<Timestamp>,
}

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// The keyring in these bytes.
pub(super) fn parse(json: &[u8]) -> Result<Keyring, FormatError> {
    let stored = stored(json)?;
    if stored.version == OUTDATED {
        return Err(FormatError::Outdated);
    }
    keyring(&stored)
}

/// The keyring in these bytes, with the keys that an older program did not make.
pub(super) fn complete(
    json: &[u8],
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Keyring, FormatError> {
    let mut stored = stored(json)?;
    if stored.version == OUTDATED {
        stored.checkpoint_signing = vec![stored_signing(&SigningKey::generate(entropy, now)?)];
    }
    keyring(&stored)
}

fn stored(json: &[u8]) -> Result<StoredKeyring, FormatError> {
    let malformed = |error: serde_json::Error| FormatError::NotAKeyFile {
        line: error.line(),
        column: error.column(),
    };
    let VersionOnly { version } = serde_json::from_slice(json).map_err(malformed)?;
    if version != VERSION && version != OUTDATED {
        return Err(FormatError::UnknownVersion(version));
    }
    serde_json::from_slice(json).map_err(malformed)
}

fn keyring(stored: &StoredKeyring) -> Result<Keyring, FormatError> {
    Ok(Keyring::new(
        signing_keys("grant_signing", &stored.grant_signing)?,
        signing_keys("session_signing", &stored.session_signing)?,
        signing_keys("checkpoint_signing", &stored.checkpoint_signing)?,
        sealing_keys("sealing", &stored.sealing)?,
    ))
}

/// The bytes for this keyring.
pub(super) fn write(keyring: &Keyring) -> Result<Zeroizing<Vec<u8>>, FormatError> {
    let stored = StoredKeyring {
        version: VERSION,
        grant_signing: keyring.grants().iter().map(stored_signing).collect(),
        session_signing: keyring.sessions().iter().map(stored_signing).collect(),
        checkpoint_signing: keyring.checkpoints().iter().map(stored_signing).collect(),
        sealing: keyring.seals().iter().map(stored_sealing).collect(),
    };
    serde_json::to_vec_pretty(&stored).map(Zeroizing::new).map_err(|_| SigningError::Refused.into())
}

fn stored_signing(key: &SigningKey) -> StoredKey {
    StoredKey {
        kid: key.kid().to_owned(),
        key: URL_SAFE_NO_PAD.encode(key.seed().as_slice()),
        created_at: key.created_at(),
        retired_at: key.retired_at(),
    }
}

fn stored_sealing(key: &SealingKey) -> StoredKey {
    StoredKey {
        kid: key.kid_hex(),
        key: URL_SAFE_NO_PAD.encode(key.bytes().as_slice()),
        created_at: key.created_at(),
        retired_at: key.retired_at(),
    }
}

fn signing_keys(set: &'static str, stored: &[StoredKey]) -> Result<SigningKeys, FormatError> {
    let read = |stored: &StoredKey| {
        let seed = key_bytes(set, stored)?;
        let key = SigningKey::from_seed(seed, stored.created_at, stored.retired_at)?;
        if key.kid() != stored.kid {
            return Err(FormatError::Garbled(set));
        }
        Ok(key)
    };
    let (active, retired) = split(set, stored)?;
    let retired = retired.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(SigningKeys::new(read(active)?, retired))
}

fn sealing_keys(set: &'static str, stored: &[StoredKey]) -> Result<SealingKeys, FormatError> {
    let read = |stored: &StoredKey| {
        let bytes = key_bytes(set, stored)?;
        let key = SealingKey::from_bytes(bytes, stored.created_at, stored.retired_at)?;
        if key.kid_hex() != stored.kid {
            return Err(FormatError::Garbled(set));
        }
        Ok(key)
    };
    let (active, retired) = split(set, stored)?;
    let retired = retired.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(SealingKeys::new(read(active)?, retired))
}

/// The one key in use, and the others.
fn split<'a>(
    set: &'static str,
    stored: &'a [StoredKey],
) -> Result<(&'a StoredKey, Vec<&'a StoredKey>), FormatError> {
    let (active, retired): (Vec<_>, Vec<_>) =
        stored.iter().partition(|key| key.retired_at.is_none());
    match active.as_slice() {
        [only] => Ok((only, retired)),
        _ => Err(FormatError::NotOneActive(set)),
    }
}

fn key_bytes(set: &'static str, stored: &StoredKey) -> Result<Zeroizing<[u8; 32]>, FormatError> {
    let decoded = URL_SAFE_NO_PAD
        .decode(&stored.key)
        .map(Zeroizing::new)
        .map_err(|_| FormatError::ShortKey(set))?;
    <[u8; 32]>::try_from(decoded.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| FormatError::ShortKey(set))
}
