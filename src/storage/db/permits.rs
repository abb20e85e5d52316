//! Priority. There are fewer permits than connections: most of what asks for a connection
//! waits for its permit first, so that a crowd of it leaves some connections alone. What must not wait
//! behind a crowd takes one of those: commands on their way, and the end of a grant.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::StorageError;

/// As long as a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether something has priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// It waits for its permit.
    Ordinary,
    /// It takes the next connection that is free.
    Urgent,
}

/// The permits there are. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Permits(Arc<Semaphore>);

/// A permit, from before there is a connection until it is given back. What has priority holds
/// none.
#[derive(Debug)]
pub(super) struct Permit {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Permits {
    /// Permits for all but `reserved` of these connections, but for half of them at least.
    pub(super) fn of(connections: u32, reserved: u32) -> Self {
        let permits = connections.saturating_sub(reserved).max(connections.div_ceil(2)).max(1);
        Self(Arc::new(Semaphore::new(usize::try_from(permits).unwrap_or(Semaphore::MAX_PERMITS))))
    }

    /// Waits for a permit, if there is need to.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if none comes in time.
    pub(super) async fn take(&self, priority: Priority) -> Result<Permit, StorageError> {
        if priority == Priority::Urgent {
            return Ok(Permit { _permit: None });
        }
        let waiting = Arc::clone(&self.0).acquire_owned();
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(permit)) => Ok(Permit { _permit: Some(permit) }),
            _ => Err(StorageError::away(ErrorKind::TimedOut, "no connection was free in time")),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_crowd_leaves_room_for_what_is_urgent() {
        for (connections, ordinary) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (10, 8)] {
            let permits = Permits::of(connections, 2);
            let mut taken = Vec::new();
            while let Some(permit) = permits.take(Priority::Ordinary).now_or_never() {
                taken.push(permit.unwrap());
            }
            assert_eq!(taken.len(), ordinary, "of {connections}");
            assert!(permits.take(Priority::Urgent).now_or_never().is_some());
            taken.pop();
            assert!(
                permits.take(Priority::Ordinary).now_or_never().is_some(),
                "a permit was not given back"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_is_not_waited_for_for_ever() {
        let permits = Permits::of(1, 0);
        let _taken = permits.take(Priority::Ordinary).await.unwrap();
        let refused = permits.take(Priority::Ordinary).await.unwrap_err();
        assert!(refused.is_away(), "{refused:?}");
    }
}
