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
    /// Its URL is wrong.
    #[error("KEYLEND_DATABASE_URL cannot be used: correct it")]
    Url(#[source] DriverError),
    /// It cannot be reached, opened or written to.
    #[error("{what}: {remedy}")]
    Unusable {
        /// What is wrong with it.
        what: String,
        /// What to do.
        remedy: &'static str,
        /// What its driver, or the system, said.
        #[source]
        cause: DriverError,
    },
    /// It has no TLS, or none that proves who it is, and the URL does not ask for less by name.
    #[error("the connection to the database server would not be protected: {remedy}")]
    Unprotected {
        /// What to do.
        remedy: &'static str,
        /// What is missing.
        #[source]
        cause: DriverError,
    },
    /// A migration failed.
    #[error("the schema of the database could not be brought to the newest version")]
    Migrate(#[source] DriverError),
    /// Its schema is of another program.
    #[error(transparent)]
    Schema(#[from] SchemaFault),
    /// Names of people could not be stored in it.
    #[error(
        "the encoding of the database is {0}, and names of people need UTF8: make another database \
         (CREATE DATABASE NAME ENCODING 'UTF8' TEMPLATE template0) and name it in \
         KEYLEND_DATABASE_URL"
    )]
    Encoding(String),
    /// The server only reads: a standby would not see revocations in time (P2).
    #[error(
        "the database server is a standby or read-only; keys are decided on the primary alone: \
         name the primary in KEYLEND_DATABASE_URL, or, if this is it, set \
         default_transaction_read_only = off"
    )]
    NotPrimary,
    /// The file does not exist and was not to be made.
    #[error("there is no database at {0}; `keylend migrate` makes one")]
    NoFile(PathBuf),
    /// Not even its folder exists.
    #[error(
        "there is no folder for the database {0}: make the folder, or name another file in \
         KEYLEND_DATABASE_URL"
    )]
    NoFolder(PathBuf),
    /// It did not answer.
    #[error("the database does not answer")]
    Storage(#[from] StorageError),
}

/// Why the schema is not the one that this program was built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SchemaFault {
    /// It was not made yet, or an older program made it.
    #[error(
        "the schema of the database is older than this program, or not made yet: run `keylend migrate`"
    )]
    Outdated,
    /// A newer program made it.
    #[error(
        "the schema of the database is of a newer program (version {found}, this one knows {known}): \
         start that program, or restore a backup from before it"
    )]
    Newer {
        /// The newest version in the database.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// A program made it that is neither older nor newer.
    #[error(
        "version {0} of the database's schema is not the one that this program makes: start the \
         program that made it, or make another database"
    )]
    Other(i64),
}
