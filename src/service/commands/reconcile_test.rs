//! What a check of a car means for its newest command, and when to check again.

use super::*;
use crate::domain::reading::{LockStatus, Observation};

/// Seconds after the command was decided on.
fn at(seconds: i64) -> Timestamp {
    let decided = Command::example(CommandStatus::Unknown).created_at;
    Timestamp::from_unix_seconds(decided.as_unix_seconds() + seconds).unwrap()
}

/// An unlock that was checked so often, this time included.
fn unlock(status: CommandStatus, checks: i64) -> ToCheck {
    ToCheck { command: Command::example(status), checks }
}

/// What the car is seen as, and how long after the command it was so, if that is known.
fn seen(is_locked: bool, age: Option<i64>) -> Option<Reading> {
    let observation = Observation::LockStatus(LockStatus { is_locked, ..LockStatus::default() });
    Some(Reading { observation, reported_at: age.map(at), fetched_at: at(3) })
}

const OPEN: bool = false;
const LOCKED: bool = true;

#[test]
fn a_state_settles_what_it_is_not_older_than() {
    use CommandStatus::{Acknowledged, Confirmed, Contradicted, Unknown};
    for (status, is_locked, age, expected) in [
        (Acknowledged, OPEN, Some(1), Some(Confirmed)),
        (Unknown, OPEN, Some(1), Some(Confirmed)),
        (Unknown, OPEN, Some(0), Some(Confirmed)),
        (Unknown, LOCKED, Some(20), Some(Contradicted)),
        // The car may still be obeying.
        (Unknown, LOCKED, Some(19), None),
        // The car may not have moved yet: only silence ends an acknowledged command otherwise.
        (Acknowledged, LOCKED, Some(1), None),
        // From before the command.
        (Unknown, OPEN, Some(-1), None),
        (Unknown, LOCKED, Some(-1), None),
        // Of unknown age, it convinces when it agrees.
        (Unknown, OPEN, None, Some(Confirmed)),
        (Unknown, LOCKED, None, None),
    ] {
        let outcome = judge(&unlock(status, 1), true, seen(is_locked, age).as_ref(), at(3));
        let becomes = outcome.as_ref().map(|outcome| outcome.command.status);
        assert_eq!(becomes, expected, "{status}, locked: {is_locked}, of {age:?}");
        if let Some(Outcome { from, command, check_at }) = outcome {
            assert_eq!((from, check_at), (status, None));
            assert_eq!(command.evidence, Evidence::StateObserved);
            assert_eq!(command.observed_at, Some(age.map_or(at(3), at)));
            assert_eq!(command.changed_at, at(3));
        }
    }
}

#[test]
fn the_last_check_settles_whatever_it_sees() {
    use CommandStatus::{Acknowledged, Contradicted, Unconfirmed, Unknown, Unresolved};
    for (status, state, expected, causes) in [
        (Unknown, seen(LOCKED, None), Contradicted, vec![]),
        (Unknown, seen(LOCKED, Some(19)), Unresolved, vec![Cause::Unseen(Unseen::NotInTime)]),
        (Unknown, seen(OPEN, Some(-1)), Unresolved, vec![Cause::Unseen(Unseen::NotInTime)]),
        (Unknown, None, Unresolved, vec![Cause::Unseen(Unseen::NotInTime)]),
        (Acknowledged, None, Unconfirmed, vec![Cause::Unseen(Unseen::NotInTime)]),
    ] {
        let outcome = judge(&unlock(status, 4), true, state.as_ref(), at(50)).unwrap();
        assert_eq!((outcome.command.status, outcome.command.causes), (expected, causes));
    }
}

#[test]
fn what_the_owner_does_not_show_is_settled_without_a_check() {
    let outcome = judge(&unlock(CommandStatus::Unknown, 1), false, None, at(3)).unwrap();
    assert_eq!(outcome.command.status, CommandStatus::Unresolved);
    assert_eq!(outcome.command.causes, [Cause::Unseen(Unseen::NotObservable)]);
}

#[test]
fn the_last_check_is_the_fourth_or_the_second_after_fifty_seconds() {
    for (checks, seconds, expected) in [
        (1, 3, false),
        (3, 49, false),
        (4, 3, true),
        // After an outage the first check is late, and finds everything unprepared.
        (1, 50, false),
        (1, 300, false),
        (2, 49, false),
        (2, 50, true),
    ] {
        let check = unlock(CommandStatus::Unknown, checks);
        assert_eq!(is_last(&check, at(seconds)), expected, "check {checks} after {seconds} s");
    }
}

#[test]
fn checks_grow_rarer_and_none_before_the_last_waits_beyond_it() {
    for (checks, seconds, next) in [
        (1, 2, 7),
        (2, 7, 22),
        (3, 22, 50),
        (2, 40, 50),
        // The time for the last check has come, or is over: another one follows all the same.
        (1, 50, 55),
        (1, 60, 65),
        (9, 60, 90),
    ] {
        let check = unlock(CommandStatus::Unknown, checks);
        assert_eq!(next_check(&check, at(seconds)), at(next), "check {checks} after {seconds} s");
    }
}
