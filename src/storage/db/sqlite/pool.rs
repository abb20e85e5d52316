//! Connections to the file, made when they are needed and kept until the end.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::driver::Connections;
use super::{BUSY_TIMEOUT, StorageError};

const TAKE_TIMEOUT: Duration = Duration::from_secs(5);
const STATEMENTS_CACHED_MAX: usize = 256;
/// FULL, because NORMAL may lose acknowledged commits when the power fails (P6). What is deleted is
/// overwritten (`secure_delete`), or a person who was erased would stay in the file. A checkpoint
/// writes each changed page once, however often it changed since the last one: at this distance
/// (32 MiB) it is rare enough not to be seen in the latency of commands. What a statement would have
/// to undo is noted first, and a statement about a whole set touches more pages than are noted in
/// memory otherwise: a temporary file for each (`temp_store`).
const ALWAYS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
    PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 8192; PRAGMA temp_store = MEMORY;";
/// In KiB, negative as SQLite wants it. The writer comes back to the edges of every index.
const WRITING: &str = "PRAGMA cache_size = -32768;";
const READING: &str = "PRAGMA cache_size = -8192; PRAGMA query_only = ON;";

/// What connections are for.
#[derive(Debug, Clone, Copy)]
pub(super) enum ConnectionUse {
    Writing,
    Reading,
}

#[derive(Debug)]
pub(super) struct Pool {
    path: PathBuf,
    purpose: ConnectionUse,
    size: u32,
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn of(path: &Path, purpose: ConnectionUse, size: u32) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Arc::new(Self { path: path.to_owned(), purpose, size, free, idle: Mutex::default() })
    }

    /// The next free connection, in order of arrival.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if there is none in time; what SQLite reports if the file cannot
    /// be opened.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Lent, StorageError> {
        let waiting = Arc::clone(&self.free).acquire_owned();
        let Ok(Ok(place)) = tokio::time::timeout(TAKE_TIMEOUT, waiting).await else {
            return Err(StorageError::away(ErrorKind::TimedOut, "no connection was free in time"));
        };
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let (path, purpose) = (self.path.clone(), self.purpose);
                let opened = tokio::task::spawn_blocking(move || open(&path, purpose)).await;
                opened.map_err(|error| StorageError::Unavailable(error.into()))??
            }
        };
        Ok(Lent { connection: Some(connection), pool: Arc::clone(self), _place: place })
    }

    /// How many connections there are.
    pub(super) fn connections(&self) -> Connections {
        let free = u32::try_from(self.free.available_permits()).unwrap_or(self.size);
        let idle = u32::try_from(self.idle().len()).unwrap_or(self.size);
        Connections { in_use: self.size.saturating_sub(free), idle, max: self.size }
    }

    /// Waits for what runs, then closes every connection.
    pub(super) async fn close(self: &Arc<Self>) {
        let all = self.free.acquire_many(self.size).await;
        self.free.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        // The last one to close writes the log into the file.
        if let Err(error) = tokio::task::spawn_blocking(move || drop(idle)).await {
            tracing::warn!(%error, "a connection was not closed");
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path, purpose: ConnectionUse) -> Result<Connection, StorageError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // SQLite opens a file that it may not write all the same, and nobody would be told before the first
    // entry of the record cannot be written.
    if connection.is_readonly("main")? {
        let read_only = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
        return Err(rusqlite::Error::SqliteFailure(read_only, None).into());
    }
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
    connection.execute_batch(ALWAYS)?;
    connection.execute_batch(match purpose {
        ConnectionUse::Writing => WRITING,
        ConnectionUse::Reading => READING,
    })?;
    Ok(connection)
}

/// A connection that is in use. Dropping it undoes an open transaction and gives it back.
#[derive(Debug)]
pub(super) struct Lent {
    connection: Option<Connection>,
    pool: Arc<Pool>,
    /// Given back after the connection.
    _place: OwnedSemaphorePermit,
}

impl Lent {
    pub(super) fn connection(&mut self) -> Result<&mut Connection, StorageError> {
        let gone = || StorageError::away(ErrorKind::NotConnected, "the connection is gone");
        self.connection.as_mut().ok_or_else(gone)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // On a full disk SQLite may have ended the transaction by itself.
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
            && !connection.is_autocommit()
        {
            tracing::warn!(%error, "a connection is closed, because its transaction does not end");
            return;
        }
        self.pool.idle().push(connection);
    }
}
