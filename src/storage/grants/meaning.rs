//! What the statements of this noun mean to a rehearsed database.

use crate::storage::db::Value;
use crate::storage::db::rehearsal::{
    Bound, Meaning, RehearsalRow, Seen, Spoken, Table, Update, insertion_columns,
};

pub(crate) const AMEND: &str = super::AMEND;
pub(crate) const END: &str = super::END;

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![
        (super::FIND, Meaning::Select(find), |sampler| {
            let values = vec![sampler.organization(), sampler.id(Table::Grants)];
            sampler.values(values)
        }),
        (super::INSERT, Meaning::Insert { unique: &[&["grant_id"]] }, |sampler| {
            sampler.inserted_alone(Table::Grants, &insertion_columns(super::INSERT))
        }),
        (super::AMEND, Meaning::Update(amend()), |sampler| {
            let values = vec![
                sampler.organization(),
                sampler.id(Table::Grants),
                sampler.word(&["lock", "unlock lock"]),
                0.into(),
                sampler.few(),
                sampler.few_or_none(),
                sampler.word_or_none(&["a label"]),
                sampler.word_or_none(&["{}"]),
                sampler.word_or_none(&["booking 17"]),
                sampler.few(),
                15.into(),
                sampler.word_or_none(&["in the yard"]),
                sampler.word_or_none(&["call us"]),
                sampler.word_or_none(&[r#"{"locked":true}"#]),
                sampler.whether(),
                sampler.whether(),
            ];
            sampler.values(values)
        }),
        (super::END_EACH, Meaning::Update(end_each()), |sampler| {
            let rows = sampler.rows_of(Table::Grants, |_| Vec::new());
            rows.with_values(vec![sampler.few(), sampler.word(&["revoked", "vehicle_removed"])])
        }),
        (super::END, Meaning::Update(end()), |sampler| {
            let values = vec![
                sampler.organization(),
                sampler.id(Table::Grants),
                sampler.few(),
                sampler.word(&["revoked", "relinquished"]),
                sampler.word_or_none(&["a note"]),
                sampler.whether(),
            ];
            sampler.values(values)
        }),
    ]
}

fn find(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let Value::Uuid(Some(grant_id)) = bound.value(2) else { return Vec::new() };
    let found = seen.find(Table::Grants, *grant_id);
    let own = found.filter(|row| row.value("organization_id") == bound.value(1));
    own.map(|row| row.as_ref().clone()).into_iter().collect()
}

fn amend() -> Update {
    const COLUMNS: [&str; 14] = [
        "entitlements",
        "not_before",
        "not_after",
        "uses_max",
        "label",
        "metadata",
        "external_ref",
        "revision",
        "grace_minutes",
        "instructions",
        "fallback_text",
        "return_terms",
        "statement",
        "require_device_key",
    ];
    Update {
        sets: |row, bound, _| {
            for (column, number) in COLUMNS.into_iter().zip(3..) {
                row.set(column, bound.value(number).clone());
            }
            row.set("version", row.integer("version").unwrap() + 1);
        },
        ..end()
    }
}

fn end_each() -> Update {
    Update {
        table: Table::Grants,
        finds: |_, bound| bound.named(),
        if_still: |row, _, _| row.integer("ended_at").is_none(),
        sets: |row, bound, _| {
            row.set("ended_at", bound.value(1).clone());
            row.set("end_reason", bound.value(2).clone());
            row.set("revision", row.integer("revision").unwrap() + 1);
            row.set("version", row.integer("version").unwrap() + 1);
        },
    }
}

fn end() -> Update {
    Update {
        table: Table::Grants,
        finds: |_, bound| {
            let Value::Uuid(Some(grant_id)) = bound.value(2) else { return Vec::new() };
            vec![(*grant_id, 0)]
        },
        if_still: |row, bound, _| {
            row.value("organization_id") == bound.value(1) && row.integer("ended_at").is_none()
        },
        sets: |row, bound, _| {
            row.set("ended_at", bound.value(3).clone());
            row.set("end_reason", bound.value(4).clone());
            row.set("end_note", bound.value(5).clone());
            row.set("leave_lock", bound.value(6).clone());
            row.set("revision", row.integer("revision").unwrap() + 1);
            row.set("version", row.integer("version").unwrap() + 1);
        },
    }
}
