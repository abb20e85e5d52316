//! The key with which a witness cosigns, in a file of its own that only its owner can read. A
//! witness has one key for good: verifiers identify the witness by it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::time::Timestamp;
use crate::entropy::Entropy;
use crate::signing::error::SigningError;
use crate::signing::keyring_file::{FormatError, KeyringFileError, read, unreadable, write_new};
use crate::signing::signing_key::{SEED_LENGTH, SigningKey};

const VERSION: u64 = 1;
/// The name of the key in the file.
const MEMBER: &str = "cosignature_signing";

/// A witness's name and key.
#[derive(Debug)]
pub struct WitnessKey {
    /// The name under which the witness cosigns.
    pub name: String,
    /// The key that cosigns.
    pub key: SigningKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u64,
    name: String,
    kid: String,
    /// The Ed25519 seed: 32 bytes, base64url.
    cosignature_signing: String,
    created_at: Timestamp,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.cosignature_signing.zeroize();
    }
}

/// Makes a file with a new key.
///
/// # Errors
/// [`KeyringFileError::Exists`] if there is anything of that name; others if it cannot be written.
pub fn create(
    path: &Path,
    name: &str,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<WitnessKey, KeyringFileError> {
    let key = SigningKey::generate(entropy, now)?;
    let stored = Stored {
        version: VERSION,
        name: name.to_owned(),
        kid: key.kid().to_owned(),
        cosignature_signing: URL_SAFE_NO_PAD.encode(key.seed().as_slice()),
        created_at: key.created_at(),
    };
    let json = serde_json::to_vec_pretty(&stored).map(Zeroizing::new);
    write_new(path, &json.map_err(|_| SigningError::Refused)?)?;
    Ok(WitnessKey { name: name.to_owned(), key })
}

/// Reads the file.
///
/// # Errors
/// [`KeyringFileError`]; in particular if group or others have any right on it.
pub fn load(path: &Path) -> Result<WitnessKey, KeyringFileError> {
    parse(&read(path)?).map_err(unreadable(path))
}

fn parse(json: &[u8]) -> Result<WitnessKey, FormatError> {
    let stored: Stored = serde_json::from_slice(json)
        .map_err(|error| FormatError::NotAKeyFile { line: error.line(), column: error.column() })?;
    if stored.version != VERSION {
        return Err(FormatError::UnknownVersion(stored.version));
    }
    let seed = URL_SAFE_NO_PAD.decode(&stored.cosignature_signing).map(Zeroizing::new);
    let seed = seed.map_err(|_| FormatError::ShortKey(MEMBER))?;
    let seed = <[u8; SEED_LENGTH]>::try_from(seed.as_slice()).map(Zeroizing::new);
    let seed = seed.map_err(|_| FormatError::ShortKey(MEMBER))?;
    let key = SigningKey::from_seed(seed, stored.created_at, None)?;
    if key.kid() != stored.kid {
        return Err(FormatError::Garbled(MEMBER));
    }
    Ok(WitnessKey { name: stored.name.clone(), key })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_key_is_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness.key");
        let entropy = SeededEntropy::from_seed(1);
        let made = create(&path, "w1.example", &entropy, Timestamp::MIN).unwrap();
        let read = load(&path).unwrap();
        assert_eq!((read.name.as_str(), read.key.public()), ("w1.example", made.key.public()));
        let again = create(&path, "w1.example", &entropy, Timestamp::MIN).unwrap_err();
        assert!(matches!(again, KeyringFileError::Exists { .. }), "{again}");
        assert_eq!(load(&path).unwrap().key.public(), made.key.public());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_is_its_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness.key");
        create(&path, "w1.example", &SeededEntropy::from_seed(1), Timestamp::MIN).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load(&path), Err(KeyringFileError::TooOpen { .. })));
    }

    #[test]
    fn a_damaged_key_is_refused_without_repeating_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness.key");
        create(&path, "w1.example", &SeededEntropy::from_seed(1), Timestamp::MIN).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let key = good.split('"').skip_while(|part| *part != MEMBER).nth(2).unwrap().to_owned();
        let other = URL_SAFE_NO_PAD.encode([7; SEED_LENGTH]);
        for (bad, said) in [
            (String::new(), "not a key file"),
            (good.replace("\"version\": 1", "\"version\": 9"), "version 9"),
            (good.replace(&key, &other), "does not match its kid"),
            (good.replace(&key, &key[..20]), "not 32 bytes"),
            (good.replace("\"name\"", "\"nome\""), "not a key file"),
        ] {
            fs::write(&path, &bad).unwrap();
            let error = load(&path).unwrap_err().to_string();
            assert!(error.contains(said), "{bad}: {error}");
            assert!(!error.contains(&key), "{error}");
        }
    }
}
