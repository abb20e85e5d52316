//! What can go wrong with a database, in the terms that callers branch on.

use std::io;

/// Why a statement brought no result.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database did not answer, or no connection could be had in time. Nothing of the
    /// transaction is kept.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// The connection was lost after the commit was asked for: it may have happened.
    #[error("it is not known whether the transaction is durable")]
    Unknown(#[source] sqlx::Error),
    /// The file cannot be read or written, or is damaged: the process ends (see [`crate::disk::halt`]).
    #[error("the database file is broken")]
    Broken(#[source] sqlx::Error),
    /// Another transaction was in the way (deadlock, serialization): the use case may be repeated.
    #[error("another transaction was in the way")]
    Conflict(#[source] sqlx::Error),
    /// A unique constraint does not hold: somebody was first.
    #[error("a row with the same key exists")]
    Duplicate(#[source] sqlx::Error),
    /// The database does not accept the statement or its values.
    #[error("the database rejected the statement")]
    Rejected(#[source] sqlx::Error),
    /// An update that must change one row changed none or several.
    #[error("a row was changed by somebody else")]
    LostRace,
    /// A stored value is not what this program writes.
    #[error("column `{column}` holds what cannot be: {why}")]
    Corrupt {
        /// The column, as the statement names it.
        column: &'static str,
        /// What is wrong with its value.
        why: String,
    },
}

impl StorageError {
    /// Whether running the whole use case again may bring another result.
    #[must_use]
    pub const fn is_worth_repeating(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::Duplicate(_) | Self::LostRace)
    }

    /// Whether the transaction may be durable all the same.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether the database was away, so that nothing of the transaction is kept.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// A database that is away, in our own words.
    pub(super) fn away(kind: io::ErrorKind, why: &'static str) -> Self {
        Self::Unavailable(io::Error::new(kind, why).into())
    }

    /// The same error, when it is the answer to a commit: a server that cannot be heard any more
    /// may have carried it out.
    pub(super) fn of_commit(self) -> Self {
        match self {
            Self::Unavailable(source) => Self::Unknown(source),
            told => told,
        }
    }
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::Encode(_)
                | sqlx::Error::Decode(_) => Self::Rejected(error),
                _ => Self::Unavailable(error),
            };
        };
        if database.is_unique_violation() {
            return Self::Duplicate(error);
        }
        let code = database.code().unwrap_or_default().into_owned();
        if code.len() == 5 { of_server(&code, error) } else { of_file(&code, error) }
    }
}

/// By SQLSTATE, which has five characters.
fn of_server(code: &str, error: sqlx::Error) -> StorageError {
    match code {
        // serialization_failure, deadlock_detected.
        "40001" | "40P01" => StorageError::Conflict(error),
        // A lock that was not given in `lock_timeout`: whoever waits has waited enough. A read-only
        // server; a transaction that was idle for too long. Operator intervention; insufficient
        // resources; a system error; a broken connection.
        "55P03" | "25006" | "25P03" => StorageError::Unavailable(error),
        _ if ["57", "53", "58", "08"].iter().any(|class| code.starts_with(class)) => {
            StorageError::Unavailable(error)
        }
        _ => StorageError::Rejected(error),
    }
}

/// By SQLite's result code, whose lowest byte is the primary one.
fn of_file(code: &str, error: sqlx::Error) -> StorageError {
    /// `SQLITE_IOERR_SHMSIZE`: the index of the log does not fit on a full disk. It says nothing
    /// about what was written before.
    const NO_ROOM_FOR_INDEX: u32 = 4874;
    let Ok(code) = code.parse::<u32>() else { return StorageError::Rejected(error) };
    match (code, code & 0xff) {
        // BUSY_SNAPSHOT.
        (517, _) => StorageError::Conflict(error),
        (NO_ROOM_FOR_INDEX, _) => StorageError::Unavailable(error),
        // BUSY, after the whole `busy_timeout`; READONLY, FULL, CANTOPEN.
        (_, 5 | 8 | 13 | 14) => StorageError::Unavailable(error),
        // IOERR, CORRUPT, NOTADB.
        (_, 10 | 11 | 26) => StorageError::Broken(error),
        _ => StorageError::Rejected(error),
    }
}
