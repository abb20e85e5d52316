//! What can go wrong with a database, in the terms that callers branch on. Which of its errors is
//! which, each database says in its own file.

use std::io;

/// What the driver of the database reported.
pub type DriverError = Box<dyn std::error::Error + Send + Sync>;

/// Why a statement brought no result.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database did not answer, or no connection could be had in time. Nothing of the
    /// transaction is kept.
    #[error("the database is not available")]
    Unavailable(#[source] DriverError),
    /// The connection was lost after the commit was asked for: it may have happened.
    #[error("it is not known whether the transaction is durable")]
    CommitUnknown(#[source] DriverError),
    /// The file cannot be read or written, or is damaged: the process ends (see [`crate::disk::halt`]).
    #[error("the database file is broken")]
    Broken(#[source] DriverError),
    /// Another transaction was in the way (deadlock, serialization): the use case may be repeated.
    #[error("another transaction was in the way")]
    Conflict(#[source] DriverError),
    /// A unique constraint does not hold: another transaction was first.
    #[error("a row with the same key exists")]
    Duplicate(#[source] DriverError),
    /// The database does not accept the statement or its values.
    #[error("the database rejected the statement")]
    Rejected(#[source] DriverError),
    /// An update that must change one row changed none or several.
    #[error("a row was changed by another transaction")]
    LostRace,
    /// A stored value is not what this program writes.
    #[error("{place} holds what cannot be: {why}")]
    Corrupt {
        /// The table, the column as the statement names it, and the id of the row.
        place: String,
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
        matches!(self, Self::CommitUnknown(_))
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
            Self::Unavailable(cause) => Self::CommitUnknown(cause),
            answered => answered,
        }
    }
}
