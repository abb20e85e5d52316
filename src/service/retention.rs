//! How long what is over is kept: commands, what cars were seen as for statements, and consents that came to nothing. The
//! record keeps what it says of them.

use super::{Base, Error};
use crate::domain::id::Id;
use crate::storage::{Priority, retention};

/// So many rows go in one transaction, so that nobody waits long for it.
const BATCH: u64 = 500;

/// Forgets what is older than the settings say; returns how much that was.
///
/// # Errors
/// [`Error::Storage`].
pub async fn forget_old(base: &Base) -> Result<u64, Error> {
    let (commands, consents) = (Id::least_at(oldest(base)), Id::least_at(oldest(base)));
    let (seen, limit) = (oldest(base), BATCH.cast_signed());
    let mut count = 0;
    loop {
        let forgotten = base.transact("retention.forget_old", Priority::Ordinary, |work| {
            Box::pin(async move {
                let of_commands = retention::delete_commands(&mut work.tx, commands, limit).await?;
                let of_consents =
                    retention::delete_connections(&mut work.tx, consents, limit).await?;
                let readings = retention::delete_readings(&mut work.tx, seen, limit).await?;
                Ok(of_commands.max(of_consents).max(readings))
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
