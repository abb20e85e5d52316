//! The last checkpoint that was signed, in a file beside the key: what the log may never take
//! back, out of reach of anyone who can write to the database.
//!
//! The file is replaced whole, and is durable before the checkpoint is shown to anybody. Processes
//! that share it take turns by a lock that ends with its holder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::disk::durable::{self, with_suffix};

/// Longer files hold no checkpoint.
const LENGTH_MAX: u64 = 64 * 1024;

/// Where the last signed checkpoint is kept.
#[derive(Debug, Clone)]
pub struct LastSigned {
    path: PathBuf,
}

/// The right to replace the file, as long as it lives.
#[derive(Debug)]
pub struct Turn<'f> {
    path: &'f Path,
    _lock: File,
}

impl LastSigned {
    /// The file beside this key file: its name and `.checkpoint`.
    #[must_use]
    pub fn of_key_file(key_file: &Path) -> Self {
        Self { path: with_suffix(key_file, ".checkpoint") }
    }

    /// This very file.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was signed last; `None` if nothing was yet.
    ///
    /// # Errors
    /// The file system's.
    pub fn read(&self) -> io::Result<Option<Vec<u8>>> {
        match File::open(&self.path) {
            Ok(file) => {
                let mut note = Vec::new();
                file.take(LENGTH_MAX).read_to_end(&mut note)?;
                Ok(Some(note))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The turn to replace the file; `None` while another process has it.
    ///
    /// # Errors
    /// The file system's.
    pub fn turn(&self) -> io::Result<Option<Turn<'_>>> {
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(with_suffix(&self.path, ".lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Turn { path: &self.path, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Puts the file aside, under a name that nothing reads; `None` if there is none.
    ///
    /// # Errors
    /// The file system's; a file that was put aside before under this name stays.
    pub fn put_aside(&self, suffix: &str) -> io::Result<Option<PathBuf>> {
        let aside = with_suffix(&self.path, suffix);
        // A link, unlike a rename, fails if the name is taken.
        match fs::hard_link(&self.path, &aside) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        fs::remove_file(&self.path)?;
        durable::sync_directory_of(&self.path)?;
        Ok(Some(aside))
    }
}

impl Turn<'_> {
    /// Puts another checkpoint in the file; when this returns, it is durable.
    ///
    /// # Errors
    /// The file system's; then the file holds what it held, or all of what is new.
    pub fn replace(&self, note: &[u8]) -> io::Result<()> {
        durable::replace(self.path, note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_last_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = LastSigned::of_key_file(&folder.path().join("keys"));
        assert_eq!(file.read().unwrap(), None);
        let turn = file.turn().unwrap().unwrap();
        turn.replace(b"one").unwrap();
        turn.replace(b"two").unwrap();
        assert_eq!(file.read().unwrap().unwrap(), b"two");
        assert!(file.turn().unwrap().is_none(), "two processes had the turn");
        drop(turn);
        assert!(file.turn().unwrap().is_some());
    }

    #[test]
    fn what_is_put_aside_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = LastSigned::of_key_file(&folder.path().join("keys"));
        assert_eq!(file.put_aside(".old").unwrap(), None);
        file.turn().unwrap().unwrap().replace(b"one").unwrap();
        let aside = file.put_aside(".old").unwrap().unwrap();
        assert_eq!(file.read().unwrap(), None);
        file.turn().unwrap().unwrap().replace(b"two").unwrap();
        assert!(file.put_aside(".old").is_err());
        assert_eq!(fs::read(aside).unwrap(), b"one");
        assert_eq!(file.read().unwrap().unwrap(), b"two");
    }
}
