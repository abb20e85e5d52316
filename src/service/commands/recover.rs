//! Settling what a crash left: a command that is still `sending` after nobody can be waiting for
//! the cloud's answer any more may have happened. It becomes `unknown`, and is looked at; it is
//! never sent again (P4, P6).

use super::changed;
use crate::domain::actor::Actor;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Caller, Error, Service};
use crate::storage::{audit_entries, commands, repeat};

/// At most so many commands in one run.
const BATCH_MAX: i64 = 256;

/// Takes over abandoned commands; returns how many there were. Any instance may do it, also
/// several at once.
///
/// # Errors
/// [`Error::Storage`].
pub async fn recover(service: &Service) -> Result<usize, Error> {
    repeat(|| async {
        let now = service.clock.now();
        let mut tx = service.store.begin().await?;
        let abandoned = commands::take_abandoned(&mut tx, now, BATCH_MAX).await?;
        let mut entries = Vec::with_capacity(abandoned.len());
        for command in &abandoned {
            let actor = Actor::system(command.organization_id);
            let caller = Caller { actor, request_id: None };
            entries.push(service.entry(&caller, changed(command), command.changed_at)?);
        }
        audit_entries::insert_many(&mut tx, &entries).await?;
        if !abandoned.is_empty() {
            failpoint::reached(Failpoint::RecoverTaken);
        }
        tx.commit().await?;
        service.waiters.wake(&abandoned);
        Ok(abandoned.len())
    })
    .await
}
