//! How many requests may go to the vehicle cloud: so many for each car and so many for the whole
//! application. Makers lock out who asks too often, so the last of a car's requests are kept for
//! what matters most: a reserve for finding out what became of a command, and below it one for locking.
//! A quarter of a car's requests is its owner's alone, and no grant can have more than half of the rest,
//! so that no guest locks out the owner or another guest (P11).
//!
//! It knows no database: each process counts what it sends itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::config::Allowance;
use crate::connector::ConnectorError;
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::id::{GrantId, VehicleId};
use crate::domain::instruction::Action;
use crate::measures;

use super::Error;

/// Grants counted for one car; beyond it those that have their full part again are forgotten.
const GRANTS_MAX: usize = 64;
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

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Command => "command",
            Self::Check => "check",
            Self::Lock => "lock",
        }
    }
}

impl From<Action> for Purpose {
    fn from(action: Action) -> Self {
        match action {
            Action::Lock => Self::Lock,
            _ => Self::Command,
        }
    }
}

/// By whose right a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spender {
    /// The owner's.
    Owner,
    /// That of this grant.
    Grant(GrantId),
    /// Nobody's: the service itself wants to know.
    Service,
}

impl From<Option<GrantId>> for Spender {
    /// Whoever claims no grant claims to be the owner.
    fn from(grant_id: Option<GrantId>) -> Self {
        grant_id.map_or(Self::Owner, Self::Grant)
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

/// The parts of one car's allowance.
#[derive(Debug, Clone, Copy)]
struct Parts {
    owner: Allowance,
    /// Everybody's.
    shared: Allowance,
    /// What one grant can have of it.
    grant: Allowance,
}

impl Parts {
    const fn of(whole: Allowance) -> Self {
        let owner = Allowance { burst: whole.burst / 4, per_minute: whole.per_minute / 4 };
        let shared = Allowance {
            burst: whole.burst - owner.burst,
            per_minute: whole.per_minute - owner.per_minute,
        };
        let grant = Allowance {
            burst: shared.burst.div_ceil(2),
            per_minute: shared.per_minute.div_ceil(2),
        };
        Self { owner, shared, grant }
    }
}

/// What is left of one car's allowance.
#[derive(Debug)]
struct Car {
    owner: Bucket,
    shared: Bucket,
    grants: HashMap<GrantId, Bucket>,
}

impl Car {
    fn full(parts: &Parts, now: Duration) -> Self {
        let owner = Bucket::full(parts.owner, now);
        Self { owner, shared: Bucket::full(parts.shared, now), grants: HashMap::new() }
    }

    fn fill(&mut self, parts: &Parts, now: Duration) {
        self.owner.fill(parts.owner, now);
        self.shared.fill(parts.shared, now);
        for bucket in self.grants.values_mut() {
            bucket.fill(parts.grant, now);
        }
        if self.grants.len() >= GRANTS_MAX {
            self.grants.retain(|_, bucket| bucket.left < f64::from(parts.grant.burst));
        }
    }

    fn is_full(&self, parts: &Parts) -> bool {
        self.shared.left >= f64::from(parts.shared.burst)
            && self.owner.left >= f64::from(parts.owner.burst)
    }

    /// How long until so many requests can be taken, and the buckets that they are taken from.
    fn draw(
        &mut self,
        parts: &Parts,
        spender: Spender,
        count: f64,
        purpose: Purpose,
        now: Duration,
    ) -> (Duration, [Option<&mut Bucket>; 2]) {
        let shared_wait = self.shared.wait(parts.shared, count, purpose);
        match spender {
            Spender::Service => (shared_wait, [Some(&mut self.shared), None]),
            Spender::Grant(grant_id) => {
                let full = || Bucket::full(parts.grant, now);
                let own = self.grants.entry(grant_id).or_insert_with(full);
                // The reserves are among purposes of all who share, not within one's own part.
                let wait = own.wait(parts.grant, count, Purpose::Lock).max(shared_wait);
                (wait, [Some(&mut self.shared), Some(own)])
            }
            Spender::Owner if shared_wait == Duration::ZERO => {
                (shared_wait, [Some(&mut self.shared), None])
            }
            Spender::Owner => {
                let wait = self.owner.wait(parts.owner, count, purpose);
                (wait, [Some(&mut self.owner), None])
            }
        }
    }
}

/// What is left of all allowances.
#[derive(Debug)]
pub struct Budget {
    parts: Parts,
    per_application: Allowance,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    application: Bucket,
    vehicles: HashMap<VehicleId, Car>,
}

impl Budget {
    /// Full allowances.
    #[must_use]
    pub fn new(per_vehicle: Allowance, per_application: Allowance, now: Duration) -> Self {
        let application = Bucket::full(per_application, now);
        let state = State { application, vehicles: HashMap::new() };
        Self { parts: Parts::of(per_vehicle), per_application, state: Mutex::new(state) }
    }

    /// How long until so many requests about one car could be taken, if they cannot be now. Takes nothing.
    #[must_use]
    pub fn wait(
        &self,
        vehicle_id: VehicleId,
        spender: Spender,
        count: usize,
        purpose: Purpose,
        now: Duration,
    ) -> Option<Duration> {
        let count = count as f64;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { application, vehicles } = &mut *state;
        application.fill(self.per_application, now);
        let mut wait = application.wait(self.per_application, count, purpose);
        if let Some(car) = vehicles.get_mut(&vehicle_id) {
            car.fill(&self.parts, now);
            wait = wait.max(car.draw(&self.parts, spender, count, purpose, now).0);
        }
        (wait > Duration::ZERO).then(|| whole(wait))
    }

    /// What is left of the application's burst, from 0 to 1.
    #[must_use]
    pub fn left_ratio(&self, now: Duration) -> f64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.application.fill(self.per_application, now);
        state.application.left / f64::from(self.per_application.burst.max(1))
    }

    /// Takes so many requests about one car, or none.
    ///
    /// # Errors
    /// [`Error::Connector`] with the fault `RateLimited`, which says how long to wait; nothing
    /// was sent.
    pub fn take(
        &self,
        vehicle_id: VehicleId,
        spender: Spender,
        count: usize,
        purpose: Purpose,
        now: Duration,
    ) -> Result<(), Error> {
        let (parts, count) = (&self.parts, count as f64);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { application, vehicles } = &mut *state;
        application.fill(self.per_application, now);
        if vehicles.len() >= CARS_MAX {
            vehicles.retain(|_, car| {
                car.fill(parts, now);
                !car.is_full(parts)
            });
        }
        let car = vehicles.entry(vehicle_id).or_insert_with(|| Car::full(parts, now));
        car.fill(parts, now);
        let (wait, buckets) = car.draw(parts, spender, count, purpose, now);
        let wait = wait.max(application.wait(self.per_application, count, purpose));
        if wait > Duration::ZERO {
            drop(state);
            count_refused(purpose);
            return Err(spent(wait));
        }
        for bucket in buckets.into_iter().flatten() {
            bucket.left -= count;
        }
        application.left -= count;
        Ok(())
    }
}

/// Counts a request that is not made because the budget is used up.
pub(super) fn count_refused(purpose: Purpose) {
    metrics::counter!(measures::VEHICLE_CLOUD_BUDGET_REFUSED, "purpose" => purpose.as_str())
        .increment(1);
}

/// In whole seconds, because that is what `Retry-After` can say.
const fn whole(wait: Duration) -> Duration {
    Duration::from_secs(wait.as_secs() + 1)
}

fn spent(wait: Duration) -> Error {
    let wait = whole(wait);
    Error::Connector(Box::new(ConnectorError {
        retry_after: Some(wait),
        provider_code: ProviderCode::new("RATE_LIMIT", Some("VEHICLE")),
        ..ConnectorError::local(Fault::RateLimited, "the budget of requests is used up")
    }))
}

#[cfg(test)]
#[path = "budget_test.rs"]
mod tests;
