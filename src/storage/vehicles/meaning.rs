//! What the statements of this noun mean to a rehearsed database.

use crate::storage::db::Value;
use crate::storage::db::rehearsal::{Bound, Meaning, RehearsalRow, Seen, Spoken, Table};

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![(super::FIND, Meaning::Select(find), |sampler| {
        let values = vec![sampler.organization(), sampler.id(Table::Vehicles)];
        sampler.values(values)
    })]
}

fn find(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let Value::Uuid(Some(vehicle_id)) = bound.value(2) else { return Vec::new() };
    let found = seen.find(Table::Vehicles, *vehicle_id);
    let own = found.filter(|row| row.value("organization_id") == bound.value(1));
    own.map(|row| row.as_ref().clone()).into_iter().collect()
}
