//! Waiting until no command within a scope can still leave (P3).

use std::time::Duration;

use super::ruling::in_flight_max;
use crate::domain::id::CommandId;
use crate::domain::key_scope::KeyScope;
use crate::service::{Base, Error};
use crate::storage::commands;

/// How often the commands are looked at: they may be another instance's.
const POLL_AGAIN: Duration = Duration::from_millis(20);
/// The recovery's period, and time for the database: then a command whose sender is gone is `unknown`.
const RECOVERY_TIME: Duration = Duration::from_secs(13);

/// It is never shorter than this, also where the vehicle cloud may take less time to answer.
const DRAIN_TIME_MIN: Duration = Duration::from_secs(50);

/// Longer than any command can stay in flight. `connector_timeout` is how long the vehicle cloud may take to
/// answer.
#[must_use]
pub fn drain_time_max(connector_timeout: Duration) -> Duration {
    in_flight_max(connector_timeout).saturating_add(RECOVERY_TIME).max(DRAIN_TIME_MIN)
}

/// Waits until none of these commands within a scope is in flight, at most [`drain_time_max`]; returns those that still are.
/// What was authorized later is none of them.
///
/// # Errors
/// [`Error::Storage`].
pub async fn drain(
    base: &Base,
    scope: KeyScope,
    of: &[CommandId],
) -> Result<Vec<CommandId>, Error> {
    let wait = drain_time_max(base.settings.connector_timeout);
    let emptied = tokio::time::timeout(wait, async {
        loop {
            let in_flight = in_flight(base, scope, of).await?;
            if in_flight.is_empty() {
                return Ok::<_, Error>(in_flight);
            }
            tokio::time::sleep(POLL_AGAIN).await;
        }
    });
    match emptied.await {
        Ok(result) => result,
        Err(_) => in_flight(base, scope, of).await,
    }
}

async fn in_flight(
    base: &Base,
    scope: KeyScope,
    of: &[CommandId],
) -> Result<Vec<CommandId>, Error> {
    let mut reader = base.store.read_urgent().await?;
    let mut in_flight = commands::in_flight(&mut reader, scope).await?;
    in_flight.retain(|command_id| of.contains(command_id));
    Ok(in_flight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::SEND_TIME;

    #[test]
    fn a_drain_outlasts_a_command_with_every_timeout_that_can_be_set() {
        for timeout_s in 1..=60 {
            let timeout = Duration::from_secs(timeout_s);
            let recovered_after = SEND_TIME + timeout + Duration::from_secs(5 + 1);
            assert!(drain_time_max(timeout) > recovered_after, "{timeout_s}");
        }
        for (timeout_s, drain_s) in [(1, 50), (30, 50), (60, 80)] {
            let drain = drain_time_max(Duration::from_secs(timeout_s));
            assert_eq!(drain, Duration::from_secs(drain_s), "{timeout_s}");
        }
    }
}
