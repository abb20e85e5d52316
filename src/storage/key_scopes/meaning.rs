//! What the statements of this noun mean to a rehearsed database.

use uuid::Uuid;

use crate::storage::db::Value;
use crate::storage::db::rehearsal::{Bound, Meaning, Sampler, Spoken, Table, Update};

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    let mut meanings: Vec<Spoken> = vec![
        (super::LOCK_GRANT, lock(Table::Grants), |sampler| locked(sampler, Table::Grants)),
        (super::LOCK_USER, lock(Table::Users), |sampler| locked(sampler, Table::Users)),
        (super::LOCK_VEHICLE, lock(Table::Vehicles), |sampler| locked(sampler, Table::Vehicles)),
        (super::LOCK_ORGANIZATION, lock(Table::Organizations), |sampler| {
            let organization = sampler.organization();
            sampler.values(vec![organization.clone(), organization])
        }),
    ];
    meanings.extend(keeps());
    meanings
}

fn lock(table: Table) -> Meaning {
    Meaning::Update(Update {
        table,
        finds: |_, bound| named(bound.value(2)),
        if_still: |row, bound, _| row.value("organization_id") == bound.value(1),
        sets: |_, _, _| {},
    })
}

fn locked(sampler: &mut Sampler, table: Table) -> Bound {
    let values = vec![sampler.organization(), sampler.id(table)];
    sampler.values(values)
}

fn keeps() -> [Spoken; 7] {
    [
        (super::HOLDS_OVER_GRANT, holds(Table::Grants), |s| kept(s, Table::Grants)),
        (super::HOLDS_OVER_USER, holds(Table::Users), |s| kept(s, Table::Users)),
        (super::HOLDS_OVER_VEHICLE, holds(Table::Vehicles), |s| kept(s, Table::Vehicles)),
        (super::HOLDS_OVER_ORGANIZATION, holds(Table::Organizations), kept_of_organization),
        (super::ENDS_OVER_USER, ends(Table::Users), |s| kept(s, Table::Users)),
        (super::ENDS_OVER_VEHICLE, ends(Table::Vehicles), |s| kept(s, Table::Vehicles)),
        (super::ENDS_OVER_ORGANIZATION, ends(Table::Organizations), kept_of_organization),
    ]
}

fn holds(table: Table) -> Meaning {
    Meaning::Update(Update {
        table,
        finds: |_, bound| named(bound.value(1)),
        if_still: |_, _, _| true,
        sets: |row, bound, _| {
            row.set("holds", bound.value(2).clone());
            row.set("revision", row.integer("revision").unwrap() + 1);
        },
    })
}

fn ends(table: Table) -> Meaning {
    Meaning::Update(Update {
        table,
        finds: |_, bound| named(bound.value(1)),
        if_still: |_, _, _| true,
        sets: |row, bound, _| {
            row.set("ends", bound.value(2).clone());
            row.set("revision", row.integer("revision").unwrap() + 1);
        },
    })
}

fn kept(sampler: &mut Sampler, table: Table) -> Bound {
    let values = vec![sampler.id(table), sampler.word_or_none(&["[]"])];
    sampler.values(values)
}

fn kept_of_organization(sampler: &mut Sampler) -> Bound {
    let values = vec![sampler.organization(), sampler.word_or_none(&["[]"])];
    sampler.values(values)
}

fn named(id: &Value) -> Vec<(Uuid, usize)> {
    if let Value::Uuid(Some(id)) = id { vec![(*id, 0)] } else { Vec::new() }
}
