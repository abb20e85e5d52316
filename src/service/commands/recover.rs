//! Taking over what a crash left: a command that is still `sending` after nobody can be waiting for
//! the cloud's answer any more may have happened. It becomes `unknown`, and its car is checked; it is
//! never sent again (P4, P6).

use super::{changed, count};
use crate::domain::actor::Actor;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Caller, Error, Service};
use crate::storage::{Priority, commands};

/// At most so many commands in one run.
const BATCH_MAX: i64 = 256;

/// Takes over abandoned commands; returns how many there were. Any instance may do it, also
/// several at once.
///
/// # Errors
/// [`Error::Storage`].
pub async fn recover(service: &Service) -> Result<usize, Error> {
    let recovered = service.base.transact("commands.recover", Priority::Ordinary, |work| {
        Box::pin(async move {
            let abandoned = commands::mark_abandoned(&mut work.tx, work.now, BATCH_MAX).await?;
            for command in &abandoned {
                let actor = Actor::system(command.organization_id);
                let caller = Caller { actor, request_id: None };
                work.record_at(&caller, changed(command), command.changed_at)?;
            }
            if !abandoned.is_empty() {
                failpoint::reached(Failpoint::RecoverMarked);
            }
            Ok(abandoned)
        })
    });
    let abandoned = recovered.await?;
    service.waiters.wake(abandoned.iter().inspect(|command| count(command)));
    Ok(abandoned.len())
}
