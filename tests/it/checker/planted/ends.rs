//! What an end by scope forbids.

use serde_json::json;

use super::{clean, entry, id, planted, request};
use crate::checker::history::{Asked, History};
use crate::checker::{Promise, check};

/// All of this ended, and that was answered long before the unlock was asked for.
fn ended(history: &mut History, over: &str) {
    let asked = Asked::EndAll { over: over.to_owned() };
    let told = json!({ "end_id": id("end", 1), "in_flight": [] });
    history.requests.push(request("end", 500, asked, 201, told));
    let details = json!({ "end_id": id("end", 1), "grants": 1 });
    history.leaves.push(entry(30, 600, "end.completed", json!({ "details": details })));
}

#[test]
fn what_was_authorized_after_an_end_of_all_is_found() {
    for over in [id("usr", 2), id("veh", 1)] {
        planted(Promise::P2, "was ended with others", |h| ended(h, &over));
    }
    let mut of_others = clean();
    ended(&mut of_others, &id("veh", 9));
    assert_eq!(check(&of_others), []);
    // It was asked for before the grant was there, and its answer was heard when it was asked for again.
    let mut asked_again = clean();
    ended(&mut asked_again, &id("veh", 1));
    let mut first = asked_again.requests.last().unwrap().clone();
    (first.request_id, first.begun_us, first.answer) = ("first".to_owned(), 50, None);
    asked_again.requests.push(first);
    assert_eq!(check(&asked_again), []);
    // What was lent at the same time may have been lent afterwards.
    let mut lent_beside = clean();
    ended(&mut lent_beside, &id("veh", 1));
    lent_beside.requests[1].answer.as_mut().unwrap().at_us = 500;
    assert_eq!(check(&lent_beside), []);
}

#[test]
fn a_grant_that_an_end_of_all_forgot_is_found() {
    planted(Promise::P6, "has not ended", |h| {
        ended(h, &id("veh", 1));
        drop(h.leaves.remove(5));
    });
    planted(Promise::P6, "nowhere completed", |h| {
        ended(h, &id("veh", 9));
        drop(h.leaves.pop());
    });
}
