//! Converts an entry of the record to the event that is published.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::audit::entry::RecordedEntry;
use crate::domain::id::AuditEntryId;
use crate::domain::published::{EventType, Member};
use crate::domain::time::Timestamp;

/// An event as it is published.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublishedEvent {
    /// Identifies the event: the id of its entry in the record.
    pub event_id: AuditEntryId,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The rest, by the names of [`Member`].
    pub data: Map<String, Value>,
}

impl PublishedEvent {
    /// The published form of an entry; `None` if this kind of entry is not published.
    pub(in crate::service) fn of(entry: &RecordedEntry) -> Option<Self> {
        let event_type: EventType = entry.event.parse().ok()?;
        // If the details are corrupt, the event is published without them.
        let details: Map<String, Value> = serde_json::from_str(&entry.details).unwrap_or_default();
        let members = event_type.members().iter().chain(Member::OF_EVERY_EVENT);
        let data = members.filter_map(|&member| {
            let value = value(entry, &details, member)?;
            Some((member.as_str().to_owned(), value))
        });
        let (event_id, timestamp) = (entry.entry_id, entry.occurred_at);
        Some(Self { event_id, event_type, timestamp, data: data.collect() })
    }
}

fn value(entry: &RecordedEntry, details: &Map<String, Value>, member: Member) -> Option<Value> {
    let text = |id: Option<String>| id.map(Value::String);
    let value = match member {
        Member::GrantId => text(entry.grant_id.map(|id| id.to_string())),
        Member::VehicleId => text(entry.vehicle_id.map(|id| id.to_string())),
        Member::UserId => text(entry.user_id.map(|id| id.to_string())),
        Member::CommandId => text(entry.command_id.map(|id| id.to_string())),
        Member::ActorKind => text(Some(entry.actor_kind.to_string())),
        Member::ActorId => text(entry.actor_name()),
        // An entry that changes a grant's row has its new revision in the facts of that row.
        Member::GrantRevision => {
            let facts =
                details.get("facts").filter(|facts| facts.get("of") == Some(&"grant".into()));
            let of_row = facts.and_then(|facts| facts.get("revision"));
            details.get(member.recorded_as()).or(of_row).cloned()
        }
        other => details.get(other.recorded_as()).cloned(),
    };
    value.filter(|value| !value.is_null())
}
