//! What decisions themselves change about the facts: each use of a grant is spent once, and who unlocked a car last.

use std::collections::HashMap;
use std::time::Duration;

use super::Disagreement;
use super::decision::RecordedDecision;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::row_facts::LastUnlock;
use crate::domain::time::Timestamp;

/// The clocks of two instances may differ by so much: each by two seconds from the server's. Entries of one car closer
/// together than that may stand in another order than they happened.
const CLOCKS_MAY_DIFFER: Duration = Duration::from_secs(4);

/// What all decisions of a record came to.
#[derive(Debug, Default)]
pub(super) struct Consequences {
    /// The position at which each use of a grant was spent first, by how many had been spent before.
    spent: HashMap<GrantId, HashMap<i64, u64>>,
    /// Who was authorized to unlock a car, in order of time.
    unlocks: HashMap<VehicleId, Vec<(Timestamp, UserId)>>,
}

impl Consequences {
    pub(super) fn of(decisions: &[(u64, RecordedDecision)]) -> Self {
        let mut all = Self::default();
        for (position, decision) in decisions {
            if let Some((grant_id, uses)) = decision.uses().filter(|_| decision.spends().is_some())
            {
                all.spent.entry(grant_id).or_default().entry(uses).or_insert(*position);
            }
            if decision.unlocks() {
                let unlock = (decision.at, decision.request.user_id);
                all.unlocks.entry(decision.request.vehicle_id).or_default().push(unlock);
            }
        }
        for unlocks in all.unlocks.values_mut() {
            unlocks.sort_by_key(|&(at, _)| at);
        }
        all
    }

    /// Whether what a decision says of them agrees with all decisions.
    pub(super) fn check(
        &self,
        position: u64,
        decision: &RecordedDecision,
    ) -> Result<(), Disagreement> {
        if let Some((grant_id, counted)) = decision.uses() {
            let spent = self.spent.get(&grant_id);
            let first = spent.and_then(|spent| spent.get(&counted));
            if decision.spends().is_some() && first != Some(&position) {
                let number = counted.saturating_add(1);
                return Err(Disagreement::SpentTwice { grant_id, number });
            }
            let spent = spent.map_or(0, HashMap::len);
            let spent = i64::try_from(spent).unwrap_or(i64::MAX);
            if counted > spent - i64::from(decision.spends().is_some()) {
                return Err(Disagreement::Miscounted { grant_id, counted, spent });
            }
        }
        if self.may_have_unlocked_last(decision) {
            return Ok(());
        }
        let told = decision.last_unlock().map_or("nothing", LastUnlock::as_str);
        Err(Disagreement::UnlockedByOthers(told))
    }

    /// Whether what a decision says of the last who unlocked the car can have been so.
    fn may_have_unlocked_last(&self, decision: &RecordedDecision) -> bool {
        let Some(told) = decision.last_unlock() else { return !decision.must_tell_last_unlock() };
        let none = Vec::new();
        let unlocks = self.unlocks.get(&decision.request.vehicle_id).unwrap_or(&none);
        let until = decision.at.plus(CLOCKS_MAY_DIFFER);
        let surely_before = decision.at.minus(CLOCKS_MAY_DIFFER);
        let before = unlocks.partition_point(|(at, _)| *at < surely_before);
        let last = before.checked_sub(1).and_then(|place| unlocks.get(place));
        let since = last.map_or(Timestamp::MIN, |(at, _)| at.minus(CLOCKS_MAY_DIFFER));
        let first = unlocks.partition_point(|(at, _)| *at < since);
        let end = unlocks.partition_point(|(at, _)| *at <= until);
        let mut candidates = unlocks.get(first..end).unwrap_or_default().iter();
        let guest = decision.request.user_id;
        match told {
            LastUnlock::Nobody => last.is_none(),
            LastUnlock::Grantee => candidates.any(|&(_, user_id)| user_id == guest),
            LastUnlock::Other => candidates.any(|&(_, user_id)| user_id != guest),
        }
    }
}
