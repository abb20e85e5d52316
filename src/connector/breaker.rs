//! A circuit breaker: an upstream that is down is left alone for a while, and its callers learn so
//! at once. A pure state machine; the time is a parameter, on the monotonic clock.
//!
//! One slow car must not shut the door for all others, so failures count only if they concern
//! several cars.

use std::collections::HashSet;
use std::time::Duration;

/// Failures in a row, without a success between them, that open the circuit.
const FAILURES_MAX: u32 = 10;
/// How many different cars they must concern.
const SUBJECTS_MIN: usize = 3;
/// How long the circuit stays open the first time; each time after a failed probe twice as long.
const OPEN_FIRST: Duration = Duration::from_secs(5);
/// The longest time.
const OPEN_MAX: Duration = Duration::from_secs(60);

/// What a call may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Go ahead.
    Pass,
    /// Go ahead, alone: the result decides whether the others may follow.
    Probe,
    /// Not now; after this time a probe may.
    Wait(Duration),
}

#[derive(Debug)]
enum State {
    Closed {
        failures: u32,
        subjects: HashSet<String>,
    },
    Open {
        until: Duration,
        lasted: Duration,
    },
    /// One call is on its way to see.
    HalfOpen {
        until: Duration,
        lasted: Duration,
    },
}

/// Whether an upstream is worth calling.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed { failures: 0, subjects: HashSet::new() } }
    }
}

impl Breaker {
    /// Asks whether a call may go ahead. A probe that never comes back is followed by another.
    pub(super) fn admit(&mut self, now: Duration) -> Admission {
        match self.state {
            State::Closed { .. } => Admission::Pass,
            State::Open { until, .. } | State::HalfOpen { until, .. } if now < until => {
                Admission::Wait(until - now)
            }
            State::Open { lasted, .. } | State::HalfOpen { lasted, .. } => {
                self.state = State::HalfOpen { until: now.saturating_add(OPEN_MAX), lasted };
                Admission::Probe
            }
        }
    }

    /// The upstream answered, whatever it said.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The upstream itself failed, on a call about this car.
    pub(super) fn failed(&mut self, subject: &str, now: Duration) {
        match &mut self.state {
            State::Closed { failures, subjects } => {
                *failures = failures.saturating_add(1);
                if subjects.len() < SUBJECTS_MIN {
                    subjects.insert(subject.to_owned());
                }
                if *failures >= FAILURES_MAX && subjects.len() >= SUBJECTS_MIN {
                    let until = now.saturating_add(OPEN_FIRST);
                    self.state = State::Open { until, lasted: OPEN_FIRST };
                }
            }
            State::HalfOpen { lasted, .. } => {
                let lasted = lasted.saturating_mul(2).min(OPEN_MAX);
                self.state = State::Open { until: now.saturating_add(lasted), lasted };
            }
            // A call from before the circuit opened says nothing new.
            State::Open { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn second(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    fn opened(now: Duration) -> Breaker {
        let mut breaker = Breaker::default();
        for number in 0..FAILURES_MAX {
            breaker.failed(&format!("car-{}", number % 3), now);
        }
        breaker
    }

    #[test]
    fn many_failures_of_several_cars_open_the_circuit_and_one_probe_closes_it() {
        let mut breaker = opened(second(100));
        assert_eq!(breaker.admit(second(100)), Admission::Wait(second(5)));
        assert_eq!(breaker.admit(second(105)), Admission::Probe);
        assert_eq!(breaker.admit(second(105)), Admission::Wait(second(60)), "one probe at a time");
        breaker.succeeded();
        assert_eq!(breaker.admit(second(105)), Admission::Pass);
    }

    #[test]
    fn one_car_never_shuts_the_door_for_others() {
        let mut breaker = Breaker::default();
        for number in 0..1_000 {
            breaker.failed(["car-1", "car-2"][number % 2], second(1));
        }
        assert_eq!(breaker.admit(second(1)), Admission::Pass);
    }

    #[test]
    fn a_success_in_between_starts_the_count_anew() {
        let mut breaker = Breaker::default();
        for number in 0..100 {
            breaker.failed(&format!("car-{number}"), second(1));
            if number % 9 == 8 {
                breaker.succeeded();
            }
        }
        assert_eq!(breaker.admit(second(1)), Admission::Pass);
    }

    #[test]
    fn a_probe_that_fails_doubles_the_wait_up_to_a_minute_and_one_that_vanishes_is_repeated() {
        let mut breaker = opened(second(0));
        let mut now = second(5);
        for wait in [10, 20, 40, 60, 60] {
            assert_eq!(breaker.admit(now), Admission::Probe);
            breaker.failed("car-1", now);
            assert_eq!(breaker.admit(now), Admission::Wait(second(wait)));
            now += second(wait);
        }
        assert_eq!(breaker.admit(now), Admission::Probe);
        assert_eq!(breaker.admit(now + second(60)), Admission::Probe);
    }
}
