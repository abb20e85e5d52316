//! When the policy allows a request: told for a period at once, and moment by moment.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::breaks::{MOMENT, any_break};
use super::world::{World, allowed};
use crate::domain::allowed_times::{Period, allowed_times};
use crate::domain::policy::{Decision, Facts, decide};
use crate::domain::time::Timestamp;
use crate::tally::Tally;

/// So many moments around a time are asked about one by one.
const AROUND: u32 = 4;

/// The times around which the answer of a world may change.
fn interesting(world: &World) -> BTreeSet<Timestamp> {
    let grant = &world.claimed.grant;
    let ends = [grant.validity.not_before(), grant.validity.not_after(), world.now];
    ends.into_iter().chain(grant.lock_until()).collect()
}

fn moments_around(time: Timestamp) -> impl Iterator<Item = Timestamp> {
    let first = time.minus(MOMENT * AROUND);
    (0..2 * AROUND).map(move |number| first.plus(MOMENT * number))
}

#[test]
fn the_times_of_a_period_are_those_at_which_the_policy_allows() {
    let worlds = (allowed(), prop::collection::vec(any_break(), 0..=2));
    let tally = Tally::of(512, worlds, |(world, broken), tally| {
        let world = broken.into_iter().fold(world, World::broken);
        let grant = world.claims_grant.then_some(&world.claimed);
        let facts = Facts { vehicle: &world.vehicle, grant };
        let is_allowed = |at| matches!(decide(facts, &world.request, at), Decision::Allow(_));
        let centers = interesting(&world);
        let (first, last) = (*centers.first().unwrap(), *centers.last().unwrap());
        let hour = Duration::from_secs(3600);
        let all = Period { from: first.minus(hour), until: last.plus(hour) };
        let around = |&at: &Timestamp| Period {
            from: at.minus(MOMENT * AROUND),
            until: at.plus(MOMENT * AROUND),
        };
        for within in centers.iter().map(around).chain([all]) {
            let times = allowed_times(facts, &world.request, within);
            prop_assert!(times.iter().all(|time| time.from < time.until));
            prop_assert!(times.windows(2).all(|pair| pair[0].until < pair[1].from));
            tally.count(format!("{} times", times.len()));
            for at in centers.iter().flat_map(|&center| moments_around(center)) {
                let is_within = (within.from..within.until).contains(&at);
                let is_told = times.iter().any(|time| (time.from..time.until).contains(&at));
                prop_assert_eq!(is_told, is_within && is_allowed(at));
                tally.count_if(is_within, if is_told { "allowed" } else { "denied" });
            }
        }
        Ok(())
    });
    tally.assert_each(500, ["0 times", "1 times", "allowed", "denied"]);
}
