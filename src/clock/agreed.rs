//! The time that is used: the wall clock as it was when another clock last agreed with it, carried
//! on by the monotonic clock. Somebody who sets the wall clock moves nothing that is decided, and is
//! noticed at once: the two readings part (P9).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Clock;
use crate::domain::time::Timestamp;

/// Clocks may differ by this much. Time services keep hosts within milliseconds of each other.
pub const TOLERANCE: Duration = Duration::from_secs(2);
/// A clock that takes longer to answer proves nothing.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(1);
/// The wall clock is followed by this part of the time that passed: faster than time services slew
/// (at most a twelfth, chrony), and too slow for what is set in steps.
const FOLLOWED_PART: u32 = 10;
/// After a jump, the clock of the database server can vouch for the new time, for this long: if it
/// runs on the same machine, its clock jumps too.
const VOUCHED_FOR: Duration = Duration::from_secs(5 * 60);

/// The two clocks are read one after the other. If the process was stopped between them, they are read again, so many times,
/// and the best pair is taken.
const READINGS_MAX: usize = 8;
/// A pair that was read in this time is good.
const READING_TIME: Duration = Duration::from_micros(20);

/// The wall clock and the monotonic clock at one moment.
#[derive(Debug, Clone, Copy)]
pub struct ClockReading {
    /// The wall clock.
    pub wall: Timestamp,
    /// The monotonic clock.
    pub monotonic: Duration,
}

/// What the wall clock is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// The clock of another server showed this.
    Clock(Timestamp),
    /// Something happened at this time, by a clock that was trusted then: it cannot be later now.
    Past(Timestamp),
    /// Nothing but what this clock has shown before.
    Nothing,
}

/// Why the wall clock is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dispute {
    /// It was compared with nothing yet.
    #[error("the clock was not compared with another one yet")]
    NotCompared,
    /// The database server's clock shows another time.
    #[error(
        "the clock and the database server's differ by {0:?}: put right the one that is wrong, and run a \
         time service on both hosts"
    )]
    OtherClock(Duration),
    /// It shows a time before what has happened already.
    #[error(
        "the clock is {0:?} behind the newest entry of the record: put it right, or, if it is right now and \
         was ahead before, start with --accept-clock"
    )]
    Behind(Duration),
    /// It was set.
    #[error("the clock was set, by {0:?}; put it right, or start again with the time it shows now")]
    Jumped(Duration),
}

/// A clock that others can contradict.
pub struct AgreedClock {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// The agreed time in microseconds when the monotonic clock was at zero; none before the first
    /// agreement.
    zero: Option<i64>,
    /// On the monotonic clock.
    compared_at: Duration,
    dispute: Option<Dispute>,
    /// Since when, on the monotonic clock, another clock agrees with one that has jumped.
    vouched_since: Option<Duration>,
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// How far two clocks are apart.
fn distance(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

impl ClockReading {
    /// The time when the monotonic clock was at zero, by this wall clock.
    fn zero(self) -> i64 {
        self.wall.as_unix_micros().saturating_sub(micros(self.monotonic))
    }

    /// How much later the wall clock is than a time that was carried on from there.
    fn gap(self, zero: i64) -> i64 {
        self.zero().saturating_sub(zero)
    }
}

impl AgreedClock {
    /// A clock that nothing was compared with yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let dispute = Some(Dispute::NotCompared);
        let state =
            State { zero: None, compared_at: clock.monotonic(), dispute, vouched_since: None };
        Self { clock, state: Mutex::new(state) }
    }

    /// The time that was agreed on, carried on by the monotonic clock; before the first agreement, the wall
    /// clock's.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let zero = self.state().zero;
        let carried = zero.map(|zero| zero.saturating_add(micros(self.clock.monotonic())));
        carried.and_then(Timestamp::from_unix_micros).unwrap_or_else(|| self.clock.now())
    }

    /// The monotonic clock.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// The wall clock and the monotonic clock, now.
    #[must_use]
    pub fn reading(&self) -> ClockReading {
        let mut best = self.read_both();
        for _ in 1..READINGS_MAX {
            if best.1 <= READING_TIME {
                break;
            }
            let again = self.read_both();
            if again.1 <= best.1 {
                best = again;
            }
        }
        best.0
    }

    /// Both clocks, and how long it took.
    fn read_both(&self) -> (ClockReading, Duration) {
        let before = self.clock.monotonic();
        let wall = self.clock.now();
        let took = self.clock.monotonic().saturating_sub(before);
        (ClockReading { monotonic: before.saturating_add(took / 2), wall }, took)
    }

    /// Why the clock is not trusted, at this moment: it reads two clocks and asks nobody.
    #[must_use]
    pub fn dispute(&self) -> Option<Dispute> {
        let state = self.state();
        state.dispute.or_else(|| jump(self.reading().gap(state.zero?)))
    }

    /// Whether there is a time to go by, though the wall clock may be disputed now.
    #[must_use]
    pub fn was_agreed(&self) -> bool {
        self.state().zero.is_some()
    }

    /// Compares the wall clock with a reference, which was asked for when it showed `before`.
    pub fn compare(&self, before: ClockReading, reference: Reference) -> Option<Dispute> {
        let after = self.reading();
        let mut state = self.state();
        if after.monotonic.saturating_sub(before.monotonic) > ANSWER_TIME_MAX {
            return state.dispute;
        }
        let was = state.dispute;
        state.dispute = contradiction(before, after, reference);
        if state.dispute.is_some() {
            state.vouched_since = None;
        } else {
            state.agree(after, reference);
        }
        state.compared_at = after.monotonic;
        match (was, state.dispute) {
            (None | Some(Dispute::NotCompared), Some(dispute)) => {
                tracing::error!(%dispute, "nothing is authorized any more");
            }
            (Some(_), None) => tracing::info!("the clock agrees"),
            _ => {}
        }
        state.dispute
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the reference says against the wall clock.
fn contradiction(
    before: ClockReading,
    after: ClockReading,
    reference: Reference,
) -> Option<Dispute> {
    match reference {
        Reference::Clock(shown) => {
            let is_near =
                shown.plus(TOLERANCE) >= before.wall && shown <= after.wall.plus(TOLERANCE);
            (!is_near).then(|| Dispute::OtherClock(distance(shown, after.wall)))
        }
        Reference::Past(happened) => {
            let behind = happened.since(after.wall);
            (behind > TOLERANCE).then_some(Dispute::Behind(behind))
        }
        Reference::Nothing => None,
    }
}

fn jump(gap: i64) -> Option<Dispute> {
    let gap = Duration::from_micros(gap.unsigned_abs());
    (gap > TOLERANCE).then_some(Dispute::Jumped(gap))
}

impl State {
    /// Follows a wall clock that nothing speaks against, unless it has jumped.
    fn agree(&mut self, now: ClockReading, reference: Reference) {
        let Some(zero) = self.zero else {
            self.zero = Some(now.zero());
            return;
        };
        let gap = now.gap(zero);
        self.dispute = jump(gap);
        if self.dispute.is_none() {
            self.vouched_since = None;
            let step = micros(now.monotonic.saturating_sub(self.compared_at) / FOLLOWED_PART);
            self.zero = Some(zero.saturating_add(gap.clamp(-step, step)));
            return;
        }
        if let Reference::Clock(_) = reference {
            let since = *self.vouched_since.get_or_insert(now.monotonic);
            if now.monotonic.saturating_sub(since) >= VOUCHED_FOR {
                tracing::warn!(gap_us = gap, "a set clock is trusted, as the server's agrees");
                (self.zero, self.dispute, self.vouched_since) = (Some(now.zero()), None, None);
            }
        }
    }
}

impl Clock for AgreedClock {
    fn now(&self) -> Timestamp {
        self.now()
    }

    fn monotonic(&self) -> Duration {
        self.monotonic()
    }
}

#[cfg(test)]
#[path = "agreed_test.rs"]
mod tests;
