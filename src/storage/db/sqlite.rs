//! SQLite: one file, of which one connection writes and a few read.
//!
//! When the file turns out to be broken, the halt is called and nothing is asked of it any more:
//! whether the last write is there, only the next start can tell.

mod error;
mod list;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Arguments, Column as _, Executor as _, Row as _, SqliteConnection, SqlitePool};
use sqlx::{Transaction as Tx, TypeInfo as _, ValueRef as _};

use super::driver::{Database, DbSession, Transaction};
use super::error::StorageError;
use super::migrations::MIGRATIONS;
use super::open::OpenError;
use super::permits::{Permit, Permits, Priority};
use super::query::{Query, query};
use super::row::{Names, Row, corrupt};
use super::value::Value;
use crate::disk::halt::Halt;
use error::classified;
use list::Statement;

/// When a page of an index was split, cells that moved stay readable in its free space, also with
/// `secure_delete` (seen twice in 3,600 rows). These are the indexes that hold names and addresses of
/// people; building them anew leaves nothing.
const REBUILD: [&str; 2] = ["REINDEX users", "REINDEX vehicles"];
/// The write-ahead log still holds pages as they were; this empties it.
const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// A file has no standby: it takes writes if it answers.
const ANSWERS: &str = "SELECT 1 = 1";

const STATEMENTS: &[&str] = &[REBUILD[0], REBUILD[1], EMPTY_LOG, ANSWERS];

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS_MAX: u32 = 4;
/// One of the readers is left to what has priority.
const READERS_RESERVED: u32 = 1;
/// In KiB, negative as SQLite wants it. The writer comes back to the edges of every index.
const WRITER_CACHE_KIB: &str = "-32768";
const READER_CACHE_KIB: &str = "-8192";
/// A checkpoint writes each changed page once, however often it changed since the last one: at
/// this distance (32 MiB) it is rare enough not to be seen in the latency of commands.
const CHECKPOINT_PAGES: &str = "8192";
/// So many rows can wait for their reader: those of a whole batch, or the thread that runs the
/// statement and the task that reads its rows wait for each other again and again.
const ROWS_WAITING_MAX: usize = 256;

/// Connections to one file.
#[derive(Debug)]
pub(super) struct Sqlite {
    /// Exactly one connection: writers queue for it in order of arrival.
    writer: SqlitePool,
    /// Connections that cannot write.
    readers: SqlitePool,
    /// One, so that what has priority waits for one transaction and not for a queue of them.
    to_write: Permits,
    to_read: Permits,
    /// Called when the file is broken; from then on nothing is asked of it.
    halt: Halt,
}

impl Sqlite {
    /// Opens the file; `create` allows making it.
    ///
    /// # Errors
    /// [`OpenError::NoFile`] if it does not exist and may not be made; [`OpenError::Connect`].
    pub(super) async fn open(path: &Path, create: bool) -> Result<Self, OpenError> {
        if !create && !path.exists() {
            return Err(OpenError::NoFile(path.to_owned()));
        }
        let options = options(path).create_if_missing(create);
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
            .await
            .map_err(|error| OpenError::Connect(error.into()))?;
        let reading = options
            .create_if_missing(false)
            .pragma("cache_size", READER_CACHE_KIB)
            .pragma("query_only", "ON");
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(reading);
        let (to_write, to_read) = (Permits::of(1, 0), Permits::of(READERS_MAX, READERS_RESERVED));
        Ok(Self { writer, readers, to_write, to_read, halt: Halt::default() })
    }

    async fn reader(&self, priority: Priority) -> Result<FileReader, StorageError> {
        let permit = self.to_read.take(priority).await?;
        let connection = judged(&self.halt, self.readers.acquire()).await?;
        Ok(FileReader { connection, halt: self.halt.clone(), _permit: permit })
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may lose acknowledged commits when the power fails (P6).
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("cache_size", WRITER_CACHE_KIB)
        // What is deleted is overwritten, or a person who was erased would stay in the file.
        .pragma("secure_delete", "ON")
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        // What a statement would have to undo is noted first, and a statement about a whole set
        // touches more pages than are noted in memory otherwise: a temporary file for each.
        .pragma("temp_store", "MEMORY")
        .row_buffer_size(ROWS_WAITING_MAX)
        .statement_cache_capacity(256)
}

#[async_trait]
impl Database for Sqlite {
    /// The write lock is held from the start.
    async fn begin(&self, priority: Priority) -> Result<Box<dyn Transaction>, StorageError> {
        let permit = self.to_write.take(priority).await?;
        let tx = judged(&self.halt, self.writer.begin_with("BEGIN IMMEDIATE")).await?;
        Ok(Box::new(FileTransaction { tx, halt: self.halt.clone(), _permit: permit }))
    }

    async fn read(&self, priority: Priority) -> Result<Box<dyn DbSession>, StorageError> {
        Ok(Box::new(self.reader(priority).await?))
    }

    async fn migrate(&self) -> Result<(), OpenError> {
        MIGRATIONS.run(&self.writer).await.map_err(|error| OpenError::Migrate(error.into()))
    }

    async fn prepare(&self, sql: &'static str) -> Result<(), StorageError> {
        let mut reader = self.reader(Priority::Ordinary).await?;
        for text in list::samples(sql)? {
            (&mut *reader.connection).prepare(text).await.map_err(classified)?;
        }
        Ok(())
    }

    fn statements(&self) -> Vec<&'static str> {
        STATEMENTS.to_vec()
    }

    async fn clear_erased(&self) -> Result<bool, StorageError> {
        let permit = self.to_write.take(Priority::Ordinary).await?;
        let connection = judged(&self.halt, self.writer.acquire()).await?;
        let mut writer = FileReader { connection, halt: self.halt.clone(), _permit: permit };
        for rebuild in REBUILD {
            writer.execute(query(rebuild)).await?;
        }
        let busy = writer.fetch_all(query(EMPTY_LOG)).await?;
        Ok(busy.first().map(|row| row.get("busy")).transpose()? == Some(0_i64))
    }

    async fn is_primary(&self) -> Result<bool, StorageError> {
        let answer = self.reader(Priority::Urgent).await?.fetch_all(query(ANSWERS)).await?;
        Ok(!answer.is_empty())
    }

    fn halt(&self) -> Halt {
        self.halt.clone()
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A connection outside a transaction.
#[derive(Debug)]
struct FileReader {
    connection: PoolConnection<sqlx::Sqlite>,
    halt: Halt,
    _permit: Permit,
}

#[async_trait]
impl DbSession for FileReader {
    async fn execute(&mut self, query: Query) -> Result<u64, StorageError> {
        execute(&mut self.connection, &self.halt, query).await
    }

    async fn fetch_all(&mut self, query: Query) -> Result<Vec<Row>, StorageError> {
        fetch_all(&mut self.connection, &self.halt, query).await
    }
}

/// The transaction that holds the write lock.
#[derive(Debug)]
struct FileTransaction {
    tx: Tx<'static, sqlx::Sqlite>,
    halt: Halt,
    _permit: Permit,
}

#[async_trait]
impl DbSession for FileTransaction {
    async fn execute(&mut self, query: Query) -> Result<u64, StorageError> {
        execute(&mut self.tx, &self.halt, query).await
    }

    async fn fetch_all(&mut self, query: Query) -> Result<Vec<Row>, StorageError> {
        fetch_all(&mut self.tx, &self.halt, query).await
    }
}

#[async_trait]
impl Transaction for FileTransaction {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        let Self { tx, halt, _permit } = *self;
        judged(&halt, tx.commit()).await
    }
}

/// Waits for an answer of the file, and calls the halt if it says that the file is broken.
async fn judged<T>(
    halt: &Halt,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StorageError> {
    if halt.is_called() {
        return Err(StorageError::away(std::io::ErrorKind::Other, "the process is ending"));
    }
    let answer = answer.await.map_err(classified);
    if let Err(StorageError::Broken(error)) = &answer {
        halt.call(format!("the database file is broken: {error}"));
    }
    answer
}

#[expect(clippy::disallowed_methods, reason = "the room in which statements are run")]
async fn execute(
    on: &mut SqliteConnection,
    halt: &Halt,
    query: Query,
) -> Result<u64, StorageError> {
    let mut changed = 0;
    for Statement { text, values } in list::statements(query)? {
        let query = sqlx::query_with(text, arguments(values)?);
        changed += judged(halt, query.execute(&mut *on)).await?.rows_affected();
    }
    Ok(changed)
}

#[expect(clippy::disallowed_methods, reason = "the room in which statements are run")]
async fn fetch_all(
    on: &mut SqliteConnection,
    halt: &Halt,
    query: Query,
) -> Result<Vec<Row>, StorageError> {
    let mut found = Vec::new();
    for Statement { text, values } in list::statements(query)? {
        let query = sqlx::query_with(text, arguments(values)?);
        let rows = judged(halt, query.fetch_all(&mut *on)).await?;
        let Some(first) = rows.first() else { continue };
        let names: Names = first.columns().iter().map(|one| one.name().to_owned().into()).collect();
        for row in &rows {
            found.push(Row::new(Names::clone(&names), decoded(row)?));
        }
    }
    Ok(found)
}

fn arguments(values: Vec<Value>) -> Result<SqliteArguments, StorageError> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Uuid(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Integer(value) => arguments.add(value),
            Value::Boolean(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
        }
        .map_err(StorageError::Rejected)?;
    }
    Ok(arguments)
}

fn decoded(row: &SqliteRow) -> Result<Vec<Value>, StorageError> {
    let value = |place: usize| -> Result<Value, sqlx::Error> {
        let raw = row.try_get_raw(place)?;
        if raw.is_null() {
            return Ok(Value::Text(None));
        }
        let kind = raw.type_info().into_owned();
        Ok(match kind.name() {
            "TEXT" => Value::Text(Some(row.try_get_unchecked::<String, _>(place)?.into())),
            "BLOB" => {
                let bytes: Vec<u8> = row.try_get_unchecked(place)?;
                // An id, or any 16 bytes: who reads them knows.
                uuid::Uuid::from_slice(&bytes).map_or(Value::Bytes(Some(bytes)), Value::from)
            }
            _ => Value::Integer(Some(row.try_get_unchecked(place)?)),
        })
    };
    (0..row.len()).map(value).collect::<Result<_, _>>().map_err(|error| corrupt("(any)", error))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_urgent_writes_next_to_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let db = Sqlite::open(&folder.path().join("x.db"), true).await.unwrap();
        let running = db.begin(Priority::Ordinary).await.unwrap();
        let mut crowd = std::pin::pin!(db.begin(Priority::Ordinary));
        assert!(crowd.as_mut().now_or_never().is_none());
        let mut urgent = std::pin::pin!(db.begin(Priority::Urgent));
        assert!(urgent.as_mut().now_or_never().is_none());
        drop(running);
        tokio::select! {
            biased;
            _ = crowd => panic!("a crowd was first"),
            first = urgent => drop(first.unwrap()),
        }
    }
}
