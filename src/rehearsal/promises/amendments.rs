//! What grants allow: nothing is authorized that the grant does not allow by then, no change is unrecorded, and none
//! that somebody was told of is lost.

use uuid::Uuid;

use super::Reader;
use crate::domain::entitlement::Entitlements;
use crate::domain::instruction::Action;
use crate::storage::db::rehearsal::{RehearsalRow, Table, Written};

/// What a grant allows, as it was committed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rehearsal) struct Terms {
    pub(super) grant_id: Uuid,
    entitlements: Entitlements,
    uses_max: Option<i64>,
    /// Microseconds since 1970, as are the others.
    not_before: i64,
    pub(super) not_after: i64,
    /// In microseconds.
    grace: i64,
    version: i64,
    /// Its grantee, its car and its organization.
    pub(super) scopes: [Uuid; 3],
    pub(super) external_ref: Option<String>,
}

impl Terms {
    pub(in crate::rehearsal) fn of(row: &RehearsalRow) -> Self {
        Self {
            grant_id: row.id("grant_id").unwrap(),
            entitlements: row.text("entitlements").unwrap().parse().unwrap(),
            uses_max: row.integer("uses_max"),
            not_before: row.integer("not_before").unwrap(),
            not_after: row.integer("not_after").unwrap(),
            grace: row.integer("grace_minutes").unwrap() * 60_000_000,
            version: row.integer("version").unwrap(),
            scopes: ["grantee_id", "vehicle_id", "organization_id"]
                .map(|column| row.id(column).unwrap()),
            external_ref: row.text("external_ref").map(str::to_owned),
        }
    }
}

impl Reader {
    /// A grant was written in a transaction that wrote these rows.
    pub(super) fn grant_changed(&mut self, row: &RehearsalRow, rows: &[Written]) {
        let terms = Terms::of(row);
        let grant_id = terms.grant_id;
        let before = self.terms.insert(grant_id, terms.clone());
        let is_amended =
            before.is_some_and(|before| Terms { version: terms.version, ..before } != terms);
        let is_recorded = rows.iter().any(|(table, entry)| {
            *table == Table::AuditEntries
                && entry.id("grant_id") == Some(grant_id)
                && entry.text("event") == Some("grant.amended")
        });
        if is_amended && !is_recorded {
            self.breaks("P1", format!("{grant_id} was changed without an entry"));
        }
    }

    /// A grant was revoked in such a way that the car can still be locked.
    pub(super) fn lock_left(&mut self, grant_id: Uuid, ended_at: i64) {
        let Some(terms) = self.terms.get(&grant_id) else { return };
        let until = ended_at.min(terms.not_after) + terms.grace;
        self.locks_left.insert(grant_id, until);
    }

    /// A command was authorized: its grant must allow it as it is now.
    pub(super) fn must_be_allowed(&mut self, command_id: Uuid, command: &RehearsalRow) {
        let action: Action = command.text("action").unwrap().parse().unwrap();
        let decided_at = command.integer("created_at").unwrap();
        let (car, user) = (command.id("vehicle_id").unwrap(), command.id("user_id").unwrap());
        let is_theirs = self.unlocked_by.get(&car).is_none_or(|by| *by == user);
        if action == Action::Unlock {
            self.unlocked_by.insert(car, user);
        }
        let Some(terms) = command.id("grant_id").and_then(|grant_id| self.terms.get(&grant_id))
        else {
            return;
        };
        let until = if self.ended.contains(&terms.grant_id) { i64::MIN } else { terms.not_after };
        let lock_until = match self.locks_left.get(&terms.grant_id) {
            Some(until) => *until,
            None if until == i64::MIN => until,
            None => until + terms.grace,
        };
        let is_in_time =
            decided_at < until || (action == Action::Lock && is_theirs && decided_at < lock_until);
        let is_allowed = terms.entitlements.contains(action.entitlement())
            && terms.not_before <= decided_at
            && is_in_time;
        if !is_allowed {
            let why =
                format!("{command_id}, a {action} at {decided_at}, was authorized by {terms:?}");
            self.breaks("P2", why);
        }
    }

    /// Somebody was told that a grant was changed.
    pub(super) fn told_of_amendment(&mut self, grant_id: Uuid, version: i64) {
        if self.terms.get(&grant_id).is_none_or(|terms| terms.version < version) {
            self.breaks(
                "P6",
                format!("{grant_id} was said to be version {version}, and nothing was durable"),
            );
        }
    }
}
