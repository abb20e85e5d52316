//! Opening a database: which one, how durable, with which limits.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::permits::Permits;
use super::{Db, FilePermits, Priority, Servers, StorageError, address, query};
use crate::disk::halt::Halt;

/// Whether the server takes writes. For a file there is nothing to ask but whether it answers: two
/// texts, because only one of the databases has standbys.
const IS_PRIMARY: &str =
    "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'";
const ANSWERS: &str = "SELECT 1 = 1";

/// The statements of this file; each is for one of the databases alone.
#[expect(dead_code, reason = "the list is for readers; `doctor` and `readyz` run both")]
const STATEMENTS: &[&str] = &[IS_PRIMARY, ANSWERS];

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const SQLITE_READERS_MAX: u32 = 4;
/// In KiB, negative as SQLite wants it. The writer comes back to the edges of every index.
const SQLITE_WRITER_CACHE_KIB: &str = "-32768";
const SQLITE_READER_CACHE_KIB: &str = "-8192";
/// A checkpoint writes each changed page once, however often it changed since the last one: at
/// this distance (32 MiB) it is rare enough not to be seen in the latency of commands.
const SQLITE_CHECKPOINT_PAGES: &str = "8192";
/// So many rows can wait for their reader: those of a whole batch, or the thread that runs the
/// statement and the task that reads its rows wait for each other again and again.
const SQLITE_ROWS_WAITING_MAX: usize = 256;

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://…` or `postgresql://…`, with `sslmode` and the other parameters of libpq; it
    /// may name several servers of one database, with commas between them.
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
    Connect(#[from] sqlx::Error),
    /// A migration failed.
    #[error("cannot migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The server only reads: a standby would not see revocations in time (P2).
    #[error("the database server is a standby or read-only; keys are decided on the primary alone")]
    NotPrimary,
    /// The file does not exist and nobody asked for it to be made.
    #[error("there is no database at {0}; `keylend migrate` makes one")]
    NoFile(PathBuf),
    /// It did not answer.
    #[error("the database does not answer")]
    Storage(#[from] StorageError),
}

impl Db {
    /// Opens the database; `create` allows making the file of an SQLite database.
    ///
    /// # Errors
    /// [`OpenError`] says why it cannot be used.
    pub async fn open(
        location: &Location,
        settings: PostgresSettings,
        create: bool,
    ) -> Result<Self, OpenError> {
        match location {
            Location::Sqlite(path) => open_sqlite(path.clone(), create).await,
            Location::Postgres(url) => open_postgres(url, settings).await,
        }
    }
}

async fn open_sqlite(path: PathBuf, create: bool) -> Result<Db, OpenError> {
    if !create && !path.exists() {
        return Err(OpenError::NoFile(path));
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may lose acknowledged commits when the power fails (P6).
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY_TIMEOUT)
        .pragma("cache_size", SQLITE_WRITER_CACHE_KIB)
        // What is deleted is overwritten, or a person who was erased would stay in the file.
        .pragma("secure_delete", "ON")
        .pragma("wal_autocheckpoint", SQLITE_CHECKPOINT_PAGES)
        // What a statement would have to undo is noted first, and a statement about a whole set
        // touches more pages than are noted in memory otherwise: a temporary file for each.
        .pragma("temp_store", "MEMORY")
        .row_buffer_size(SQLITE_ROWS_WAITING_MAX)
        .statement_cache_capacity(256);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        // On a full disk SQLite ends a transaction by itself, and sqlx believes it to be open
        // from then on and begins no other one: such a connection is replaced.
        .before_acquire(|connection, _| {
            let is_usable = !sqlx::Connection::is_in_transaction(connection);
            Box::pin(std::future::ready(Ok(is_usable)))
        })
        .connect_with(options.clone())
        .await?;
    let reading = options
        .create_if_missing(false)
        .pragma("cache_size", SQLITE_READER_CACHE_KIB)
        .pragma("query_only", "ON");
    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(reading);
    let permits =
        FilePermits { to_write: Permits::of(1, 0), to_read: Permits::of(SQLITE_READERS_MAX, 1) };
    Ok(Db::Sqlite { writer, readers, permits, halt: Halt::default() })
}

async fn open_postgres(url: &str, settings: PostgresSettings) -> Result<Db, OpenError> {
    let servers = Servers::open(address::servers(url)?, settings.connections_max).await?;
    Ok(Db::Postgres(servers))
}

impl Db {
    /// Whether writes are accepted here: always on a file, on a server only if it is no standby.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if the database does not answer.
    pub async fn is_primary(&self) -> Result<bool, StorageError> {
        let mut reader = self.read(Priority::Urgent).await?;
        let sql = match self {
            Self::Sqlite { .. } => ANSWERS,
            Self::Postgres(_) => IS_PRIMARY,
            #[cfg(test)]
            Self::Rehearsal(..) => return Ok(true),
        };
        Ok(query(sql).fetch_optional::<bool>(&mut reader).await?.unwrap_or(false))
    }
}
