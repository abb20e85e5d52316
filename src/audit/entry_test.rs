//! The vectors of `docs/record.md`: they are there for authors of other verifiers.

use proptest::prelude::*;

use super::*;
use crate::domain::actor::Scope;
use crate::domain::event::{Event, Personal};
use crate::domain::policy::Reason;

fn uuid(last: u8) -> Uuid {
    let mut bytes = *b"\x01\x93\x5f\x00\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\x00";
    bytes[15] = last;
    Uuid::from_bytes(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entry(actor: Actor, event: Event) -> AuditEntry {
    AuditEntry {
        entry_id: AuditEntryId::from_uuid(uuid(1)),
        occurred_at: "2026-11-24T08:00:00.000001Z".parse().unwrap(),
        actor,
        request_id: Some("req \"1\"\u{e9}\n".to_owned()),
        event,
        personal: None,
    }
}

/// What the documentation's vectors are made from.
fn vectors() -> Vec<RecordedEntry> {
    let organization_id = OrganizationId::from_uuid(uuid(2));
    let user_id = UserId::from_uuid(uuid(3));
    let mut created = entry(
        Actor::system(organization_id),
        Event::UserCreated { user_id, role: crate::domain::user::Role::Member },
    );
    created.request_id = None;
    let refused = entry(
        Actor {
            organization_id,
            principal: Principal::ApiClient {
                api_client_id: ApiClientId::from_uuid(uuid(4)),
                scopes: vec![Scope::CommandsWrite],
                acting_for: Some(user_id),
            },
        },
        Event::CommandRefused {
            command_id: CommandId::from_uuid(uuid(5)),
            vehicle_id: VehicleId::from_uuid(uuid(6)),
            grant_id: Some(GrantId::from_uuid(uuid(7))),
            user_id,
            action: crate::domain::instruction::Action::Unlock,
            reasons: vec![Reason::GrantRevoked],
        },
    );
    let mut personal = created.clone();
    personal.personal = Some(Personal {
        network_address: Some("192.0.2.7".parse().unwrap()),
        note: Some("lost the \"key\"".to_owned()),
        salt: [5; 16],
    });
    [created, refused, personal].iter().map(RecordedEntry::of).collect()
}

#[test]
fn the_documentation_shows_what_is_hashed() {
    let documentation = include_str!("../../docs/record.md");
    for entry in vectors() {
        let leaf = String::from_utf8(entry.leaf()).unwrap();
        let hash = hex(&entry.leaf_hash().0);
        assert!(documentation.contains(&leaf), "docs/record.md does not show:\n{leaf}\n{hash}");
        assert!(documentation.contains(&hash), "docs/record.md does not show:\n{leaf}\n{hash}");
    }
}

#[test]
fn a_leaf_is_json_and_says_everything() {
    for entry in vectors() {
        let read: Json = serde_json::from_slice(&entry.leaf()).unwrap();
        assert_eq!(read["event"], entry.event.as_ref());
        assert_eq!(read["occurred_at"], entry.occurred_at.to_string());
        assert_eq!(read["request_id"].as_str(), entry.request_id.as_deref());
        assert_eq!(read["details"], serde_json::from_str::<Json>(&entry.details).unwrap());
        assert_eq!(read["actor_id"].as_str().map(str::to_owned), entry.actor_name());
    }
}

proptest! {
    /// No text that somebody else chose makes two entries look alike.
    #[test]
    fn every_member_changes_the_hash(request_id in ".{0,40}", other in ".{0,40}") {
        let [_, mut entry, _] = <[RecordedEntry; 3]>::try_from(vectors()).unwrap();
        entry.request_id = Some(request_id.clone());
        let hash = entry.leaf_hash();
        entry.request_id = Some(other.clone());
        prop_assert_eq!(entry.leaf_hash() == hash, request_id == other);
        entry.request_id = None;
        prop_assert!(entry.leaf_hash() != hash);
    }
}

#[test]
fn the_empty_leaf_hashes_as_in_the_standard() {
    // RFC 6962 section 2.1: SHA-256 of one zero byte.
    let expected = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    assert_eq!(hex(&leaf_hash(b"").0), expected);
}
