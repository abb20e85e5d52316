//! What the record says of the grants of a car when the car, or the owner's consent to it, cannot be
//! used as before: an entry for each, so that the history of a grant shows it.

use crate::domain::event::Event;
use crate::domain::grant::Grant;
use crate::domain::id::VehicleId;
use crate::domain::impairment::Impairment;
use crate::domain::time::Timestamp;
use crate::service::Error;
use crate::storage::{Tx, grants};

/// What is recorded of each living grant of a car that cannot be used as before.
pub(super) async fn impaired_grants(
    tx: &mut Tx,
    vehicle_id: VehicleId,
    reason: &Impairment,
    now: Timestamp,
) -> Result<Vec<Event>, Error> {
    let grants = grants::alive_of_vehicle(tx, vehicle_id, now).await?;
    let impaired = |grant: Grant| Event::GrantVehicleImpaired {
        grant_id: grant.grant_id,
        vehicle_id,
        grantee_id: grant.grantee_id,
        grant_revision: grant.revision,
        reason: reason.clone(),
    };
    Ok(grants.into_iter().map(impaired).collect())
}
