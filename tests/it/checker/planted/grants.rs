//! What lies beyond a grant: as it was issued, after a change, and after a revocation that left the lock or did not.

use serde_json::{Value, json};

use super::{at, clean, entry, id, planted, request, rewrite};
use crate::checker::history::{Asked, Execution, History};
use crate::checker::{Promise, check};

#[test]
fn what_lies_beyond_a_grant_is_found() {
    for (place, member, value, words) in [
        (1, "vehicle_id", json!(id("veh", 9)), "for another car"),
        (1, "user_id", json!(id("usr", 9)), "for another person"),
        (
            1,
            "details",
            json!({ "entitlements": ["lock"], "not_before": at(0), "not_after": at(9_000_000) }),
            "does not allow",
        ),
        (
            1,
            "details",
            json!({ "entitlements": ["unlock"], "not_before": at(0), "not_after": at(1_000) }),
            "not valid",
        ),
        (
            1,
            "details",
            json!({ "entitlements": ["unlock"], "not_before": at(0), "not_after": at(9_000), "max_uses": 0 }),
            "did 1 times",
        ),
        (
            1,
            "details",
            json!({ "entitlements": ["unlock"], "not_before": at(0), "not_after": at(9_000), "max_uses": 3 }),
            "another grant than it asked for",
        ),
        (2, "grant_id", json!(id("grt", 9)), "never issued"),
        (
            2,
            "details",
            json!({ "action": "lock", "rests_on": { "grant": 1 } }),
            "another command than it asked for",
        ),
    ] {
        planted(Promise::P8, words, |h| rewrite(h, place, |leaf| leaf[member] = value));
    }
}

/// A change of the grant that was answered before the unlock was asked for.
fn changed(history: &mut History, entitlements: &[&str], uses_max: Option<i64>) {
    let details = json!({ "entitlements": entitlements, "not_before": at(0), "not_after": at(9_000_000),
        "max_uses": uses_max, "grant_revision": 2, "effect": "narrowing", "in_flight": 0 });
    let members = json!({ "grant_id": id("grt", 1), "vehicle_id": id("veh", 1), "user_id": id("usr", 2),
        "request_id": "amend", "details": details });
    history.leaves.insert(2, entry(20, 500, "grant.amended", members));
    rewrite(history, 6, |leaf| leaf["details"]["grant_revision"] = json!(3));
    let asked = Asked::Amend {
        grant_id: id("grt", 1),
        entitlements: Some(entitlements.iter().map(|word| (*word).to_owned()).collect()),
        uses_max: Some(uses_max),
    };
    history.requests.push(request("amend", 500, asked, 200, json!({ "revision": 2 })));
}

/// The unlock rests on this revision.
fn decided_on(history: &mut History, revision: i64) {
    rewrite(history, 3, |leaf| leaf["details"]["rests_on"]["grant"] = json!(revision));
}

#[test]
fn what_a_change_took_away_is_found() {
    let both = &["unlock", "lock"];
    let mut kept = clean();
    changed(&mut kept, both, Some(1));
    decided_on(&mut kept, 2);
    assert_eq!(check(&kept), []);
    planted(Promise::P2, "by what it said before", |h| changed(h, both, Some(1)));
    planted(Promise::P8, "does not allow", |h| {
        changed(h, &["lock"], None);
        decided_on(h, 2);
    });
    planted(Promise::P8, "did 1 times", |h| {
        changed(h, both, Some(0));
        decided_on(h, 2);
    });
    planted(Promise::P6, "nowhere changed", |h| {
        changed(h, both, None);
        drop(h.leaves.remove(2));
    });
    planted(Promise::P8, "otherwise than it asked", |h| {
        changed(h, both, None);
        rewrite(h, 2, |leaf| leaf["details"]["max_uses"] = json!(7));
    });
}

/// After the revocation, which left the lock for a minute, somebody locks.
fn locked_later(history: &mut History, us: i64, by_somebody_between: bool) {
    rewrite(history, 1, |leaf| {
        leaf["details"]["grace_minutes"] = json!(1);
        leaf["details"]["entitlements"] = json!(["unlock", "lock"]);
    });
    if let Asked::Issue { entitlements, .. } = &mut history.requests[1].asked {
        entitlements.push("lock".to_owned());
    }
    rewrite(history, 5, |leaf| leaf["details"]["leave_lock"] = json!(true));
    let members = |user: u64, grant: u64, command: u64, action: &str| {
        json!({ "grant_id": id("grt", grant), "vehicle_id": id("veh", 1), "user_id": id("usr", user),
            "command_id": id("cmd", command), "request_id": format!("later-{command}"),
            "details": { "action": action, "rests_on": { "grant": 2 } } })
    };
    let step =
        |number: u64, us: i64, event: &str, members: Value| entry(number, us, event, members);
    if by_somebody_between {
        history.leaves.push(step(40, us - 1_000, "command.authorized", members(3, 2, 4, "unlock")));
    }
    history.leaves.push(step(41, us, "command.authorized", members(2, 1, 5, "lock")));
    history.leaves.push(step(42, us + 10, "command.acknowledged", members(2, 1, 5, "lock")));
    history.leaves.push(step(43, us + 20, "command.confirmed", members(2, 1, 5, "lock")));
    history.statuses.insert(id("cmd", 5), "confirmed".to_owned());
    let asked = Asked::Command {
        vehicle_id: id("veh", 1),
        action: "lock".to_owned(),
        grant_id: Some(id("grt", 1)),
    };
    let told = json!({ "command_id": id("cmd", 5), "status": "confirmed" });
    history.requests.push(request("later-5", u64::try_from(us).unwrap() - 100, asked, 200, told));
    history.executions.push(Execution {
        earliest_us: u64::try_from(us).unwrap() + 1,
        latest_us: u64::try_from(us).unwrap() + 2,
        at: at(us + 2),
        provider_vehicle_id: "car".to_owned(),
        action: "lock".to_owned(),
        command_id: Some(id("cmd", 5)),
    });
}

#[test]
fn a_lock_after_a_revocation_that_did_not_leave_it_is_found() {
    let mut left = clean();
    locked_later(&mut left, 9_000_000, false);
    // Its time is over as well, and its grace is not.
    assert_eq!(check(&left), []);
    planted(Promise::P2, "had cmd", |h| {
        locked_later(h, 9_000_000, false);
        rewrite(h, 5, |leaf| leaf["details"]["leave_lock"] = json!(false));
    });
    planted(Promise::P2, "had cmd", |h| locked_later(h, 63_000_000, false));
    planted(Promise::P2, "had cmd", |h| locked_later(h, 9_000_000, true));
    planted(Promise::P3, "was executed", |h| locked_later(h, 9_000_000, true));
    planted(Promise::P8, "not valid", |h| locked_later(h, 69_000_000, false));
}
