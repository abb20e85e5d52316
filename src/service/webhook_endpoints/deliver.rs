//! Taking up endpoints that have something to be sent to. Those that took nothing the last time have a lane of their own, so that
//! they keep nobody waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::round::run;
use crate::service::{Error, Service};
use crate::storage::db::Readable;
use crate::storage::{Priority, webhook_endpoints};

/// At most so many endpoints are sent to at once that take what they get.
const WILLING_MAX: usize = 32;
/// The same of those that took nothing the last time.
const FAILING_MAX: usize = 16;
/// Nobody else takes an endpoint up for so long: longer than sending to it can last.
const LEASE: Duration = Duration::from_secs(20);

/// So many decisions since the last look are many.
const BUSY: u64 = 8;
/// What is due waits so long then.
const SPACING_WHEN_BUSY: Duration = Duration::from_secs(2);

/// How many endpoints may be sent to at once.
#[derive(Debug)]
pub struct Couriers {
    willing: Arc<Semaphore>,
    failing: Arc<Semaphore>,
    /// How many commands were decided on when it was last looked for endpoints.
    decided: AtomicU64,
}

impl Default for Couriers {
    fn default() -> Self {
        let lane = |places| Arc::new(Semaphore::new(places));
        let decided = AtomicU64::default();
        Self { willing: lane(WILLING_MAX), failing: lane(FAILING_MAX), decided }
    }
}

/// Begins to send to every endpoint that has something to be sent to, as far as there are places; returns how many those are.
///
/// # Errors
/// [`Error::Storage`].
pub async fn deliver(service: &Service) -> Result<u64, Error> {
    let base = &service.base;
    let mut reader = base.store.read().await?;
    // While much is decided, each endpoint is sent to once in a while: cars come first.
    let decided = service.gate.decided();
    let before = service.couriers.decided.swap(decided, Ordering::Relaxed);
    let is_busy = decided.saturating_sub(before) >= BUSY;
    let spacing = if is_busy { SPACING_WHEN_BUSY } else { Duration::ZERO };
    let now = base.clock.now();
    if !webhook_endpoints::is_due(&mut reader, now.minus(spacing), now).await? {
        return Ok(0);
    }
    drop(reader);
    let mut begun = 0;
    for (lane, failing) in [(&service.couriers.willing, false), (&service.couriers.failing, true)] {
        let limit = i64::try_from(lane.available_permits()).unwrap_or(0);
        let taken = base.transact("webhook_endpoints.take", Priority::Ordinary, |work| {
            Box::pin(async move {
                let (now, until) = (work.now, work.now.plus(LEASE));
                let (tx, due_by) = (&mut work.tx, now.minus(spacing));
                Ok(webhook_endpoints::take(tx, failing, due_by, now, until, limit).await?)
            })
        });
        for endpoint in taken.await?.into_iter().filter_map(Readable::into_inner) {
            // Only this task takes places, so there is one.
            let Ok(place) = Arc::clone(lane).try_acquire_owned() else { continue };
            let service_of_round = service.clone();
            service.tasks.spawn(async move {
                run(&service_of_round, &endpoint).await;
                drop(place);
            });
            begun += 1;
        }
    }
    Ok(begun)
}
