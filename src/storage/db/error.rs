//! What can go wrong with a database, in the terms that callers branch on.

/// Why a statement brought no result.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database did not answer, or no connection could be had in time.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
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
        match database.code().as_deref() {
            // SQLSTATE 40001 serialization_failure, 40P01 deadlock_detected, 55P03
            // lock_not_available; SQLite 5 and 261, 517: SQLITE_BUSY and its extended forms.
            Some("40001" | "40P01" | "55P03" | "5" | "261" | "517") => Self::Conflict(error),
            // SQLSTATE class 57: operator intervention; 53: insufficient resources; 25006: a
            // read-only server; SQLite 8, 10, 13, 14: read-only, I/O, full, cannot open.
            Some(code)
                if code.len() == 5
                    && (code.starts_with("57") || code.starts_with("53") || code == "25006") =>
            {
                Self::Unavailable(error)
            }
            Some(code)
                if code.parse::<u32>().is_ok_and(|code| {
                    matches!(code & 0xff, 8 | 10 | 13 | 14) && code < 100_000
                }) =>
            {
                Self::Unavailable(error)
            }
            _ => Self::Rejected(error),
        }
    }
}
