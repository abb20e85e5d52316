//! The one frame of every transaction but those of the gate for commands. A use case says what changes and
//! what is recorded of it; the frame begins, records, commits, runs the work again where another
//! transaction was in the way, finds out what became of a commit without an answer, and measures it
//! by name.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Base, Caller, Error, PersonalContext};
use crate::domain::event::{AuditEntry, Event, Personal};
use crate::domain::time::Timestamp;
use crate::measures;
use crate::storage::{Priority, StorageError, Tx, audit_entries, row_facts};

/// How often work is run when other transactions are in the way.
const TRIES_MAX: u32 = 6;
/// How long to wait before searching for an unknown commit again.
const SEARCH_AGAIN: Duration = Duration::from_millis(250);
/// As long as a database server takes to start again.
const SEARCHES_MAX: u32 = 20;
/// As long as a failover takes.
const SEARCHES_TO_STORE_MAX: u32 = 120;

/// What a use case does in its transaction. Dropping it undoes everything; only the frame commits.
pub struct Work<'s> {
    /// The transaction, for the statements of `storage`.
    pub tx: Tx,
    /// The time, read after the transaction began. What decides on facts reads the clock once more when
    /// it has them.
    pub now: Timestamp,
    base: &'s Base,
    entries: Vec<AuditEntry>,
}

impl Work<'_> {
    /// Records an event together with what the transaction changes (P1).
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no randomness for the entry's id.
    pub fn record(&mut self, caller: &Caller, event: Event) -> Result<(), Error> {
        self.record_at(caller, event, self.now)
    }

    /// Records several events in their order.
    ///
    /// # Errors
    /// As [`Work::record`].
    pub fn record_all(
        &mut self,
        caller: &Caller,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<(), Error> {
        events.into_iter().try_for_each(|event| self.record(caller, event))
    }

    /// Records an event, and beside it what is known of people beyond their ids; that can be erased.
    ///
    /// # Errors
    /// [`Error::Internal`] if there is no randomness for the entry's id or salt.
    pub fn record_with(
        &mut self,
        caller: &Caller,
        event: Event,
        context: PersonalContext<'_>,
    ) -> Result<(), Error> {
        let mut entry = self.base.entry(caller, event, self.now)?;
        if context.network_address.is_some() || context.note.is_some() {
            let mut salt = [0; 16];
            self.base.entropy.fill(&mut salt)?;
            let note = context.note.map(ToOwned::to_owned);
            let network_address = context.network_address;
            entry.personal = Some(Personal { network_address, note, salt });
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Records an event that happened at another time than the transaction: what became of a command.
    ///
    /// # Errors
    /// As [`Work::record`].
    pub fn record_at(&mut self, caller: &Caller, event: Event, at: Timestamp) -> Result<(), Error> {
        self.entries.push(self.base.entry(caller, event, at)?);
        Ok(())
    }

    /// Records entries that were made already.
    pub(super) fn record_entries(&mut self, entries: impl IntoIterator<Item = AuditEntry>) {
        self.entries.extend(entries);
    }
}

/// One run of a use case's work. Boxed, because the compiler cannot yet prove of an `async` closure
/// that takes a reference that its future can move between threads.
pub type Run<'w, T> = BoxFuture<'w, Result<T, Error>>;

/// How a transaction is treated.
#[derive(Clone, Copy)]
struct Frame {
    name: &'static str,
    priority: Priority,
    searches_max: u32,
    /// Whether a database that is away is waited for from the start.
    waits: bool,
}

/// Why a run of the work is not known to be durable.
enum RunError<T> {
    /// Nothing of it is kept.
    Failed(Error),
    /// The answer to the commit did not come.
    CommitUnknown(UnknownCommit<T>),
}

/// A commit without an answer. Its first entry tells it from every other.
struct UnknownCommit<T> {
    value: T,
    first: Option<Box<AuditEntry>>,
    error: StorageError,
}

impl<T, E: Into<Error>> From<E> for RunError<T> {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Base {
    /// Runs work in a transaction and commits it with what it recorded. The work may run several
    /// times; only one run is kept.
    ///
    /// # Errors
    /// The work's own error, and then nothing is kept; [`Error::Storage`] with
    /// [`StorageError::CommitUnknown`] if it could not be found out whether it is.
    pub async fn transact<'s, T: Send>(
        &'s self,
        name: &'static str,
        priority: Priority,
        work: impl for<'w> Fn(&'w mut Work<'s>) -> Run<'w, T> + Sync,
    ) -> Result<T, Error> {
        let frame = Frame { name, priority, searches_max: SEARCHES_MAX, waits: false };
        self.run(frame, work).await
    }

    /// As [`Base::transact`], with priority, and while the database is away: for what exists
    /// nowhere else and would be lost.
    ///
    /// # Errors
    /// As [`Base::transact`].
    pub async fn transact_until_stored<'s, T: Send>(
        &'s self,
        name: &'static str,
        work: impl for<'w> Fn(&'w mut Work<'s>) -> Run<'w, T> + Sync,
    ) -> Result<T, Error> {
        let priority = Priority::Urgent;
        let frame = Frame { name, priority, searches_max: SEARCHES_TO_STORE_MAX, waits: true };
        self.run(frame, work).await
    }

    async fn run<'s, T: Send>(
        &'s self,
        frame: Frame,
        work: impl for<'w> Fn(&'w mut Work<'s>) -> Run<'w, T> + Sync,
    ) -> Result<T, Error> {
        let began_at = self.clock.monotonic();
        let outcome = self.repeat(frame, work).await;
        let seconds = self.clock.monotonic().saturating_sub(began_at).as_secs_f64();
        metrics::histogram!(measures::TRANSACTION_DURATION, "name" => frame.name).record(seconds);
        outcome
    }

    async fn repeat<'s, T: Send>(
        &'s self,
        frame: Frame,
        work: impl for<'w> Fn(&'w mut Work<'s>) -> Run<'w, T> + Sync,
    ) -> Result<T, Error> {
        let (mut tries, mut searches, mut waits) = (1, 0, frame.waits);
        loop {
            let error = match self.attempt(frame, &work).await {
                Ok(value) => return Ok(value),
                Err(RunError::CommitUnknown(unknown)) => {
                    if let Some(value) = self.find_out(frame, unknown, &mut searches).await? {
                        return Ok(value);
                    }
                    // It did not happen; the server may need a moment to come back.
                    waits = true;
                    continue;
                }
                Err(RunError::Failed(error)) => error,
            };
            if tries < TRIES_MAX && error.is_worth_repeating() {
                tries += 1;
                metrics::counter!(measures::TRANSACTION_REPEATS, "name" => frame.name).increment(1);
            } else if waits && searches < frame.searches_max && error.is_away() {
                searches += 1;
                tokio::time::sleep(SEARCH_AGAIN).await;
            } else {
                return Err(error);
            }
        }
    }

    /// A transaction; how long it took to begin is measured.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub(super) async fn begun(&self, priority: Priority) -> Result<Tx, StorageError> {
        let asked_at = self.clock.monotonic();
        let begun = self.store.db().begin(priority).await;
        let took = self.clock.monotonic().saturating_sub(asked_at);
        let priority = match priority {
            Priority::Ordinary => "ordinary",
            Priority::Urgent => "urgent",
        };
        metrics::histogram!(measures::DATABASE_BEGIN_DURATION, "priority" => priority)
            .record(took.as_secs_f64());
        begun
    }

    async fn attempt<'s, T: Send>(
        &'s self,
        frame: Frame,
        work: &(impl for<'w> Fn(&'w mut Work<'s>) -> Run<'w, T> + Sync),
    ) -> Result<T, RunError<T>> {
        let tx = self.begun(frame.priority).await?;
        let now = self.clock.now();
        let mut run = Work { tx, now, base: self, entries: Vec::new() };
        let value = work(&mut run).await?;
        let Work { mut tx, mut entries, .. } = run;
        if !entries.is_empty() {
            row_facts::tell(&mut tx, &mut entries).await?;
            audit_entries::insert_many(&mut tx, &entries).await?;
        }
        match tx.commit().await {
            Ok(()) => Ok(value),
            Err(error @ StorageError::CommitUnknown(_)) => {
                let first = (!entries.is_empty()).then(|| Box::new(entries.swap_remove(0)));
                Err(RunError::CommitUnknown(UnknownCommit { value, first, error }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Finds out what became of a commit without an answer: its value if it happened, `None` if it
    /// did not and never will. Work that records nothing leaves no trace to search for.
    async fn find_out<T: Send>(
        &self,
        frame: Frame,
        unknown: UnknownCommit<T>,
        searches: &mut u32,
    ) -> Result<Option<T>, Error> {
        let UnknownCommit { value, first: Some(first), error } = unknown else {
            return Err(unknown.error.into());
        };
        while *searches < frame.searches_max {
            *searches += 1;
            tracing::warn!(name = frame.name, error = ?error, "searching for an unknown commit");
            match self.is_recorded(frame, &first).await {
                Ok(is_recorded) => return Ok(is_recorded.then_some(value)),
                Err(error) => tracing::warn!(name = frame.name, error = ?error, "cannot search"),
            }
            tokio::time::sleep(SEARCH_AGAIN).await;
        }
        Err(error.into())
    }

    /// Whether an entry is in the record. Adding it once more makes the answer conclusive: the
    /// database waits for a transaction that is still under way, finds one that happened, and after
    /// one that did not there is nobody left who could add it. What is added here is undone.
    async fn is_recorded(&self, frame: Frame, entry: &AuditEntry) -> Result<bool, StorageError> {
        let mut tx = self.store.db().begin(frame.priority).await?;
        match audit_entries::insert_many(&mut tx, std::slice::from_ref(entry)).await {
            Ok(()) => Ok(false),
            Err(StorageError::LostRace) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
