//! The next transaction of what has priority, begun in the trip of the commit before it. It has read
//! and locked nothing, and stands in nobody's way. It lives for two surveys of the servers at most, and is not used when it
//! is older than ten seconds, also where no survey came because the process stood still: the server ends a connection whose
//! transaction is idle for 15 seconds.

use std::time::Duration;

use sqlx::{Postgres, Transaction};
use tokio::time::Instant;

/// One that is older is begun anew.
const TRUSTED_FOR: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "the age of a connection, not a time of the domain")]
fn now() -> Instant {
    Instant::now()
}

/// The pool that a transaction's connection comes from: the next one is kept only while that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PoolNumber(u64);

impl PoolNumber {
    /// That of the pool after this one.
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The place of a transaction that was begun and not used yet.
#[derive(Debug, Default)]
pub(super) struct AtHand {
    transaction: Option<(Transaction<'static, Postgres>, Instant)>,
    was_seen: bool,
}

impl AtHand {
    pub(super) fn is_none(&self) -> bool {
        self.transaction.is_none()
    }

    /// The transaction, unless its server may have ended it.
    pub(super) fn take(&mut self) -> Option<Transaction<'static, Postgres>> {
        let (transaction, begun_at) = self.transaction.take()?;
        (now().duration_since(begun_at) < TRUSTED_FOR).then_some(transaction)
    }

    /// Keeps a transaction that was just begun.
    pub(super) fn put(&mut self, transaction: Transaction<'static, Postgres>) {
        *self = Self { transaction: Some((transaction, now())), was_seen: false };
    }

    /// Ends a transaction that was here at the last survey.
    pub(super) fn survey(&mut self) {
        if self.was_seen {
            self.transaction = None;
        }
        self.was_seen = true;
    }
}
