//! The next transaction of what has priority, begun in the trip of the commit before it. It has read
//! and locked nothing, and stands in nobody's way. It lives for two surveys of the servers at most: the
//! server ends a connection whose transaction is idle for 15 seconds.

use sqlx::{Postgres, Transaction};

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
    transaction: Option<Transaction<'static, Postgres>>,
    was_seen: bool,
}

impl AtHand {
    pub(super) fn is_none(&self) -> bool {
        self.transaction.is_none()
    }

    pub(super) fn take(&mut self) -> Option<Transaction<'static, Postgres>> {
        self.transaction.take()
    }

    /// Keeps a transaction that was just begun.
    pub(super) fn put(&mut self, transaction: Transaction<'static, Postgres>) {
        *self = Self { transaction: Some(transaction), was_seen: false };
    }

    /// Ends a transaction that was here at the last survey.
    pub(super) fn survey(&mut self) {
        if self.was_seen {
            self.transaction = None;
        }
        self.was_seen = true;
    }
}
