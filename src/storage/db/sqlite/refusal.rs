//! Why a file cannot be used as the database, and what to do about it.

use std::io;
use std::path::Path;

use rusqlite::ffi;

use super::super::error::{DriverError, StorageError};
use super::super::migrations::refused;
use super::super::open::OpenError;

/// Why the file could not be made.
pub(super) fn not_made(path: &Path, error: io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::NotFound => OpenError::NoFolder(path.to_owned()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full(path, error.into()),
        _ => not_writable(path, error.into()),
    }
}

/// Why it could not be opened.
pub(super) fn not_opened(path: &Path, error: StorageError) -> OpenError {
    match error {
        StorageError::Unavailable(cause)
        | StorageError::Broken(cause)
        | StorageError::Rejected(cause) => by_code(path, cause),
        other => OpenError::Storage(other),
    }
}

/// Why its schema was not brought to the newest version.
pub(super) fn not_migrated(path: &Path, cause: DriverError) -> OpenError {
    refused(cause).unwrap_or_else(|cause| by_code(path, cause))
}

fn by_code(path: &Path, cause: DriverError) -> OpenError {
    let reported = match cause.downcast_ref() {
        Some(rusqlite::Error::SqliteFailure(reported, _)) => reported.extended_code,
        _ => ffi::SQLITE_ERROR,
    };
    let file = path.display();
    match (reported, reported & 0xff) {
        (ffi::SQLITE_IOERR_SHMSIZE, _) | (_, ffi::SQLITE_FULL) => full(path, cause),
        (_, ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY | ffi::SQLITE_PERM) => {
            not_writable(path, cause)
        }
        (_, ffi::SQLITE_NOTADB) => OpenError::Unusable {
            what: format!("{file} is not an SQLite database, or it is damaged"),
            remedy: "name another file in KEYLEND_DATABASE_URL, or restore a backup",
            cause,
        },
        (_, ffi::SQLITE_CORRUPT | ffi::SQLITE_IOERR) => OpenError::Unusable {
            what: format!("{file} is damaged, or its disk fails"),
            remedy: "look at the disk and at the log of the system; restore a backup if it is damaged",
            cause,
        },
        (_, ffi::SQLITE_BUSY) => OpenError::Unusable {
            what: format!("another program holds {file}"),
            remedy: "end it; one instance serves one file",
            cause,
        },
        _ => OpenError::Migrate(cause),
    }
}

fn full(path: &Path, cause: DriverError) -> OpenError {
    OpenError::Unusable {
        what: format!("the disk that holds {} is full", path.display()),
        remedy: "make room on it, or name a file on another disk in KEYLEND_DATABASE_URL",
        cause,
    }
}

fn not_writable(path: &Path, cause: DriverError) -> OpenError {
    OpenError::Unusable {
        what: format!("this user cannot write to the database file {}", path.display()),
        remedy: "let the user that runs keylend read and write the file, those beside it (-wal, -shm) \
            and their folder, or name another file in KEYLEND_DATABASE_URL",
        cause,
    }
}
