//! How many requests may go to the vehicle cloud: so many for each car and so many for the whole
//! application. Makers lock out who asks too often, so the last of a car's requests are kept for
//! what matters most: a reserve for finding out what became of a command, and below it one for locking.
//!
//! It knows no database: each process counts what it sends itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::config::Allowance;
use crate::connector::ConnectorError;
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::id::VehicleId;
use crate::domain::instruction::Action;

use super::Error;

/// Cars counted; beyond it those that have their full budget again are forgotten.
const CARS_MAX: usize = 50_000;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody wants to know something.
    Read,
    /// Somebody wants the car to do something other than lock.
    Command,
    /// To see what became of a command.
    Check,
    /// To lock the car.
    Lock,
}

impl From<Action> for Purpose {
    fn from(action: Action) -> Self {
        match action {
            Action::Lock => Self::Lock,
            _ => Self::Command,
        }
    }
}

/// What must be left of an allowance for more important requests: two fifths are out of reach of
/// reads, one fifth of commands, a tenth of checks; locking may take the last one.
fn reserve(allowance: Allowance, purpose: Purpose) -> f64 {
    let share = match purpose {
        Purpose::Read => 0.4,
        Purpose::Command => 0.2,
        Purpose::Check => 0.1,
        Purpose::Lock => 0.0,
    };
    (f64::from(allowance.burst) * share).ceil()
}

/// What is left of an allowance.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    /// On the monotonic clock.
    filled_at: Duration,
}

impl Bucket {
    fn full(allowance: Allowance, now: Duration) -> Self {
        Self { left: f64::from(allowance.burst), filled_at: now }
    }

    fn fill(&mut self, allowance: Allowance, now: Duration) {
        let minutes = now.saturating_sub(self.filled_at).as_secs_f64() / 60.0;
        let more = self.left + minutes * f64::from(allowance.per_minute);
        self.left = more.min(f64::from(allowance.burst));
        self.filled_at = self.filled_at.max(now);
    }

    /// How long until so many requests for this purpose can be taken; zero if they can be now.
    fn wait(&self, allowance: Allowance, count: f64, purpose: Purpose) -> Duration {
        let lacking = reserve(allowance, purpose) + count - self.left;
        if lacking <= 0.0 {
            return Duration::ZERO;
        }
        let minutes = lacking / f64::from(allowance.per_minute.max(1));
        Duration::from_secs_f64((minutes * 60.0).min(86_400.0))
    }
}

/// What is left of all allowances.
#[derive(Debug)]
pub struct Budget {
    per_vehicle: Allowance,
    per_application: Allowance,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    application: Bucket,
    vehicles: HashMap<VehicleId, Bucket>,
}

impl Budget {
    /// Full allowances.
    #[must_use]
    pub fn new(per_vehicle: Allowance, per_application: Allowance, now: Duration) -> Self {
        let application = Bucket::full(per_application, now);
        let state = State { application, vehicles: HashMap::new() };
        Self { per_vehicle, per_application, state: Mutex::new(state) }
    }

    /// Takes so many requests about one car, or none.
    ///
    /// # Errors
    /// [`Error::Connector`] with the fault `RateLimited`, which says how long to wait; nothing
    /// was sent.
    pub fn take(
        &self,
        vehicle_id: VehicleId,
        count: usize,
        purpose: Purpose,
        now: Duration,
    ) -> Result<(), Error> {
        let count = count as f64;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { application, vehicles } = &mut *state;
        application.fill(self.per_application, now);
        if vehicles.len() >= CARS_MAX {
            vehicles.retain(|_, bucket| {
                bucket.fill(self.per_vehicle, now);
                bucket.left < f64::from(self.per_vehicle.burst)
            });
        }
        let vehicle =
            vehicles.entry(vehicle_id).or_insert_with(|| Bucket::full(self.per_vehicle, now));
        vehicle.fill(self.per_vehicle, now);
        let wait = vehicle.wait(self.per_vehicle, count, purpose).max(application.wait(
            self.per_application,
            count,
            purpose,
        ));
        if wait > Duration::ZERO {
            return Err(spent(wait));
        }
        vehicle.left -= count;
        application.left -= count;
        Ok(())
    }
}

fn spent(wait: Duration) -> Error {
    // Whole seconds, because that is what `Retry-After` can say.
    let wait = Duration::from_secs(wait.as_secs() + 1);
    Error::Connector(Box::new(ConnectorError {
        retry_after: Some(wait),
        provider_code: ProviderCode::new("RATE_LIMIT", Some("VEHICLE")),
        ..ConnectorError::local(Fault::RateLimited, "the budget of requests is used up")
    }))
}

#[cfg(test)]
#[path = "budget_test.rs"]
mod tests;
