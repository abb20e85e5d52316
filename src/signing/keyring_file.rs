//! The keyring on disk: one JSON file that only its owner can read.
//!
//! Every change is atomic: a complete new file is written beside the old one, forced to disk, and
//! then takes its name. The file beside it (`….new`) is also the lock: while one change runs, or
//! after one was cut off, no other begins.

mod format;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::domain::time::Timestamp;
use crate::entropy::Entropy;
use crate::signing::error::SigningError;
use crate::signing::keyring::Keyring;

pub use format::FormatError;

/// Longer files are no keyrings: this is room for thousands of keys.
const LENGTH_MAX: u64 = 1024 * 1024;

/// Why a key file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyringFileError {
    /// The file system refused.
    #[error("cannot {what} {}: {source}; {}", path.display(), remedy(what, source))]
    Io {
        /// What was being done.
        what: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Others than the owner have rights on the file.
    #[error("{} is open to group or others (mode {mode:03o}); run chmod 600 on it", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What is there is no regular file, or far too long.
    #[error("{} is not a key file; name the key file, or move away what is there", path.display())]
    NotAKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The content is not a keyring.
    #[error("{}: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FormatError,
    },
    /// There is a key file already, and keys are never written over.
    #[error("{} exists already; keys are never overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Another change is running, or was cut off before it took effect.
    #[error("{} exists: another change is running, or was cut off; if none runs, remove it", path.display())]
    Busy {
        /// The file that a finished change would have renamed.
        path: PathBuf,
    },
    /// No keys could be made.
    #[error(transparent)]
    Keys(#[from] SigningError),
}

/// What to do when the file system refuses.
fn remedy(what: &str, error: &io::Error) -> &'static str {
    match (error.kind(), what) {
        (io::ErrorKind::NotFound, "open") => {
            "restore the key file from your backup, or, if this is a new installation, make one with \
             `keylend migrate`"
        }
        (io::ErrorKind::NotFound, _) => "make its folder, or name another file",
        (io::ErrorKind::PermissionDenied, "open" | "read") => {
            "run keylend as the owner of the file, or give the file to this user (chown)"
        }
        (io::ErrorKind::PermissionDenied, _) => "let this user write to its folder",
        (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, _) => "make room on the disk",
        _ => "look at the disk and at the log of the system",
    }
}

/// Reads a key file.
///
/// # Errors
/// [`KeyringFileError`]; in particular if group or others have any right on the file, if a key is
/// short or garbled, or if the version is unknown.
pub fn load(path: &Path) -> Result<Keyring, KeyringFileError> {
    format::parse(&read(path)?).map_err(unreadable(path))
}

/// The content of a file that nobody but its owner may have rights on.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyringFileError> {
    let file = File::open(path).map_err(failed("open", path))?;
    // Asked of the open file, not of its name: the answer is about what is read below.
    let metadata = file.metadata().map_err(failed("examine", path))?;
    refuse_open_to_others(path, &metadata)?;
    if !metadata.is_file() || metadata.len() > LENGTH_MAX {
        return Err(KeyringFileError::NotAKeyFile { path: path.to_owned() });
    }
    let capacity = usize::try_from(metadata.len()).unwrap_or(0) + 1;
    let mut json = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(LENGTH_MAX).read_to_end(&mut json).map_err(failed("read", path))?;
    Ok(json)
}

pub(super) fn unreadable(path: &Path) -> impl FnOnce(FormatError) -> KeyringFileError {
    move |source| KeyringFileError::Format { path: path.to_owned(), source }
}

/// Makes a key file with a new keyring.
///
/// # Errors
/// [`KeyringFileError::Exists`] if there is anything of that name; others if it cannot be written.
pub fn create(
    path: &Path,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Keyring, KeyringFileError> {
    let keyring = Keyring::generate(entropy, now)?;
    write_new(path, &format::write(&keyring).map_err(unreadable(path))?)?;
    Ok(keyring)
}

/// Makes a file that is its owner's alone; when this returns, it is durable.
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<(), KeyringFileError> {
    let mut draft = Draft::begin(path)?;
    draft.write(content)?;
    // A link, unlike a rename, fails if the name is taken.
    fs::hard_link(&draft.path, path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyringFileError::Exists { path: path.to_owned() },
        _ => failed("create", path)(source),
    })?;
    drop(draft);
    sync_directory(path)
}

/// Which keys are rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Those of [`Keyring::rotate`].
    Tokens,
    /// Those of [`Keyring::rotate_checkpoints`].
    Checkpoints,
}

/// Rotates keys in a key file. After any error the file is as it was, or complete and new.
///
/// # Errors
/// [`KeyringFileError`].
pub fn rotate(
    path: &Path,
    rotation: Rotation,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Keyring, KeyringFileError> {
    change(path, |json| {
        let mut keyring = format::parse(json).map_err(unreadable(path))?;
        match rotation {
            Rotation::Tokens => keyring.rotate(entropy, now)?,
            Rotation::Checkpoints => keyring.rotate_checkpoints(entropy, now)?,
        }
        Ok(keyring)
    })
}

/// Adds the keys that an older program did not make; returns whether there were any.
///
/// # Errors
/// [`KeyringFileError`]; the file is as it was, or complete and new.
pub fn complete(
    path: &Path,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<bool, KeyringFileError> {
    match load(path) {
        Err(KeyringFileError::Format { source: FormatError::Outdated, .. }) => {
            change(path, |json| format::complete(json, entropy, now).map_err(unreadable(path)))?;
            Ok(true)
        }
        other => other.map(|_| false),
    }
}

fn change(
    path: &Path,
    by: impl FnOnce(&[u8]) -> Result<Keyring, KeyringFileError>,
) -> Result<Keyring, KeyringFileError> {
    let mut draft = Draft::begin(path)?;
    let keyring = by(&read(path)?)?;
    draft.write(&format::write(&keyring).map_err(unreadable(path))?)?;
    fs::rename(&draft.path, path).map_err(failed("replace", path))?;
    draft.renamed = true;
    sync_directory(path)?;
    Ok(keyring)
}

/// The file beside the key file. It is removed when dropped, unless it took the name.
struct Draft {
    path: PathBuf,
    file: File,
    renamed: bool,
}

impl Draft {
    fn begin(target: &Path) -> Result<Self, KeyringFileError> {
        let mut name = target.as_os_str().to_owned();
        name.push(".new");
        let path = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(file) => Ok(Self { path, file, renamed: false }),
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {
                Err(KeyringFileError::Busy { path })
            }
            Err(source) => Err(failed("create", &path)(source)),
        }
    }

    fn write(&mut self, content: &[u8]) -> Result<(), KeyringFileError> {
        self.file
            .write_all(content)
            .and_then(|()| self.file.sync_all())
            .map_err(failed("write", &self.path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.renamed {
            // If it stays, the next change names it and says what to do.
            let _removed = fs::remove_file(&self.path);
        }
    }
}

fn failed<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> KeyringFileError + 'a {
    move |source| KeyringFileError::Io { what, path: path.to_owned(), source }
}

#[cfg(unix)]
fn refuse_open_to_others(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyringFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyringFileError::TooOpen { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_to_others(_: &Path, _: &fs::Metadata) -> Result<(), KeyringFileError> {
    Ok(())
}

/// Makes a new name durable.
fn sync_directory(path: &Path) -> Result<(), KeyringFileError> {
    crate::disk::durable::sync_directory_of(path).map_err(failed("make durable", path))
}
