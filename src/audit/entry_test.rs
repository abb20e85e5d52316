//! The vectors of `docs/record.md`: they are there for authors of other verifiers.

use proptest::prelude::*;

use super::*;
use crate::domain::actor::Scope;
use crate::domain::event::{Event, Personal};
use crate::domain::policy::Reason;
use crate::domain::row_facts::RestsOn;
use crate::tally::Tally;

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
        facts: None,
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
                vehicles: None,
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
            rests_on: Some(RestsOn {
                organization: 1,
                owner: 2,
                connection: 3,
                vehicle: 4,
                grant: Some(2),
                grantee: Some(1),
                uses: Some(0),
                last_unlock: None,
                token_id: None,
                device_key: None,
            }),
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

type Change = fn(&mut RecordedEntry);

/// What makes an entry another one, member by member.
fn changes() -> Vec<(&'static str, Change)> {
    vec![
        ("entry_id", |entry| entry.entry_id = AuditEntryId::from_uuid(uuid(99))),
        ("organization_id", |entry| entry.organization_id = OrganizationId::from_uuid(uuid(99))),
        ("occurred_at", |entry| entry.occurred_at = Timestamp::MIN),
        ("event", |entry| entry.event = "command.authorized".into()),
        ("actor_kind", |entry| entry.actor_kind = "user".into()),
        ("actor_id", |entry| entry.actor_id = Some(uuid(99))),
        ("no actor_id", |entry| entry.actor_id = None),
        ("acting_for", |entry| entry.acting_for = Some(UserId::from_uuid(uuid(99)))),
        ("no acting_for", |entry| entry.acting_for = None),
        ("grant_id", |entry| entry.grant_id = Some(GrantId::from_uuid(uuid(99)))),
        ("no grant_id", |entry| entry.grant_id = None),
        ("vehicle_id", |entry| entry.vehicle_id = Some(VehicleId::from_uuid(uuid(99)))),
        ("no vehicle_id", |entry| entry.vehicle_id = None),
        ("user_id", |entry| entry.user_id = Some(UserId::from_uuid(uuid(99)))),
        ("no user_id", |entry| entry.user_id = None),
        ("command_id", |entry| entry.command_id = Some(CommandId::from_uuid(uuid(99)))),
        ("no command_id", |entry| entry.command_id = None),
        ("request_id", |entry| entry.request_id = Some(String::new())),
        ("no request_id", |entry| entry.request_id = None),
        ("details", |entry| entry.details = "{}".to_owned()),
        ("personal_commitment", |entry| entry.personal_commitment = Some([0; 32])),
    ]
}

#[test]
fn every_member_changes_the_hash() {
    let [_, entry, _] = <[RecordedEntry; 3]>::try_from(vectors()).unwrap();
    let mut hashes = vec![("nothing", entry.leaf_hash())];
    for (member, change) in changes() {
        let mut changed = entry.clone();
        change(&mut changed);
        assert_ne!(changed, entry, "{member}");
        let hash = changed.leaf_hash();
        let alike = hashes.iter().find(|(_, known)| *known == hash);
        assert!(alike.is_none(), "{member} as {alike:?}");
        hashes.push((member, hash));
    }
}

/// No text that somebody else chose makes two entries look alike.
#[test]
fn another_text_is_another_hash() {
    let one_character = (".{0,10}", any::<prop::sample::Index>(), "[\"\\\\,:{}a\n\u{0}\u{7f}]");
    let tally = Tally::of(512, one_character, |(request_id, at, other), tally| {
        tally.count(&other);
        let [_, mut entry, _] = <[RecordedEntry; 3]>::try_from(vectors()).unwrap();
        let at = at.index(request_id.chars().count() + 1);
        let (before, after): (String, String) =
            (request_id.chars().take(at).collect(), request_id.chars().skip(at).collect());
        let inserted = format!("{before}{other}{after}");
        let replaced = format!("{before}{other}{}", after.chars().skip(1).collect::<String>());
        entry.request_id = Some(request_id.clone());
        let hash = entry.leaf_hash();
        for text in [inserted, replaced] {
            entry.request_id = Some(text.clone());
            prop_assert_eq!(entry.leaf_hash() == hash, request_id == text);
        }
        Ok(())
    });
    tally.assert_each(20, ["\"", "\\", "a", "\n"]);
}

#[test]
fn the_empty_leaf_hashes_as_in_the_standard() {
    // RFC 6962 section 2.1: SHA-256 of one zero byte.
    let expected = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    assert_eq!(hex(&leaf_hash(b"").0), expected);
}
