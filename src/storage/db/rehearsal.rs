//! A database that is acted out in memory, compiled for tests only: what each statement of the
//! paths around a command means is written beside the statement (`meaning.rs` of its noun), and
//! this module adds transactions, row locks and everything that can go wrong between two statements.
//! When something happens, and what fails, is up to the [`Surroundings`]; the same choices give the
//! same run.
//!
//! It can be wrong about the real databases. `agreement_test.rs` therefore runs every statement
//! that has a meaning here on SQLite too, over random rows, and compares answers and tables.

mod connection;
mod meaning;
mod row;
mod sampler;
mod state;
mod surroundings;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::Db;
use super::driver::{Connections, Database, DbSession, Transaction};
use super::error::StorageError;
use super::open::OpenError;
use super::permits::Priority;
use super::query::{Answer, Query, Rows};
use super::row::Row;
use super::value::Value;
use async_trait::async_trait;
use state::{Claimed, Key, State};

pub use connection::RehearsalConnection;
pub use meaning::{Bound, Hold, Meaning, Mode, Seen, Update, insertion_columns};
pub use row::{RehearsalRow, Table};
pub use sampler::{Sample, Sampler};
pub use surroundings::{Defect, Moment, Surroundings, Trouble, Written};

/// A statement, what it means, and parameters to try it with.
pub type Spoken = (&'static str, Meaning, Sample);

/// PostgreSQL's `lock_timeout` and the time to wait for SQLite's one writer, as their files set them.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

/// PostgreSQL's `idle_in_transaction_session_timeout`, as `postgres/servers.rs` sets it.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// Which of the two databases is acted out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One transaction after the other, as on SQLite.
    Serial,
    /// Any number at a time with row locks, as on PostgreSQL at READ COMMITTED.
    Concurrent,
}

/// The rows and transactions that all processes share.
struct Shared {
    kind: Kind,
    defect: Option<Defect>,
    meanings: Vec<Spoken>,
    state: Mutex<State>,
    /// Some transaction ended.
    ended: Notify,
}

/// The database as one process sees it.
#[derive(Clone)]
pub struct RehearsalDb {
    shared: Arc<Shared>,
    surroundings: Arc<dyn Surroundings>,
}

impl std::fmt::Debug for RehearsalDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RehearsalDb").field("kind", &self.shared.kind).finish_non_exhaustive()
    }
}

impl RehearsalDb {
    /// An empty database that gives these statements a meaning.
    pub fn new(
        kind: Kind,
        defect: Option<Defect>,
        meanings: Vec<Spoken>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Self {
        let (state, ended) = (Mutex::default(), Notify::new());
        Self { shared: Arc::new(Shared { kind, defect, meanings, state, ended }), surroundings }
    }

    /// The same database, seen from another process.
    pub fn seen_from(&self, surroundings: Arc<dyn Surroundings>) -> Self {
        Self { shared: Arc::clone(&self.shared), surroundings }
    }

    /// Puts a row there, outside any transaction.
    pub fn put(&self, table: Table, row: RehearsalRow) {
        self.state().put(table, Arc::new(row));
    }

    /// Every row of a table, as committed.
    pub fn rows(&self, table: Table) -> Vec<Arc<RehearsalRow>> {
        self.state().seen(None).rows(table)
    }

    /// Undoes what these transactions did: their process is gone. One that was being committed is
    /// kept if `keeps` says so.
    pub fn abandon(&self, transactions: &[u64], mut keeps: impl FnMut() -> bool) {
        for &transaction in transactions {
            let is_committing = self.state().is_committing(transaction);
            match is_committing {
                None => {}
                Some(true) if keeps() => self.make_durable(transaction),
                Some(_) => self.roll_back(transaction),
            }
        }
    }

    /// The transactions of one process that have not ended.
    pub fn open_transactions(&self, process: u64) -> Vec<u64> {
        self.state().open_of(process)
    }

    /// The database, as the code of this process uses it.
    pub fn used_by(&self, process: u64) -> Db {
        Db(Arc::new(Used { db: self.clone(), process }))
    }

    async fn begin(&self, process: u64) -> Result<RehearsalConnection, StorageError> {
        self.surroundings.pass().await;
        if self.surroundings.trouble(Moment::Begin).is_some() {
            return Err(unavailable());
        }
        let number = self.state().begin(process, now());
        let connection = RehearsalConnection { db: self.clone(), transaction: Some(number) };
        if self.shared.kind == Kind::Serial {
            connection.lock(number, Key::Writer, Mode::Alone).await.map_err(|_| unavailable())?;
        }
        Ok(connection)
    }

    async fn read(&self) -> Result<RehearsalConnection, StorageError> {
        self.surroundings.pass().await;
        if self.surroundings.trouble(Moment::Begin).is_some() {
            return Err(unavailable());
        }
        Ok(RehearsalConnection { db: self.clone(), transaction: None })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries to take a lock, from somebody who did nothing for too long if need be.
    fn claim(&self, number: u64, key: &Key, mode: Mode) -> Claimed {
        let mut state = self.state();
        for holder in state.holders(key) {
            if self.shared.kind == Kind::Concurrent
                && !state.is_committing(holder).unwrap_or(false)
                && state.idle_since(holder).is_some_and(|since| now() - since > IDLE_MAX)
            {
                state.roll_back(holder);
            }
        }
        state.claim(number, key, mode)
    }

    fn make_durable(&self, transaction: u64) {
        let written = self.state().commit(transaction);
        if let Some(written) = written {
            self.surroundings.committed(transaction, &written);
        }
        self.shared.ended.notify_waiters();
    }

    /// What a commit comes to whose answer does not come, as `Tx::commit` tells it.
    fn unheard(&self) -> StorageError {
        match self.shared.kind {
            Kind::Serial => unavailable(),
            Kind::Concurrent => unavailable().of_commit(),
        }
    }

    fn roll_back(&self, transaction: u64) {
        self.state().roll_back(transaction);
        self.shared.ended.notify_waiters();
    }

    /// Makes a transaction durable when nobody waits for it any more.
    #[expect(
        clippy::disallowed_methods,
        reason = "the database outlives the process that asked it"
    )]
    fn make_durable_later(&self, transaction: u64) {
        let (db, lag) = (self.clone(), self.surroundings.lag());
        drop(tokio::spawn(async move {
            tokio::time::sleep(lag).await;
            db.make_durable(transaction);
        }));
    }
}

/// The database as one process uses it.
#[derive(Debug)]
struct Used {
    db: RehearsalDb,
    process: u64,
}

#[async_trait]
impl Database for Used {
    async fn begin(&self, _: Priority) -> Result<Box<dyn Transaction>, StorageError> {
        Ok(Box::new(self.db.begin(self.process).await?))
    }

    async fn read(&self, _: Priority) -> Result<Box<dyn DbSession>, StorageError> {
        Ok(Box::new(self.db.read().await?))
    }

    async fn migrate(&self) -> Result<(), OpenError> {
        Ok(())
    }

    async fn prepare(&self, _: &'static str) -> Result<(), StorageError> {
        unreachable!("a rehearsal has no texts")
    }

    fn statements(&self) -> Vec<&'static str> {
        Vec::new()
    }

    async fn clear_erased(&self) -> Result<bool, StorageError> {
        Ok(true)
    }

    async fn is_primary(&self) -> Result<bool, StorageError> {
        Ok(true)
    }

    fn connections(&self) -> Connections {
        Connections::default()
    }

    async fn close(&self) {}
}

#[expect(clippy::disallowed_methods, reason = "the time of a rehearsal is the paused one of tokio")]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

fn unavailable() -> StorageError {
    StorageError::Unavailable("acted out".into())
}

fn conflict() -> StorageError {
    StorageError::Conflict("acted out".into())
}

#[cfg(test)]
mod agreement_test;
