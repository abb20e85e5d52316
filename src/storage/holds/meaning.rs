//! What the statements of this noun mean to a rehearsed database.

use crate::storage::db::Value;
use crate::storage::db::rehearsal::{
    Bound, Meaning, RehearsalRow, Seen, Spoken, Table, Update, insertion_columns,
};

pub(crate) const NOT_LIFTED: &str = super::NOT_LIFTED;
pub(crate) const LIFT: &str = super::LIFT;

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![
        (super::INSERT, Meaning::Insert { unique: &[&["hold_id"]] }, |sampler| {
            sampler.inserted_alone(Table::Holds, &insertion_columns(super::INSERT))
        }),
        (super::FIND, Meaning::Select(find), |sampler| {
            let values = vec![sampler.organization(), sampler.id(Table::Holds)];
            sampler.values(values)
        }),
        (super::LIFT, Meaning::Update(lift()), |sampler| {
            let values = vec![sampler.organization(), sampler.id(Table::Holds), sampler.few()];
            sampler.values(values)
        }),
        (super::NOT_LIFTED, Meaning::Select(not_lifted), |sampler| {
            let values = vec![sampler.id(Table::Grants), sampler.few()];
            sampler.values(values)
        }),
    ]
}

fn find(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let Value::Uuid(Some(hold_id)) = bound.value(2) else { return Vec::new() };
    let found = seen.find(Table::Holds, *hold_id);
    let own = found.filter(|row| row.value("organization_id") == bound.value(1));
    own.map(|row| row.as_ref().clone()).into_iter().collect()
}

fn lift() -> Update {
    Update {
        table: Table::Holds,
        finds: |_, bound| {
            let Value::Uuid(Some(id)) = bound.value(2) else { return Vec::new() };
            vec![(*id, 0)]
        },
        if_still: |row, bound, _| {
            row.value("organization_id") == bound.value(1) && row.integer("lifted_at").is_none()
        },
        sets: |row, bound, _| row.set("lifted_at", bound.value(3).clone()),
    }
}

fn not_lifted(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let stands = |row: &RehearsalRow| {
        row.value("scope_id") == bound.value(1)
            && row.integer("lifted_at").is_none()
            && row.integer("held_until").is_none_or(|until| until > bound.integer(2))
    };
    let rows = seen.rows(Table::Holds);
    rows.iter().filter(|row| stands(row)).map(|row| row.as_ref().clone()).collect()
}
