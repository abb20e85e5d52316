//! People who move bookings to another car, and use the car that they move to.

use std::time::Duration;

use super::run::Stage;
use super::trace::Happening;
use crate::domain::id::{GrantId, VehicleId};
use crate::service::Caller;
use crate::service::commands::CommandRequest;
use crate::service::grants::switch;
use crate::service::idempotency::Idempotency;

impl Stage {
    /// Moves a booking, once; then its guest asks for the other car.
    pub(super) async fn switch(
        &self,
        place: usize,
        caller: &Caller,
        (grant_id, vehicle_id): (GrantId, VehicleId),
        then: CommandRequest,
    ) {
        let Some(instance) = self.at(place) else { return };
        let once = Idempotency { key: None, request_hash: [0; 32] };
        self.world.note(Happening::SwitchAsked { grant_id });
        let base = &instance.service.base;
        let switched = tokio::select! {
            biased;
            () = instance.process.dead.cancelled() => None,
            switched = switch(base, caller, &once, grant_id, vehicle_id) => switched.ok(),
        };
        let Some(switched) = switched else { return };
        let new_id = switched.value.grant.grant_id;
        self.world.note(Happening::Switched { grant_id, new_id });
        let then = CommandRequest { grant_id: Some(new_id), ..then };
        self.ask(self.world.below(self.places.len()), &then, Duration::from_secs(20), None).await;
    }
}
