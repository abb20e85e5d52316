//! What is kept, and how: one file per noun, each a list of statements and the functions that run
//! them. Nothing here decides anything.
//!
//! [`Store::begin`] gives a transaction that must be committed by name; [`Store::read`] gives a
//! connection for reading. "Not found" is `None`, a lost race is an outcome, and every update
//! checks how many rows it changed.

pub mod api_clients;
pub mod audit_entries;
pub mod commands;
pub mod connections;
pub mod cosignatures;
pub mod db;
pub mod decisions;
pub mod grants;
pub mod idempotency_keys;
pub mod organizations;
pub mod personal_data;
pub mod record;
pub mod record_archive;
pub mod record_queue;
pub mod sessions;
pub mod users;
pub mod vehicle_consents;
pub mod vehicles;
pub mod webhooks;

use std::future::Future;

pub use db::{
    Db, Executor, Location, OpenError, PostgresSettings, Priority, Reader, StorageError, Tx,
};

/// How often a use case is tried when other transactions are in the way.
const TRIES_MAX: usize = 6;
/// What an unknown commit has come to is looked for so often, and at these intervals: as long as a
/// server takes to start again.
const LOOKS_MAX: usize = 20;
/// As long as a failover takes.
const LOOKS_TO_STORE_MAX: usize = 120;
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(250);

/// The database of one service.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
}

impl Store {
    /// A store on an open database.
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    /// Begins a transaction that may write; dropping it undoes everything.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn begin(&self) -> Result<Tx, StorageError> {
        self.db.begin(Priority::Ordinary).await
    }

    /// As [`Store::begin`], with priority: for commands, and for ending a key.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn begin_urgent(&self) -> Result<Tx, StorageError> {
        self.db.begin(Priority::Urgent).await
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn read(&self) -> Result<Reader, StorageError> {
        self.db.read(Priority::Ordinary).await
    }

    /// As [`Store::read`], with priority: for a short look that a command or the end of a key
    /// waits for.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn read_urgent(&self) -> Result<Reader, StorageError> {
        self.db.read(Priority::Urgent).await
    }

    /// The database itself, for migrations and health.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }
}

/// Runs a use case, and again if another transaction was in the way, a bounded number of times.
/// Each run begins its own transaction.
///
/// # Errors
/// The last run's error.
pub async fn repeat<T, E, F>(mut use_case: impl FnMut() -> F) -> Result<T, E>
where
    E: WorthRepeating,
    F: Future<Output = Result<T, E>> + Send,
{
    let mut tries = 1;
    loop {
        match use_case().await {
            Err(error) if tries < TRIES_MAX && error.is_worth_repeating() => tries += 1,
            outcome => return outcome,
        }
    }
}

/// As [`repeat`], and also after a commit of which nobody knows whether it happened: for use cases
/// whose next run finds out what the last one has done, and does it only if it was not.
///
/// # Errors
/// The last run's error; that of the commit if the database does not come back in time.
pub async fn repeat_until_known<T, E, F>(use_case: impl FnMut() -> F) -> Result<T, E>
where
    E: WorthRepeating,
    F: Future<Output = Result<T, E>> + Send,
{
    look_again(use_case, LOOKS_MAX, WorthRepeating::is_unknown).await
}

/// As [`repeat_until_known`], and longer, and also while the database is away: for what exists
/// nowhere else and would be lost.
///
/// # Errors
/// The last run's error.
pub async fn repeat_until_stored<T, E, F>(use_case: impl FnMut() -> F) -> Result<T, E>
where
    E: WorthRepeating,
    F: Future<Output = Result<T, E>> + Send,
{
    let is_worth_it = |error: &E| error.is_unknown() || error.is_away();
    look_again(use_case, LOOKS_TO_STORE_MAX, is_worth_it).await
}

/// Repeats a use case from the first error of this kind on until the database is there.
async fn look_again<T, E, F>(
    mut use_case: impl FnMut() -> F,
    looks_max: usize,
    begins_with: impl Fn(&E) -> bool,
) -> Result<T, E>
where
    E: WorthRepeating,
    F: Future<Output = Result<T, E>> + Send,
{
    let mut first = None;
    for _ in 0..looks_max {
        match repeat(&mut use_case).await {
            Err(error) if begins_with(&error) => first = first.or(Some(error)),
            Err(error) if error.is_away() && first.is_some() => {}
            outcome => return outcome,
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    match first {
        Some(error) => Err(error),
        None => repeat(&mut use_case).await,
    }
}

/// Errors that know whether the whole use case may be run again.
pub trait WorthRepeating {
    /// Whether another run may bring another result.
    fn is_worth_repeating(&self) -> bool;

    /// Whether it may have happened all the same.
    fn is_unknown(&self) -> bool;

    /// Whether the database was away.
    fn is_away(&self) -> bool;
}

impl WorthRepeating for StorageError {
    fn is_worth_repeating(&self) -> bool {
        Self::is_worth_repeating(self)
    }

    fn is_unknown(&self) -> bool {
        Self::is_unknown(self)
    }

    fn is_away(&self) -> bool {
        Self::is_away(self)
    }
}

/// Every statement of every noun, so that each can be tried on both databases.
#[must_use]
pub fn statements() -> Vec<&'static str> {
    [
        api_clients::STATEMENTS,
        audit_entries::STATEMENTS,
        commands::STATEMENTS,
        connections::STATEMENTS,
        cosignatures::STATEMENTS,
        db::STATEMENTS,
        decisions::STATEMENTS,
        grants::STATEMENTS,
        idempotency_keys::STATEMENTS,
        organizations::STATEMENTS,
        personal_data::STATEMENTS,
        record::STATEMENTS,
        record_archive::STATEMENTS,
        record_queue::STATEMENTS,
        sessions::STATEMENTS,
        users::STATEMENTS,
        vehicle_consents::STATEMENTS,
        vehicles::STATEMENTS,
        webhooks::STATEMENTS,
    ]
    .concat()
}

/// What statements mean to a rehearsed database: those of the paths around a command.
#[cfg(test)]
pub(crate) fn meanings() -> Vec<db::rehearsal::Spoken> {
    [
        audit_entries::meaning::meanings(),
        commands::meaning::meanings(),
        connections::meaning::meanings(),
        decisions::meaning::meanings(),
        grants::meaning::meanings(),
        record_queue::meaning::meanings(),
        users::meaning::meanings(),
        vehicles::meaning::meanings(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Which part of a list to return: what comes after a row, newest first.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Rows with a smaller id than this one; `None` starts with the newest.
    pub before: Option<uuid::Uuid>,
    /// At most so many rows.
    pub limit: i64,
}

impl Page {
    /// The id below which rows are wanted; the greatest of all if there is none.
    fn before(self) -> uuid::Uuid {
        self.before.unwrap_or(uuid::Uuid::max())
    }
}
