//! Holds: while one stands, nothing is authorized that it forbids, no placing or lifting is unrecorded, and none that
//! somebody was told of is lost. After an end by scope, nothing is authorized by a grant that it is about.

use uuid::Uuid;

use super::Reader;
use super::amendments::Terms;
use crate::domain::instruction::Action;
use crate::rehearsal::story::{NOTE, OWNER};
use crate::storage::db::rehearsal::{RehearsalRow, Table, Written};

/// A hold that was committed.
#[derive(Debug, Clone)]
pub(super) struct Known {
    over: Uuid,
    binds_owner: bool,
    allow_lock: bool,
    /// Microseconds since 1970.
    until: Option<i64>,
    is_lifted: bool,
}

impl Reader {
    /// A hold was written in a transaction that wrote these rows.
    pub(super) fn hold_changed(&mut self, row: &RehearsalRow, rows: &[Written]) {
        let hold_id = row.id("hold_id").unwrap();
        let is_lifted = row.integer("lifted_at").is_some();
        let event = if is_lifted { "hold.lifted" } else { "hold.placed" };
        let is_recorded = rows.iter().any(|(table, entry)| {
            *table == Table::AuditEntries && entry.text("event") == Some(event)
        });
        if !is_recorded {
            self.breaks("P1", format!("{hold_id} was changed without {event}"));
        }
        if is_lifted && !self.asked_lifts.contains(&hold_id) {
            self.breaks("P1", format!("{hold_id} was lifted, which nobody asked"));
        }
        let known = Known {
            over: row.id("scope_id").unwrap(),
            binds_owner: matches!(row.text("rank"), Some("support" | "admin")),
            allow_lock: row.is("allow_lock"),
            until: row.integer("held_until"),
            is_lifted,
        };
        self.holds.insert(hold_id, known);
    }

    /// A command was authorized: no hold may forbid it as it is now.
    pub(super) fn must_not_be_held(&mut self, command_id: Uuid, command: &RehearsalRow) {
        let action: Action = command.text("action").unwrap().parse().unwrap();
        let decided_at = command.integer("created_at").unwrap();
        let used = ["grant_id", "user_id", "vehicle_id", "organization_id"];
        let used = used.map(|column| command.id(column));
        let by_owner = command.id("grant_id").is_none();
        assert!(!by_owner || command.id("user_id") == Some(Uuid::from_u128(OWNER)));
        let forbids = |hold: &&Known| {
            used.contains(&Some(hold.over))
                && !hold.is_lifted
                && hold.until.is_none_or(|until| decided_at < until)
                && (hold.binds_owner || !by_owner)
                && !(hold.allow_lock && action == Action::Lock)
        };
        if let Some(grant_id) = command.id("grant_id").filter(|id| self.ended_by_scope.contains(id))
        {
            let why = format!(
                "{command_id}, a {action} at {decided_at}, was authorized by {grant_id} after the end of all"
            );
            self.breaks("P2", why);
        }
        if let Some(hold) = self.holds.values().find(forbids) {
            let why =
                format!("{command_id}, a {action} at {decided_at}, was authorized under {hold:?}");
            self.breaks("P2", why);
        }
    }

    /// All grants of a scope ended. The first end of a grant counts.
    pub(super) fn scope_ended(&mut self, row: &RehearsalRow) {
        let (end_id, scope) = (row.id("end_id").unwrap(), row.id("scope_id").unwrap());
        if !self.ended_scopes.insert(end_id) {
            return;
        }
        self.told_scopes.insert(scope);
        let only = row.text("reason").filter(|reason| *reason != NOTE);
        let is_covered = |terms: &&Terms| {
            terms.scopes.contains(&scope)
                && (only.is_none() || terms.external_ref.as_deref() == only)
                && !self.ended.contains(&terms.grant_id)
        };
        let covered = self.terms.values().filter(is_covered).map(|terms| terms.grant_id);
        let covered: Vec<Uuid> = covered.collect();
        self.ended_by_scope.extend(covered);
    }

    /// A grant ended together with others: by an end of one of its scopes.
    pub(super) fn ended_with_others(&mut self, grant_id: Uuid) {
        if !self.ended_by_scope.contains(&grant_id) {
            self.breaks("P1", format!("{grant_id} ended with others, and nothing ended them all"));
        }
    }

    /// Somebody was told that all grants of a scope have ended.
    pub(super) fn told_of_end_of_all(&mut self, scope: Uuid) {
        if !self.told_scopes.contains(&scope) {
            self.breaks(
                "P6",
                format!("all of {scope} was said to have ended, which was not durable"),
            );
        }
    }

    /// Somebody was told that a hold stands.
    pub(super) fn told_of_hold(&mut self, hold_id: Uuid) {
        if !self.holds.contains_key(&hold_id) {
            self.breaks("P6", format!("{hold_id} was said to stand, and was not durable"));
        }
    }

    /// Somebody was told that a hold was lifted.
    pub(super) fn told_of_lift(&mut self, hold_id: Uuid) {
        if self.holds.get(&hold_id).is_none_or(|hold| !hold.is_lifted) {
            self.breaks("P6", format!("{hold_id} was said to be lifted, and stands"));
        }
    }
}
