//! What can stand in the way of a request that is allowed.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::*;
use crate::domain::hold::Rank;

/// The shortest time that there is.
pub(super) const MOMENT: Duration = Duration::from_micros(1);

/// What a hold is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldThing {
    Grant,
    Grantee,
    Car,
    Owner,
    Organization,
}

/// How long a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasts {
    UntilLifted,
    OneMoreMoment,
    UntilNow,
}

/// A hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) over: HeldThing,
    pub(super) rank: Rank,
    pub(super) allow_lock: bool,
    pub(super) lasts: Lasts,
}

impl Held {
    fn all() -> Vec<Self> {
        use HeldThing::{Car, Grant, Grantee, Organization, Owner};
        let mut all = Vec::new();
        for over in [Grant, Grantee, Car, Owner, Organization] {
            for &rank in Rank::ALL {
                for allow_lock in [false, true] {
                    for lasts in [Lasts::UntilLifted, Lasts::OneMoreMoment, Lasts::UntilNow] {
                        all.push(Self { over, rank, allow_lock, lasts });
                    }
                }
            }
        }
        all
    }
}

/// One thing that stands in the way of an allowed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    SomebodyElse,
    GrantForAnotherCar,
    FactsOfAnotherCar,
    TooEarly(Duration),
    TooLate(Duration),
    Ended(EndReason),
    EndedWithLockLeft,
    EndedByScope(HeldThing),
    UnlockedBySomebodyElse,
    NotEntitled,
    UsedUp { beyond: i64 },
    NoPhone,
    GranteeDisabled,
    GranteeRecovered,
    ConsentReturned,
    OwnerDisabled,
    OwnerRecovered,
    Removed,
    NotConnected(ConnectionStatus),
    Suspended,
    NotPermitted,
    Held(Held),
}

/// Each of them, on the near side of its boundary, and every hold.
pub(super) fn breaks() -> Vec<Break> {
    facts().into_iter().chain(Held::all().into_iter().map(Break::Held)).collect()
}

/// Each of them but holds.
fn facts() -> Vec<Break> {
    let ends = EndReason::ALL.iter().map(|&end_reason| Break::Ended(end_reason));
    let inactive = ConnectionStatus::ALL.iter().filter(|s| **s != ConnectionStatus::Active);
    let single = [
        Break::SomebodyElse,
        Break::GrantForAnotherCar,
        Break::FactsOfAnotherCar,
        Break::TooEarly(MOMENT),
        Break::TooLate(Duration::ZERO),
        Break::EndedWithLockLeft,
        Break::EndedByScope(HeldThing::Grantee),
        Break::EndedByScope(HeldThing::Car),
        Break::EndedByScope(HeldThing::Organization),
        Break::UnlockedBySomebodyElse,
        Break::NotEntitled,
        Break::UsedUp { beyond: 0 },
        Break::NoPhone,
        Break::GranteeDisabled,
        Break::GranteeRecovered,
        Break::ConsentReturned,
        Break::OwnerDisabled,
        Break::OwnerRecovered,
        Break::Removed,
        Break::Suspended,
        Break::NotPermitted,
    ];
    let inactive = inactive.map(|&status| Break::NotConnected(status));
    single.into_iter().chain(ends).chain(inactive).collect()
}

/// Each as likely as the others, and the boundaries as likely as what is beyond them.
pub(super) fn any_break() -> impl Strategy<Value = Break> {
    let any = prop_oneof![7 => select(facts()), 1 => select(Held::all()).prop_map(Break::Held)];
    (any, 0_u64..4, 0_i64..2).prop_map(|(broken, further, beyond)| match broken {
        Break::TooEarly(_) => Break::TooEarly(MOMENT.max(Duration::from_secs(further / 2 * 60))),
        Break::TooLate(_) => Break::TooLate(Duration::from_secs(further * 60)),
        Break::UsedUp { .. } => Break::UsedUp { beyond },
        other => other,
    })
}
