//! Starts a round for each endpoint that is due. Endpoints that accepted nothing in their last round have a separate lane, so they do
//! not delay the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::round::run;
use crate::service::{Error, Service};
use crate::storage::db::Readable;
use crate::storage::{Priority, webhook_endpoints};

/// The maximum number of concurrent rounds for endpoints that accepted something in their last round.
const HEALTHY_MAX: usize = 32;
/// The same for endpoints that accepted nothing.
const FAILING_MAX: usize = 16;
/// How long no other process starts a round for an endpoint. It is longer than a round can last.
const LEASE: Duration = Duration::from_secs(20);
/// From so many decisions since the last look on, the service counts as busy.
const BUSY: u64 = 8;
/// The pause between two rounds of an endpoint while the service is busy.
const SPACING_WHEN_BUSY: Duration = Duration::from_secs(2);

/// The concurrent rounds of this process.
#[derive(Debug)]
pub struct DeliveryLanes {
    healthy: Arc<Semaphore>,
    failing: Arc<Semaphore>,
    /// How many commands were decided on when it was last looked for endpoints.
    decided: AtomicU64,
}

impl Default for DeliveryLanes {
    fn default() -> Self {
        let lane = |places| Arc::new(Semaphore::new(places));
        let decided = AtomicU64::default();
        Self { healthy: lane(HEALTHY_MAX), failing: lane(FAILING_MAX), decided }
    }
}

/// Starts a round for each endpoint that is due, within the limits of the lanes; returns how many it started.
///
/// # Errors
/// [`Error::Storage`].
pub async fn deliver(service: &Service) -> Result<u64, Error> {
    let base = &service.base;
    let mut reader = base.store.read().await?;
    // Commands to cars have priority.
    let decided = service.gate.decided();
    let before = service.delivery_lanes.decided.swap(decided, Ordering::Relaxed);
    let is_busy = decided.saturating_sub(before) >= BUSY;
    let spacing = if is_busy { SPACING_WHEN_BUSY } else { Duration::ZERO };
    let now = base.clock.now();
    if !webhook_endpoints::is_due(&mut reader, now.minus(spacing), now).await? {
        return Ok(0);
    }
    drop(reader);
    let mut begun = 0;
    for (lane, failing) in
        [(&service.delivery_lanes.healthy, false), (&service.delivery_lanes.failing, true)]
    {
        let limit = i64::try_from(lane.available_permits()).unwrap_or(0);
        if limit == 0 {
            continue;
        }
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
