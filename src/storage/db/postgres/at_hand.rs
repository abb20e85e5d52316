//! The next transaction of what has priority, begun in the trip of the commit before it. It has read
//! and locked nothing, and stands in nobody's way. It is not used when it is older than ten seconds, because the server ends a
//! connection whose transaction is idle for 15 seconds; a survey of the servers ends one that nobody used.

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
#[derive(Debug)]
pub(super) struct AtHand<T = Transaction<'static, Postgres>>(Option<(T, Instant)>);

impl<T> Default for AtHand<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> AtHand<T> {
    pub(super) const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The transaction, unless its server may have ended it.
    pub(super) fn take(&mut self) -> Option<T> {
        self.survey();
        self.0.take().map(|(transaction, _)| transaction)
    }

    /// Keeps a transaction that was just begun.
    pub(super) fn put(&mut self, transaction: T) {
        self.0 = Some((transaction, now()));
    }

    /// Ends a transaction that is too old.
    pub(super) fn survey(&mut self) {
        self.0.take_if(|(_, begun_at)| now().duration_since(*begun_at) >= TRUSTED_FOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_transaction_is_used_as_long_as_its_server_surely_has_it() {
        let mut at_hand = AtHand::default();
        for (waited, is_used) in [(0, true), (9, true), (10, false), (3600, false)] {
            at_hand.put("a transaction");
            tokio::time::advance(Duration::from_secs(waited)).await;
            assert_eq!(at_hand.take().is_some(), is_used, "after {waited} s");
            assert!(at_hand.is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_survey_ends_what_nobody_uses() {
        let mut at_hand = AtHand::default();
        at_hand.put("a transaction");
        at_hand.survey();
        assert!(!at_hand.is_none());
        tokio::time::advance(TRUSTED_FOR).await;
        at_hand.survey();
        assert!(at_hand.is_none());
    }
}
