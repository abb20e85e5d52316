//! A small record that agrees with itself, and what is found when something is planted into it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::id::{ConnectionId, EndId, HoldId, Id, Kind, OrganizationId, VehicleId};
use crate::domain::time::Timestamp;

const OWNER: u128 = 1;
const GUEST: u128 = 2;

fn id<K: Kind>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

fn user(number: u128) -> UserId {
    id(number)
}

fn at(second: i64) -> String {
    Timestamp::from_unix_seconds(1_800_000_000 + second).unwrap().to_string()
}

/// An entry at this second.
fn entry(second: i64, event: &str, details: Value) -> Value {
    json!({ "organization_id": id::<OrganizationKind>(1), "occurred_at": at(second), "event": event, "details": details })
}

type OrganizationKind = crate::domain::id::kind::Organization;

/// An entry that tells of a row.
fn tells(second: i64, event: &str, facts: Value) -> Value {
    entry(second, event, json!({ "facts": facts }))
}

fn person(number: u128) -> Value {
    json!({ "of": "user", "user_id": user(number), "revision": 1, "disabled": false, "recoveries": 0 })
}

fn car(revision: i64, holds: Value) -> Value {
    let (vehicle_id, connection_id): (VehicleId, ConnectionId) = (id(1), id(1));
    json!({ "of": "vehicle", "vehicle_id": vehicle_id, "revision": revision, "owner_id": user(OWNER),
        "connection_id": connection_id, "removed": false, "suspended": false,
        "permissions": "control_security read_odometer", "owner_recoveries": 0, "consents": 0, "holds": holds })
}

fn lent(revision: i64, end: Value) -> Value {
    let (grant_id, vehicle_id): (GrantId, VehicleId) = (id(1), id(1));
    let mut facts = json!({ "of": "grant", "grant_id": grant_id, "revision": revision, "vehicle_id": vehicle_id,
        "issuer_id": user(OWNER), "grantee_id": user(GUEST), "entitlements": ["lock", "unlock"],
        "not_before": at(0), "not_after": at(1_000), "grace_minutes": 15, "max_uses": 2, "issued_at": at(5),
        "grantee_recoveries": 0, "vehicle_consents": 0 });
    for (name, value) in end.as_object().unwrap() {
        facts[name] = value.clone();
    }
    facts
}

/// A decision about the guest's use of the car, or the owner's.
fn decision(second: i64, by: u128, said: Value, rests_on: Value) -> Value {
    let refused = said.get("reasons").is_some();
    let event = match (said.get("action").is_some(), refused) {
        (true, false) => "command.authorized",
        (true, true) => "command.refused",
        (false, false) => "vehicle.read",
        (false, true) => "vehicle.read_refused",
    };
    let mut rests = json!({ "organization": 1, "owner": 1, "connection": 3, "vehicle": 1 });
    if by == GUEST {
        (rests["grant"], rests["grantee"], rests["uses"]) = (json!(1), json!(1), json!(0));
    }
    for (name, value) in rests_on.as_object().unwrap() {
        rests[name] = value.clone();
    }
    let mut entry = entry(second, event, said);
    entry["details"]["rests_on"] = rests;
    entry["vehicle_id"] = json!(id::<crate::domain::id::kind::Vehicle>(1));
    entry["user_id"] = json!(user(by));
    if by == GUEST {
        entry["grant_id"] = json!(id::<crate::domain::id::kind::Grant>(1));
    }
    entry
}

/// A record in which everything agrees.
fn good() -> Vec<Value> {
    let (hold_id, connection_id): (HoldId, ConnectionId) = (id(1), id(1));
    let held = json!([{ "hold_id": hold_id, "rank": "owner", "until": null, "allow_lock": true }]);
    let organization = json!({ "of": "organization", "organization_id": id::<OrganizationKind>(1), "revision": 1 });
    let connection = json!({ "of": "connection", "connection_id": connection_id, "revision": 3, "status": "active" });
    let guest = json!(user(GUEST));
    let revoked = json!({ "ended_at": at(50), "end_reason": "revoked", "leave_lock": true });
    vec![
        tells(0, "organization.created", organization),
        tells(1, "user.created", person(OWNER)),
        tells(2, "user.created", person(GUEST)),
        tells(3, "connection.completed", connection),
        tells(4, "vehicle.connected", car(1, json!([]))),
        tells(5, "grant.issued", lent(1, json!({}))),
        decision(10, GUEST, json!({ "action": "unlock" }), json!({})),
        decision(
            20,
            GUEST,
            json!({ "action": "lock" }),
            json!({ "uses": 1, "last_unlocked_by": guest }),
        ),
        tells(30, "hold.placed", car(2, held)),
        decision(
            31,
            GUEST,
            json!({ "action": "unlock", "reasons": ["grant_held"] }),
            json!({ "uses": 1, "vehicle": 2 }),
        ),
        tells(32, "hold.lifted", car(3, json!([]))),
        decision(
            40,
            OWNER,
            json!({ "observable": "odometer", "entitlement": "read_odometer" }),
            json!({ "vehicle": 3 }),
        ),
        tells(50, "grant.revoked", lent(2, revoked)),
        decision(
            51,
            GUEST,
            json!({ "action": "lock" }),
            json!({ "uses": 1, "vehicle": 3, "grant": 2, "last_unlocked_by": guest }),
        ),
        decision(
            52,
            GUEST,
            json!({ "action": "unlock", "reasons": ["grant_revoked"] }),
            json!({ "uses": 1, "vehicle": 3, "grant": 2 }),
        ),
    ]
}

fn replayed(leaves: &[Value]) -> Result<Agreed, DisagreeingEntry> {
    let mut replay = Replay::default();
    for leaf in leaves {
        replay.push(leaf.to_string().as_bytes());
    }
    replay.finish()
}

/// What is found when something is planted into the good record.
fn planted(plant: impl FnOnce(&mut Vec<Value>)) -> DisagreeingEntry {
    let mut leaves = good();
    plant(&mut leaves);
    replayed(&leaves).unwrap_err()
}

#[test]
fn a_record_in_which_everything_follows_agrees() {
    let agreed = Agreed { entries: 15, allowed: 4, refused: 2, open: 0 };
    assert_eq!(replayed(&good()), Ok(agreed));
}

#[test]
fn what_changed_is_known_wherever_its_entry_stands() {
    let mut leaves = good();
    // Instances place their entries in another order than they happened.
    leaves.swap(8, 9);
    leaves.swap(5, 6);
    assert!(replayed(&leaves).is_ok());
}

#[test]
fn a_wrong_decision_is_found_with_its_entry() {
    let allowed_under_hold = planted(|leaves| {
        leaves[9]["event"] = json!("command.authorized");
        drop(leaves[9]["details"].as_object_mut().unwrap().remove("reasons"));
    });
    let (recorded, decided) = ("allowed".to_owned(), "refused with grant_held".to_owned());
    let disagreement = Disagreement::DecidedOtherwise { recorded, decided };
    assert_eq!(allowed_under_hold, DisagreeingEntry { position: 9, disagreement });
    let words = "entry 9: it was allowed; by the facts at that time it is refused with grant_held";
    assert_eq!(allowed_under_hold.to_string(), words);

    let refused_without_reason =
        planted(|leaves| leaves[14]["details"]["reasons"] = json!(["grant_expired"]));
    assert_eq!(refused_without_reason.position, 14);

    let unlocked_after_end = planted(|leaves| leaves[13]["details"]["action"] = json!("unlock"));
    assert_eq!(unlocked_after_end.position, 13);
}

#[test]
fn a_change_without_an_entry_is_found() {
    let unrecorded = planted(|leaves| drop(leaves.remove(8)));
    let row = FactsRow::Vehicle(id(1));
    let disagreement = Disagreement::Unrecorded { row, revision: 2 };
    assert_eq!(unrecorded, DisagreeingEntry { position: 8, disagreement });

    let told_otherwise = planted(|leaves| {
        let mut other = leaves[12].clone();
        other["details"]["facts"]["leave_lock"] = json!(false);
        leaves.push(other);
    });
    let row = FactsRow::Grant(id(1));
    assert_eq!(
        told_otherwise,
        DisagreeingEntry {
            position: 15,
            disagreement: Disagreement::ToldOtherwise { row, revision: 2 }
        }
    );
}

#[test]
fn a_use_that_is_spent_twice_or_counted_wrong_is_found() {
    let twice = planted(|leaves| {
        let again = leaves[6].clone();
        leaves.insert(7, again);
    });
    let grant_id = id(1);
    let disagreement = Disagreement::SpentTwice { grant_id, number: 1 };
    assert_eq!(twice, DisagreeingEntry { position: 7, disagreement });

    let counted = planted(|leaves| leaves[7]["details"]["rests_on"]["uses"] = json!(2));
    let disagreement = Disagreement::Miscounted { grant_id, counted: 2, spent: 1 };
    assert_eq!(counted, DisagreeingEntry { position: 7, disagreement });
}

#[test]
fn somebody_who_cannot_have_unlocked_last_is_found() {
    let by_owner = || decision(15, OWNER, json!({ "action": "unlock" }), json!({}));
    for (unlocked_by, found) in [(Some(GUEST), true), (None, true), (Some(OWNER), false)] {
        let mut leaves = good();
        leaves.insert(7, by_owner());
        leaves.truncate(9);
        let named = unlocked_by.map(user);
        leaves[8]["details"]["rests_on"]["last_unlocked_by"] = json!(named);
        let result = replayed(&leaves);
        let finding =
            DisagreeingEntry { position: 8, disagreement: Disagreement::UnlockedByOthers(named) };
        assert_eq!(result.err(), found.then_some(finding));
    }
    // Within two seconds of each other either may have been the last.
    let mut leaves = good();
    let close = decision(19, OWNER, json!({ "action": "unlock" }), json!({}));
    leaves.insert(7, close);
    leaves.truncate(9);
    assert!(replayed(&leaves).is_ok());
}

#[test]
fn an_end_by_reference_is_about_the_grants_of_which_the_record_says_so() {
    let (end_id, fleet): (EndId, OrganizationId) = (id(1), id(1));
    let ends = json!([{ "end_id": end_id, "issued_before": at(45), "by_reference": true,
        "ended_at": at(45), "end_reason": "revoked" }]);
    let begun =
        json!({ "of": "organization", "organization_id": fleet, "revision": 2, "ends": ends });
    let rests_on = json!({ "uses": 1, "vehicle": 3, "organization": 2 });
    let refused = json!({ "action": "unlock", "reasons": ["grant_revoked"] });
    let record = |rest: &[Value]| {
        let mut leaves = good();
        leaves.truncate(12);
        leaves.push(tells(45, "end.begun", begun.clone()));
        leaves.push(decision(46, GUEST, refused.clone(), rests_on.clone()));
        leaves.extend(rest.iter().cloned());
        replayed(&leaves)
    };
    let mut ended = entry(47, "grant.ended", json!({ "end_id": end_id }));
    ended["grant_id"] = json!(id::<crate::domain::id::kind::Grant>(1));
    let completed = entry(48, "end.completed", json!({ "end_id": end_id }));
    let decided = |refused, open| Agreed { entries: 0, allowed: 3, refused, open };
    let without_count = |agreed: Agreed| Agreed { entries: 0, ..agreed };
    // Where the record ends within the end, nobody knows yet.
    assert_eq!(record(&[]).map(without_count), Ok(decided(1, 1)));
    assert_eq!(record(&[ended, completed.clone()]).map(without_count), Ok(decided(2, 0)));
    assert_eq!(record(&[completed]).unwrap_err().position, 13);
}

#[test]
fn what_cannot_be_read_is_found() {
    for plant in [
        |leaves: &mut Vec<Value>| leaves[6] = json!({ "event": "command.authorized" }),
        |leaves: &mut Vec<Value>| {
            drop(leaves[6]["details"].as_object_mut().unwrap().remove("rests_on"));
        },
        |leaves: &mut Vec<Value>| {
            drop(leaves[6]["details"]["rests_on"].as_object_mut().unwrap().remove("grant"));
        },
        |leaves: &mut Vec<Value>| drop(leaves[6].as_object_mut().unwrap().remove("user_id")),
        |leaves: &mut Vec<Value>| {
            drop(leaves[6]["details"].as_object_mut().unwrap().remove("action"));
        },
    ] {
        let finding = planted(plant);
        assert_eq!(finding.position, 6);
        assert!(matches!(finding.disagreement, Disagreement::Malformed(_)), "{finding}");
    }
}
