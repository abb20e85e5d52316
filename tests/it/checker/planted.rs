//! The checker itself: it passes a history in which everything went well, and finds each violation
//! that is planted in it.

mod ends;
mod grants;
mod holds;

use keylend::audit::checkpoint::TreeHead;
use keylend::audit::entry::leaf_hash;
use serde_json::{Value, json};

use super::history::{Answer, Asked, Car, Execution, History, Outage, Request, Stall};
use super::{Promise, check};

const DAY: i64 = 1_800_000_000_000_000;

fn id(prefix: &str, number: u64) -> String {
    format!("{prefix}_{number:026}")
}

/// The moment this long after the beginning.
fn at(us: i64) -> keylend::domain::time::Timestamp {
    keylend::domain::time::Timestamp::from_unix_micros(DAY + us).unwrap()
}

fn entry(number: u64, us: i64, event: &str, members: Value) -> Vec<u8> {
    let mut leaf = json!({
        "entry_id": id("evt", number), "organization_id": id("org", 1),
        "occurred_at": at(us), "event": event, "actor_kind": "user", "details": {},
    });
    for (member, value) in members.as_object().unwrap() {
        leaf[member] = value.clone();
    }
    serde_json::to_vec(&leaf).unwrap()
}

fn request(request_id: &str, begun_us: u64, asked: Asked, status: u16, body: Value) -> Request {
    Request {
        request_id: request_id.to_owned(),
        begun_us,
        organization_id: id("org", 1),
        key: Some(format!("key of {request_id}")),
        asked,
        answer: Some(Answer { at_us: begun_us + 100, status, body }),
    }
}

fn unlock_asked() -> Asked {
    let grant_id = Some(id("grt", 1));
    Asked::Command { vehicle_id: id("veh", 1), action: "unlock".to_owned(), grant_id }
}

/// One key is lent, opens the car once, is revoked, and opens it no more.
fn clean() -> History {
    let car =
        json!({ "grant_id": id("grt", 1), "vehicle_id": id("veh", 1), "user_id": id("usr", 2) });
    let with = |members: Value| {
        let mut all = car.clone();
        for (member, value) in members.as_object().unwrap() {
            all[member] = value.clone();
        }
        all
    };
    let issued = json!({ "entitlements": ["unlock"], "not_before": at(0), "not_after": at(9_000_000), "max_uses": 2 });
    let command = |number, request_id: &str, details: Value| {
        with(
            json!({ "command_id": id("cmd", number), "request_id": request_id, "details": details }),
        )
    };
    let allowed = json!({ "action": "unlock", "basis": "grant", "rests_on": { "grant": 1 } });
    let changed = json!({ "action": "unlock" });
    let leaves = vec![
        entry(
            1,
            0,
            "session.refreshed",
            json!({ "request_id": "refresh", "user_id": id("usr", 2) }),
        ),
        entry(2, 10, "grant.issued", with(json!({ "request_id": "issue", "details": issued }))),
        entry(3, 1_000, "command.authorized", command(1, "unlock", allowed)),
        entry(4, 1_050, "command.acknowledged", command(1, "-", changed.clone())),
        entry(5, 2_000_000, "command.confirmed", command(1, "-", changed)),
        entry(
            6,
            3_000_000,
            "grant.revoked",
            with(json!({ "request_id": "revoke", "details": { "grant_revision": 2 } })),
        ),
        entry(7, 4_000_000, "command.refused", command(2, "again", json!({ "action": "unlock" }))),
    ];
    let lent = Asked::Issue {
        vehicle_id: id("veh", 1),
        grantee_id: id("usr", 2),
        entitlements: vec!["unlock".to_owned()],
        uses_max: Some(2),
    };
    let revoke = Asked::Revoke { grant_id: id("grt", 1), drain: true };
    let acknowledged = json!({ "command_id": id("cmd", 1), "status": "acknowledged" });
    let requests = vec![
        request(
            "refresh",
            1,
            Asked::Refresh { token: "one".to_owned() },
            201,
            json!({ "refresh_token": "two" }),
        ),
        request("issue", 5, lent, 201, json!({ "grant_id": id("grt", 1) })),
        request("unlock", 900, unlock_asked(), 200, acknowledged),
        request("revoke", 3_000_000, revoke, 200, json!({ "in_flight": [] })),
        request("again", 4_000_000, unlock_asked(), 403, json!({ "reasons": ["grant_revoked"] })),
    ];
    let mut history = History { requests, leaves, ..History::default() };
    history.executions.push(Execution {
        earliest_us: 1_020,
        latest_us: 1_030,
        at: at(1_025),
        provider_vehicle_id: "car".to_owned(),
        action: "unlock".to_owned(),
        command_id: Some(id("cmd", 1)),
    });
    let known = Car { provider_vehicle_id: "car".to_owned(), organization_id: id("org", 1) };
    history.cars.insert(id("veh", 1), known);
    history.statuses.insert(id("cmd", 1), "confirmed".to_owned());
    history.statuses.insert(id("cmd", 2), "refused".to_owned());
    history.restarts.push(at(0));
    history
}

/// Changes one leaf.
fn rewrite(history: &mut History, place: usize, change: impl FnOnce(&mut Value)) {
    let mut leaf: Value = serde_json::from_slice(&history.leaves[place]).unwrap();
    change(&mut leaf);
    history.leaves[place] = serde_json::to_vec(&leaf).unwrap();
}

/// Plants something, and says what must be found.
#[track_caller]
fn planted(promise: Promise, words: &str, plant: impl FnOnce(&mut History)) {
    let mut history = clean();
    plant(&mut history);
    let found = check(&history);
    let is_it = |violation: &super::Violation| {
        violation.promise == promise && violation.evidence.contains(words)
    };
    assert!(found.iter().any(is_it), "{promise:?} {words:?} was not found, but {found:#?}");
}

#[test]
fn a_history_in_which_all_went_well_is_passed() {
    assert_eq!(check(&clean()), []);
    assert_eq!(check(&History::default()), []);
}

#[test]
fn what_was_executed_without_its_entry_is_found() {
    planted(Promise::P1, "named no command", |h| h.executions[0].command_id = None);
    planted(Promise::P1, "nowhere authorized", |h| h.executions[0].command_id = Some(id("cmd", 9)));
    planted(Promise::P1, "nowhere authorized", |h| h.executions[0].command_id = Some(id("cmd", 2)));
    planted(Promise::P1, "µs later", |h| h.executions[0].at = at(900));
    planted(Promise::P1, "was for", |h| h.executions[0].provider_vehicle_id = "other".to_owned());
    planted(Promise::P1, "was \"unlock\"", |h| h.executions[0].action = "lock".to_owned());
    planted(Promise::P1, "there is no entry", |h| drop(h.leaves.remove(6)));
    planted(Promise::P1, "never authorized", |h| drop(h.leaves.remove(2)));
}

/// So many refusals with an entry each, and one more without.
fn refused_often(history: &mut History, recorded: u64) {
    for number in 0..recorded {
        let name = format!("again-{number}");
        let us = 4_000_001 + number;
        let details = json!({ "action": "unlock" });
        let members = json!({ "grant_id": id("grt", 1), "vehicle_id": id("veh", 1), "user_id": id("usr", 2),
            "command_id": id("cmd", 10 + number), "request_id": name, "details": details });
        history.leaves.push(entry(
            10 + number,
            i64::try_from(us).unwrap(),
            "command.refused",
            members,
        ));
        history.statuses.insert(id("cmd", 10 + number), "refused".to_owned());
        let refused = json!({ "reasons": ["grant_revoked"] });
        history.requests.push(request(&name, us, unlock_asked(), 403, refused));
    }
    let refused = json!({ "reasons": ["grant_revoked"] });
    history.requests.push(request("once-more", 5_000_000, unlock_asked(), 403, refused));
}

fn counted(history: &mut History, commands: u64) {
    let members = json!({ "grant_id": id("grt", 1), "vehicle_id": id("veh", 1), "user_id": id("usr", 2),
        "details": { "commands": commands, "reads": 0 } });
    history.leaves.push(entry(99, 65_000_000, "refusals.counted", members));
}

#[test]
fn only_what_follows_several_of_the_same_is_refused_without_an_entry() {
    planted(Promise::P1, "there is no entry", |h| refused_often(h, 3));
    planted(Promise::P1, "there is no entry", |h| {
        refused_often(h, 4);
        h.requests.last_mut().unwrap().begun_us = 90_000_000;
    });
    planted(Promise::P1, "refusals are counted", |h| {
        refused_often(h, 4);
        counted(h, 2);
    });
    let mut history = clean();
    refused_often(&mut history, 4);
    counted(&mut history, 1);
    assert_eq!(check(&history), []);
}

#[test]
fn what_was_authorized_after_a_revocation_is_found() {
    planted(Promise::P2, "had cmd", |h| {
        h.requests[2].begun_us = 3_000_101;
    });
    planted(Promise::P2, "which had ended", |h| {
        rewrite(h, 2, |leaf| leaf["details"]["rests_on"]["grant"] = json!(2));
    });
}

#[test]
fn what_was_executed_after_a_revocation_that_waited_is_found() {
    let late = |h: &mut History| {
        (h.executions[0].earliest_us, h.executions[0].latest_us) = (3_000_200, 3_000_210);
        h.executions[0].at = at(3_000_205);
    };
    planted(Promise::P3, "with wait=drain", late);
    planted(Promise::P3, "without listing it", |h| {
        late(h);
        h.requests[3].asked = Asked::Revoke { grant_id: id("grt", 1), drain: false };
    });
    let mut listed = clean();
    late(&mut listed);
    listed.requests[3].answer.as_mut().unwrap().body = json!({ "in_flight": [id("cmd", 1)] });
    rewrite(&mut listed, 4, |leaf| leaf["occurred_at"] = json!(at(3_500_000)));
    let found = check(&listed);
    assert!(matches!(&found[..], [one] if one.evidence.contains("did not wait")), "{found:?}");
    let mut gave_up = listed.clone();
    gave_up.requests[3].answer.as_mut().unwrap().at_us += 50_000_000;
    assert_eq!(check(&gave_up), []);
    listed.requests[3].asked = Asked::Revoke { grant_id: id("grt", 1), drain: false };
    assert_eq!(check(&listed), []);
    let mut stood_still = clean();
    late(&mut stood_still);
    rewrite(&mut stood_still, 4, |leaf| leaf["occurred_at"] = json!(at(3_500_000)));
    stood_still.stalls.push(Stall { from_us: 1_010, until_us: 3_000_150 });
    assert_eq!(check(&stood_still), []);
    stood_still.stalls[0].until_us = 500;
    assert_eq!(check(&stood_still)[0].promise, Promise::P3);
}

#[test]
fn what_was_done_twice_is_found() {
    planted(Promise::P4, "2 times", |h| h.executions.push(h.executions[0].clone()));
    planted(Promise::P4, "had the effects", |h| h.requests[4].key = h.requests[2].key.clone());
    planted(Promise::P4, "was answered", |h| {
        let mut other = h.requests[2].clone();
        other.request_id = "copy".to_owned();
        other.answer.as_mut().unwrap().body["command_id"] = json!(id("cmd", 7));
        h.requests.push(other);
    });
    // What was refused and recorded, and what was done, has the same answer to everybody who asks later.
    for (place, reasons) in [(4, ["grant_expired"]), (2, ["grant_revoked"])] {
        planted(Promise::P4, "was answered", |h| {
            let mut later = h.requests[place].clone();
            later.request_id = "later".to_owned();
            later.begun_us += 200;
            let answer = later.answer.as_mut().unwrap();
            (answer.status, answer.body) = (403, json!({ "reasons": reasons }));
            h.requests.push(later);
        });
    }
    planted(Promise::P4, "taken twice", |h| {
        let mut other = h.requests[0].clone();
        other.request_id = "copy".to_owned();
        h.requests.push(other);
    });
    planted(Promise::P4, "decided on before", |h| {
        let again = h.leaves[2].clone();
        h.leaves.push(again);
        rewrite(h, 7, |leaf| leaf["entry_id"] = json!(id("evt", 8)));
    });
}

#[test]
fn what_was_said_wrongly_of_a_command_is_found() {
    for word in ["failed", "expired", "cancelled"] {
        planted(Promise::P5, word, |h| {
            rewrite(h, 3, |leaf| leaf["event"] = json!(format!("command.{word}")));
        });
    }
    planted(Promise::P5, "called failed", |h| {
        h.requests[2].answer.as_mut().unwrap().body["status"] = json!("failed");
    });
    planted(Promise::P5, "called expired", |h| {
        h.statuses.insert(id("cmd", 1), "expired".to_owned());
    });
    planted(Promise::P5, "was never unlocked since", |h| h.executions.clear());
    planted(Promise::P5, "was never locked since", |h| {
        h.executions[0].at = at(-5_000);
        rewrite(h, 3, |leaf| leaf["event"] = json!("command.unknown"));
        rewrite(h, 4, |leaf| leaf["event"] = json!("command.contradicted"));
    });
    planted(Promise::P5, "cannot become", |h| {
        rewrite(h, 4, |leaf| leaf["event"] = json!("command.failed"));
    });
}

#[test]
fn what_was_lost_is_found() {
    planted(Promise::P6, "nowhere issued", |h| drop(h.leaves.remove(1)));
    planted(Promise::P6, "nowhere ended", |h| drop(h.leaves.remove(5)));
    planted(Promise::P6, "no session was refreshed", |h| drop(h.leaves.remove(0)));
    planted(Promise::P6, "nowhere authorized", |h| drop(h.leaves.remove(2)));
    planted(Promise::P6, "nowhere acknowledged", |h| drop(h.leaves.remove(3)));
    planted(Promise::P6, "acknowledged for good", |h| drop(h.leaves.remove(4)));
    planted(Promise::P6, "became confirmed after", |h| {
        rewrite(h, 4, |leaf| leaf["occurred_at"] = json!(at(61_000_000)));
    });
    planted(Promise::P6, "its row: None", |h| drop(h.statuses.remove(&id("cmd", 1))));
    planted(Promise::P6, "is not in the record", |h| {
        h.statuses.insert(id("cmd", 7), "sending".to_owned());
    });
    planted(Promise::P6, "that was given out", |h| {
        let asked = Asked::Refresh { token: "two".to_owned() };
        h.requests.push(request("next", 50, asked, 401, json!({})));
    });
    // A restart in between gives the command more time, and no more than that.
    let mut restarted = clean();
    rewrite(&mut restarted, 4, |leaf| leaf["occurred_at"] = json!(at(61_000_000)));
    restarted.restarts.push(at(20_000_000));
    assert_eq!(check(&restarted), []);
}

#[test]
fn a_record_that_does_not_continue_a_checkpoint_is_found() {
    let head = |h: &History, size| TreeHead { size, root: leaf_hash(&h.leaves[0]) };
    let mut kept = clean();
    kept.heads.push(head(&kept, 1));
    assert_eq!(check(&kept), []);
    planted(Promise::P7, "these are not the entries", |h| h.heads.push(head(h, 2)));
    planted(Promise::P7, "the first that is missing", |h| h.heads.push(head(h, 8)));
    planted(Promise::P7, "is not an entry", |h| h.leaves[1] = b"{}".to_vec());
    planted(Promise::P7, "is the one before it", |h| h.leaves.insert(1, h.leaves[0].clone()));
}

#[test]
fn what_was_done_without_a_database_is_found() {
    planted(Promise::P9, "was executed", |h| {
        (h.executions[0].earliest_us, h.executions[0].latest_us) = (3_900_000, 3_900_010);
        h.outages.push(Outage { from_us: 800_000, until_us: 9_000_000 });
    });
    planted(Promise::P9, "was answered 200", |h| {
        h.outages.push(Outage { from_us: 2_999_999, until_us: 9_000_000 });
    });
    let mut spared = clean();
    spared.outages.push(Outage { from_us: 1_010, until_us: 2_900_000 });
    assert_eq!(check(&spared), []);
}

#[test]
fn what_crosses_into_another_organization_is_found() {
    planted(Promise::P10, "was answered 403", |h| {
        h.cars.get_mut(&id("veh", 1)).unwrap().organization_id = id("org", 2);
    });
    planted(Promise::P10, "in another organization", |h| {
        rewrite(h, 0, |leaf| leaf["organization_id"] = json!(id("org", 2)));
    });
}
