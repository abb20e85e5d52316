//! The rows that decisions rest on, at each revision that the record tells of, and the facts that they come to.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Disagreement;
use super::decision::{RecordedDecision, ReplayedEntry};
use super::succession::{Cause, follows};
use crate::domain::connection::Permissions;
use crate::domain::grant::{Description, End, Grant, Validity};
use crate::domain::id::{EndId, GrantId, OrganizationId, UserId};
use crate::domain::kept::Kept;
use crate::domain::policy::{GrantFacts, Reason, VehicleFacts, VehicleRevisions};
use crate::domain::row_facts::{
    ConnectionRowFacts, EndFacts, FactsRow, GrantRowFacts, LastUnlock, OrganizationRowFacts,
    RestsOn, RowFacts, UserRowFacts, VehicleRowFacts,
};
use crate::domain::scope_end::{PendingEnd, PendingEnds, Selection};

/// The facts of a decision: those of the car, and of the grant if it rests on one.
pub(super) type Rebuilt = (VehicleFacts, Option<GrantFacts>);

/// What is told of a row at one revision, and by what that came about.
#[derive(Debug)]
struct Told {
    facts: RowFacts,
    causes: Vec<Cause>,
}

/// What the record says of rows and of ends by scope.
#[derive(Debug, Default)]
pub(super) struct Rows {
    known: HashMap<FactsRow, BTreeMap<i64, Told>>,
    /// The grants that each end by scope has ended.
    ended: HashSet<(EndId, GrantId)>,
}

impl Rows {
    /// Notes what an entry says of a row.
    pub(super) fn learn(&mut self, facts: RowFacts, cause: Cause) -> Result<(), Disagreement> {
        let (row, revision) = (facts.row(), facts.revision());
        let of_row = self.known.entry(row).or_default();
        let told = of_row.entry(revision);
        let told = told.or_insert_with(|| Told { facts: facts.clone(), causes: Vec::new() });
        if told.facts != facts {
            return Err(Disagreement::ToldOtherwise { row, revision });
        }
        told.causes.push(cause);
        Ok(())
    }

    /// Whether each row became what it is by what happened. Gives the position of each entry that tells of a silent change.
    pub(super) fn silent_changes(&self) -> impl Iterator<Item = (u64, Disagreement)> {
        let pairs =
            self.known.values().flat_map(|of_row| of_row.values().zip(of_row.values().skip(1)));
        pairs.filter_map(|(before, after)| {
            let silent = follows(&before.facts, &after.facts, &after.causes).err()?;
            let position = after.causes.iter().map(|cause| cause.position).min()?;
            Some((position, silent))
        })
    }

    /// Whether the record says that the right that a decision is about belongs to somebody else.
    pub(super) fn is_of_another(&self, decision: &RecordedDecision) -> bool {
        let user_id = decision.request.user_id;
        let row = match decision.grant_id {
            Some(grant_id) => FactsRow::Grant(grant_id),
            None => FactsRow::Vehicle(decision.request.vehicle_id),
        };
        let known = self.known.get(&row).into_iter().flat_map(BTreeMap::values);
        known.into_iter().any(|told| match &told.facts {
            RowFacts::Grant(grant) => grant.grantee_id != user_id,
            RowFacts::Vehicle(vehicle) => vehicle.owner_id != user_id,
            _ => false,
        })
    }

    /// Notes what an entry says of an end by scope.
    pub(super) fn learn_end(&mut self, entry: &ReplayedEntry<'_>) {
        let named = entry.end_id().zip(entry.grant_id);
        self.ended.extend(named.filter(|_| entry.event == "grant.ended"));
    }

    /// The facts that a decision rested on.
    pub(super) fn facts(
        &self,
        decision: &RecordedDecision,
        rests_on: &RestsOn,
    ) -> Result<Rebuilt, Disagreement> {
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
        let facts = self.vehicle_facts((decision, rests_on), vehicle, organization, grant)?;
        let grant =
            grant.map(|(grant, grantee)| self.grant_facts((decision, rests_on), grant, grantee));
        Ok((facts, grant.transpose()?))
    }

    fn vehicle_facts(
        &self,
        (decision, rests_on): (&RecordedDecision, &RestsOn),
        vehicle: &VehicleRowFacts,
        organization: &OrganizationRowFacts,
        grant: Option<(&GrantRowFacts, &UserRowFacts)>,
    ) -> Result<VehicleFacts, Disagreement> {
        let owner = self.user(FactsRow::User(vehicle.owner_id), rests_on.owner)?;
        let connection = FactsRow::Connection(vehicle.connection_id);
        let connection = self.connection(connection, rests_on.connection)?;
        let ends = |ends| grant.map(|(grant, _)| self.pending(ends, grant.grant_id));
        Ok(VehicleFacts {
            vehicle_id: vehicle.vehicle_id,
            owner_id: vehicle.owner_id,
            owner_disabled: owner.disabled,
            owner_recovered: vehicle.owner_recoveries != owner.recoveries,
            last_unlocked_by: last_unlocked_by(decision, rests_on),
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
        (decision, rests_on): (&RecordedDecision, &RestsOn),
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
                require_device_key: grant.require_device_key,
                uses: rests_on.uses.unwrap_or(0),
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

    /// Whether a grant may have been refused for an end by a reference of which the record does not say whether it is about the
    /// grant: it is not complete, or something else was on the grant's own row first.
    pub(super) fn may_rest_on_end(
        &self,
        decision: &RecordedDecision,
        rests_on: &RestsOn,
    ) -> Result<bool, Disagreement> {
        let revoked = Reason::GrantRevoked.as_str();
        let is_revoked = decision.refused.iter().flatten().any(|reason| reason == revoked);
        let (Some(grant_id), true) = (decision.grant_id, is_revoked) else { return Ok(false) };
        let (vehicle, grant) = self.facts(decision, rests_on)?;
        let vehicle_row = FactsRow::Vehicle(vehicle.vehicle_id);
        let mut rows = vec![
            (vehicle_row, vehicle.revisions.vehicle),
            (FactsRow::Organization(decision.organization_id), vehicle.revisions.organization),
        ];
        rows.extend(
            grant.map(|grant| (FactsRow::User(grant.grant.grantee_id), grant.grantee_revision)),
        );
        let told = rows.into_iter().filter_map(|(row, revision)| {
            self.known.get(&row).and_then(|of_row| of_row.get(&revision))
        });
        let mut ends = told.flat_map(|told| told.facts.ends().known());
        Ok(ends.any(|end| end.by_reference && !self.ended.contains(&(end.end_id, grant_id))))
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

/// Somebody who stands for the last who unlocked the car: all that the policy asks is whether it was the guest.
fn last_unlocked_by(decision: &RecordedDecision, rests_on: &RestsOn) -> Option<UserId> {
    match rests_on.last_unlock? {
        LastUnlock::Nobody => None,
        LastUnlock::Grantee => Some(decision.request.user_id),
        LastUnlock::Other => Some(UserId::from_uuid(uuid::Uuid::nil())),
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
        let told = self.known.get(&row).and_then(|of_row| of_row.get(&revision));
        let known = told.and_then(|told| of(&told.facts));
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
