//! What the statements of this noun mean to a rehearsed database.

use uuid::Uuid;

use super::{ENTRY_BYTES, QueuedEntry};
use crate::storage::db::rehearsal::{Meaning, Spoken, Table, insertion_columns};

pub(crate) const ADD: &str = super::ADD;

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![(super::ADD, Meaning::Insert { unique: &[&["first_at", "first_id"]] }, |sampler| {
        sampler.inserted(Table::RecordQueue, &insertion_columns(super::ADD))
    })]
}

/// The entries that a row of the queue holds.
pub(crate) fn entry_ids(entries: &[u8]) -> Vec<Uuid> {
    let (parts, rest) = entries.as_chunks::<ENTRY_BYTES>();
    assert!(rest.is_empty(), "the queue holds whole entries");
    parts.iter().map(|part| QueuedEntry::read(part).unwrap().entry_id.as_uuid()).collect()
}
