//! What a rehearsed database is surrounded by: who else runs, what fails and when, who watches; and
//! the ways in which the database itself can be wrong on purpose.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::row::{RehearsalRow, Table};

/// Where something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A connection is asked for.
    Begin,
    /// A statement is sent.
    Statement,
    /// This transaction is to be made durable.
    Commit(u64),
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The database does not answer, and nothing of the transaction is kept.
    Unavailable,
    /// The database says that another transaction was in the way; nothing is kept.
    Conflict,
    /// The answer to a commit is lost, and everything is kept, perhaps some time later.
    KeptUnheard,
}

/// A way in which the database can be wrong, to show that it would be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// This update does not look at its condition.
    Unchecked(&'static str),
    /// Rows of this table are read to decide on, and not held.
    NotHeld(Table),
    /// This statement never finds anything.
    Blind(&'static str),
    /// This statement says that it was done and is not.
    Forgets(&'static str),
    /// Unique keys are not.
    KeysRepeat,
    /// A commit is answered and forgotten.
    CommitsLost,
    /// A commit is answered before it is made.
    CommitsLate,
}

/// One changed row, as it is afterwards.
pub type Written = (Table, Arc<RehearsalRow>);

/// What a connection lives in: who else runs, what fails, who watches.
pub trait Surroundings: Send + Sync {
    /// Lets time pass and others run; never returns when the process of this connection is dead.
    fn pass(&self) -> BoxFuture<'_, ()>;

    /// What goes wrong now.
    fn trouble(&self, at: Moment) -> Option<Trouble>;

    /// A number below `count`.
    fn choose(&self, count: usize) -> usize;

    /// How long the database takes to do what nobody waits for.
    fn lag(&self) -> Duration;

    /// A transaction is told these rows; they may be marked with its number.
    fn told(&self, _transaction: u64, _rows: &mut [RehearsalRow]) {}

    /// A transaction was made durable with these rows.
    fn committed(&self, transaction: u64, rows: &[Written]);
}
