//! A small record that agrees with itself, and what is found when something is planted into it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::id::{ConnectionId, EndId, HoldId, Id, Kind, OrganizationId, UserId, VehicleId};
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

/// An entry that tells of a row because of the hold.
fn holding(second: i64, event: &str, facts: Value) -> Value {
    let hold_id: HoldId = id(1);
    let mut entry = tells(second, event, facts);
    entry["details"]["hold_id"] = json!(hold_id);
    entry
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
            json!({ "uses": 1, "last_unlock": "grantee" }),
        ),
        holding(30, "hold.placed", car(2, held)),
        decision(
            31,
            GUEST,
            json!({ "action": "unlock", "reasons": ["grant_held"] }),
            json!({ "uses": 1, "vehicle": 2 }),
        ),
        holding(32, "hold.lifted", car(3, json!([]))),
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
            json!({ "uses": 1, "vehicle": 3, "grant": 2, "last_unlock": "grantee" }),
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
fn who_cannot_have_unlocked_last_is_found() {
    let by_owner = |second| decision(second, OWNER, json!({ "action": "unlock" }), json!({}));
    for (told, found) in [("grantee", true), ("nobody", true), ("other", false)] {
        let mut leaves = good();
        leaves.insert(7, by_owner(15));
        leaves.truncate(9);
        leaves[8]["details"]["rests_on"]["last_unlock"] = json!(told);
        let disagreement = Disagreement::UnlockedByOthers(told);
        let finding = DisagreeingEntry { position: 8, disagreement };
        assert_eq!(replayed(&leaves).err(), found.then_some(finding));
    }
    let untold = planted(|leaves| {
        drop(leaves[7]["details"]["rests_on"].as_object_mut().unwrap().remove("last_unlock"));
    });
    let disagreement = Disagreement::UnlockedByOthers("nothing");
    assert_eq!(untold, DisagreeingEntry { position: 7, disagreement });
    // Within four seconds of each other either may have been the last.
    for told in ["grantee", "other"] {
        let mut leaves = good();
        leaves.insert(7, by_owner(17));
        leaves.truncate(9);
        leaves[8]["details"]["rests_on"]["last_unlock"] = json!(told);
        assert!(replayed(&leaves).is_ok());
    }
}

#[test]
fn of_a_right_of_somebody_else_nothing_is_told() {
    let refused = |by, reason: &str| {
        let said = json!({ "action": "unlock", "reasons": [reason] });
        let mut entry = decision(53, by, said, json!({}));
        entry["details"]["rests_on"] = Value::Null;
        entry
    };
    let record = |entry: Value| {
        let mut leaves = good();
        leaves.push(entry);
        replayed(&leaves)
    };
    let mut of_grant = refused(GUEST, "not_the_grantee");
    of_grant["user_id"] = json!(user(3));
    assert_eq!(record(of_grant.clone()).unwrap().refused, 3);
    let mut of_car = refused(OWNER, "not_found");
    of_car["user_id"] = json!(user(3));
    assert_eq!(record(of_car).unwrap().refused, 3);
    of_grant["details"]["reasons"] = json!(["grant_held"]);
    let theirs = Some(DisagreeingEntry { position: 15, disagreement: Disagreement::Theirs });
    assert_eq!(record(of_grant).err(), theirs);
    assert_eq!(record(refused(GUEST, "not_the_grantee")).err(), theirs);
}

#[test]
fn what_an_event_does_not_change_stays_as_it_was() {
    let silent = |member: &str, position| {
        let (row, revision) = (FactsRow::Vehicle(id(1)), 3);
        let member = member.to_owned();
        let disagreement = Disagreement::ChangedSilently { row, revision, member };
        DisagreeingEntry { position, disagreement }
    };
    // Lifting a hold gives no permission back, and takes no other hold away.
    let widened = planted(|leaves| leaves[10]["details"]["facts"]["consents"] = json!(1));
    assert_eq!(widened, silent("consents", 10));
    let other = planted(|leaves| {
        let hold_id: HoldId = id(2);
        leaves[10]["details"]["hold_id"] = json!(hold_id);
    });
    assert_eq!(other, silent("holds", 10));
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
        let mut ends = tells(45, "end.begun", begun.clone());
        ends["details"]["end_id"] = json!(end_id);
        leaves.push(ends);
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
    // Something else ended the grant first on its own row: nobody knows.
    assert_eq!(record(&[completed]).map(without_count), Ok(decided(1, 1)));
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
        // An entry that says that it was allowed, and why it was refused.
        |leaves: &mut Vec<Value>| leaves[6]["details"]["reasons"] = json!(["grant_held"]),
        |leaves: &mut Vec<Value>| leaves[6]["event"] = json!("command.refused"),
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
