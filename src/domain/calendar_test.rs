//! The calendar against one that is counted out minute by minute.

use proptest::prelude::*;

use super::*;
use crate::tally::Tally;

/// So many minutes are counted out.
const HORIZON: i64 = 40;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000 + 60 * minute).unwrap()
}

fn validity(begins: i64, lasts: i64) -> Validity {
    Validity::new(at(begins), at(begins + lasts)).unwrap()
}

fn minutes(count: i64) -> Duration {
    Duration::from_secs(60 * count.unsigned_abs())
}

/// Whether no minute of one, nor of the buffer after it, is one of the other's, and the other way round.
fn are_apart(one: (i64, i64), other: (i64, i64), buffer: i64) -> bool {
    let taken = |(begins, lasts): (i64, i64)| begins..begins + lasts + buffer;
    let held = |(begins, lasts): (i64, i64)| begins..begins + lasts;
    !taken(one).any(|minute| held(other).contains(&minute))
        && !taken(other).any(|minute| held(one).contains(&minute))
}

fn times() -> impl Strategy<Value = (i64, i64)> {
    (0..HORIZON - 8, 1_i64..8)
}

/// Three of four calendars are those of an exclusive car: nothing in them overlaps.
fn calendars() -> impl Strategy<Value = (i64, Vec<(i64, i64)>)> {
    let any = (0_i64..5, prop::collection::vec(times(), 0..6), prop::bool::weighted(0.75));
    any.prop_map(|(buffer, all, is_exclusive)| {
        let mut lent: Vec<(i64, i64)> = Vec::new();
        for next in all {
            if !is_exclusive || lent.iter().all(|&one| are_apart(one, next, buffer)) {
                lent.push(next);
            }
        }
        (buffer, lent)
    })
}

fn calendar(buffer: i64, lent: &[(i64, i64)]) -> Calendar {
    let lent = lent.iter().map(|&(begins, lasts)| validity(begins, lasts)).collect();
    Calendar::new(Buffer::try_from(buffer).unwrap(), lent)
}

#[test]
fn a_car_is_free_when_no_minute_is_lent_twice() {
    let tally = Tally::of(2000, (calendars(), times()), |((buffer, lent), wanted), tally| {
        let calendar = calendar(buffer, &lent);
        let is_free = lent.iter().all(|&one| are_apart(one, wanted, buffer));
        prop_assert_eq!(calendar.is_free(validity(wanted.0, wanted.1)), is_free);
        let pairs = lent.iter().enumerate();
        let mut pairs =
            pairs.flat_map(|(place, &one)| lent[..place].iter().map(move |&other| (one, other)));
        let overlaps = pairs.any(|(one, other)| !are_apart(one, other, buffer));
        prop_assert_eq!(calendar.overlaps(), overlaps);
        tally.count_if(is_free && lent.len() > 1, "free between others");
        tally.count_if(!is_free, "taken");
        tally.count_if(overlaps, "overlapping already");
        let touches = lent.iter().any(|one| one.0 + one.1 + buffer == wanted.0);
        tally.count_if(is_free && touches, "right after the buffer");
        Ok(())
    });
    tally.assert_each(
        20,
        ["free between others", "taken", "overlapping already", "right after the buffer"],
    );
}

#[test]
fn free_windows_are_free_and_all_that_is_free_is_in_one() {
    let any = (calendars(), 0..HORIZON, 1_i64..6, 0..HORIZON);
    let tally = Tally::of(2000, any, |((buffer, lent), since, takes, begins), tally| {
        let calendar = calendar(buffer, &lent);
        let windows = calendar.free_windows(minutes(takes), at(since), usize::MAX);
        for window in &windows {
            prop_assert!(window.not_before >= at(since));
            let last = window.not_after.unwrap_or(at(2 * HORIZON));
            let whole = Validity::new(window.not_before, last).unwrap();
            prop_assert!(calendar.is_free(whole), "{window:?}");
            prop_assert!(window.not_before.plus(minutes(takes)) <= last);
        }
        let wanted = validity(begins, takes);
        let is_in_one = windows.iter().any(|window| {
            window.not_before <= wanted.not_before()
                && window.not_after.is_none_or(|last| wanted.not_after() <= last)
        });
        prop_assert_eq!(is_in_one, begins >= since && calendar.is_free(wanted));
        tally.count_if(is_in_one && windows.len() > 1, "in one of several");
        tally.count_if(!is_in_one && begins >= since, "in none");
        prop_assert_eq!(calendar.free_windows(minutes(takes), at(since), 1), &windows[..1]);
        Ok(())
    });
    tally.assert_each(20, ["in one of several", "in none"]);
}

#[test]
fn a_buffer_is_at_most_a_day() {
    assert_eq!(Buffer::try_from(1440).map(Buffer::duration), Ok(Duration::from_secs(86_400)));
    assert_eq!(Buffer::try_from(0).map(Buffer::minutes), Ok(0));
    for wrong in [-1, 1441, i64::MAX, i64::MIN] {
        assert_eq!(Buffer::try_from(wrong), Err(crate::domain::minutes::InvalidMinutes));
    }
}
