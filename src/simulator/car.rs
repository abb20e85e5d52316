//! A car that locks and unlocks. Its state and the journal change together, under the car's own
//! lock, so that the order of the journal is the order of what happened to the car.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use uuid::Uuid;

use super::faults::{FaultKind, FaultScript, Occasion};
use super::journal::{Entry, Journal};
use crate::domain::time::Timestamp;
use crate::smartcar::v2::{Attributes, Part, Security, SecurityAction};

/// What of a car can change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lock {
    pub(super) is_locked: bool,
    /// When the car last reported it.
    pub(super) since: Timestamp,
}

/// One car of the cloud.
#[derive(Debug)]
pub(super) struct Car {
    pub(super) id: Arc<str>,
    pub(super) make: String,
    pub(super) model: String,
    pub(super) year: i32,
    pub(super) vin: String,
    pub(super) lock: Mutex<Lock>,
    pub(super) faults: Mutex<FaultScript>,
}

/// A car as `GET /_sim/vehicles` shows it.
#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    id: &'a str,
    make: &'a str,
    model: &'a str,
    year: i32,
    vin: &'a str,
    is_locked: bool,
}

impl Car {
    /// Does what it is told and says so in the journal. If the journal cannot be written, the car
    /// does nothing.
    pub(super) fn execute(
        &self,
        action: SecurityAction,
        at: Timestamp,
        request_id: Uuid,
        journal: &Journal,
    ) -> io::Result<()> {
        let entry = Entry { at, vehicle_id: Arc::clone(&self.id), action, request_id };
        let mut lock = self.lock();
        journal.append(entry)?;
        *lock = Lock { is_locked: action == SecurityAction::Lock, since: at };
        Ok(())
    }

    /// The present state.
    pub(super) fn lock(&self) -> MutexGuard<'_, Lock> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue of what goes wrong.
    pub(super) fn faults(&self) -> MutexGuard<'_, FaultScript> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong this time, if anything.
    pub(super) fn next_fault(&self, occasion: Occasion) -> Option<FaultKind> {
        self.faults().take(occasion)
    }

    pub(super) fn attributes(&self) -> Attributes {
        Attributes {
            id: self.id.to_string(),
            make: self.make.clone(),
            model: self.model.clone(),
            year: self.year,
        }
    }

    /// Everything that opens is closed; only the lock ever changes.
    pub(super) fn security(is_locked: bool) -> Security {
        let corners = ["frontLeft", "frontRight", "backLeft", "backRight"].map(Part::closed);
        Security {
            is_locked,
            doors: corners.to_vec(),
            windows: corners.to_vec(),
            sunroof: vec![Part::closed("sunroof")],
            storage: ["front", "rear"].map(Part::closed).to_vec(),
            charging_port: vec![Part::closed("chargingPort")],
        }
    }

    pub(super) fn shown(&self) -> Shown<'_> {
        Shown {
            id: &self.id,
            make: &self.make,
            model: &self.model,
            year: self.year,
            vin: &self.vin,
            is_locked: self.lock().is_locked,
        }
    }
}
