//! The record of a run is enough to make each of its decisions again (P1).

use serde_json::{Value, json};
use uuid::Uuid;

use super::Broken;
use crate::audit::replay::Replay;
use crate::domain::id::{Id, Kind, OrganizationId};
use crate::domain::row_facts::RowFacts;
use crate::domain::time::Timestamp;
use crate::rehearsal::trace::{Happening, Moment};
use crate::storage::db::rehearsal::{RehearsalRow, Table};

/// What does not follow from the entries of a run, and from what the rows were at its beginning.
pub(in crate::rehearsal) fn decided_otherwise(
    beginning: &[RowFacts],
    trace: &[Moment],
) -> Option<Broken> {
    let mut replay = Replay::default();
    for facts in beginning {
        let organization_id = OrganizationId::from_uuid(Uuid::nil());
        let begun = json!({
            "event": "rehearsal.begun",
            "organization_id": organization_id,
            "occurred_at": Timestamp::MIN,
            "details": { "facts": facts },
        });
        replay.push(begun.to_string().as_bytes());
    }
    for moment in trace {
        let Happening::Committed { rows, .. } = &moment.happening else { continue };
        for (_, row) in rows.iter().filter(|(table, _)| *table == Table::AuditEntries) {
            replay.push(&leaf_of(row));
        }
    }
    let finding = replay.finish().err()?;
    Some(Broken { promise: "P1", what: finding.to_string() })
}

fn leaf_of(row: &RehearsalRow) -> Vec<u8> {
    use crate::domain::id::kind::{Grant, Organization, User, Vehicle};
    let at = Timestamp::from_unix_micros(row.integer("occurred_at").unwrap()).unwrap();
    let details: Value = serde_json::from_str(row.text("details").unwrap()).unwrap();
    let entry = json!({
        "event": row.text("event"),
        "organization_id": row.id("organization_id").map(name::<Organization>),
        "occurred_at": at,
        "grant_id": row.id("grant_id").map(name::<Grant>),
        "vehicle_id": row.id("vehicle_id").map(name::<Vehicle>),
        "user_id": row.id("user_id").map(name::<User>),
        "details": details,
    });
    entry.to_string().into_bytes()
}

fn name<K: Kind>(id: Uuid) -> String {
    Id::<K>::from_uuid(id).to_string()
}
