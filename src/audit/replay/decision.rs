//! What is read of an entry: the facts that it tells, and the decision that it records.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::entitlement::Entitlement;
use crate::domain::id::{EndId, GrantId, HoldId, OrganizationId, UserId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::policy::Request;
use crate::domain::row_facts::{LastUnlock, RestsOn, RowFacts};
use crate::domain::time::Timestamp;

/// What is read of an entry.
#[derive(Deserialize)]
pub(super) struct ReplayedEntry<'e> {
    pub(super) event: &'e str,
    organization_id: OrganizationId,
    pub(super) occurred_at: Timestamp,
    vehicle_id: Option<VehicleId>,
    pub(super) grant_id: Option<GrantId>,
    user_id: Option<UserId>,
    details: Value,
}

/// A decision as the record has it.
#[derive(Debug, Clone)]
pub(super) struct RecordedDecision {
    pub(super) organization_id: OrganizationId,
    pub(super) at: Timestamp,
    pub(super) request: Request,
    pub(super) grant_id: Option<GrantId>,
    /// `None` if the right is somebody else's.
    pub(super) rests_on: Option<RestsOn>,
    /// Why it was refused, if it was.
    pub(super) refused: Option<Vec<String>>,
}

/// The details of a decision.
#[derive(Deserialize)]
struct DecisionDetails {
    /// What a command was to do.
    action: Option<Action>,
    /// What somebody wanted to read.
    entitlement: Option<Entitlement>,
    reasons: Option<Vec<String>>,
    #[serde(deserialize_with = "said")]
    rests_on: Option<RestsOn>,
}

/// What must be said, also that it is `null`.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RestsOn>, D::Error> {
    Option::deserialize(deserializer)
}

impl ReplayedEntry<'_> {
    /// What it says of a row from then on.
    pub(super) fn facts(&self) -> Result<Option<RowFacts>, serde_json::Error> {
        self.details.get("facts").map(RowFacts::deserialize).transpose()
    }

    /// The end by scope that it is about.
    pub(super) fn end_id(&self) -> Option<EndId> {
        self.details.get("end_id")?.as_str()?.parse().ok()
    }

    /// The hold that it is about.
    pub(super) fn hold_id(&self) -> Option<HoldId> {
        self.details.get("hold_id")?.as_str()?.parse().ok()
    }

    /// The decision that it records.
    pub(super) fn decision(&self) -> Result<Option<RecordedDecision>, serde_json::Error> {
        let is_refused = match self.event {
            "command.authorized" | "vehicle.read" => false,
            "command.refused" | "vehicle.read_refused" => true,
            _ => return Ok(None),
        };
        let missing = <serde_json::Error as serde::de::Error>::custom;
        let details = DecisionDetails::deserialize(&self.details)?;
        if is_refused != details.reasons.is_some() {
            return Err(missing("reasons stand with a refusal, and with nothing else"));
        }
        let asked = details.action.map(Action::entitlement).or(details.entitlement);
        let request = Request {
            user_id: self.user_id.ok_or_else(|| missing("user_id is missing"))?,
            vehicle_id: self.vehicle_id.ok_or_else(|| missing("vehicle_id is missing"))?,
            entitlement: asked.ok_or_else(|| missing("action and entitlement are missing"))?,
            spends_use: details.action.is_some_and(Action::spends_use),
            device_key: details.rests_on.and_then(|rests_on| rests_on.device_key),
        };
        Ok(Some(RecordedDecision {
            organization_id: self.organization_id,
            at: self.occurred_at,
            request,
            grant_id: self.grant_id,
            rests_on: details.rests_on,
            refused: details.reasons,
        }))
    }
}

impl RecordedDecision {
    /// The grant whose use it spends, if it does.
    pub(super) fn spends(&self) -> Option<GrantId> {
        self.grant_id.filter(|_| self.refused.is_none() && self.request.spends_use)
    }

    /// How many uses of its grant it says were spent before.
    pub(super) fn uses(&self) -> Option<(GrantId, i64)> {
        self.grant_id.zip(self.rests_on.and_then(|rests_on| rests_on.uses))
    }

    /// Who unlocked the car last, as it says.
    pub(super) fn last_unlock(&self) -> Option<LastUnlock> {
        self.rests_on?.last_unlock
    }

    /// Whether it must say so.
    pub(super) fn must_tell_last_unlock(&self) -> bool {
        let locks = self.request.entitlement == Entitlement::Lock;
        self.grant_id.is_some() && self.rests_on.is_some() && locks
    }

    /// Whether it let somebody unlock the car.
    pub(super) fn unlocks(&self) -> bool {
        self.refused.is_none() && self.request.entitlement == Entitlement::Unlock
    }
}
