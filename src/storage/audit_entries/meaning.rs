//! What the statements of this noun mean to a rehearsed database.

use crate::storage::db::rehearsal::{Meaning, Spoken, Table, insertion_columns};

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![
        (
            super::INSERT,
            Meaning::Insert { unique: &[&["organization_id", "entry_id"]] },
            |sampler| sampler.inserted(Table::AuditEntries, &insertion_columns(super::INSERT)),
        ),
        (super::KEEP_BESIDE, Meaning::Insert { unique: &[&["entry_id"]] }, |sampler| {
            sampler.inserted(Table::PersonalData, &insertion_columns(super::KEEP_BESIDE))
        }),
    ]
}
