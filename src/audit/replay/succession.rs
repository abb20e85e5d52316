//! What each event may change of a row: the facts that one entry tells follow from those of the revision before, and from what
//! the entry says happened. So a silent change does not become good with the next honest one.

use serde_json::{Map, Value, json};

use super::Disagreement;
use super::decision::ReplayedEntry;
use crate::domain::hold::StandingHolds;
use crate::domain::id::{EndId, HoldId};
use crate::domain::kept::Kept;
use crate::domain::row_facts::{EndFacts, RowFacts};
use crate::domain::time::Timestamp;

/// What an entry that tells of a row says happened.
#[derive(Debug)]
pub(super) struct Cause {
    pub(super) position: u64,
    event: String,
    at: Timestamp,
    hold_id: Option<HoldId>,
    end_id: Option<EndId>,
}

impl Cause {
    pub(super) fn of(position: u64, entry: &ReplayedEntry<'_>) -> Self {
        Self {
            position,
            event: entry.event.to_owned(),
            at: entry.occurred_at,
            hold_id: entry.hold_id(),
            end_id: entry.end_id(),
        }
    }

    /// The members of the facts that such an event changes.
    fn changes(&self) -> &'static [&'static str] {
        match self.event.as_str() {
            "hold.placed" | "hold.lifted" => &["holds"],
            "end.begun" | "end.completed" => &["ends"],
            "user.disabled" | "user.enabled" => &["disabled"],
            "claim.redeemed" => &["recoveries"],
            "vehicle.connected" => &[
                "connection_id",
                "removed",
                "suspended",
                "permissions",
                "owner_recoveries",
                "consents",
            ],
            "vehicle.permissions_changed" => &["permissions", "consents"],
            "vehicle.suspended" | "vehicle.resumed" => &["suspended"],
            "vehicle.removed" => &["removed", "suspended"],
            "grant.amended" => &[
                "entitlements",
                "not_before",
                "not_after",
                "grace_minutes",
                "max_uses",
                "require_device_key",
            ],
            "grant.revoked" | "grant.relinquished" | "grant.ended" => {
                &["ended_at", "end_reason", "leave_lock"]
            }
            "grant.confirmed" => &["grantee_recoveries", "vehicle_consents"],
            event if event.starts_with("connection.") => &["status"],
            _ => &[],
        }
    }
}

/// Whether these facts can follow those before, by what happened in between.
pub(super) fn follows(
    before: &RowFacts,
    after: &RowFacts,
    causes: &[Cause],
) -> Result<(), Disagreement> {
    let allowed: Vec<&str> = causes.iter().flat_map(Cause::changes).copied().collect();
    let (was, is) = (members(before), members(after));
    let names = was.keys().chain(is.keys());
    let mut changed = names.filter(|name| was.get(*name) != is.get(*name));
    let silent = changed.find(|name| *name != "revision" && !allowed.contains(&name.as_str()));
    let silent = silent.cloned().or_else(|| {
        let holds = holds_follow(before.holds(), after.holds(), causes);
        let ends = ends_follow(before.ends(), after.ends(), causes);
        (!holds).then_some("holds").or((!ends).then_some("ends")).map(str::to_owned)
    });
    match silent {
        None => Ok(()),
        Some(member) => {
            let (row, revision) = (after.row(), after.revision());
            Err(Disagreement::ChangedSilently { row, revision, member })
        }
    }
}

fn members(facts: &RowFacts) -> Map<String, Value> {
    match json!(facts) {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Holds come and go by name; those that ran out may be dropped.
fn holds_follow(before: &StandingHolds, after: &StandingHolds, causes: &[Cause]) -> bool {
    let is_named = |hold_id| causes.iter().any(|cause| cause.hold_id == Some(hold_id));
    let ran_out = |until: Option<Timestamp>| {
        until.is_some_and(|until| causes.iter().any(|cause| until <= cause.at))
    };
    let (was, is) = (before.known(), after.known());
    let added = is.iter().filter(|hold| !was.contains(hold));
    let gone = was.iter().filter(|hold| !is.contains(hold));
    added.into_iter().all(|hold| is_named(hold.hold_id))
        && gone.into_iter().all(|hold| is_named(hold.hold_id) || ran_out(hold.until))
}

/// Ends come and go by name.
fn ends_follow(before: &Kept<EndFacts>, after: &Kept<EndFacts>, causes: &[Cause]) -> bool {
    let is_named = |end: &EndFacts| causes.iter().any(|cause| cause.end_id == Some(end.end_id));
    let (was, is) = (before.known(), after.known());
    is.iter().filter(|end| !was.contains(end)).all(is_named)
        && was.iter().filter(|end| !is.contains(end)).all(is_named)
}
