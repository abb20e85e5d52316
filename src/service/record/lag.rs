//! How far the signed record is behind what has happened.

use std::time::Duration;

use super::Record;
use crate::measures;
use crate::service::Error;
use crate::storage::{record, record_queue};

/// Says how long the oldest entry waits that no published checkpoint covers: less than a second, unless
/// nobody gives positions, or nobody signs. Whoever waits for new entries hears how many have a position.
///
/// # Errors
/// [`Error::Storage`].
pub async fn measure_lag(log: &Record) -> Result<(), Error> {
    let base = &log.base;
    let mut reader = base.store.read().await?;
    let state = record::state(&mut reader).await?;
    log.announce(state.size);
    let first = if state.checkpoint_size < state.size {
        record::first_beyond(&mut reader, state.checkpoint_size).await?
    } else {
        record_queue::waiting_since(&mut reader).await?
    };
    let lag = first.map_or(Duration::ZERO, |first| base.clock.now().since(first));
    metrics::gauge!(measures::RECORD_LAG_SECONDS).set(lag.as_secs_f64());
    Ok(())
}
