//! The class of a change agrees with the sets of what is allowed, element by element.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::tally::Tally;

/// The moments of a small world, in minutes, and more uses than any of its limits.
const MOMENTS: i64 = 8;
const USES: i64 = 5;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_unix_seconds(minutes * 60).unwrap()
}

fn terms() -> impl Strategy<Value = Terms> {
    let few = [Entitlement::Unlock, Entitlement::Lock, Entitlement::ReadVin];
    let entitlements = proptest::sample::subsequence(few.to_vec(), 1..=3);
    let validity = (0..MOMENTS - 1, 1..MOMENTS);
    let uses_max = proptest::option::of(0..USES);
    (entitlements, validity, 0..3_i64, uses_max, any::<bool>()).prop_map(
        |(entitlements, times, grace, uses_max, require_device_key)| {
            let (from, length) = times;
            let validity = Validity::new(at(from), at((from + length).min(MOMENTS))).unwrap();
            let entitlements = entitlements.into_iter().collect();
            let grace = grace.try_into().unwrap();
            Terms { entitlements, validity, grace, uses_max, require_device_key }
        },
    )
}

/// The same with at most one part of another.
fn changed(before: &Terms, other: &Terms, part: usize) -> Terms {
    let mut after = before.clone();
    match part {
        0 => after.entitlements = other.entitlements.clone(),
        1 => after.validity = other.validity,
        2 => after.uses_max = other.uses_max,
        3 => after.grace = other.grace,
        4 => after.require_device_key = other.require_device_key,
        5 => return other.clone(),
        _ => {}
    }
    after
}

/// How something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum As {
    /// Whatever others do.
    Right,
    /// To lock, if nobody else has unlocked the car since.
    Courtesy,
}

/// Everything that is allowed: what, when, for which of the uses from now on, how, and whether with a phone's key.
fn everything(terms: &Terms, uses: i64, now: i64) -> BTreeSet<(Entitlement, i64, i64, As, bool)> {
    let mut allowed = BTreeSet::new();
    let things = Entitlement::ALL.iter().flat_map(|&one| [(one, true), (one, false)]);
    for (entitlement, by_phone) in things {
        if terms.require_device_key && !by_phone && entitlement != Entitlement::Lock {
            continue;
        }
        for moment in now..MOMENTS + 3 {
            for nth in 1..=2 * USES {
                let begun = terms.validity.not_before() <= at(moment);
                let is_left = entitlement != Entitlement::Unlock
                    || terms.uses_max.is_none_or(|most| uses + nth <= most);
                let may = terms.entitlements.contains(entitlement) && begun && is_left;
                if may && at(moment) < terms.validity.not_after() {
                    allowed.insert((entitlement, moment, nth, As::Right, by_phone));
                }
                let lock_until = terms.validity.not_after().plus(terms.grace.duration());
                if may && entitlement == Entitlement::Lock && at(moment) < lock_until {
                    allowed.insert((entitlement, moment, nth, As::Courtesy, by_phone));
                }
            }
        }
    }
    allowed
}

#[test]
fn the_class_of_a_change_is_that_of_the_sets_of_what_is_allowed() {
    let cases = (terms(), terms(), 0..7_usize, 0..USES, 0..MOMENTS);
    let tally = Tally::of(4096, cases, |(before, other, part, uses, now), tally| {
        let after = changed(&before, &other, part);
        let [old, new] = [&before, &after].map(|terms| everything(terms, uses, now));
        let expected = match (old.is_subset(&new), new.is_subset(&old)) {
            (true, true) => Effect::None,
            (true, false) => Effect::Widening,
            (false, true) => Effect::Narrowing,
            (false, false) => Effect::Mixed,
        };
        prop_assert_eq!(before.effect_of(&after, uses, at(now)), expected);
        tally.count(expected.to_string());
        if part < 5 {
            tally.count(format!("{expected} by part {part}"));
        }
        if before != after && expected == Effect::None {
            tally.count("another text that allows the same".to_owned());
        }
        Ok(())
    });
    tally.assert_each(100, Effect::ALL.iter().map(ToString::to_string));
    tally.assert_each(30, ["another text that allows the same".to_owned()]);
    let alone = ["narrowing", "widening"].into_iter();
    tally.assert_each(
        30,
        alone.flat_map(|effect| (0..5).map(move |n| format!("{effect} by part {n}"))),
    );
}

#[test]
fn what_narrows_and_what_widens() {
    for (effect, narrows, widens) in [
        (Effect::None, false, false),
        (Effect::Narrowing, true, false),
        (Effect::Widening, false, true),
        (Effect::Mixed, true, true),
    ] {
        assert_eq!((effect.narrows(), effect.widens()), (narrows, widens), "{effect}");
    }
}

/// An administrator must not turn a grace, which others can end, into time that is the guest's.
#[test]
fn a_grace_is_not_exchanged_for_validity_without_the_owner() {
    let lock = || [Entitlement::Lock].into_iter().collect();
    let of = |minutes, grace: i64| Terms {
        entitlements: lock(),
        validity: Validity::new(at(0), at(minutes)).unwrap(),
        grace: grace.try_into().unwrap(),
        uses_max: None,
        require_device_key: false,
    };
    assert_eq!(of(2, 3).effect_of(&of(5, 0), 0, at(1)), Effect::Widening);
    assert_eq!(of(5, 0).effect_of(&of(2, 3), 0, at(1)), Effect::Narrowing);
    assert_eq!(of(2, 3).effect_of(&of(4, 0), 0, at(1)), Effect::Mixed);
}
