//! Which of SQLite's errors is which.

use rusqlite::Error;

use super::StorageError;

const UNIQUE: [i32; 2] =
    [rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE, rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY];

/// By result code, whose lowest byte is the primary one.
impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        use rusqlite::ffi;
        let (Error::SqliteFailure(reported, _) | Error::SqlInputError { error: reported, .. }) =
            &error
        else {
            return Self::Rejected(error.into());
        };
        let code = reported.extended_code;
        match (code, code & 0xff) {
            _ if UNIQUE.contains(&code) => Self::Duplicate(error.into()),
            (ffi::SQLITE_BUSY_SNAPSHOT, _) => Self::Conflict(error.into()),
            // The index of the log does not fit on a full disk. It says nothing about what was
            // written before.
            (ffi::SQLITE_IOERR_SHMSIZE, _) => Self::Unavailable(error.into()),
            // BUSY after the whole `busy_timeout`.
            (
                _,
                ffi::SQLITE_BUSY | ffi::SQLITE_READONLY | ffi::SQLITE_FULL | ffi::SQLITE_CANTOPEN,
            ) => Self::Unavailable(error.into()),
            (_, ffi::SQLITE_IOERR | ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB) => {
                Self::Broken(error.into())
            }
            _ => Self::Rejected(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_class() {
        let class = |code: i32| {
            let failure = Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            match StorageError::from(failure) {
                StorageError::Duplicate(_) => "duplicate",
                StorageError::Conflict(_) => "conflict",
                StorageError::Unavailable(_) => "unavailable",
                StorageError::Broken(_) => "broken",
                StorageError::Rejected(_) => "rejected",
                other => panic!("{other:?}"),
            }
        };
        for (code, expected) in [
            (2067, "duplicate"),
            (1555, "duplicate"),
            (517, "conflict"),
            (5, "unavailable"),
            (261, "unavailable"),
            (8, "unavailable"),
            (13, "unavailable"),
            (14, "unavailable"),
            (4874, "unavailable"),
            (10, "broken"),
            (1034, "broken"),
            (11, "broken"),
            (26, "broken"),
            (1, "rejected"),
            (275, "rejected"),
            (787, "rejected"),
        ] {
            assert_eq!(class(code), expected, "{code}");
        }
    }
}
