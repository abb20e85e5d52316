//! Lifting a hold: what grants allow by then is allowed again, as far as no other hold stands.

use super::{lock, permit};
use crate::domain::access::Sought;
use crate::domain::event::{Event, HoldEnd};
use crate::domain::id::HoldId;
use crate::service::{Base, Caller, Denial, Error};
use crate::storage::{Priority, holds, key_scopes};

/// Lifts a hold, for those who may hold the same and have its rank; administrators also lift those of support. Lifting it twice
/// is lifting it once.
///
/// # Errors
/// [`Error::NotFound`], a [`Denial`], among them [`Denial::HoldOfAnother`].
pub async fn lift(base: &Base, caller: &Caller, hold_id: HoldId) -> Result<(), Error> {
    let lifted = base.transact("holds.lift", Priority::Ordinary, |work| {
        Box::pin(async move {
            let sought = Sought::of(hold_id);
            let found = holds::find(&mut work.tx, caller.actor.organization_id, hold_id).await?;
            let hold = found.ok_or_else(|| Error::NotFound(sought.clone()))?;
            let permitted = permit(base, &mut work.tx, caller, hold.scope).await;
            let over = permitted.map_err(|error| told_of(error, sought))?;
            if !over.rank.may_lift(hold.standing.rank) {
                return Err(Error::Forbidden(Denial::HoldOfAnother));
            }
            let (mut kept, now) = lock(base, &mut work.tx, caller, hold.scope).await?;
            work.now = now;
            if holds::lift(&mut work.tx, &hold, now).await?.is_some() {
                kept.retain(|other| other.hold_id != hold_id);
                key_scopes::keep_holds(&mut work.tx, hold.scope, &kept).await?;
                let (scope, about, rank) = (hold.scope, over.about, hold.standing.rank);
                let how = HoldEnd::Lifted;
                let event = Event::HoldEnded { hold_id, scope, about, rank, how };
                work.record(&caller.acting_as(over.acting_as), event)?;
            }
            Ok(())
        })
    });
    lifted.await
}

/// Who may not hold the same thing learns of no hold over it.
fn told_of(error: Error, sought: Sought) -> Error {
    match error {
        Error::NotFound(_)
        | Error::Forbidden(Denial::AdminOnly | Denial::NotTheOwner | Denial::NotTheGrantee) => {
            Error::NotFound(sought)
        }
        other => other,
    }
}
