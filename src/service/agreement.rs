//! Whether this instance's clock may be trusted (P9). Each second it is compared with the database
//! server's, which all instances share; a database in a file has no other clock, so there the record
//! tells what time has passed already. Between two comparisons a clock that is set is noticed where
//! something is decided, because the monotonic clock does not go along.

use super::{Base, Error};
use crate::clock::Reference;
use crate::domain::instruction::Action;
use crate::storage::record;

/// What the clock is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// The database server's clock; the record where there is no server.
    Database,
    /// The record, even where there is a server: for a clock that is not the machine's.
    Record,
    /// The database server's clock, and nothing where there is no server: for a clock that is
    /// right though the record says that it is behind.
    NotTheRecord,
}

/// Compares the clock with what there is. A database that does not answer changes nothing: nothing
/// can be decided without it anyway.
///
/// # Errors
/// [`Error::Storage`].
pub async fn compare(base: &Base) -> Result<(), Error> {
    let before = base.clock.reading();
    let reference = reference(base).await?;
    base.clock.compare(before, reference);
    Ok(())
}

async fn reference(base: &Base) -> Result<Reference, Error> {
    let references = base.settings.references;
    if references != References::Record
        && let Some(shown) = base.store.db().time().await?
    {
        return Ok(Reference::Clock(shown));
    }
    if references == References::NotTheRecord {
        return Ok(Reference::Nothing);
    }
    let mut reader = base.store.read().await?;
    let newest = record::newest(&mut reader).await?;
    Ok(newest.map_or(Reference::Nothing, Reference::Past))
}

impl Base {
    /// Nothing is authorized while the clock is not trusted.
    ///
    /// # Errors
    /// [`Error::ClockDisagrees`].
    pub fn require_trusted_clock(&self) -> Result<(), Error> {
        match self.clock.dispute() {
            None => Ok(()),
            Some(dispute) => {
                tracing::warn!(%dispute, "not decided on");
                Err(Error::ClockDisagrees)
            }
        }
    }

    /// The same for a command. Locking is let through, by the time that was agreed on before: a car
    /// that stays open because a clock was set is the greater harm.
    ///
    /// # Errors
    /// [`Error::ClockDisagrees`].
    pub fn require_trusted_clock_for(&self, action: Action) -> Result<(), Error> {
        if action == Action::Lock && self.clock.was_agreed() {
            return Ok(());
        }
        self.require_trusted_clock()
    }
}
