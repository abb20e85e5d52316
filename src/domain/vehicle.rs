//! Cars and whose they are.

use std::time::Duration;

use crate::domain::connection::Permissions;
use crate::domain::id::{ConnectionId, OrganizationId, UserId, VehicleId};
use crate::domain::impairment::Suspension;
use crate::domain::time::Timestamp;

/// How long the person to whom an owner lets a car go has to connect it.
pub const TRANSFER_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A car that an owner connected.
#[derive(Debug, Clone)]
pub struct Vehicle {
    /// Identifies the car; UUIDv7. The facade shows the UUID inside.
    pub vehicle_id: VehicleId,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The user whose account connected it.
    pub owner_id: UserId,
    /// The connection through which it is reached.
    pub connection_id: ConnectionId,
    /// The vehicle cloud's id of the car.
    pub provider_vehicle_id: String,
    /// The maker, upper case.
    pub make: String,
    /// The model's name.
    pub model: String,
    /// The model year.
    pub year: i64,
    /// What the owner permitted for it at the vehicle cloud.
    pub permissions: Permissions,
    /// Why it cannot be used at present; somebody has to act.
    pub suspended_reason: Option<Suspension>,
    /// Since when it cannot be used through this service any more.
    pub removed_at: Option<Timestamp>,
    /// The time at which it was connected, the last time.
    pub connected_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_car_that_was_let_go_can_be_taken_for_a_day() {
        assert_eq!(TRANSFER_TIME.as_secs(), 86_400);
    }
}
