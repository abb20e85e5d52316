//! The rows that decisions rest on, at each revision that the record tells of, and the facts that they come to.

use std::collections::{HashMap, HashSet};

use super::Disagreement;
use super::decision::{RecordedDecision, ReplayedEntry};
use crate::domain::connection::Permissions;
use crate::domain::grant::{Description, End, Grant, Validity};
use crate::domain::id::{EndId, GrantId, OrganizationId};
use crate::domain::kept::Kept;
use crate::domain::policy::{GrantFacts, VehicleFacts, VehicleRevisions};
use crate::domain::row_facts::{
    ConnectionRowFacts, EndFacts, FactsRow, GrantRowFacts, OrganizationRowFacts, RowFacts,
    UserRowFacts, VehicleRowFacts,
};
use crate::domain::scope_end::{PendingEnd, PendingEnds, Selection};

/// The facts of a decision.
pub(super) enum Rebuilt {
    /// These.
    Known(Box<VehicleFacts>, Option<Box<GrantFacts>>),
    /// Whether an end is about the grant the record does not say yet.
    Open,
}

/// What the record says of rows and of ends by scope.
#[derive(Debug, Default)]
pub(super) struct Rows {
    known: HashMap<(FactsRow, i64), RowFacts>,
    /// The grants that each end by scope has ended.
    ended: HashSet<(EndId, GrantId)>,
    /// The ends that are on the rows of all their grants.
    completed: HashSet<EndId>,
}

impl Rows {
    /// Notes what an entry says of a row.
    pub(super) fn learn(&mut self, facts: RowFacts) -> Result<(), Disagreement> {
        let (row, revision) = (facts.row(), facts.revision());
        match self.known.get(&(row, revision)) {
            Some(known) if *known != facts => Err(Disagreement::ToldOtherwise { row, revision }),
            Some(_) => Ok(()),
            None => {
                self.known.insert((row, revision), facts);
                Ok(())
            }
        }
    }

    /// Notes what an entry says of an end by scope.
    pub(super) fn learn_end(&mut self, entry: &ReplayedEntry<'_>) {
        match (entry.event, entry.end_id(), entry.grant_id) {
            ("grant.ended", Some(end_id), Some(grant_id)) => {
                self.ended.insert((end_id, grant_id));
            }
            ("end.completed", Some(end_id), _) => {
                self.completed.insert(end_id);
            }
            _ => {}
        }
    }

    /// The facts that a decision rested on.
    pub(super) fn facts(&self, decision: &RecordedDecision) -> Result<Rebuilt, Disagreement> {
        let rests_on = &decision.rests_on;
        let vehicle_id = decision.request.vehicle_id;
        let vehicle = self.vehicle(FactsRow::Vehicle(vehicle_id), rests_on.vehicle)?;
        let organization = self.organization(decision.organization_id, rests_on.organization)?;
        let grant = match (decision.grant_id, rests_on.grant, rests_on.grantee) {
            (Some(grant_id), Some(grant), Some(grantee)) => {
                let grant = self.grant(FactsRow::Grant(grant_id), grant)?;
                Some((grant, self.user(FactsRow::User(grant.grantee_id), grantee)?))
            }
            (None, ..) => None,
            _ => {
                let missing = "it does not say on which revisions of the grant it rests";
                return Err(Disagreement::Malformed(missing.to_owned()));
            }
        };
        if let Some((grant, grantee)) = grant {
            let mut ends = [&grantee.ends, &vehicle.ends, &organization.ends].into_iter();
            if ends.any(|ends| self.is_open(ends, grant.grant_id)) {
                return Ok(Rebuilt::Open);
            }
        }
        let facts = self.vehicle_facts(decision, vehicle, organization, grant)?;
        let grant = grant.map(|(grant, grantee)| self.grant_facts(decision, grant, grantee));
        Ok(Rebuilt::Known(Box::new(facts), grant.transpose()?.map(Box::new)))
    }

    fn vehicle_facts(
        &self,
        decision: &RecordedDecision,
        vehicle: &VehicleRowFacts,
        organization: &OrganizationRowFacts,
        grant: Option<(&GrantRowFacts, &UserRowFacts)>,
    ) -> Result<VehicleFacts, Disagreement> {
        let rests_on = &decision.rests_on;
        let owner = self.user(FactsRow::User(vehicle.owner_id), rests_on.owner)?;
        let connection = FactsRow::Connection(vehicle.connection_id);
        let connection = self.connection(connection, rests_on.connection)?;
        let ends = |ends| grant.map(|(grant, _)| self.pending(ends, grant.grant_id));
        Ok(VehicleFacts {
            vehicle_id: vehicle.vehicle_id,
            owner_id: vehicle.owner_id,
            owner_disabled: owner.disabled,
            owner_recovered: vehicle.owner_recoveries != owner.recoveries,
            last_unlocked_by: rests_on.last_unlocked_by,
            consents: vehicle.consents,
            holds: vehicle.holds.clone(),
            owner_holds: owner.holds.clone(),
            organization_holds: organization.holds.clone(),
            ends: ends(&vehicle.ends).unwrap_or_default(),
            organization_ends: ends(&organization.ends).unwrap_or_default(),
            removed: vehicle.removed,
            suspended: vehicle.suspended,
            connection_status: connection.status,
            permissions: Permissions::parse(&vehicle.permissions),
            revisions: VehicleRevisions {
                organization: organization.revision,
                owner: owner.revision,
                connection: connection.revision,
                vehicle: vehicle.revision,
            },
        })
    }

    fn grant_facts(
        &self,
        decision: &RecordedDecision,
        grant: &GrantRowFacts,
        grantee: &UserRowFacts,
    ) -> Result<GrantFacts, Disagreement> {
        let validity = Validity::new(grant.not_before, grant.not_after)
            .map_err(|error| Disagreement::Malformed(format!("not_after {error}")))?;
        let end = grant.ended_at.zip(grant.end_reason);
        let leave_lock = grant.leave_lock;
        Ok(GrantFacts {
            grant: Grant {
                grant_id: grant.grant_id,
                organization_id: decision.organization_id,
                vehicle_id: grant.vehicle_id,
                issuer_id: grant.issuer_id,
                grantee_id: grant.grantee_id,
                entitlements: grant.entitlements.clone(),
                validity,
                grace: grant.grace_minutes,
                uses_max: grant.max_uses,
                uses: decision.rests_on.uses.unwrap_or(0),
                end: end.map(|(ended_at, end_reason)| End { ended_at, end_reason, leave_lock }),
                revision: grant.revision,
                version: grant.revision,
                description: Description::default(),
                issued_at: grant.issued_at,
            },
            holds: grant.holds.clone(),
            grantee_holds: grantee.holds.clone(),
            grantee_ends: self.pending(&grantee.ends, grant.grant_id),
            grantee_disabled: grantee.disabled,
            grantee_recovered: grant.grantee_recoveries != grantee.recoveries,
            vehicle_consents: grant.vehicle_consents,
            grantee_revision: grantee.revision,
        })
    }

    /// Whether there is an end among these of which the record does not say yet whether it is about the grant.
    fn is_open(&self, ends: &Kept<EndFacts>, grant_id: GrantId) -> bool {
        ends.known().iter().any(|end| {
            let is_said = self.completed.contains(&end.end_id);
            end.by_reference && !is_said && !self.ended.contains(&(end.end_id, grant_id))
        })
    }

    /// The ends among these that are about the grant, as far as its reference goes.
    fn pending(&self, ends: &Kept<EndFacts>, grant_id: GrantId) -> PendingEnds {
        let is_meant =
            |end: &&EndFacts| !end.by_reference || self.ended.contains(&(end.end_id, grant_id));
        match ends {
            Kept::Nothing => Kept::Nothing,
            Kept::Unreadable => Kept::Unreadable,
            Kept::Known(ends) => {
                Kept::Known(ends.iter().filter(is_meant).map(pending_end).collect())
            }
        }
    }
}

fn pending_end(end: &EndFacts) -> PendingEnd {
    PendingEnd {
        end_id: end.end_id,
        selection: Selection { issued_before: end.issued_before, external_ref: None },
        ended_at: end.ended_at,
        end_reason: end.end_reason,
    }
}

impl Rows {
    fn at<'r, T>(
        &'r self,
        row: FactsRow,
        revision: i64,
        of: impl Fn(&'r RowFacts) -> Option<&'r T>,
    ) -> Result<&'r T, Disagreement> {
        let known = self.known.get(&(row, revision)).and_then(of);
        known.ok_or(Disagreement::Unrecorded { row, revision })
    }

    fn organization(
        &self,
        organization_id: OrganizationId,
        revision: i64,
    ) -> Result<&OrganizationRowFacts, Disagreement> {
        self.at(FactsRow::Organization(organization_id), revision, |facts| match facts {
            RowFacts::Organization(facts) => Some(facts),
            _ => None,
        })
    }

    fn user(&self, row: FactsRow, revision: i64) -> Result<&UserRowFacts, Disagreement> {
        self.at(row, revision, |facts| match facts {
            RowFacts::User(facts) => Some(facts),
            _ => None,
        })
    }

    fn connection(
        &self,
        row: FactsRow,
        revision: i64,
    ) -> Result<&ConnectionRowFacts, Disagreement> {
        self.at(row, revision, |facts| match facts {
            RowFacts::Connection(facts) => Some(facts),
            _ => None,
        })
    }

    fn vehicle(&self, row: FactsRow, revision: i64) -> Result<&VehicleRowFacts, Disagreement> {
        self.at(row, revision, |facts| match facts {
            RowFacts::Vehicle(facts) => Some(facts),
            _ => None,
        })
    }

    fn grant(&self, row: FactsRow, revision: i64) -> Result<&GrantRowFacts, Disagreement> {
        self.at(row, revision, |facts| match facts {
            RowFacts::Grant(facts) => Some(facts),
            _ => None,
        })
    }
}
