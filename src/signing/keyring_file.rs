//! The key file: the keyring as JSON, readable by its owner alone, replaced in one step so that
//! no crash leaves half of it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::keyring::{Keyring, SealingKey, Set, SigningKey};
use crate::domain::time::Timestamp;
use crate::entropy::{Entropy, NoEntropy};

const VERSION: u32 = 1;
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Rights of group and others.
const OTHERS: u32 = 0o077;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// Others may read it.
    #[error("{0}: others may read it; `chmod 600` it and rotate the keys")]
    Exposed(PathBuf),
    /// It is not a key file, or holds a key that is none.
    #[error("{path}: {why}")]
    Garbled {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is no randomness for new keys.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    grant_keys: Vec<Entry>,
    session_keys: Vec<Entry>,
    sealing_keys: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    created_at: Timestamp,
    /// Sealing keys are named by eight random bytes; signing keys by their thumbprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    /// 32 bytes in base64.
    secret: String,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> KeyFileError {
    let path = path.to_owned();
    |error| KeyFileError::Io { path, error }
}

fn decode<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, String> {
    let bytes = Zeroizing::new(STANDARD.decode(text).map_err(|error| error.to_string())?);
    let array = <[u8; N]>::try_from(bytes.as_slice());
    array.map(Zeroizing::new).map_err(|_| format!("a key has {} bytes, not {N}", bytes.len()))
}

fn signing_keys(entries: &[Entry]) -> Result<Set<SigningKey>, String> {
    let keys: Result<Vec<_>, String> = entries
        .iter()
        .map(|entry| {
            let seed = decode::<32>(&entry.secret)?;
            SigningKey::from_seed(*seed, entry.created_at).map_err(|error| error.to_string())
        })
        .collect();
    Set::from_keys(keys?).ok_or_else(|| "a set of keys is empty".to_owned())
}

fn sealing_keys(entries: &[Entry]) -> Result<Set<SealingKey>, String> {
    let keys: Result<Vec<_>, String> = entries
        .iter()
        .map(|entry| {
            let kid = decode::<8>(entry.kid.as_deref().unwrap_or_default())?;
            let key = decode::<32>(&entry.secret)?;
            Ok(SealingKey { kid: *kid, key, created_at: entry.created_at })
        })
        .collect();
    Set::from_keys(keys?).ok_or_else(|| "a set of keys is empty".to_owned())
}

fn parse(text: &str) -> Result<Keyring, String> {
    // The message of serde_json names a place, never a value.
    let document: Document = serde_json::from_str(text)
        .map_err(|error| format!("line {}: not a key file", error.line()))?;
    if document.version != VERSION {
        return Err(format!("version {} is not known to this program", document.version));
    }
    Ok(Keyring {
        grants: signing_keys(&document.grant_keys)?,
        sessions: signing_keys(&document.session_keys)?,
        sealing: sealing_keys(&document.sealing_keys)?,
    })
}

fn entries(set: &Set<SigningKey>) -> Vec<Entry> {
    set.iter()
        .map(|key| Entry {
            created_at: key.created_at(),
            kid: None,
            secret: STANDARD.encode(key.seed()),
        })
        .collect()
}

fn print(keyring: &Keyring) -> Result<Zeroizing<String>, serde_json::Error> {
    let document = Document {
        version: VERSION,
        grant_keys: entries(&keyring.grants),
        session_keys: entries(&keyring.sessions),
        sealing_keys: keyring
            .sealing
            .iter()
            .map(|key| Entry {
                created_at: key.created_at,
                kid: Some(STANDARD.encode(key.kid)),
                secret: STANDARD.encode(*key.key),
            })
            .collect(),
    };
    serde_json::to_string_pretty(&document).map(Zeroizing::new)
}

/// Reads the keys.
///
/// # Errors
/// [`KeyFileError`] if others may read the file, or if anything in it is not as it should be.
pub fn load(path: &Path) -> Result<Keyring, KeyFileError> {
    let file = File::open(path).map_err(io_error(path))?;
    let mode = file.metadata().map_err(io_error(path))?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(KeyFileError::Exposed(path.to_owned()));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(io_error(path))?;
    parse(&text).map_err(|why| KeyFileError::Garbled { path: path.to_owned(), why })
}

/// Makes a key file with first keys; there must be none.
///
/// # Errors
/// [`KeyFileError::Io`] if the file is there.
pub fn create(path: &Path, entropy: &dyn Entropy, now: Timestamp) -> Result<Keyring, KeyFileError> {
    if path.exists() {
        let error = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(KeyFileError::Io { path: path.to_owned(), error });
    }
    let keyring = Keyring::generate(entropy, now)?;
    replace(path, &keyring, entropy)?;
    Ok(keyring)
}

/// Adds a new key to each set and writes the file anew.
///
/// # Errors
/// [`KeyFileError`]; then the old file is untouched.
pub fn rotate(path: &Path, entropy: &dyn Entropy, now: Timestamp) -> Result<Keyring, KeyFileError> {
    let mut keyring = load(path)?;
    keyring.rotate(entropy, now)?;
    replace(path, &keyring, entropy)?;
    Ok(keyring)
}

/// Writes beside the file, makes it durable, and puts it in the file's place.
fn replace(path: &Path, keyring: &Keyring, entropy: &dyn Entropy) -> Result<(), KeyFileError> {
    let text = print(keyring)
        .map_err(|error| KeyFileError::Garbled { path: path.to_owned(), why: error.to_string() })?;
    let suffix = u64::from_be_bytes(entropy.bytes::<8>()?);
    let beside = path.with_extension(format!("{suffix:016x}.new"));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    })();
    if written.is_err() {
        // The error that matters is the one above.
        drop(fs::remove_file(&beside));
    }
    written.map_err(io_error(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000).unwrap()
    }

    #[test]
    fn keys_survive_the_file_and_its_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let entropy = SeededEntropy::from_seed(1);
        let first = create(&path, &entropy, now()).unwrap().active_grant_kid().to_owned();
        assert_eq!(load(&path).unwrap().active_grant_kid(), first);
        rotate(&path, &entropy, now()).unwrap();
        let rotated = load(&path).unwrap();
        assert_ne!(rotated.active_grant_kid(), first);
        assert!(rotated.grants.find(&first).is_some());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_file_is_never_overwritten_by_first_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let entropy = SeededEntropy::from_seed(1);
        create(&path, &entropy, now()).unwrap();
        assert!(matches!(create(&path, &entropy, now()), Err(KeyFileError::Io { .. })));
    }

    #[test]
    fn what_others_may_read_or_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        create(&path, &SeededEntropy::from_seed(1), now()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load(&path), Err(KeyFileError::Exposed(_))));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        for broken in [
            text.replace("\"version\": 1", "\"version\": 2"),
            text.replace("\"secret\": \"", "\"secret\": \"AA"),
            text.replace("grant_keys", "keys"),
            text[..text.len() / 2].to_owned(),
            r#"{"version":1,"grant_keys":[],"session_keys":[],"sealing_keys":[]}"#.to_owned(),
        ] {
            fs::write(&path, broken).unwrap();
            assert!(matches!(load(&path), Err(KeyFileError::Garbled { .. })));
        }
    }
}
