//! What is measured by looking at it: a background task does, so that nobody who asks for the measurements
//! makes the service work.

use std::time::Duration;

use super::{Error, Service};
use crate::domain::time::Timestamp;
use crate::measures;
use crate::storage::{commands, webhook_endpoints};

/// Looks at the queues, the pool of connections and the budget, and at what is overdue.
///
/// # Errors
/// [`Error::Storage`]; what needs no database was measured all the same.
pub async fn measure(service: &Service) -> Result<(), Error> {
    let base = &service.base;
    let now = base.clock.monotonic();
    metrics::gauge!(measures::GATE_WAITING).set(service.gate.waiting() as f64);
    let oldest_wait = service.gate.oldest_wait(now).as_secs_f64();
    metrics::gauge!(measures::GATE_OLDEST_WAIT).set(oldest_wait);
    metrics::gauge!(measures::VEHICLE_CLOUD_BUDGET_LEFT).set(service.budget.left_ratio(now));
    let connections = base.store.db().connections();
    metrics::gauge!(measures::DATABASE_CONNECTIONS, "state" => "in_use")
        .set(f64::from(connections.in_use));
    metrics::gauge!(measures::DATABASE_CONNECTIONS, "state" => "idle")
        .set(f64::from(connections.idle));
    metrics::gauge!(measures::DATABASE_CONNECTIONS_MAX).set(f64::from(connections.max));

    let mut reader = base.store.read().await?;
    let command = commands::first_due(&mut reader).await?;
    let endpoint = webhook_endpoints::first_due(&mut reader).await?;
    drop(reader);
    let now = base.clock.now();
    metrics::gauge!(measures::COMMAND_OVERDUE).set(overdue(command, now));
    metrics::gauge!(measures::WEBHOOKS_OVERDUE).set(overdue(endpoint, now));
    Ok(())
}

/// In seconds; what is due later is not overdue.
fn overdue(due_at: Option<Timestamp>, now: Timestamp) -> f64 {
    due_at.map_or(Duration::ZERO, |due_at| now.since(due_at)).as_secs_f64()
}
