//! Taking one car out of the service: it and every grant for it end here at once, then its consent at the vehicle cloud. The
//! other cars of its owner stay.

use super::find_for;
use crate::domain::access::Operation;
use crate::domain::event::{Event, Subjects};
use crate::domain::grant::EndReason;
use crate::domain::id::VehicleId;
use crate::domain::key_scope::KeyScope;
use crate::domain::scope_end::ScopeEnd;
use crate::domain::vehicle::Vehicle;
use crate::service::ends::{self, NewEnd};
use crate::service::{Caller, Error, Service, connections};
use crate::storage::decisions::VehicleRow;
use crate::storage::{Priority, decisions, vehicle_connections};

/// A car that was taken out of the service.
#[derive(Debug)]
pub struct RemovedVehicle {
    /// The car.
    pub vehicle: Vehicle,
    /// How many grants ended with it.
    pub grants: i64,
    /// Whether its consent at the vehicle cloud has ended too.
    pub ended_upstream: bool,
}

/// What was done here, and what is needed to do the rest.
struct RemovedHere {
    vehicle: Vehicle,
    row: Option<VehicleRow>,
    end: Option<ScopeEnd>,
}

/// Takes a car out of the service, for its owner, an administrator or an API client for them. A second time changes nothing here,
/// and asks the vehicle cloud once more.
///
/// # Errors
/// [`Error::NotFound`], a [`crate::service::Denial`].
pub async fn remove(
    service: &Service,
    caller: &Caller,
    vehicle_id: VehicleId,
) -> Result<RemovedVehicle, Error> {
    let base = &service.base;
    let operation = Operation::RemoveVehicle;
    let removed = base.transact(operation.as_str(), Priority::Ordinary, |work| {
        Box::pin(async move {
            let (mut vehicle, acting_as) =
                find_for(base, &mut work.tx, caller, operation, vehicle_id).await?;
            let row = decisions::vehicles(&mut work.tx, &[vehicle_id]).await?.pop();
            if !vehicle_connections::remove_one(&mut work.tx, vehicle_id, work.now).await? {
                return Ok(RemovedHere { vehicle, row, end: None });
            }
            vehicle.removed_at = Some(work.now);
            let (caller, user_id) = (caller.acting_as(acting_as), vehicle.owner_id);
            work.record(&caller, Event::VehicleRemoved { vehicle_id, user_id })?;
            let new = NewEnd {
                scope: KeyScope::Vehicle(vehicle_id),
                about: Subjects::of_vehicle(vehicle_id, None, user_id),
                issued_before: None,
                external_ref: None,
                end_reason: EndReason::VehicleRemoved,
                reason: None,
            };
            let end = Some(ends::draw_line(base, work, &caller, new).await?);
            Ok(RemovedHere { vehicle, row, end })
        })
    });
    let RemovedHere { vehicle, row, end } = removed.await?;
    let grants = match end {
        Some(end) => ends::carry_out_or_leave(base, caller, end).await,
        None => 0,
    };
    let ended_upstream = match row {
        None => false,
        Some(row) => match service.access_tokens.get(service, row.connection_id).await {
            Ok(token) => connections::end_upstream(service, &token, &[row]).await,
            Err(error) => {
                tracing::warn!(%vehicle_id, error = ?error, "a consent could not be ended");
                false
            }
        },
    };
    Ok(RemovedVehicle { vehicle, grants, ended_upstream })
}
