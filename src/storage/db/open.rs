//! Where a database is, what limits its connections, and why it cannot be opened.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::error::{DriverError, StorageError};

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://…` or `postgresql://…`, with `sslmode` and the other parameters of libpq; it
    /// may name several servers of one database, with commas between them. Without `sslmode` a
    /// server on another machine must prove who it is (`verify-full`).
    Postgres(String),
}

/// A server's address may hold a password, so it does not show itself.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres://[REDACTED]"),
        }
    }
}

/// Why a database URL is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be sqlite:PATH or postgres://USER@HOST/NAME")]
pub struct InvalidLocation;

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(url: &str) -> Result<Self, InvalidLocation> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            // A database in memory would forget on restart what was promised (P6).
            let usable = !path.is_empty() && !path.starts_with(":memory:") && !path.contains('?');
            return if usable { Ok(Self::Sqlite(path.into())) } else { Err(InvalidLocation) };
        }
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if is_postgres { Ok(Self::Postgres(url.to_owned())) } else { Err(InvalidLocation) }
    }
}

/// The limits of connections to a server.
#[derive(Debug, Clone, Copy)]
pub struct PostgresSettings {
    /// At most so many connections.
    pub connections_max: u32,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self { connections_max: 10 }
    }
}

/// Why a database cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached or its URL is wrong.
    #[error("cannot open the database")]
    Connect(#[source] DriverError),
    /// It has no TLS, or none that proves who it is, and the URL does not ask for less by name.
    #[error(
        "the connection to the database server would not be protected: give the certificate of \
         its authority in the URL as sslrootcert=PATH, or ask for less by name, as \
         sslmode=require or sslmode=disable"
    )]
    Unprotected(#[source] DriverError),
    /// A migration failed.
    #[error("cannot migrate the database")]
    Migrate(#[source] DriverError),
    /// The server only reads: a standby would not see revocations in time (P2).
    #[error("the database server is a standby or read-only; keys are decided on the primary alone")]
    NotPrimary,
    /// The file does not exist and was not to be made.
    #[error("there is no database at {0}; `keylend migrate` makes one")]
    NoFile(PathBuf),
    /// It did not answer.
    #[error("the database does not answer")]
    Storage(#[from] StorageError),
}
