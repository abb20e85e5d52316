//! What statements mean to the acted database: those of the paths around a command. Each meaning
//! stands beside its statement, in `meaning.rs` of its noun.

use super::db::rehearsal::Spoken;
use super::{
    audit_entries, commands, connections, decisions, grants, holds, key_scopes, record_queue,
    row_facts, scope_ends, sessions, users, vehicles,
};

/// Every statement that has a meaning.
pub(crate) fn meanings() -> Vec<Spoken> {
    [
        audit_entries::meaning::meanings(),
        commands::meaning::meanings(),
        connections::meaning::meanings(),
        decisions::meaning::meanings(),
        grants::meaning::meanings(),
        holds::meaning::meanings(),
        key_scopes::meaning::meanings(),
        record_queue::meaning::meanings(),
        row_facts::meaning::meanings(),
        scope_ends::meaning::meanings(),
        sessions::meaning::meanings(),
        users::meaning::meanings(),
        vehicles::meaning::meanings(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
