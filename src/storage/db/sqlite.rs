//! SQLite: one file, of which one connection writes and a few read.
//!
//! What has priority runs its statements on the thread of its task: they take microseconds, less
//! than handing them to another thread. Everything that may wait for the disk or for another
//! process (a commit, a lock that is not free, opening) and every statement without priority runs on
//! a thread for blocking work.
//!
//! When the file turns out to be broken, the halt is called and nothing is asked of it any more:
//! whether the last write is there, only the next start can tell.

mod error;
mod list;
mod migrations;
mod pool;
mod run;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode};

use super::driver::{Database, DbSession, Transaction};
use super::error::StorageError;
use super::open::OpenError;
use super::permits::{Permit, Permits, Priority};
use super::query::{Answer, Query, query};
use super::value::Value;
use crate::disk::halt::Halt;
use pool::{Lent, Pool, Purpose};

/// When a page of an index was split, cells that moved stay readable in its free space, also with
/// `secure_delete` (seen twice in 3,600 rows). These are the indexes that hold names and addresses of
/// people; building them anew leaves nothing.
const REBUILD: [&str; 2] = ["REINDEX users", "REINDEX vehicles"];
/// The write-ahead log still holds pages as they were; this empties it.
const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// A file has no standby: it takes writes if it answers.
const ANSWERS: &str = "SELECT 1 = 1";

const STATEMENTS: &[&str] = &[REBUILD[0], REBUILD[1], EMPTY_LOG, ANSWERS];

/// So long a lock of another process is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS_MAX: u32 = 4;
/// One of the readers is left to what has priority.
const READERS_RESERVED: u32 = 1;

/// Connections to one file.
#[derive(Debug)]
pub(super) struct Sqlite {
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
    /// [`OpenError::NoFile`] if it does not exist and may not be made; [`OpenError::Connect`].
    pub(super) async fn open(path: &Path, create: bool) -> Result<Self, OpenError> {
        if !create && !path.exists() {
            return Err(OpenError::NoFile(path.to_owned()));
        }
        let writer = Pool::of(path, Purpose::Writing { create }, 1);
        let first = writer.take().await.map_err(|error| OpenError::Connect(error.into()))?;
        drop(first);
        let readers = Pool::of(path, Purpose::Reading, READERS_MAX);
        let (to_write, to_read) = (Permits::of(1, 0), Permits::of(READERS_MAX, READERS_RESERVED));
        Ok(Self { writer, readers, to_write, to_read, halt: Halt::default() })
    }

    async fn take(
        &self,
        pool: &Arc<Pool>,
        permits: &Permits,
        priority: Priority,
    ) -> Result<Held, StorageError> {
        let permit = permits.take(priority).await?;
        let halt = self.halt.clone();
        may_be_asked(&halt)?;
        let lent = judged(&halt, pool.take().await)?;
        Ok(Held {
            lent: Some(lent),
            has_priority: priority == Priority::Urgent,
            halt,
            _permit: permit,
        })
    }

    async fn reader(&self, priority: Priority) -> Result<Held, StorageError> {
        self.take(&self.readers, &self.to_read, priority).await
    }

    async fn writer(&self, priority: Priority) -> Result<Held, StorageError> {
        self.take(&self.writer, &self.to_write, priority).await
    }
}

#[async_trait]
impl Database for Sqlite {
    /// The write lock is held from the start.
    async fn begin(&self, priority: Priority) -> Result<Box<dyn Transaction>, StorageError> {
        let mut writer = self.writer(priority).await?;
        if !writer.on_this_thread(begin_at_once)? {
            writer.on_another_thread(begin).await?;
        }
        Ok(Box::new(writer))
    }

    async fn read(&self, priority: Priority) -> Result<Box<dyn DbSession>, StorageError> {
        Ok(Box::new(self.reader(priority).await?))
    }

    async fn migrate(&self) -> Result<(), OpenError> {
        let mut writer = self.writer(Priority::Ordinary).await?;
        writer.on_another_thread(|on| Ok(migrations::run(on))).await?.map_err(OpenError::Migrate)
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
            writer.run(query(rebuild)).await?;
        }
        let busy = writer.run(query(EMPTY_LOG)).await?;
        Ok(busy.rows.first().map(|row| row.get("busy")).transpose()? == Some(0_i64))
    }

    async fn is_primary(&self) -> Result<bool, StorageError> {
        let answer = self.reader(Priority::Urgent).await?.run(query(ANSWERS)).await?;
        Ok(answer.count > 0)
    }

    fn halt(&self) -> Halt {
        self.halt.clone()
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Begins a transaction if the write lock is free; `false` if another process has it.
fn begin_at_once(on: &mut Connection) -> Result<bool, StorageError> {
    on.busy_timeout(Duration::ZERO)?;
    let begun = on.execute_batch(BEGIN);
    on.busy_timeout(BUSY_TIMEOUT)?;
    match begun {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
        begun => Ok(begun.map(|()| true)?),
    }
}

/// Begins a transaction, and waits for the write lock.
fn begin(on: &mut Connection) -> Result<(), StorageError> {
    Ok(on.execute_batch(BEGIN)?)
}

const BEGIN: &str = "BEGIN IMMEDIATE";

/// A connection that was taken from a pool, with or without a transaction. Dropping it gives it back,
/// and undoes the transaction.
#[derive(Debug)]
struct Held {
    /// `None` once a call was given up: another thread still has it, and gives it back.
    lent: Option<Lent>,
    has_priority: bool,
    halt: Halt,
    _permit: Permit,
}

impl Held {
    fn on_this_thread<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        may_be_asked(&self.halt)?;
        let lent = self.lent.as_mut().ok_or_else(given_up)?;
        judged(&self.halt, work(lent.connection()?))
    }

    async fn on_another_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        may_be_asked(&self.halt)?;
        let mut lent = self.lent.take().ok_or_else(given_up)?;
        let worked = tokio::task::spawn_blocking(move || {
            let answer = lent.connection().and_then(work);
            (lent, answer)
        });
        let (lent, answer) =
            worked.await.map_err(|error| StorageError::Unavailable(error.into()))?;
        self.lent = Some(lent);
        judged(&self.halt, answer)
    }

    async fn on_its_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        if self.has_priority {
            self.on_this_thread(work)
        } else {
            self.on_another_thread(work).await
        }
    }
}

#[async_trait]
impl DbSession for Held {
    async fn run(&mut self, query: Query) -> Result<Answer, StorageError> {
        self.on_its_thread(move |on| run::run(on, query)).await
    }

    async fn run_each(&mut self, queries: Vec<Query>) -> Result<Vec<Answer>, StorageError> {
        let run_each =
            |on: &mut Connection| queries.into_iter().map(|query| run::run(on, query)).collect();
        self.on_its_thread(run_each).await
    }
}

#[async_trait]
impl Transaction for Held {
    /// It waits for the disk.
    async fn commit(mut self: Box<Self>) -> Result<(), StorageError> {
        self.on_another_thread(|on| Ok(on.execute_batch("COMMIT")?)).await
    }
}

fn given_up() -> StorageError {
    StorageError::away(std::io::ErrorKind::Other, "an earlier call was given up")
}

fn may_be_asked(halt: &Halt) -> Result<(), StorageError> {
    if halt.is_called() {
        return Err(StorageError::away(std::io::ErrorKind::Other, "the process is ending"));
    }
    Ok(())
}

/// Calls the halt if an answer says that the file is broken.
fn judged<T>(halt: &Halt, answer: Result<T, StorageError>) -> Result<T, StorageError> {
    if let Err(StorageError::Broken(error)) = &answer {
        halt.call(format!("the database file is broken: {error}"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    async fn open(folder: &tempfile::TempDir) -> Sqlite {
        Sqlite::open(&folder.path().join("x.db"), true).await.unwrap()
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
        other.execute_batch(BEGIN).unwrap();
        let mut begun = std::pin::pin!(db.begin(Priority::Urgent));
        assert!(begun.as_mut().now_or_never().is_none());
        other.execute_batch("COMMIT").unwrap();
        begun.await.unwrap().commit().await.unwrap();
    }

    /// With priority a statement runs at once; without, its caller gives up while another thread
    /// may still be running it.
    #[tokio::test]
    async fn what_is_given_up_is_undone_and_its_connection_comes_back() {
        const MAKE: &str = "CREATE TABLE t (a BIGINT NOT NULL)";
        const COUNT: &str = "PRAGMA table_info(t)";
        for priority in [Priority::Urgent, Priority::Ordinary] {
            let folder = tempfile::tempdir().unwrap();
            let db = open(&folder).await;
            let mut given_up = db.begin(priority).await.unwrap();
            let _ = given_up.run(query(MAKE)).now_or_never();
            drop(given_up);
            let mut next = db.begin(priority).await.unwrap();
            assert!(next.run(query(COUNT)).await.unwrap().rows.is_empty());
            next.run(query(MAKE)).await.unwrap();
            next.commit().await.unwrap();
            let mut reader = db.read(priority).await.unwrap();
            assert_eq!(reader.run(query(COUNT)).await.unwrap().rows.len(), 1);
            let refused = reader.run(query("DELETE FROM t")).await.unwrap_err();
            assert!(refused.is_away(), "a reader wrote: {refused:?}");
        }
    }
}
