//! A car that does what it is told. Its state and the journal change together, under the car's own
//! lock, so that the order of the journal is the order of what happened to the car.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::adjustment::Adjustment;
use super::car_state::CarState;
use super::journal::{Cause, Entry, Journal, Moment};
use super::orders::Order;
use crate::domain::time::Timestamp;
use crate::simulator::faults::car_faults::{FaultKind, FaultScript, Occasion};
use crate::smartcar::ErrorKind;

/// One car of the cloud.
#[derive(Debug)]
pub(crate) struct Car {
    pub(crate) id: Arc<str>,
    pub(crate) make: String,
    pub(crate) model: String,
    pub(crate) year: i32,
    pub(crate) vin: String,
    /// When the cloud first knew it; what lies in its past is counted from here.
    pub(super) delivered_at: Timestamp,
    /// What its odometer showed then.
    pub(super) delivered_km: f64,
    pub(crate) state: Mutex<CarState>,
    pub(crate) faults: Mutex<FaultScript>,
}

/// How cars of a cloud take orders.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manners {
    /// As the official simulated cars: stricter, and their state never changes.
    pub(crate) as_official: bool,
}

impl Car {
    /// Does what it is told and says so in the journal.
    ///
    /// # Errors
    /// Why the car did nothing: its state forbids it, or the journal cannot be written.
    pub(crate) fn execute(
        &self,
        order: Order,
        moment: Moment,
        cause: Cause,
        journal: &Journal,
        manners: Manners,
    ) -> Result<(), ErrorKind> {
        let at = moment.at;
        let entry = Entry { moment, vehicle_id: Arc::clone(&self.id), order, cause };
        let mut state = self.lock();
        let mut next = state.clone().advanced_to(at);
        if let Some(kind) = order.refused(&next, manners.as_official) {
            return Err(kind);
        }
        journal.append(entry).map_err(|error| {
            tracing::error!(%error, "the simulator's journal cannot be written");
            ErrorKind::ServerInternal
        })?;
        if !manners.as_official {
            order.apply(&mut next, at);
        }
        *state = next;
        Ok(())
    }

    /// The state at a time.
    pub(crate) fn state_at(&self, at: Timestamp) -> CarState {
        let state = self.lock().clone();
        state.advanced_to(at)
    }

    /// Sets parts of the state, as nobody could from afar.
    pub(crate) fn adjust(&self, adjustment: &Adjustment, now: Timestamp) {
        let mut state = self.lock();
        let mut next = state.clone().advanced_to(now);
        adjustment.apply(&mut next, now);
        *state = next;
    }

    fn lock(&self) -> MutexGuard<'_, CarState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue of what goes wrong.
    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultScript> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong this time, if anything.
    pub(crate) fn next_fault(&self, occasion: Occasion) -> Option<FaultKind> {
        self.faults().take(occasion)
    }
}
