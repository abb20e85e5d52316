//! What the statements of this noun mean to a rehearsed database.

use crate::storage::db::Value;
use crate::storage::db::rehearsal::{
    Bound, Hold, Meaning, Mode, RehearsalRow, Seen, Spoken, Table, Update,
};

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    let lock_to_lend = Hold { finds: to_lend, holds: &[(Table::Users, "user_id", Mode::Shared)] };
    vec![
        (super::LOCK_TO_LEND, Meaning::Hold(lock_to_lend), |sampler| {
            let organization = sampler.organization();
            sampler.rows_of(Table::Users, |_| Vec::new()).with_values(vec![organization])
        }),
        (super::FIND, Meaning::Select(find), |sampler| {
            let values = vec![sampler.organization(), sampler.id(Table::Users)];
            sampler.values(values)
        }),
        (super::DISABLE, Meaning::Update(disable()), |sampler| {
            let values = vec![sampler.organization(), sampler.id(Table::Users), sampler.few()];
            sampler.values(values)
        }),
    ]
}

fn find(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let Value::Uuid(Some(user_id)) = bound.value(2) else { return Vec::new() };
    let found = seen.find(Table::Users, *user_id);
    let own = found.filter(|row| row.value("organization_id") == bound.value(1));
    own.map(|row| row.as_ref().clone()).into_iter().collect()
}

fn to_lend(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let named = bound.named().into_iter().filter_map(|(id, _)| seen.find(Table::Users, id));
    let own = named.filter(|row| row.value("organization_id") == bound.value(1));
    own.map(|row| row.as_ref().clone()).collect()
}

fn disable() -> Update {
    Update {
        table: Table::Users,
        finds: |_, bound| {
            let Value::Uuid(Some(user_id)) = bound.value(2) else { return Vec::new() };
            vec![(*user_id, 0)]
        },
        if_still: |row, bound, _| {
            row.value("organization_id") == bound.value(1) && row.integer("disabled_at").is_none()
        },
        sets: |row, bound, _| {
            row.set("disabled_at", bound.value(3).clone());
            row.set("revision", row.integer("revision").unwrap() + 1);
        },
    }
}
