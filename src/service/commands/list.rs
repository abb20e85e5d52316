//! Showing commands to those they concern.

use crate::domain::actor::Scope;
use crate::domain::command::Command;
use crate::domain::id::{CommandId, VehicleId};
use crate::service::{Caller, Denial, Error, Service, vehicles};
use crate::storage::{Page, commands, vehicles as stored_vehicles};

fn must_have_scope(caller: &Caller) -> Result<(), Error> {
    let reads =
        caller.actor.has_scope(Scope::CommandsRead) || caller.actor.has_scope(Scope::CommandsWrite);
    if caller.actor.is_api_client() && !reads {
        return Err(Error::Forbidden(Denial::ScopeMissing(Scope::CommandsRead.as_str())));
    }
    Ok(())
}

/// One command, for the person whose right it was, the car's owner, administrators and machines
/// with the scope.
///
/// # Errors
/// [`Error::NotFound`], [`Denial::ScopeMissing`].
pub async fn get(
    service: &Service,
    caller: &Caller,
    command_id: CommandId,
) -> Result<Command, Error> {
    must_have_scope(caller)?;
    let organization_id = caller.actor.organization_id;
    let mut reader = service.store.read().await?;
    let command = commands::find(&mut reader, organization_id, command_id).await?;
    let command = command.ok_or(Error::NotFound)?;
    if caller.actor.is_admin() || caller.actor.is_api_client() {
        return Ok(command);
    }
    let user_id = caller.actor.user_id();
    if user_id == Some(command.user_id) {
        return Ok(command);
    }
    let vehicle = stored_vehicles::find(&mut reader, organization_id, command.vehicle_id).await?;
    match vehicle {
        Some(vehicle) if user_id == Some(vehicle.owner_id) => Ok(command),
        _ => Err(Error::NotFound),
    }
}

/// The commands of a car, newest first, for its owner, administrators and machines with the scope.
///
/// # Errors
/// [`Error::NotFound`], [`Denial::NotTheOwner`], [`Denial::ScopeMissing`].
pub async fn list_of_vehicle(
    service: &Service,
    caller: &Caller,
    vehicle_id: VehicleId,
    page: Page,
) -> Result<Vec<Command>, Error> {
    must_have_scope(caller)?;
    let everything = caller.actor.is_admin() || caller.actor.is_api_client();
    let mut reader = service.store.read().await?;
    let vehicle =
        vehicles::find_visible(&mut reader, service, caller, vehicle_id, everything).await?;
    let vehicle = vehicle.ok_or(Error::NotFound)?;
    if !everything && caller.actor.user_id() != Some(vehicle.owner_id) {
        return Err(Error::Forbidden(Denial::NotTheOwner));
    }
    let organization_id = caller.actor.organization_id;
    Ok(commands::list_of_vehicle(&mut reader, organization_id, vehicle_id, page).await?)
}
