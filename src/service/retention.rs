//! How long what is over is kept: commands, what cars were seen as for statements, and consents that came to nothing. The
//! record keeps what it says of them.

use std::time::Duration;

use super::{Base, Error};
use crate::domain::id::Id;
use crate::storage::{Priority, grant_tokens, retention, spent_proofs, webhook_deliveries};

/// How long it is shown what became of an event that was sent to a webhook endpoint.
const DELIVERIES_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Tokens that have expired, and proofs that are fresh no longer, are so on every instance after this.
const OVER: Duration = Duration::from_secs(10 * 60);
/// So many rows go in one transaction, so that nobody waits long for it.
const BATCH: u64 = 500;

/// Forgets what is older than the settings say; returns how much that was.
///
/// # Errors
/// [`Error::Storage`].
pub async fn forget_old(base: &Base) -> Result<u64, Error> {
    let (commands, consents) = (Id::least_at(oldest(base)), Id::least_at(oldest(base)));
    let (seen, limit) = (oldest(base), BATCH.cast_signed());
    let told = Id::least_at(base.clock.now().minus(DELIVERIES_KEPT));
    let mut count = 0;
    loop {
        let forgotten = base.transact("retention.forget_old", Priority::Ordinary, |work| {
            Box::pin(async move {
                let of_commands = retention::delete_commands(&mut work.tx, commands, limit).await?;
                let of_consents =
                    retention::delete_connections(&mut work.tx, consents, limit).await?;
                let readings = retention::delete_readings(&mut work.tx, seen, limit).await?;
                let of_events = webhook_deliveries::delete_old(&mut work.tx, told, limit).await?;
                let before = work.now.minus(OVER);
                let tokens = grant_tokens::delete_old(&mut work.tx, before, limit).await?;
                let proofs = spent_proofs::delete_old(&mut work.tx, before, limit).await?;
                let forgotten = [of_commands, of_consents, readings, of_events, tokens, proofs];
                Ok(forgotten.into_iter().max().unwrap_or_default())
            })
        });
        let forgotten = forgotten.await?;
        count += forgotten;
        if forgotten < BATCH {
            return Ok(count);
        }
    }
}

fn oldest(base: &Base) -> crate::domain::time::Timestamp {
    base.clock.now().minus(base.settings.kept)
}
