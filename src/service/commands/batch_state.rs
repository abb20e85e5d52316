//! What the requests of a batch are decided on: the facts as the transaction reads them, what the
//! requests before have changed about them, and the compare-and-set that makes them still true when
//! the decisions become durable.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::request::Pending;
use crate::domain::command::Command;
use crate::domain::id::{GrantId, OrganizationId, VehicleId};
use crate::domain::policy::{Basis, GrantFacts};
use crate::service::Error;
use crate::storage::Tx;
use crate::storage::decisions::{self, KeyedCommand, VehicleRow};

/// Who sent a request, and under which key.
type Key = (uuid::Uuid, String);

/// What a batch is decided on.
pub(super) struct BatchState {
    vehicles: HashMap<VehicleId, Arc<VehicleRow>>,
    grants: HashMap<GrantId, GrantFacts>,
    replays: HashMap<Key, ([u8; 32], Command)>,
    /// The revision each claimed grant was decided on, and the uses it spends.
    claimed_grants: HashMap<GrantId, (i64, i64)>,
    claimed_vehicles: HashMap<VehicleId, i64>,
}

impl BatchState {
    /// Reads what these requests are about.
    pub(super) async fn read(tx: &mut Tx, batch: &[Pending]) -> Result<Self, Error> {
        let requests = || batch.iter().map(|pending| &pending.request);
        let keys: Vec<(uuid::Uuid, &str)> = requests()
            .map(|request| (request.caller.principal_id(), request.idempotency_key.as_str()))
            .collect();
        let grant_ids: HashSet<GrantId> =
            requests().filter_map(|request| request.grant_id).collect();
        let vehicle_ids: HashSet<VehicleId> =
            requests().map(|request| request.vehicle_id).collect();
        let replays = decisions::replays(tx, &keys).await?;
        let grant_ids: Vec<GrantId> = grant_ids.into_iter().collect();
        let grants = decisions::grants(tx, &grant_ids).await?;
        let vehicle_ids: Vec<VehicleId> = vehicle_ids.into_iter().collect();
        let vehicles = decisions::vehicles(tx, &vehicle_ids).await?;
        let replayed = |keyed: KeyedCommand| {
            let key = (keyed.principal_id, keyed.idempotency_key);
            (key, (keyed.request_hash, keyed.command))
        };
        Ok(Self {
            vehicles: vehicles
                .into_iter()
                .map(|row| (row.facts.vehicle_id, Arc::new(row)))
                .collect(),
            grants: grants.into_iter().map(|facts| (facts.grant.grant_id, facts)).collect(),
            replays: replays.into_iter().map(replayed).collect(),
            claimed_grants: HashMap::new(),
            claimed_vehicles: HashMap::new(),
        })
    }

    /// The command that was decided on before under this key, and the hash of its request.
    pub(super) fn replay(&self, key: &Key) -> Option<&([u8; 32], Command)> {
        self.replays.get(key)
    }

    /// Remembers what was decided under a key, for the same request in the rest of the batch.
    pub(super) fn note_decided(&mut self, key: Key, request_hash: [u8; 32], command: Command) {
        self.replays.insert(key, (request_hash, command));
    }

    /// The car, if the tenant has it.
    pub(super) fn vehicle(
        &self,
        tenant: OrganizationId,
        vehicle_id: VehicleId,
    ) -> Option<&Arc<VehicleRow>> {
        self.vehicles.get(&vehicle_id).filter(|row| row.organization_id == tenant)
    }

    /// The grant, if the tenant has it.
    pub(super) fn grant(&self, tenant: OrganizationId, grant_id: GrantId) -> Option<&GrantFacts> {
        self.grants.get(&grant_id).filter(|facts| facts.grant.organization_id == tenant)
    }

    /// Remembers what an allowed request rests on, so that the next one in the batch sees its use.
    pub(super) fn note_claim(&mut self, basis: Basis, vehicle_id: VehicleId, spends_use: bool) {
        match basis {
            Basis::Ownership => {
                if let Some(row) = self.vehicles.get(&vehicle_id) {
                    self.claimed_vehicles.insert(vehicle_id, row.revision);
                }
            }
            Basis::Grant(grant_id) => {
                if let Some(facts) = self.grants.get_mut(&grant_id) {
                    let revision = facts.grant.revision;
                    let claim = self.claimed_grants.entry(grant_id).or_insert((revision, 0));
                    if spends_use {
                        claim.1 += 1;
                        facts.grant.uses += 1;
                    }
                }
            }
        }
    }

    /// Claims what the allowed requests rest on; what somebody else changed first is not claimed.
    pub(super) async fn claim(self, tx: &mut Tx) -> Result<Claimed, Error> {
        let mut grants: Vec<(GrantId, i64, i64)> = self
            .claimed_grants
            .into_iter()
            .map(|(grant_id, (revision, uses))| (grant_id, revision, uses))
            .collect();
        // One order for all instances keeps their row locks from crossing.
        grants.sort_unstable();
        let mut vehicles: Vec<(VehicleId, i64)> = self.claimed_vehicles.into_iter().collect();
        vehicles.sort_unstable();
        Ok(Claimed {
            grants: decisions::claim_grants(tx, &grants).await?.into_iter().collect(),
            vehicles: decisions::claim_vehicles(tx, &vehicles).await?.into_iter().collect(),
        })
    }
}

/// What nobody else can change before the transaction ends.
pub(super) struct Claimed {
    grants: HashSet<GrantId>,
    vehicles: HashSet<VehicleId>,
}

impl Claimed {
    /// Whether the command rests on something claimed.
    pub(super) fn covers(&self, command: &Command) -> bool {
        match command.grant_id {
            Some(grant_id) => self.grants.contains(&grant_id),
            None => self.vehicles.contains(&command.vehicle_id),
        }
    }
}
