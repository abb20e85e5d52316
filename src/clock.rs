//! The time, as a parameter. [`SystemClock`] is the only caller of the system's clocks.
//!
//! Two readings: the wall clock for everything that is stored or compared with a grant's
//! validity, and a monotonic one for deadlines inside this process, which no adjustment of the
//! wall clock can move. On Linux it goes on while the machine is suspended (`CLOCK_BOOTTIME`, see
//! clock_gettime(2)): a command that was to leave before must not leave after.

mod agreed;

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::time::Timestamp;

pub use agreed::{AgreedClock, ClockReading, Dispute, Reference, TOLERANCE};

/// A source of time.
pub trait Clock: Send + Sync {
    /// The wall clock, in UTC.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment of this process; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the operating system.
#[derive(Debug)]
pub struct SystemClock {
    started: Duration,
}

#[cfg(target_os = "linux")]
const MONOTONIC: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const MONOTONIC: ClockId = ClockId::Monotonic;

#[expect(clippy::disallowed_methods, reason = "the one module in which the clock is read")]
fn since_boot() -> Duration {
    Duration::try_from(clock_gettime(MONOTONIC)).unwrap_or_default()
}

impl SystemClock {
    /// Starts the monotonic reading at zero.
    #[must_use]
    pub fn start() -> Self {
        Self { started: since_boot() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one module in which the clock is read")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_unix_micros(micros).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        since_boot().saturating_sub(self.started)
    }
}

/// A clock that moves only when a test moves it: for tests and rehearsals.
#[derive(Debug)]
pub struct ManualClock {
    readings: Mutex<(Timestamp, Duration)>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { readings: Mutex::new((now, Duration::ZERO)) }
    }

    /// Moves both readings forward.
    pub fn advance(&self, by: Duration) {
        let mut readings = self.lock();
        *readings = (readings.0.plus(by), readings.1.saturating_add(by));
    }

    /// Sets the wall clock alone, as an operator or an attacker would.
    pub fn set_wall(&self, now: Timestamp) {
        self.lock().0 = now;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Timestamp, Duration)> {
        self.readings.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().0
    }

    fn monotonic(&self) -> Duration {
        self.lock().1
    }
}
