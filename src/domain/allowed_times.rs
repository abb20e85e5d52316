//! When something is allowed: the policy's answer over a period instead of at one time. Pure.

use std::collections::BTreeSet;

use crate::domain::hold::StandingHolds;
use crate::domain::policy::{Decision, Facts, Request, decide};
use crate::domain::time::Timestamp;

/// A half-open time `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment in it.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// When within a period [`decide`] allows a request, if the facts stay as they are; in order, and never two that touch.
#[must_use]
pub fn allowed_times(facts: Facts<'_>, request: &Request, within: Period) -> Vec<Period> {
    let turns = turning_points(facts);
    let mut turns = turns.range(within.from..within.until).copied().peekable();
    let (mut allowed, mut from) = (Vec::<Period>::new(), within.from);
    while from < within.until {
        let next = turns.find(|&turn| turn > from).unwrap_or(within.until);
        if matches!(decide(facts, request, from), Decision::Allow(_)) {
            match allowed.last_mut() {
                Some(last) if last.until == from => last.until = next,
                _ => allowed.push(Period { from, until: next }),
            }
        }
        from = next;
    }
    allowed
}

/// Every time at which the answer can change.
fn turning_points(facts: Facts<'_>) -> BTreeSet<Timestamp> {
    let vehicle = facts.vehicle;
    let mut holds = vec![&vehicle.holds, &vehicle.owner_holds, &vehicle.organization_holds];
    let mut turns = BTreeSet::new();
    if let Some(claimed) = facts.grant {
        holds.extend([&claimed.holds, &claimed.grantee_holds]);
        let grant = claimed.with_ends_of_scopes(vehicle);
        turns.extend([grant.validity.not_before(), grant.validity.not_after()]);
        turns.extend(grant.lock_until());
    }
    turns.extend(holds.into_iter().flat_map(StandingHolds::known).filter_map(|hold| hold.until));
    turns
}
