//! A database that is older than what was signed: an old backup, in which revoked grants are
//! alive. The service does not start on it, unless somebody accepts that, on the record.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::Record;
use super::sign::{Continuity, continuity, last_signed};
use crate::domain::actor::Actor;
use crate::domain::event::Event;
use crate::service::{Caller, Error};
use crate::storage::{Priority, cosignatures, organizations, record};

/// The database does not continue what was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the record in the database has {found} entries and does not continue the checkpoint over \
     {signed} entries that was signed ({}): this is an older or another database, in which \
     revoked keys may be alive; restore the newest backup, or start with --accept-rollback, \
     which is recorded",
    .file.display()
)]
pub struct RolledBack {
    /// So many entries the last signed checkpoint covers.
    pub signed: u64,
    /// So many entries the database has.
    pub found: u64,
    /// Where the last signed checkpoint is.
    pub file: PathBuf,
}

/// Whether the database continues what was signed.
///
/// # Errors
/// [`Error::Storage`], [`Error::Internal`] if the file beside the key cannot be used.
pub async fn examine(log: &Record) -> Result<Option<RolledBack>, Error> {
    let Some(signed) = last_signed(log).await? else { return Ok(None) };
    let mut reader = log.base.store.read().await?;
    let found = record::state(&mut reader).await?.size;
    Ok(match continuity(&mut reader, found, Some(signed)).await? {
        Continuity::Good(_) => None,
        Continuity::Shorter { signed, .. } | Continuity::Other { signed } => {
            let file = log.last_signed.path().to_owned();
            Some(RolledBack { signed, found, file })
        }
    })
}

/// Goes on with this database: records it for every organization, and puts the last signed
/// checkpoint aside, so that the next one is signed without regard to it.
///
/// # Errors
/// [`Error::Storage`]; [`Error::Internal`] if the file cannot be put aside.
pub async fn accept_rollback(log: &Record, rolled_back: &RolledBack) -> Result<(), Error> {
    let recorded = log.base.transact("record.accept_rollback", Priority::Ordinary, |work| {
        Box::pin(async move {
            for organization_id in organizations::all(&mut work.tx).await? {
                let caller = Caller { actor: Actor::system(organization_id), request_id: None };
                let (signed, found) = (rolled_back.signed, rolled_back.found);
                work.record(&caller, Event::RecordRollbackAccepted { signed, found })?;
            }
            // They are of the tree that is gone.
            cosignatures::forget_all(&mut work.tx).await?;
            Ok(work.now)
        })
    });
    let now = recorded.await?;
    let suffix = format!(".rolled-back-{}", now.as_unix_seconds());
    let aside = log.last_signed.put_aside(&suffix);
    let aside = aside.map_err(|error| Error::Internal(format!("the last checkpoint: {error}")))?;
    log.seen.store(0, Ordering::Relaxed);
    tracing::warn!(
        signed = rolled_back.signed,
        found = rolled_back.found,
        aside = ?aside,
        "a rolled back record was accepted; whoever watches the log will object"
    );
    Ok(())
}
