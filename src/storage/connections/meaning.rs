//! What the statements of this noun mean to a rehearsed database.

use crate::storage::db::Value;
use crate::storage::db::rehearsal::{Bound, Meaning, RehearsalRow, Seen, Spoken, Table};

pub(in crate::storage) fn meanings() -> Vec<Spoken> {
    vec![(super::FIND_TOKENS, Meaning::Select(find_tokens), |sampler| {
        let connection_id = sampler.id(Table::Connections);
        sampler.values(vec![connection_id])
    })]
}

const COLUMNS: &[&str] = &[
    "connection_id",
    "organization_id",
    "owner_id",
    "status",
    "api_version",
    "provider_user_id",
    "sealed_tokens",
    "access_expires_at",
    "token_revision",
];

fn find_tokens(seen: &Seen<'_>, bound: &Bound) -> Vec<RehearsalRow> {
    let Value::Uuid(Some(connection_id)) = bound.value(1) else { return Vec::new() };
    let found = seen.find(Table::Connections, *connection_id);
    found.map(|row| row.only(COLUMNS)).into_iter().collect()
}
