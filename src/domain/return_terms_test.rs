//! Each criterion against each thing that a car can say about it, and how old that may be.

use proptest::prelude::*;

use super::*;
use crate::domain::reading::{Battery, Charge, ChargeState, Fuel, LockStatus, Odometer};
use crate::tally::Tally;

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).unwrap()
}

fn reading(observation: Observation) -> Reading {
    Reading { observation, reported_at: Some(now()), fetched_at: now() }
}

fn judged(terms: &ReturnTerms, observation: Observation) -> Vec<Met> {
    let judged = terms.judge(&[reading(observation)], None, now());
    judged.into_iter().map(|judged| judged.met).collect()
}

fn opening(status: &str) -> Opening {
    Opening { place: "frontLeft".to_owned(), status: status.to_owned() }
}

fn lock(is_locked: bool, doors: &[&str], storage: &[&str]) -> Observation {
    let openings = |words: &[&str]| words.iter().map(|word| opening(word)).collect();
    let (doors, storage) = (openings(doors), openings(storage));
    Observation::LockStatus(LockStatus { is_locked, doors, storage, ..LockStatus::default() })
}

#[test]
fn nothing_is_asked_unless_it_is_said() {
    assert!(ReturnTerms::default().criteria().is_empty());
    assert!(ReturnTerms::default().judge(&[], None, now()).is_empty());
    let terms: ReturnTerms = serde_json::from_str(r#"{"plugged_in":true,"locked":true}"#).unwrap();
    assert_eq!(terms.criteria(), [Criterion::Locked, Criterion::PluggedIn]);
    assert_eq!(serde_json::to_string(&terms).unwrap(), r#"{"locked":true,"plugged_in":true}"#);
    assert!(serde_json::from_str::<ReturnTerms>(r#"{"washed":true}"#).is_err());
}

#[test]
fn doors_are_judged_by_what_the_car_says_of_them() {
    let terms = ReturnTerms { locked: true, closed: true, parked: true, ..ReturnTerms::default() };
    use Met::{No, Unknown, Yes};
    for (seen, expected) in [
        (lock(true, &["closed", "closed"], &["closed"]), [Yes, Yes, Unknown]),
        (lock(false, &["closed", "open"], &["closed"]), [No, No, Unknown]),
        (lock(true, &["closed"], &["open"]), [Yes, No, Unknown]),
        (lock(true, &["closed", "unknown"], &[]), [Yes, Unknown, Unknown]),
        // One open door tells, whatever is not known of others.
        (lock(true, &["unknown", "open"], &[]), [Yes, No, Unknown]),
        (lock(true, &[], &[]), [Yes, Unknown, Unknown]),
        (Observation::Odometer(Odometer { distance_km: 1.0 }), [Unknown; 3]),
    ] {
        assert_eq!(judged(&terms, seen.clone()), expected, "{seen:?}");
    }
}

#[test]
fn levels_and_the_cable_are_judged_and_may_be_unknown() {
    let fuel = |level| Observation::Fuel(Fuel { amount_l: None, level, range_km: None });
    let battery = |level| Observation::Battery(Battery { level, range_km: None });
    let charge = |is_plugged_in| {
        Observation::Charge(Charge { is_plugged_in, state: ChargeState::NotCharging })
    };
    for (level, met) in [(Some(0.5), Met::Yes), (Some(0.49), Met::No), (None, Met::Unknown)] {
        let terms = ReturnTerms { fuel_min: Some(0.5), ..ReturnTerms::default() };
        assert_eq!(judged(&terms, fuel(level)), [met]);
        let terms = ReturnTerms { charge_min: Some(0.5), ..ReturnTerms::default() };
        assert_eq!(judged(&terms, battery(level)), [met]);
    }
    let terms = ReturnTerms { plugged_in: true, ..ReturnTerms::default() };
    for (plugged, met) in [(Some(true), Met::Yes), (Some(false), Met::No), (None, Met::Unknown)] {
        assert_eq!(judged(&terms, charge(plugged)), [met]);
    }
}

#[test]
fn what_is_old_tells_nothing() {
    let terms = ReturnTerms { locked: true, ..ReturnTerms::default() };
    let moment = Duration::from_micros(1);
    let seen_at = |at: Timestamp, doors_moved_at| {
        let seen = Reading { reported_at: Some(at), ..reading(lock(true, &[], &[])) };
        let judged = terms.judge(&[seen], doors_moved_at, now());
        assert_eq!(judged[0].observed_at, Some(at));
        judged[0].met
    };
    let oldest = now().minus(FRESH_WITHIN);
    assert_eq!(seen_at(oldest, None), Met::Yes);
    assert_eq!(seen_at(oldest.minus(moment), None), Met::Unknown);
    assert_eq!(seen_at(now(), Some(now())), Met::Yes);
    assert_eq!(seen_at(now().minus(moment), Some(now())), Met::Unknown);
    // A maker that does not say when is taken at the time of asking.
    let seen = Reading { reported_at: None, ..reading(lock(true, &[], &[])) };
    assert_eq!(terms.judge(&[seen], None, now())[0].met, Met::Yes);
}

#[test]
fn a_place_is_a_circle_on_the_earth() {
    let coordinates = |latitude, longitude| Coordinates::new(latitude, longitude).unwrap();
    let near = |place: ReturnPlace, there| {
        let terms = ReturnTerms { place: Some(place), ..ReturnTerms::default() };
        judged(&terms, Observation::Location(there))[0]
    };
    let pole = ReturnPlace { latitude: 90.0, longitude: 0.0, radius_m: 1 };
    assert_eq!(near(pole, coordinates(90.0, 170.0)), Met::Yes);
    let date_line = ReturnPlace { latitude: 0.0, longitude: 180.0, radius_m: 1 };
    assert_eq!(near(date_line, coordinates(0.0, -180.0)), Met::Yes);
    // A minute of latitude is a nautical mile, 1,852 m or so.
    let minute = coordinates(48.0 + 1.0 / 60.0, 11.0);
    let place = |radius_m| ReturnPlace { latitude: 48.0, longitude: 11.0, radius_m };
    assert_eq!((near(place(1_850), minute), near(place(1_860), minute)), (Met::No, Met::Yes));
    let place = (-90.0..=90.0, -180.0..=180.0, -0.01..=0.01, -0.01..=0.01, 1_u32..2_000);
    let tally = Tally::of(512, place, |(latitude, longitude, north, east, radius_m), tally| {
        let place = ReturnPlace { latitude, longitude, radius_m };
        let there = Coordinates::new(
            f64::clamp(latitude + north, -90.0, 90.0),
            f64::clamp(longitude + east, -180.0, 180.0),
        );
        // On a plane, which the earth nearly is over a kilometer: at most 1 in 1,000 apart, away from the poles.
        let meters = |degrees: f64| degrees.to_radians() * EARTH_RADIUS_M;
        let there = there.unwrap();
        let up = meters(there.latitude() - latitude);
        let across = meters(there.longitude() - longitude) * latitude.to_radians().cos();
        let distance = place.distance_m(there);
        if latitude.abs() < 80.0 {
            let error = (distance - up.hypot(across)).abs();
            prop_assert!(error <= 0.002 * distance + 0.01, "{distance} m");
        }
        let met = near(place, there);
        prop_assert_eq!(met == Met::Yes, distance <= f64::from(radius_m));
        tally.count(met);
        Ok(())
    });
    tally.assert_each(50, [Met::Yes, Met::No]);
}
