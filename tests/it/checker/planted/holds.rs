//! What a hold forbids, and who may go on under it.

use serde_json::{Value, json};

use super::{at, clean, entry, id, planted, request};
use crate::checker::history::{Asked, History};
use crate::checker::{Promise, check};

/// A hold over this, answered long before the unlock was asked for.
fn held(history: &mut History, over: &str, allow_lock: bool, until: Option<i64>) {
    let details = json!({ "hold_id": id("hld", 1), "scope": "grant", "rank": "owner" });
    let placed = json!({ "request_id": "hold", "details": details });
    history.leaves.insert(2, entry(20, 500, "hold.placed", placed));
    let asked = Asked::Hold { over: over.to_owned(), allow_lock };
    let until: Value = until.map_or(Value::Null, |us| json!(at(us)));
    let told = json!({ "hold_id": id("hld", 1), "until": until });
    history.requests.push(request("hold", 500, asked, 201, told));
}

/// Somebody asks that it be lifted.
fn lifted(history: &mut History, begun_us: u64) {
    let details = json!({ "hold_id": id("hld", 1) });
    let entry = entry(21, 700, "hold.lifted", json!({ "request_id": "lift", "details": details }));
    history.leaves.insert(3, entry);
    let asked = Asked::Lift { hold_id: id("hld", 1) };
    history.requests.push(request("lift", begun_us, asked, 204, Value::Null));
}

#[test]
fn what_was_authorized_under_a_hold_is_found() {
    for over in [id("grt", 1), id("usr", 2), id("veh", 1)] {
        planted(Promise::P2, "placed a hold", |h| held(h, &over, true, None));
        planted(Promise::P2, "placed a hold", |h| held(h, &over, false, Some(1_001)));
        // It was over by then, by the clock of who decided.
        let mut over_by_then = clean();
        held(&mut over_by_then, &over, false, Some(1_000));
        assert_eq!(check(&over_by_then), []);
    }
    let mut of_others = clean();
    held(&mut of_others, &id("grt", 9), false, None);
    assert_eq!(check(&of_others), []);
}

#[test]
fn what_a_lift_may_have_allowed_is_none() {
    let mut before = clean();
    held(&mut before, &id("grt", 1), true, None);
    lifted(&mut before, 700);
    assert_eq!(check(&before), []);
    // It may have come before the decision, which came before the answer of 1,000.
    let mut beside = clean();
    held(&mut beside, &id("grt", 1), true, None);
    lifted(&mut beside, 1_000);
    assert_eq!(check(&beside), []);
    planted(Promise::P2, "placed a hold", |h| {
        held(h, &id("grt", 1), true, None);
        lifted(h, 1_001);
    });
}

#[test]
fn a_hold_that_is_not_in_the_record_is_found() {
    planted(Promise::P6, "nowhere placed", |h| {
        held(h, &id("grt", 9), true, None);
        drop(h.leaves.remove(2));
    });
    planted(Promise::P6, "nowhere lifted", |h| {
        held(h, &id("grt", 9), true, None);
        lifted(h, 700);
        drop(h.leaves.remove(3));
    });
}
