//! What a database must offer: the interface that `sqlite.rs`, `postgres.rs` and, for tests, the
//! acted database stand behind. Nothing above it knows which one it talks to.

use std::fmt::Debug;

use async_trait::async_trait;

use super::error::StorageError;
use super::open::OpenError;
use super::permits::Priority;
use super::query::{Answer, Query};
use crate::disk::halt::Halt;
use crate::domain::time::Timestamp;

/// One database, with its connections.
#[async_trait]
pub(super) trait Database: Debug + Send + Sync {
    /// Begins a transaction that may write.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    async fn begin(&self, priority: Priority) -> Result<Box<dyn Transaction>, StorageError>;

    /// A connection that only reads, outside a transaction.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    async fn read(&self, priority: Priority) -> Result<Box<dyn DbSession>, StorageError>;

    /// Brings the schema to the newest version.
    ///
    /// # Errors
    /// [`OpenError::Migrate`] if a step fails; [`OpenError::Schema`] if another program made it.
    async fn migrate(&self) -> Result<(), OpenError>;

    /// Parses one statement without running it, with one and with two rows in its marker.
    ///
    /// # Errors
    /// [`StorageError::Rejected`] if the database does not understand it.
    async fn prepare(&self, sql: &'static str) -> Result<(), StorageError>;

    /// The statements that this database alone is given.
    fn statements(&self) -> Vec<&'static str>;

    /// Clears what was erased from where the database keeps old content. `false` if a reader was
    /// in the way for too long: the next call clears it, or the database does as it works.
    ///
    /// # Errors
    /// [`StorageError`]; what was erased stays erased.
    async fn clear_erased(&self) -> Result<bool, StorageError>;

    /// Whether writes are accepted here.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if the database does not answer.
    async fn is_primary(&self) -> Result<bool, StorageError>;

    /// Finds out which server is the primary, and uses that one from now on.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if none is.
    async fn find_primary(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Whether what was read may have come from a server that is the primary no longer. If there are
    /// several, the primary was found when this returns, and the same question has a sure answer.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if none is the primary.
    async fn confirm_primary(&self) -> Result<bool, StorageError> {
        Ok(false)
    }

    /// The time by the database's own clock, to be compared and never stored; `None` if it has no
    /// clock but this computer's.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if it does not answer in time.
    async fn time(&self) -> Result<Option<Timestamp>, StorageError> {
        Ok(None)
    }

    /// What ends the process when the database is broken; a server ends itself.
    fn halt(&self) -> Halt {
        Halt::default()
    }

    /// How many connections there are.
    fn connections(&self) -> Connections;

    /// Waits for what runs, then closes every connection.
    async fn close(&self);
}

/// Connections at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connections {
    /// Somebody has them.
    pub in_use: u32,
    /// They are open, and nobody has them.
    pub idle: u32,
    /// So many there may be.
    pub max: u32,
}

/// A connection that statements run on. Dropping it gives it back.
#[async_trait]
pub trait DbSession: Debug + Send {
    /// Runs a statement.
    ///
    /// # Errors
    /// [`StorageError`]; after any error a transaction must not be used any more.
    async fn run(&mut self, query: Query) -> Result<Answer, StorageError>;

    /// Runs statements of which none needs to see what another one does, and returns their answers
    /// in the same order: for a database to which each trip is a cost, in one.
    ///
    /// # Errors
    /// As [`DbSession::run`].
    async fn run_each(&mut self, queries: Vec<Query>) -> Result<Vec<Answer>, StorageError> {
        let mut answers = Vec::with_capacity(queries.len());
        for query in queries {
            answers.push(self.run(query).await?);
        }
        Ok(answers)
    }
}

/// A transaction; dropping it undoes everything.
#[async_trait]
pub(super) trait Transaction: DbSession {
    /// Makes everything in it durable.
    ///
    /// # Errors
    /// [`StorageError`]; if it is `CommitUnknown`, whether the transaction is durable is not known.
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
}
