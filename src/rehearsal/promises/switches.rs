//! Switches: a grant ends and one for another car takes its place, both or neither, and each with an entry.

use uuid::Uuid;

use super::Reader;
use crate::storage::db::rehearsal::{RehearsalRow, Table, Written};

impl Reader {
    /// A grant that somebody asked to be switched ended, in a transaction that wrote these rows.
    pub(super) fn switched(&mut self, before: &RehearsalRow, rows: &[Written]) {
        let of = |table| rows.iter().filter(move |(of, _)| *of == table).map(|(_, row)| row);
        let grant_id = before.id("grant_id");
        let others: Vec<_> =
            of(Table::Grants).filter(|row| row.id("grant_id") != grant_id).collect();
        let [after] = others.as_slice() else {
            let count = others.len();
            return self.breaks("P8", format!("{grant_id:?} was switched to {count} grants"));
        };
        let same = ["grantee_id", "entitlements", "not_before", "not_after", "external_ref"];
        let uses_left =
            before.integer("uses_max").map(|most| most - before.integer("uses").unwrap());
        let is_same = same.into_iter().all(|column| before.value(column) == after.value(column))
            && after.integer("uses_max") == uses_left
            && after.integer("uses") == Some(0)
            && before.id("vehicle_id") != after.id("vehicle_id");
        if !is_same {
            self.breaks("P8", format!("{before:?} was switched to {after:?}"));
        }
        for (grant_id, event) in
            [(grant_id, "grant.revoked"), (after.id("grant_id"), "grant.issued")]
        {
            let is_it = |entry: &&std::sync::Arc<RehearsalRow>| {
                entry.id("grant_id") == grant_id && entry.text("event") == Some(event)
            };
            if of(Table::AuditEntries).find(is_it).is_none() {
                self.breaks("P1", format!("{grant_id:?} was switched without {event}"));
            }
        }
    }

    /// Somebody was told that a grant was switched, and to which.
    pub(super) fn told_of_switch(&mut self, grant_id: Uuid, new_id: Uuid) {
        self.told_of_end(grant_id);
        if !self.terms.contains_key(&new_id) {
            self.breaks("P6", format!("{new_id} was said to be issued, and was not durable"));
        }
    }
}
