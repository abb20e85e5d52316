//! What the statements of this noun mean to a rehearsed database.

use std::sync::Arc;

use uuid::Uuid;

use crate::storage::db::Value;
use crate::storage::db::rehearsal::{
    Bound, Hold, Meaning, Mode, RehearsalRow, Sampler, Seen, Spoken, Table, Update,
    insertion_columns,
};

pub(crate) const OF_VEHICLE: &str = super::OF_VEHICLE;
pub(crate) const OPEN_OVER: &str = super::OPEN_OVER;

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    let mut meanings: Vec<Spoken> = vec![
        (super::INSERT, Meaning::Insert { unique: &[&["end_id"]] }, |sampler| {
            sampler.inserted_alone(Table::ScopeEnds, &insertion_columns(super::INSERT))
        }),
        (super::FIND, Meaning::Select(find), |sampler| {
            let id = sampler.id(Table::ScopeEnds);
            sampler.values(vec![id])
        }),
        (super::LOCK_GRANTS, Meaning::Hold(lock_grants()), |sampler| {
            sampler.rows_of(Table::Grants, |_| Vec::new())
        }),
        (super::OPEN_OVER, Meaning::Select(open_over), |sampler| {
            let scope = sampler.id(Table::Users);
            sampler.values(vec![scope])
        }),
        (super::COUNT, Meaning::Update(count()), |sampler| {
            let values = vec![sampler.id(Table::ScopeEnds), sampler.few()];
            sampler.values(values)
        }),
        (super::COMPLETE, Meaning::Update(complete()), |sampler| {
            let values = vec![sampler.id(Table::ScopeEnds), sampler.few()];
            sampler.values(values)
        }),
    ];
    meanings.extend(selections());
    meanings
}

fn selections() -> [Spoken; 8] {
    [
        (super::OF_GRANT, Meaning::Select(|s, b| selected(s, "grant_id", b)), |s| {
            selection(s, Table::Grants)
        }),
        (super::OF_USER, Meaning::Select(|s, b| selected(s, "grantee_id", b)), |s| {
            selection(s, Table::Users)
        }),
        (super::OF_VEHICLE, Meaning::Select(|s, b| selected(s, "vehicle_id", b)), |s| {
            selection(s, Table::Vehicles)
        }),
        (super::OF_ORGANIZATION, Meaning::Select(|s, b| selected(s, "organization_id", b)), |s| {
            let mut bound = selection(s, Table::Users);
            bound.set(2, bound.value(1).clone());
            bound
        }),
        (super::NEWEST_OF_GRANT, Meaning::Select(|s, b| newest(s, "grant_id", b)), |s| {
            named(s, Table::Grants)
        }),
        (super::NEWEST_OF_USER, Meaning::Select(|s, b| newest(s, "grantee_id", b)), |s| {
            named(s, Table::Users)
        }),
        (super::NEWEST_OF_VEHICLE, Meaning::Select(|s, b| newest(s, "vehicle_id", b)), |s| {
            named(s, Table::Vehicles)
        }),
        (
            super::NEWEST_OF_ORGANIZATION,
            Meaning::Select(|s, b| newest(s, "organization_id", b)),
            |s| {
                let organization = s.organization();
                s.values(vec![organization.clone(), organization])
            },
        ),
    ]
}

fn named(sampler: &mut Sampler, table: Table) -> Bound {
    let values = vec![sampler.organization(), sampler.id(table)];
    sampler.values(values)
}

fn selection(sampler: &mut Sampler, table: Table) -> Bound {
    let values = vec![
        sampler.organization(),
        sampler.id(table),
        sampler.few(),
        sampler.few(),
        sampler.word_or_none(&["booking 17"]),
        Value::from(Uuid::nil()),
        256.into(),
    ];
    sampler.values(values)
}

/// The grants of a scope that no act has ended.
fn open(seen: &Seen<'_>, column: &str, bound: &Bound) -> Vec<RehearsalRow> {
    let is_open = |row: &RehearsalRow| {
        row.value("organization_id") == bound.value(1)
            && row.value(column) == bound.value(2)
            && row.integer("ended_at").is_none()
    };
    let rows = seen.rows(Table::Grants);
    rows.iter().filter(|row| is_open(row)).map(|row| row.as_ref().clone()).collect()
}

fn selected(seen: &Seen<'_>, column: &str, bound: &Bound) -> Vec<RehearsalRow> {
    let Value::Uuid(Some(after)) = bound.value(6) else { return Vec::new() };
    let mut rows = open(seen, column, bound);
    rows.retain(|row| {
        row.integer("not_after").unwrap() > bound.integer(3)
            && row.integer("issued_at").unwrap() < bound.integer(4)
            && (bound.value(5) == &Value::Text(None) || row.value("external_ref") == bound.value(5))
            && row.id("grant_id").unwrap() > *after
    });
    rows.truncate(usize::try_from(bound.integer(7)).unwrap());
    rows.iter().map(|row| row.only(&["grant_id"])).collect()
}

fn newest(seen: &Seen<'_>, column: &str, bound: &Bound) -> Vec<RehearsalRow> {
    let mut rows = open(seen, column, bound);
    rows.sort_by_key(|row| row.integer("issued_at"));
    rows.last().map(|row| row.only(&["issued_at"])).into_iter().collect()
}

fn open_over(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let is_open = |row: &RehearsalRow| {
        row.value("scope_id") == bound.value(1) && row.integer("completed_at").is_none()
    };
    let rows = seen.rows(Table::ScopeEnds);
    rows.iter().filter(|row| is_open(row)).map(|row| row.as_ref().clone()).collect()
}

fn find(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let Value::Uuid(Some(id)) = bound.value(1) else { return Vec::new() };
    seen.find(Table::ScopeEnds, *id).map(|row| row.as_ref().clone()).into_iter().collect()
}

fn lock_grants() -> Hold {
    Hold {
        finds: |seen, bound| {
            let grants =
                bound.named().into_iter().filter_map(|(id, _)| seen.find(Table::Grants, id));
            let has_grantee = |row: &Arc<RehearsalRow>| {
                row.id("grantee_id").is_some_and(|id| seen.find(Table::Users, id).is_some())
            };
            grants.filter(has_grantee).map(|row| row.only(&["grant_id", "grantee_id"])).collect()
        },
        holds: &[
            (Table::Users, "grantee_id", Mode::Shared),
            (Table::Grants, "grant_id", Mode::Alone),
        ],
    }
}

fn found(_: &Seen<'_>, bound: &Bound) -> Vec<(Uuid, usize)> {
    if let Value::Uuid(Some(id)) = bound.value(1) { vec![(*id, 0)] } else { Vec::new() }
}

fn count() -> Update {
    Update {
        table: Table::ScopeEnds,
        finds: found,
        if_still: |_, _, _| true,
        sets: |row, bound, _| row.set("grants", row.integer("grants").unwrap() + bound.integer(2)),
    }
}

fn complete() -> Update {
    Update {
        table: Table::ScopeEnds,
        finds: found,
        if_still: |row, _, _| row.integer("completed_at").is_none(),
        sets: |row, bound, _| {
            row.set("completed_at", bound.value(2).clone());
            row.set("external_ref", Value::Text(None));
        },
    }
}
