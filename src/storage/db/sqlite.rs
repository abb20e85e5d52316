//! SQLite: one file, of which one connection writes and a few read.
//!
//! Statements run on the thread of their task: each finds its rows by an index and takes microseconds, less
//! than handing it to another thread. What may wait for the disk or for another process (a commit, a lock
//! that is not free, opening), and a statement that says that it is long ([`Query::long`]), runs on a thread
//! for blocking work.
//!
//! When the file turns out to be broken, the halt is called and nothing is asked of it any more:
//! whether the last write is there, only the next start can tell.

mod error;
mod list;
mod migrations;
mod pool;
mod pooled;
mod refusal;
mod run;

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::driver::{Connections, Database, DbSession, Transaction};
use super::error::StorageError;
use super::open::OpenError;
use super::permits::{Permits, Priority};
use super::query::{Answer, Query, query};
use super::value::Value;
use crate::disk::halt::Halt;
use pool::{ConnectionUse, Pool};
use pooled::PooledConnection;

/// When a page of an index was split, cells that moved stay readable in its free space, also with
/// `secure_delete` (seen twice in 3,600 rows). These are the indexes that hold names and addresses of
/// people; building them anew leaves nothing.
const REBUILD: [&str; 2] = ["REINDEX users", "REINDEX vehicles"];
/// The write-ahead log still holds pages as they were; this empties it.
const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// A file has no standby: it takes writes if it answers.
const ANSWERS: &str = "SELECT 1 = 1";

const STATEMENTS: &[&str] = &[REBUILD[0], REBUILD[1], EMPTY_LOG, ANSWERS];

/// How long a lock of another process is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS_MAX: u32 = 4;
/// One of the readers is left to what has priority.
const READERS_RESERVED: u32 = 1;

/// Connections to one file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
    /// Exactly one connection: writers queue for it in order of arrival.
    writer: Arc<Pool>,
    /// Connections that cannot write.
    readers: Arc<Pool>,
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
    /// [`OpenError::NoFile`] if it does not exist and may not be made; [`OpenError::NoFolder`];
    /// [`OpenError::Unusable`].
    pub(super) async fn open(path: &Path, create: bool) -> Result<Self, OpenError> {
        if path.parent().is_some_and(|folder| folder != Path::new("") && !folder.exists()) {
            return Err(OpenError::NoFolder(path.to_owned()));
        }
        if create {
            make_private(path).map_err(|error| refusal::not_made(path, error))?;
        } else if !path.exists() {
            return Err(OpenError::NoFile(path.to_owned()));
        }
        let writer = Pool::of(path, ConnectionUse::Writing, 1);
        let first = writer.take().await.map_err(|error| refusal::not_opened(path, error))?;
        drop(first);
        let readers = Pool::of(path, ConnectionUse::Reading, READERS_MAX);
        let (to_write, to_read) = (Permits::of(1, 0), Permits::of(READERS_MAX, READERS_RESERVED));
        let (path, halt) = (path.to_owned(), Halt::default());
        Ok(Self { path, writer, readers, to_write, to_read, halt })
    }

    async fn reader(&self, priority: Priority) -> Result<PooledConnection, StorageError> {
        PooledConnection::take(&self.readers, &self.to_read, priority, &self.halt).await
    }

    async fn writer(&self, priority: Priority) -> Result<PooledConnection, StorageError> {
        PooledConnection::take(&self.writer, &self.to_write, priority, &self.halt).await
    }
}

/// Makes the file if it is not there, for this user alone, whatever the process was told about new
/// files (umask). SQLite makes the log and its index with the mode of the file. An empty file is an
/// empty database.
fn make_private(path: &Path) -> io::Result<()> {
    let made = File::options().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

#[async_trait]
impl Database for Sqlite {
    /// The write lock is held from the start.
    async fn begin(&self, priority: Priority) -> Result<Box<dyn Transaction>, StorageError> {
        let mut writer = self.writer(priority).await?;
        writer.begin().await?;
        Ok(Box::new(writer))
    }

    async fn read(&self, priority: Priority) -> Result<Box<dyn DbSession>, StorageError> {
        Ok(Box::new(self.reader(priority).await?))
    }

    async fn migrate(&self) -> Result<(), OpenError> {
        let mut writer = self.writer(Priority::Ordinary).await?;
        let migrated = writer.on_another_thread(|on| Ok(migrations::run(on))).await?;
        migrated.map_err(|cause| refusal::not_migrated(&self.path, cause))
    }

    async fn prepare(&self, sql: &'static str) -> Result<(), StorageError> {
        let mut reader = self.reader(Priority::Ordinary).await?;
        reader.on_another_thread(move |on| run::prepare(on, sql)).await
    }

    fn statements(&self) -> Vec<&'static str> {
        [STATEMENTS, migrations::STATEMENTS].concat()
    }

    async fn clear_erased(&self) -> Result<bool, StorageError> {
        let mut writer = self.writer(Priority::Ordinary).await?;
        for rebuild in REBUILD {
            writer.run(query(rebuild).long()).await?;
        }
        let busy = writer.run(query(EMPTY_LOG).long()).await?;
        Ok(busy.rows.first().map(|row| row.get("busy")).transpose()? == Some(0_i64))
    }

    async fn is_primary(&self) -> Result<bool, StorageError> {
        let answer = self.reader(Priority::Urgent).await?.run(query(ANSWERS)).await?;
        Ok(answer.count > 0)
    }

    fn halt(&self) -> Halt {
        self.halt.clone()
    }

    fn connections(&self) -> Connections {
        let (one, several) = (self.writer.connections(), self.readers.connections());
        Connections {
            in_use: one.in_use + several.in_use,
            idle: one.idle + several.idle,
            max: one.max + several.max,
        }
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use rusqlite::Connection;

    use super::*;

    async fn open(folder: &tempfile::TempDir) -> Sqlite {
        Sqlite::open(&folder.path().join("x.db"), true).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_that_is_not_to_be_made_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        assert!(matches!(Sqlite::open(&path, false).await, Err(OpenError::NoFile(_))));
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_urgent_writes_next_to_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
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

    #[tokio::test]
    async fn a_lock_of_another_process_is_waited_for_beside_the_task() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await;
        let other = Connection::open(folder.path().join("x.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut begun = std::pin::pin!(db.begin(Priority::Urgent));
        assert!(begun.as_mut().now_or_never().is_none());
        other.execute_batch("COMMIT").unwrap();
        begun.await.unwrap().commit().await.unwrap();
    }

    /// A statement runs at once; a long one may still be running on another thread when it is given up.
    #[tokio::test]
    async fn what_is_given_up_is_undone_and_its_connection_comes_back() {
        const MAKE: &str = "CREATE TABLE t (a BIGINT NOT NULL)";
        const COUNT: &str = "PRAGMA table_info(t)";
        for is_long in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let db = open(&folder).await;
            let mut given_up = db.begin(Priority::Urgent).await.unwrap();
            let make = if is_long { query(MAKE).long() } else { query(MAKE) };
            let _ = given_up.run(make).now_or_never();
            drop(given_up);
            let mut next = db.begin(Priority::Urgent).await.unwrap();
            assert!(next.run(query(COUNT)).await.unwrap().rows.is_empty());
            next.run(query(MAKE)).await.unwrap();
            next.commit().await.unwrap();
            let mut reader = db.read(Priority::Urgent).await.unwrap();
            assert_eq!(reader.run(query(COUNT)).await.unwrap().rows.len(), 1);
            let refused = reader.run(query("DELETE FROM t")).await.unwrap_err();
            assert!(refused.is_away(), "a reader wrote: {refused:?}");
        }
    }
}
