//! The policy against a naive model. Each world begins as one in which the request is allowed, and
//! then at most two things in it are broken: so every condition is met alone, and beside others.

#[path = "policy_test/breaks.rs"]
mod breaks;
#[path = "policy_test/times.rs"]
mod times;
#[path = "policy_test/world.rs"]
mod world;

use std::collections::BTreeSet;

use proptest::prelude::*;

use self::breaks::{Break, any_break, breaks};
use self::world::{GRANT, World, allowed, id};
use super::*;
use crate::tally::Tally;

/// What a break is told as, if it is the only one.
fn reason_for(broken: Break) -> Reason {
    match broken {
        Break::SomebodyElse => Reason::NotTheGrantee,
        Break::GrantForAnotherCar | Break::FactsOfAnotherCar => Reason::VehicleMismatch,
        Break::TooEarly(_) => Reason::GrantNotYetValid,
        Break::TooLate(_) | Break::Ended(EndReason::Expired) => Reason::GrantExpired,
        Break::Ended(EndReason::Revoked) | Break::EndedWithLockLeft | Break::EndedByScope(_) => {
            Reason::GrantRevoked
        }
        // Alone it stands in nobody's way.
        Break::UnlockedBySomebodyElse => Reason::NotFound,
        Break::Ended(EndReason::Relinquished) => Reason::GrantRelinquished,
        Break::Ended(EndReason::VehicleRemoved) | Break::Removed => Reason::VehicleRemoved,
        Break::Ended(EndReason::ConsentLost) | Break::NotConnected(_) => Reason::ConsentLost,
        Break::NotEntitled => Reason::EntitlementMissing,
        Break::UsedUp { .. } => Reason::GrantExhausted,
        Break::NoPhone => Reason::DeviceKeyRequired,
        Break::GranteeDisabled | Break::OwnerDisabled => Reason::AccountDisabled,
        Break::GranteeRecovered | Break::OwnerRecovered => Reason::AccountRecovered,
        Break::ConsentReturned => Reason::ConsentReturned,
        Break::Suspended => Reason::VehicleSuspended,
        Break::NotPermitted => Reason::PermissionMissing,
        Break::Held(_) => Reason::GrantHeld,
    }
}

/// Whether it stands in the way of the owner too.
fn concerns_the_owner(broken: Break) -> bool {
    use Break::{FactsOfAnotherCar, NotConnected, NotPermitted, OwnerDisabled, OwnerRecovered};
    let of_the_car = [FactsOfAnotherCar, OwnerDisabled, Break::Removed, Break::Suspended];
    let of_the_owner = [NotPermitted, OwnerRecovered, Break::SomebodyElse];
    of_the_car.contains(&broken)
        || of_the_owner.contains(&broken)
        || matches!(broken, NotConnected(_) | Break::Held(_))
}

#[test]
fn whatever_is_broken_alone_decides_alone() {
    let tally = Tally::of(64, allowed(), |world, tally| {
        tally.count(world.claims_grant);
        for broken in breaks() {
            let answer = world.clone().broken(broken).decide();
            let expected = match (world.claims_grant, broken) {
                (false, Break::SomebodyElse) => Decision::Deny(vec![Reason::NotFound]),
                (_, Break::Held(_)) if !world.clone().broken(broken).is_held() => {
                    tally.count("not held");
                    world.basis()
                }
                (true, Break::NoPhone) if world.request.entitlement == Entitlement::Lock => {
                    tally.count("locked without the phone");
                    world.basis()
                }
                (true, Break::ConsentReturned)
                    if world.request.entitlement == Entitlement::Lock =>
                {
                    tally.count("locked while it waits");
                    world.basis()
                }
                (false, _) if !concerns_the_owner(broken) => Decision::Allow(Basis::Ownership),
                (true, Break::UnlockedBySomebodyElse) => Decision::Allow(Basis::Grant(id(GRANT))),
                (true, Break::TooLate(_) | Break::EndedWithLockLeft)
                    if world.clone().broken(broken).locks_still() =>
                {
                    tally.count("locked after the end");
                    Decision::Allow(Basis::Grant(id(GRANT)))
                }
                // A key that was lent before goes on opening the car.
                (true, Break::OwnerRecovered) => Decision::Allow(Basis::Grant(id(GRANT))),
                _ => Decision::Deny(vec![reason_for(broken)]),
            };
            prop_assert_eq!(answer, expected, "{:?}", broken);
        }
        Ok(())
    });
    tally.assert_each(5, ["true", "false", "locked after the end"]);
    tally.assert_each(5, ["not held", "locked while it waits", "locked without the phone"]);
}

#[test]
fn a_request_is_allowed_exactly_if_every_condition_holds_and_the_others_are_named_once() {
    let worlds = (allowed(), prop::collection::vec(any_break(), 0..=2));
    let tally = Tally::of(12_288, worlds, |(world, broken), tally| {
        let world = broken.into_iter().fold(world, World::broken);
        let expected = world.reasons_of_the_model();
        match world.decide() {
            Decision::Allow(Basis::Grant(grant_id)) => {
                prop_assert_eq!((world.claims_grant, grant_id), (true, id(GRANT)));
                prop_assert_eq!(expected, BTreeSet::new());
                tally.count("allowed by a grant");
            }
            Decision::Allow(Basis::Ownership) => {
                prop_assert_eq!(world.claims_grant, false);
                prop_assert_eq!(expected, BTreeSet::new());
                tally.count("allowed to the owner");
            }
            Decision::Deny(reasons) => {
                let distinct: BTreeSet<Reason> = reasons.iter().copied().collect();
                prop_assert!(!reasons.is_empty());
                prop_assert_eq!(reasons.len(), distinct.len());
                prop_assert_eq!(&distinct, &expected);
                tally.count(format_args!("{} reasons", reasons.len()));
                reasons.iter().for_each(|reason| tally.count(reason));
            }
        }
        if world.claims_grant {
            world.count_boundaries(tally);
        }
        Ok(())
    });
    tally.assert_each(600, ["allowed by a grant", "1 reasons"]);
    tally.assert_each(400, ["allowed to the owner", "2 reasons"]);
    tally.assert_each(20, Reason::ALL);
    tally.assert_each(800, ["the first moment", "the last moment"]);
    tally.assert_each(150, ["the last use", "no use left and none spent"]);
    tally.assert_each(20, ["the moment before the first", "the moment after the last"]);
    tally.assert_each(20, ["no use left", "locked after the end"]);
    tally.assert_each(3, ["the end of a grace"]);
}
