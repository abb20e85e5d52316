//! A connection that was taken from a pool: which thread its statements run on, its transaction, and
//! the halt when the file is broken.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode};

use super::super::driver::{DbSession, Transaction};
use super::super::permits::{Permit, Permits, Priority};
use super::super::query::{Answer, Query};
use super::pool::{Lent, Pool};
use super::{BUSY_TIMEOUT, StorageError, run};
use crate::disk::halt::Halt;

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";

/// A connection that was taken from a pool, with or without a transaction. Dropping it gives it back,
/// and undoes the transaction.
#[derive(Debug)]
pub(super) struct PooledConnection {
    /// `None` once a call was given up: another thread still has it, and gives it back.
    lent: Option<Lent>,
    halt: Halt,
    _permit: Permit,
}

impl PooledConnection {
    /// # Errors
    /// [`StorageError::Unavailable`] if there is no free connection in time, or the process is ending.
    pub(super) async fn take(
        pool: &Arc<Pool>,
        permits: &Permits,
        priority: Priority,
        halt: &Halt,
    ) -> Result<Self, StorageError> {
        let permit = permits.take(priority).await?;
        may_be_asked(halt)?;
        let lent = judged(halt, pool.take().await)?;
        Ok(Self { lent: Some(lent), halt: halt.clone(), _permit: permit })
    }

    /// Begins a transaction that holds the write lock, which another process may have.
    pub(super) async fn begin(&mut self) -> Result<(), StorageError> {
        if self.on_this_thread(begin_at_once)? {
            return Ok(());
        }
        self.on_another_thread(begin).await
    }

    fn on_this_thread<T>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        may_be_asked(&self.halt)?;
        let lent = self.lent.as_mut().ok_or_else(given_up)?;
        judged(&self.halt, work(lent.connection()?))
    }

    /// For what may take long, or wait for the disk or for another process.
    pub(super) async fn on_another_thread<T: Send + 'static>(
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
}

#[async_trait]
impl DbSession for PooledConnection {
    async fn run(&mut self, query: Query) -> Result<Answer, StorageError> {
        if query.takes_long() {
            self.on_another_thread(|on| run::run(on, query)).await
        } else {
            self.on_this_thread(|on| run::run(on, query))
        }
    }
}

#[async_trait]
impl Transaction for PooledConnection {
    /// It waits for the disk.
    async fn commit(mut self: Box<Self>) -> Result<(), StorageError> {
        self.on_another_thread(|on| Ok(on.execute_batch(COMMIT)?)).await
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
