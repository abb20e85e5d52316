//! Which of PostgreSQL's errors is which.

use super::StorageError;

/// By SQLSTATE; an error of the connection has none.
impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(reported) = &error else {
            return match error {
                sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::Encode(_)
                | sqlx::Error::Decode(_) => Self::Rejected(error.into()),
                _ => Self::Unavailable(error.into()),
            };
        };
        if reported.is_unique_violation() {
            return Self::Duplicate(error.into());
        }
        let code = reported.code().unwrap_or_default().into_owned();
        match code.as_str() {
            // serialization_failure, deadlock_detected.
            "40001" | "40P01" => Self::Conflict(error.into()),
            // A lock that was not given in `lock_timeout`: that is long enough. A read-only server;
            // a transaction that was idle for too long. Operator intervention; insufficient
            // resources; a system error; a broken connection.
            "55P03" | "25006" | "25P03" => Self::Unavailable(error.into()),
            _ if ["57", "53", "58", "08"].iter().any(|class| code.starts_with(class)) => {
                Self::Unavailable(error.into())
            }
            _ => Self::Rejected(error.into()),
        }
    }
}
