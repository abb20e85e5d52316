//! An owner lets a car go to another account of the organization. The car does not move by that: the other person
//! connects it with their own consent at its maker, and is not refused because the owner consents still.

use super::{find_for, require_unrecovered_owner};
use crate::domain::access::{Operation, Sought};
use crate::domain::event::{Event, TransferStep};
use crate::domain::id::{UserId, VehicleId};
use crate::domain::time::Timestamp;
use crate::domain::vehicle::TRANSFER_TIME;
use crate::service::{Base, Caller, Error, users};
use crate::storage::{Priority, vehicle_connections};

/// Who may take a car, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    /// The car.
    pub vehicle_id: VehicleId,
    /// The person who may take it.
    pub to: UserId,
    /// Until when they must have connected it.
    pub until: Timestamp,
}

/// Lets one person take a car within a day, and nobody else any more; for its owner, or an API client for them.
///
/// # Errors
/// [`Error::NotFound`] for a car that is not there, or a person whose account is not open;
/// [`crate::service::Denial::NotTheOwner`]; [`Error::Invalid`] for the owner themself;
/// [`crate::service::StateFault::AccountRecovered`] if the owner's own account waits.
pub async fn transfer(
    base: &Base,
    caller: &Caller,
    vehicle_id: VehicleId,
    to: UserId,
) -> Result<Transfer, Error> {
    let operation = Operation::TransferVehicle;
    let offered = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, until) = (&mut work.tx, work.now.plus(TRANSFER_TIME));
            let (vehicle, acting_as) = find_for(base, tx, caller, operation, vehicle_id).await?;
            require_unrecovered_owner(tx, vehicle_id).await?;
            let user_id = vehicle.owner_id;
            if to == user_id {
                let why = "must be another person than the owner";
                return Err(Error::invalid("/to_user_id", "invalid", why));
            }
            users::find_open(tx, caller, to).await?;
            if !vehicle_connections::offer(tx, vehicle_id, to, until).await? {
                return Err(Error::NotFound(Sought::of(vehicle_id)));
            }
            let step = TransferStep::Offered { to, until };
            let offered = Event::VehicleTransfer { vehicle_id, user_id, step };
            work.record(&caller.acting_as(acting_as), offered)?;
            Ok(Transfer { vehicle_id, to, until })
        })
    });
    offered.await
}

/// Lets nobody take a car any more. One that nobody might take stays as it is.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheOwner`].
pub async fn withdraw_transfer(
    base: &Base,
    caller: &Caller,
    vehicle_id: VehicleId,
) -> Result<(), Error> {
    let operation = Operation::TransferVehicle;
    let withdrawn = base.transact("vehicles.withdraw_transfer", Priority::Ordinary, |work| {
        Box::pin(async move {
            let tx = &mut work.tx;
            let (vehicle, acting_as) = find_for(base, tx, caller, operation, vehicle_id).await?;
            if vehicle_connections::withdraw_offer(tx, vehicle_id).await? {
                let user_id = vehicle.owner_id;
                let step = TransferStep::Withdrawn;
                let withdrawn = Event::VehicleTransfer { vehicle_id, user_id, step };
                work.record(&caller.acting_as(acting_as), withdrawn)?;
            }
            Ok(())
        })
    });
    withdrawn.await
}
