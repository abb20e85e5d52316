//! What decisions rest on: the one place where facts are read. A transaction that decides locks the rows
//! that they come from until it ends (P2).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::Error;
use crate::domain::id::{GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::policy::{self, Decision, Facts, GrantFacts, Request};
use crate::domain::row_facts::RestsOn;
use crate::domain::time::Timestamp;
use crate::storage::decisions::{self, Consequences, RowsToLock, VehicleRow};
use crate::storage::{Executor, Tx};

/// The car and the grant that a request names; without a grant it claims to be the owner's.
pub(super) type Named = (VehicleId, Option<GrantId>);

/// The facts of some cars and grants.
#[derive(Debug)]
pub(super) struct DecisionFacts {
    vehicles: HashMap<VehicleId, Arc<VehicleRow>>,
    grants: HashMap<GrantId, GrantFacts>,
    /// The uses that the decisions so far spend.
    spent: BTreeMap<GrantId, i64>,
    /// Who unlocks cars by the decisions so far, where it was not them who unlocked it last.
    unlocked_by: BTreeMap<VehicleId, UserId>,
}

/// The facts of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestFacts<'f> {
    pub(super) vehicle: &'f Arc<VehicleRow>,
    pub(super) grant: Option<&'f GrantFacts>,
}

impl RequestFacts<'_> {
    fn facts(&self) -> Facts<'_> {
        Facts { vehicle: &self.vehicle.facts, grant: self.grant }
    }

    /// The policy's answer.
    pub(super) fn decide(&self, request: &Request, now: Timestamp) -> Decision {
        policy::decide(self.facts(), request, now)
    }

    /// What the answer rests on, for the record.
    pub(super) fn rests_on(&self, request: &Request) -> Option<RestsOn> {
        RestsOn::of(self.facts(), request)
    }
}

impl DecisionFacts {
    /// Reads facts for an answer that has no effect.
    pub(super) async fn read(on: &mut impl Executor, named: &[Named]) -> Result<Self, Error> {
        let (vehicle_ids, grant_ids) = ids(named);
        let vehicles = decisions::vehicles(on, &vehicle_ids).await?;
        Ok(Self::of_rows(vehicles, decisions::grants(on, &grant_ids).await?))
    }

    /// Locks and reads the rows to decide on: nobody changes them before the transaction ends.
    pub(super) async fn lock(tx: &mut Tx, named: &[Named]) -> Result<Self, Error> {
        let locked = decisions::lock_rows(tx, rows_to_lock(named)).await?;
        Ok(Self::of_rows(locked.vehicles, locked.grants))
    }

    pub(super) fn of_rows(vehicles: Vec<VehicleRow>, grants: Vec<GrantFacts>) -> Self {
        let vehicles = vehicles.into_iter().map(|row| (row.facts.vehicle_id, Arc::new(row)));
        Self {
            vehicles: vehicles.collect(),
            grants: grants.into_iter().map(|facts| (facts.grant.grant_id, facts)).collect(),
            spent: BTreeMap::new(),
            unlocked_by: BTreeMap::new(),
        }
    }

    /// The facts of a request. A car or grant of another organization is not there (P10).
    pub(super) fn of(
        &self,
        organization_id: OrganizationId,
        (vehicle_id, grant_id): Named,
    ) -> Option<RequestFacts<'_>> {
        let vehicle = self.vehicles.get(&vehicle_id)?;
        let grant = match grant_id {
            Some(grant_id) => Some(self.grants.get(&grant_id)?),
            None => None,
        };
        let is_own = vehicle.organization_id == organization_id
            && grant.is_none_or(|facts| facts.grant.organization_id == organization_id);
        is_own.then_some(RequestFacts { vehicle, grant })
    }

    /// Remembers the use that an allowed request spends, so that the next one sees it.
    pub(super) fn spend(&mut self, grant_id: GrantId) {
        if let Some(facts) = self.grants.get_mut(&grant_id) {
            facts.grant.uses += 1;
            *self.spent.entry(grant_id).or_insert(0) += 1;
        }
    }

    /// Remembers who unlocks a car, so that the next request sees it.
    pub(super) fn note_unlock(&mut self, vehicle_id: VehicleId, user_id: UserId) {
        let Some(row) = self.vehicles.get_mut(&vehicle_id) else { return };
        if row.facts.last_unlocked_by != Some(user_id) {
            Arc::make_mut(row).facts.last_unlocked_by = Some(user_id);
            self.unlocked_by.insert(vehicle_id, user_id);
        }
    }

    /// What the decisions change.
    pub(super) fn into_consequences(self) -> Consequences {
        let (uses, unlocked_by) = (self.spent, self.unlocked_by);
        Consequences {
            uses: uses.into_iter().collect(),
            unlocked_by: unlocked_by.into_iter().collect(),
        }
    }
}

/// The rows of cars and grants that a decision on these rests on.
pub(super) fn rows_to_lock<'a>(named: &[Named]) -> RowsToLock<'a> {
    let (vehicle_ids, grant_ids) = ids(named);
    RowsToLock { vehicle_ids, grant_ids, ..RowsToLock::default() }
}

/// Each car and each grant once, in one order for all transactions.
fn ids(named: &[Named]) -> (Vec<VehicleId>, Vec<GrantId>) {
    let vehicle_ids: BTreeSet<VehicleId> =
        named.iter().map(|(vehicle_id, _)| *vehicle_id).collect();
    let grant_ids: BTreeSet<GrantId> = named.iter().filter_map(|(_, grant_id)| *grant_id).collect();
    (vehicle_ids.into_iter().collect(), grant_ids.into_iter().collect())
}
