//! Waiting until no command of a grant can still leave (P3).

use std::time::Duration;

use crate::domain::id::{CommandId, GrantId};
use crate::service::{Error, Service};
use crate::storage::commands;

/// How often the commands are looked at: they may be another instance's.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Waits until nothing of the grant is in flight, at most `wait`; returns what still is.
///
/// # Errors
/// [`Error::Storage`].
pub async fn drain(
    service: &Service,
    grant_id: GrantId,
    wait: Duration,
) -> Result<Vec<CommandId>, Error> {
    let emptied = tokio::time::timeout(wait, async {
        loop {
            let in_flight = in_flight(service, grant_id).await?;
            if in_flight.is_empty() {
                return Ok::<_, Error>(in_flight);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    });
    match emptied.await {
        Ok(result) => result,
        Err(_) => in_flight(service, grant_id).await,
    }
}

async fn in_flight(service: &Service, grant_id: GrantId) -> Result<Vec<CommandId>, Error> {
    let mut reader = service.store.read_urgent().await?;
    Ok(commands::in_flight(&mut reader, grant_id).await?)
}
