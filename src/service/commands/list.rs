//! Showing commands to those they concern.

use crate::domain::access::{Object, Operation, Sought};
use crate::domain::command::Command;
use crate::domain::id::{CommandId, VehicleId};
use crate::service::{Base, Caller, Error, vehicles};
use crate::storage::commands::CommandFilter;
use crate::storage::{Page, commands, vehicles as stored_vehicles};

/// One command, for the person whose right it used, the car's owner and the organization.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::ScopeMissing`].
pub async fn get(base: &Base, caller: &Caller, command_id: CommandId) -> Result<Command, Error> {
    let organization_id = caller.actor.organization_id;
    let mut reader = base.store.read().await?;
    let command = commands::find(&mut reader, organization_id, command_id).await?;
    let object = match &command {
        Some(command) => {
            let vehicle_id = command.vehicle_id;
            let vehicle = stored_vehicles::find(&mut reader, organization_id, vehicle_id).await?;
            Object::command(command, vehicle.map(|vehicle| vehicle.owner_id))
        }
        None => Object::MISSING,
    };
    let sought = Sought::of(command_id);
    base.authorize(caller, Operation::GetCommand, &object, sought.clone())?;
    command.ok_or(Error::NotFound(sought))
}

/// The commands of a car, newest first, for its owner and the organization.
///
/// # Errors
/// [`Error::NotFound`], [`crate::service::Denial::NotTheOwner`],
/// [`crate::service::Denial::ScopeMissing`].
pub async fn list_of_vehicle(
    base: &Base,
    caller: &Caller,
    vehicle_id: VehicleId,
    filter: CommandFilter,
    page: Page,
) -> Result<Vec<Command>, Error> {
    let mut reader = base.store.read().await?;
    let operation = Operation::ListCommands;
    vehicles::find_for(base, &mut reader, caller, operation, vehicle_id).await?;
    let organization_id = caller.actor.organization_id;
    let of = (organization_id, vehicle_id);
    Ok(commands::list_of_vehicle(&mut reader, of, filter, page).await?)
}
