//! One line of the record as it is kept, and the leaf that it is in the tree.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use ring::digest;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::Hash;
use crate::domain::actor::{Actor, Principal};
use crate::domain::event::AuditEntry;
use crate::domain::id::{
    ApiClientId, AuditEntryId, CommandId, GrantId, OrganizationId, UserId, VehicleId,
};
use crate::domain::time::Timestamp;

/// What precedes a leaf's bytes when they are hashed (RFC 6962 section 2.1).
const LEAF_PREFIX: [u8; 1] = [0];

/// An entry in the form in which it is kept: words and ids, nothing to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEntry {
    /// Identifies the entry; UUIDv7.
    pub entry_id: AuditEntryId,
    /// The organization in which it happened.
    pub organization_id: OrganizationId,
    /// The time of the event, on the clock of the instance that recorded it.
    pub occurred_at: Timestamp,
    /// The event: a noun and a past participle, such as `grant.revoked`.
    pub event: Cow<'static, str>,
    /// The kind of actor: `user`, `api_client` or `system`.
    pub actor_kind: Cow<'static, str>,
    /// The user or API client that acted; `None` for the system.
    pub actor_id: Option<Uuid>,
    /// The user for whom an API client acted.
    pub acting_for: Option<UserId>,
    /// The grant it is about.
    pub grant_id: Option<GrantId>,
    /// The car it is about.
    pub vehicle_id: Option<VehicleId>,
    /// The person it is about.
    pub user_id: Option<UserId>,
    /// The command it is about.
    pub command_id: Option<CommandId>,
    /// The id of the HTTP request that caused it.
    pub request_id: Option<String>,
    /// The rest of the event, as the text of a JSON object.
    pub details: String,
    /// A commitment to personal data that is kept beside the entry ([`super::personal`]).
    pub personal_commitment: Option<[u8; 32]>,
}

fn actor(actor: &Actor) -> (&'static str, Option<Uuid>, Option<UserId>) {
    match &actor.principal {
        Principal::User { user_id, .. } => ("user", Some(user_id.as_uuid()), None),
        Principal::ApiClient { api_client_id, acting_for, .. } => {
            ("api_client", Some(api_client_id.as_uuid()), *acting_for)
        }
        Principal::System => ("system", None, None),
    }
}

/// What is recorded of the event, and what the row that it changed says from then on.
fn details(entry: &AuditEntry) -> String {
    let mut details = entry.event.details();
    if let Some(facts) = &entry.facts {
        details.insert("facts".to_owned(), json!(facts));
    }
    Json::Object(details).to_string()
}

impl RecordedEntry {
    /// The form in which this entry is kept.
    #[must_use]
    pub fn of(entry: &AuditEntry) -> Self {
        let subjects = entry.event.subjects();
        let (actor_kind, actor_id, acting_for) = actor(&entry.actor);
        Self {
            entry_id: entry.entry_id,
            organization_id: entry.actor.organization_id,
            occurred_at: entry.occurred_at,
            event: entry.event.name().into(),
            actor_kind: actor_kind.into(),
            actor_id,
            acting_for,
            grant_id: subjects.grant_id,
            vehicle_id: subjects.vehicle_id,
            user_id: subjects.user_id,
            command_id: subjects.command_id,
            request_id: entry.request_id.clone(),
            details: details(entry),
            personal_commitment: entry.personal.as_ref().map(super::personal::commitment),
        }
    }

    /// Who did it, as a name on the wire.
    #[must_use]
    pub fn actor_name(&self) -> Option<String> {
        self.actor_id.map(|id| match self.actor_kind.as_ref() {
            "api_client" => ApiClientId::from_uuid(id).to_string(),
            _ => UserId::from_uuid(id).to_string(),
        })
    }

    /// The bytes that are hashed: a JSON object with its members in a fixed order and no space
    /// between them; members without a value are left out. `details` stands as it is kept.
    #[must_use]
    pub fn leaf(&self) -> Vec<u8> {
        let mut members = Members::begin(384 + self.details.len());
        members.name("entry_id", Some(self.entry_id));
        members.name("organization_id", Some(self.organization_id));
        members.name("occurred_at", Some(self.occurred_at));
        members.text("event", Some(&self.event));
        members.text("actor_kind", Some(&self.actor_kind));
        members.name("actor_id", self.actor_name());
        members.name("acting_for", self.acting_for);
        members.name("grant_id", self.grant_id);
        members.name("vehicle_id", self.vehicle_id);
        members.name("user_id", self.user_id);
        members.name("command_id", self.command_id);
        members.text("request_id", self.request_id.as_deref());
        members.member("details").push_str(&self.details);
        members.name("personal_commitment", self.personal_commitment.map(Hash));
        members.end()
    }

    /// The hash of the leaf.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.leaf())
    }
}

/// The hash of a leaf with these bytes (RFC 6962 section 2.1).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&LEAF_PREFIX);
    context.update(leaf);
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    Hash(hash)
}

/// A JSON object in the making.
struct Members(String);

impl Members {
    fn begin(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self(text)
    }

    /// Where the value of the next member goes.
    fn member(&mut self, name: &str) -> &mut String {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        &mut self.0
    }

    /// A value whose text needs no escapes: ids, times, hashes.
    fn name(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(self.member(name), "\"{value}\"");
        }
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            let escaped = Json::from(value);
            let _ = write!(self.member(name), "{escaped}");
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }
}

#[cfg(test)]
#[path = "entry_test.rs"]
mod tests;
