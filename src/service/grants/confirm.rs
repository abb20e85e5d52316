//! The owner's word for a grant that waits: somebody else gave its grantee's account new credentials, or the owner's
//! consent to the car was lost and came back.

use super::{find_for, lock};
use crate::domain::access::Operation;
use crate::domain::event::Event;
use crate::domain::grant::Grant;
use crate::domain::id::GrantId;
use crate::service::{Base, Caller, Error, StateFault, vehicles};
use crate::storage::{Priority, grants};

/// Confirms that a grant stands. One that does not wait stays as it is.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheOwner`], [`StateFault::GrantEnded`];
/// [`StateFault::AccountRecovered`] if the owner's own account waits.
pub async fn confirm(base: &Base, caller: &Caller, grant_id: GrantId) -> Result<Grant, Error> {
    let operation = Operation::ConfirmGrant;
    base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let (grant, vehicle, acting_as) =
                find_for(base, &mut work.tx, caller, operation, grant_id).await?;
            let grant = lock(&mut work.tx, grant).await?;
            if !grant.is_alive(work.now) {
                return Err(Error::State(StateFault::GrantEnded));
            }
            vehicles::require_unrecovered_owner(&mut work.tx, vehicle.vehicle_id).await?;
            let kept = grants::confirm(&mut work.tx, grant_id).await?;
            if let Some(grant) = &kept {
                work.record(&caller.acting_as(acting_as), confirmed(grant))?;
            }
            Ok(kept.unwrap_or(grant))
        })
    })
    .await
}

/// What the record says of a grant that its owner stands by.
pub(in crate::service) const fn confirmed(grant: &Grant) -> Event {
    let Grant { grant_id, vehicle_id, grantee_id, .. } = *grant;
    Event::GrantConfirmed { grant_id, vehicle_id, grantee_id }
}
