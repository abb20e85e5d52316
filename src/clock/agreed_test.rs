//! A clock that is set moves nothing, is noticed, and is trusted again when it should be.

use super::*;
use crate::clock::ManualClock;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn noon() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

/// A clock that agrees at noon.
fn agreed() -> (Arc<ManualClock>, AgreedClock) {
    let manual = Arc::new(ManualClock::at(noon()));
    let clock = AgreedClock::new(manual.clone());
    assert_eq!(clock.dispute(), Some(Dispute::NotCompared));
    assert_eq!(clock.compare(clock.reading(), Reference::Nothing), None);
    (manual, clock)
}

fn ask(clock: &AgreedClock, reference: Reference) -> Option<Dispute> {
    clock.compare(clock.reading(), reference)
}

#[test]
fn a_jump_is_noticed_without_asking_and_does_not_move_the_time() {
    let days = 400 * 24 * HOUR;
    for (jump, is_noticed) in [(SECOND, false), (3 * SECOND, true), (HOUR, true), (days, true)] {
        for set in [noon().plus(jump), noon().minus(jump)] {
            let (manual, clock) = agreed();
            manual.set_wall(set);
            assert_eq!(clock.dispute().is_some(), is_noticed, "{set}");
            assert_eq!(clock.now(), noon());
            assert_eq!(ask(&clock, Reference::Nothing).is_some(), is_noticed, "{set}");
            manual.advance(SECOND);
            let moved = distance(clock.now(), noon().plus(SECOND));
            assert!(moved <= SECOND / 10, "{set} moved the time by {moved:?}");
        }
    }
}

#[test]
fn a_clock_that_is_put_right_is_trusted_again() {
    let (manual, clock) = agreed();
    manual.set_wall(noon().plus(HOUR));
    assert!(ask(&clock, Reference::Nothing).is_some());
    manual.set_wall(noon());
    assert_eq!(ask(&clock, Reference::Nothing), None);
    assert_eq!(clock.dispute(), None);
}

#[test]
fn a_clock_that_others_contradict_is_not_trusted() {
    let (_, clock) = agreed();
    assert_eq!(ask(&clock, Reference::Clock(noon().plus(2 * SECOND))), None);
    assert_eq!(ask(&clock, Reference::Clock(noon().minus(2 * SECOND))), None);
    let apart = Some(Dispute::OtherClock(3 * SECOND));
    assert_eq!(ask(&clock, Reference::Clock(noon().plus(3 * SECOND))), apart);
    assert_eq!(ask(&clock, Reference::Clock(noon().minus(3 * SECOND))), apart);
    assert_eq!(ask(&clock, Reference::Past(noon().minus(HOUR))), None);
    let behind = Some(Dispute::Behind(HOUR));
    assert_eq!(ask(&clock, Reference::Past(noon().plus(HOUR))), behind);
    assert_eq!(clock.dispute(), behind);
}

#[test]
fn a_clock_that_is_wrong_from_the_start_is_trusted_once_it_is_right() {
    let manual = Arc::new(ManualClock::at(noon().minus(HOUR)));
    let clock = AgreedClock::new(manual.clone());
    assert!(ask(&clock, Reference::Clock(noon())).is_some());
    assert!(!clock.was_agreed());
    manual.set_wall(noon());
    assert_eq!(ask(&clock, Reference::Clock(noon())), None);
    assert_eq!(clock.now(), noon());
}

#[test]
fn slow_changes_are_followed_and_quick_ones_catch_up() {
    let (manual, clock) = agreed();
    manual.set_wall(noon().plus(SECOND));
    for _ in 0..20 {
        manual.advance(SECOND);
        assert_eq!(ask(&clock, Reference::Nothing), None);
    }
    assert_eq!(clock.now(), noon().plus(21 * SECOND));
    // Step by step, faster than any time service: the time does not go along.
    for step in 1..=20 {
        manual.advance(SECOND);
        manual.set_wall(noon().plus(21 * SECOND + step * 2 * SECOND));
        ask(&clock, Reference::Nothing);
    }
    assert!(clock.dispute().is_some());
}

#[test]
fn only_another_clock_vouches_for_a_jump_and_only_after_a_while() {
    let (manual, clock) = agreed();
    manual.set_wall(noon().plus(HOUR));
    let mut passed = Duration::ZERO;
    while passed < VOUCHED_FOR {
        assert!(ask(&clock, Reference::Clock(noon().plus(HOUR + passed))).is_some());
        assert!(clock.now() < noon().plus(HOUR));
        manual.advance(SECOND);
        passed += SECOND;
    }
    assert_eq!(ask(&clock, Reference::Clock(noon().plus(HOUR + passed))), None);
    assert_eq!(clock.now(), noon().plus(HOUR + passed));
}

#[test]
fn a_clock_that_takes_long_proves_nothing() {
    let (manual, clock) = agreed();
    let before = clock.reading();
    manual.advance(2 * SECOND);
    assert_eq!(clock.compare(before, Reference::Clock(noon().plus(HOUR))), None);
}

/// A clock whose reader is kept from running for a while, so many times, each time it looks at the wall clock.
struct Hindered {
    manual: ManualClock,
    times_left: Mutex<usize>,
}

impl Clock for Hindered {
    fn now(&self) -> Timestamp {
        let mut times_left = self.times_left.lock().unwrap();
        if *times_left > 0 {
            *times_left -= 1;
            self.manual.advance(Duration::from_millis(30));
        }
        self.manual.now()
    }

    fn monotonic(&self) -> Duration {
        self.manual.monotonic()
    }
}

#[test]
fn who_stands_still_between_two_clocks_reads_them_again() {
    for times in 0..READINGS_MAX {
        let hindered = Hindered { manual: ManualClock::at(noon()), times_left: Mutex::new(times) };
        let clock = AgreedClock::new(Arc::new(hindered));
        let reading = clock.reading();
        assert_eq!(reading.zero(), noon().as_unix_micros(), "{times}");
    }
    // Who never gets through is off by half of the time it took.
    let hindered = Hindered { manual: ManualClock::at(noon()), times_left: Mutex::new(100) };
    let off = AgreedClock::new(Arc::new(hindered)).reading().zero() - noon().as_unix_micros();
    assert_eq!(off, 15_000);
}
