//! Times on the wire, and how they are moved.

use proptest::prelude::*;

use super::*;
use crate::tally::Tally;

const SECOND: i64 = 1_000_000;
const LAST: i64 = Timestamp::MAX.0;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(micros).unwrap()
}

/// All times, whole seconds and the neighbours of the ends and of the epoch among them.
fn times() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => Timestamp::MIN.0..=LAST,
        2 => (Timestamp::MIN.0..=LAST).prop_map(|micros| micros / SECOND * SECOND),
        1 => Timestamp::MIN.0..Timestamp::MIN.0 + 5,
        1 => LAST - 5..=LAST,
        1 => -5..5_i64,
    ]
}

#[test]
fn every_time_survives_the_wire() {
    let tally = Tally::of(512, times(), |micros, tally| {
        let time = at(micros);
        let text = time.to_string();
        prop_assert_eq!(text.parse::<Timestamp>(), Ok(time));
        let json = serde_json::to_string(&time).unwrap();
        prop_assert_eq!(json.as_str(), format!("\"{text}\""));
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
        let seconds = time.as_unix_seconds();
        prop_assert!((0..SECOND).contains(&(micros - seconds * SECOND)));
        tally.count(if text.contains('.') { "a fraction" } else { "whole seconds" });
        tally.count(if micros < 0 { "before the epoch" } else { "after the epoch" });
        Ok(())
    });
    tally.assert_each(60, ["a fraction", "whole seconds", "before the epoch", "after the epoch"]);
}

#[test]
fn times_move_exactly_and_never_leave_the_calendar() {
    // Few of all durations stay within the calendar, so most of these are shorter.
    let cases = (times(), any::<u64>(), 0_u32..64);
    let tally = Tally::of(2048, cases, |(micros, long, shift), tally| {
        let (time, by) = (at(micros), Duration::from_micros(long >> shift));
        let moved = i128::from(long >> shift);
        for (result, exact, end) in [
            (time.plus(by), i128::from(micros) + moved, Timestamp::MAX),
            (time.minus(by), i128::from(micros) - moved, Timestamp::MIN),
        ] {
            let within = (i128::from(Timestamp::MIN.0)..=i128::from(LAST)).contains(&exact);
            let expected = if within { exact } else { i128::from(end.0) };
            prop_assert_eq!(i128::from(result.as_unix_micros()), expected);
            tally.count(if within { "within" } else { "beyond" });
        }
        let later = time.plus(by);
        if later.as_unix_micros() > micros {
            let passed = u64::try_from(later.as_unix_micros() - micros).unwrap();
            prop_assert_eq!(later.since(time), Duration::from_micros(passed));
            prop_assert_eq!(time.since(later), Duration::ZERO);
            tally.count("later");
        }
        prop_assert_eq!(time.since(time), Duration::ZERO);
        Ok(())
    });
    tally.assert_each(500, ["within", "beyond", "later"]);
}

#[test]
fn the_calendar_is_from_the_year_1_to_9999() {
    assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00Z");
    assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00Z");
    assert_eq!(Timestamp::from_unix_micros(Timestamp::MIN.0 - 1), None);
    assert_eq!(Timestamp::from_unix_micros(LAST + 1), None);
    assert_eq!("9999-12-30T22:00:00.000001Z".parse::<Timestamp>(), Err(InvalidTime));
    assert_eq!(Timestamp::from_unix_seconds(-1).map(Timestamp::as_unix_seconds), Some(-1));
    assert_eq!(Timestamp::from_unix_seconds(7).map(Timestamp::as_unix_micros), Some(7 * SECOND));
    assert_eq!(Timestamp::from_unix_seconds(i64::MAX), None);
    assert_eq!(at(0).plus(Duration::MAX), Timestamp::MAX);
    assert_eq!(at(0).minus(Duration::MAX), Timestamp::MIN);
}

#[test]
fn a_time_without_a_zone_is_refused() {
    assert_eq!("2026-07-01T12:00:00".parse::<Timestamp>(), Err(InvalidTime));
    assert!("2026-07-01T12:00:00+02:00".parse::<Timestamp>().is_ok());
}

#[test]
fn long_texts_are_no_times() {
    let longest = "2026-07-01T12:00:00.000000000+00:00[UTC]";
    assert_eq!(longest.len(), TEXT_LENGTH_MAX);
    assert_eq!(longest.parse::<Timestamp>(), "2026-07-01T12:00:00Z".parse());
    assert_eq!(format!(" {longest}").parse::<Timestamp>(), Err(InvalidTime));
    let annotated = "2026-07-01T12:00:00.000000000+00:00[+00:00]";
    assert!(annotated.parse::<jiff::Timestamp>().is_ok());
    assert_eq!(annotated.parse::<Timestamp>(), Err(InvalidTime));
}
