//! Which of SQLite's errors is which.

use super::StorageError;

/// `SQLITE_IOERR_SHMSIZE`: the index of the log does not fit on a full disk. It says nothing about
/// what was written before.
const NO_ROOM_FOR_INDEX: u32 = 4874;
const BUSY_SNAPSHOT: u32 = 517;

/// The error in the terms of callers, by its result code, whose lowest byte is the primary one.
pub(super) fn classified(error: sqlx::Error) -> StorageError {
    let sqlx::Error::Database(reported) = &error else {
        return match error {
            sqlx::Error::ColumnNotFound(_) | sqlx::Error::Encode(_) | sqlx::Error::Decode(_) => {
                StorageError::Rejected(error.into())
            }
            _ => StorageError::Unavailable(error.into()),
        };
    };
    if reported.is_unique_violation() {
        return StorageError::Duplicate(error.into());
    }
    let code = reported.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default();
    match (code, code & 0xff) {
        (BUSY_SNAPSHOT, _) => StorageError::Conflict(error.into()),
        (NO_ROOM_FOR_INDEX, _) => StorageError::Unavailable(error.into()),
        // BUSY, after the whole `busy_timeout`; READONLY, FULL, CANTOPEN.
        (_, 5 | 8 | 13 | 14) => StorageError::Unavailable(error.into()),
        // IOERR, CORRUPT, NOTADB.
        (_, 10 | 11 | 26) => StorageError::Broken(error.into()),
        _ => StorageError::Rejected(error.into()),
    }
}
