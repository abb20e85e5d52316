//! Folders that hold copies of the record: exports and archives, in the layout of C2SP tlog-tiles.
//! Reading them needs neither a database nor a service.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::durable;
use crate::audit::files::Files;

/// Locked by the process that writes.
const LOCK: &str = ".lock";

/// A file of a copy cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}", .path.display())]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// One folder that holds a copy, or part of one.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// The right to write into a folder, as long as it lives.
#[derive(Debug)]
pub struct Turn {
    folder: Folder,
    _lock: File,
}

/// Several folders that together hold one copy; what more than one of them has is read from the
/// first.
#[derive(Debug, Clone)]
pub struct Folders(pub Vec<Folder>);

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FolderError + '_ {
    |source| FolderError { path: path.to_owned(), source }
}

impl Folder {
    /// The folder of this path, whether it is there or not.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder if it is not there, and takes the turn to write into it; `None` while
    /// another process has it.
    ///
    /// # Errors
    /// [`FolderError`] if the folder or its lock file cannot be made.
    pub fn turn(&self) -> Result<Option<Turn>, FolderError> {
        fs::create_dir_all(&self.0).map_err(failed(&self.0))?;
        durable::sync_directory_of(&self.0).map_err(failed(&self.0))?;
        let path = self.0.join(LOCK);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(failed(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Turn { folder: self.clone(), _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&path)(error)),
        }
    }
}

impl Turn {
    /// The folder.
    #[must_use]
    pub const fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Writes a file, or replaces it whole; when this returns, it is durable.
    ///
    /// # Errors
    /// [`FolderError`]; then there is what was there, or all of what is new.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.folder.0.join(path);
        self.make_directory_of(&path)?;
        durable::replace(&path, bytes).map_err(failed(&path))
    }

    fn make_directory_of(&self, path: &Path) -> Result<(), FolderError> {
        let Some(directory) = path.parent().filter(|directory| !directory.is_dir()) else {
            return Ok(());
        };
        fs::create_dir_all(directory).map_err(failed(directory))?;
        let new = directory.ancestors().take_while(|above| *above != self.folder.0);
        for directory in new {
            durable::sync_directory_of(directory).map_err(failed(directory))?;
        }
        Ok(())
    }

    /// Removes what a directory holds beside the file of this name, and the directory if nothing
    /// is left in it.
    ///
    /// # Errors
    /// [`FolderError`] if the directory cannot be read or something in it cannot be removed.
    pub fn clear(&self, directory: &str, kept: Option<&str>) -> Result<(), FolderError> {
        let path = self.folder.0.join(directory);
        let files = match fs::read_dir(&path) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(&path)(error)),
        };
        for file in files {
            let file = file.map_err(failed(&path))?;
            if kept.is_none_or(|kept| file.file_name() != kept) {
                fs::remove_file(file.path()).map_err(failed(&file.path()))?;
            }
        }
        match kept {
            Some(_) => Ok(()),
            None => fs::remove_dir(&path).map_err(failed(&path)),
        }
    }
}

impl Files for Folder {
    type Error = FolderError;

    fn read(&self, path: &str, length_max: usize) -> Result<Option<Vec<u8>>, FolderError> {
        let path = self.0.join(path);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path)(error)),
        };
        let mut bytes = Vec::new();
        let length_max = u64::try_from(length_max).unwrap_or(u64::MAX).saturating_add(1);
        file.take(length_max).read_to_end(&mut bytes).map_err(failed(&path))?;
        Ok(Some(bytes))
    }
}

impl Files for Folders {
    type Error = FolderError;

    fn read(&self, path: &str, length_max: usize) -> Result<Option<Vec<u8>>, FolderError> {
        for folder in &self.0 {
            if let Some(bytes) = folder.read(path, length_max)? {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}
