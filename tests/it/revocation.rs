//! Revocation is a line (P2) that can be waited for (P3), and a request acts at most once (P4):
//! shown with thousands of requests under way, against the cars' own journal.
//!
//! What would break it: a decision cached or made on facts read outside the transaction, a claim
//! that does not name the revision, an outcome told before it is durable, a drain that looks at
//! memory in place of rows, a second send for a repeated key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Actor, Database, TestApp, on_both};

/// Grants that are used and revoked, one after the other, and the unlocks at once on each.
const ROUNDS: usize = 40;
const AT_ONCE: usize = 60;

/// Unlocks as fast as possible until told to stop; says what was allowed, and what was allowed
/// although it was asked for after the revocation had been acknowledged.
async fn hammer(
    holder: Actor,
    car: String,
    revoked: Arc<AtomicBool>,
    allowed: Arc<AtomicUsize>,
    too_late: Arc<AtomicUsize>,
) {
    loop {
        let began_after = revoked.load(Ordering::SeqCst);
        let reply = holder.command(&car, "unlock").await;
        match reply.status {
            200 | 202 => {
                allowed.fetch_add(1, Ordering::SeqCst);
                if began_after {
                    too_late.fetch_add(1, Ordering::SeqCst);
                }
            }
            403 => assert_eq!(reply.text("code"), "grant_revoked", "{}", reply.body),
            // Somebody else changed the grant too often meanwhile: nothing was done.
            503 => assert_eq!(reply.text("code"), "overloaded", "{}", reply.body),
            other => panic!("{other}: {}", reply.body),
        }
        if began_after {
            return;
        }
    }
}

/// One round: many unlocks under way, then a revocation in their middle. Returns the attempts
/// that were allowed.
async fn round(app: &TestApp, owner: &Actor, guest: &Actor, ender: &Actor, drain: bool) -> usize {
    let car = owner.vehicles[0].clone();
    let grant_id = owner.lend(app, guest).await;
    let holder = guest.holder_of(&grant_id).await;
    let revoked = Arc::new(AtomicBool::new(false));
    let (allowed, too_late) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let before = app.cloud.journal_length().await;
    let hammers = (0..AT_ONCE).map(|_| {
        let shared = (Arc::clone(&revoked), Arc::clone(&allowed), Arc::clone(&too_late));
        hammer(holder.clone(), car.clone(), shared.0, shared.1, shared.2)
    });
    let revocation = async {
        // In the middle: some unlocks were allowed, others are on their way.
        while allowed.load(Ordering::SeqCst) < AT_ONCE / 2 {
            tokio::task::yield_now().await;
        }
        let wait = if drain { "?wait=drain" } else { "" };
        let path = format!("/v1/grants/{grant_id}/revoke{wait}");
        let ended = ender.post(&path, json!({})).await.expect(200);
        revoked.store(true, Ordering::SeqCst);
        if drain {
            assert_eq!(ended.body["in_flight"], json!([]));
            Some(app.cloud.journal_length().await)
        } else {
            None
        }
    };
    let (_, at_the_answer) = tokio::join!(join_all(hammers), revocation);
    assert_eq!(too_late.load(Ordering::SeqCst), 0, "allowed after the revocation");
    let after = app.cloud.journal_length().await;
    if let Some(at_the_answer) = at_the_answer {
        assert_eq!(at_the_answer, after, "executed after a drained revocation was answered");
    }
    let allowed = allowed.load(Ordering::SeqCst);
    assert_eq!(after - before, allowed, "the cars did something else than what was allowed");
    allowed
}

on_both! {
    async fn of_two_revocations_at_once_both_are_told_that_it_is_revoked(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        for _ in 0..10 {
            let grant_id = owner.lend(app, &guest).await;
            let path = format!("/v1/grants/{grant_id}/revoke");
            let replies = join_all((0..4).map(|_| owner.post(&path, json!({})))).await;
            let told: Vec<_> = replies.into_iter().map(|reply| reply.expect(200).body).collect();
            assert_eq!(told[0]["end_reason"], "revoked");
            assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
            let path = format!("/v1/audit-entries?grant_id={grant_id}&event=grant.revoked");
            assert_eq!(owner.get(&path).await.expect(200).list("entry_id").len(), 1);
        }
    }

    async fn no_unlock_begun_after_a_revocation_is_executed(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let mut allowed = 0;
        for number in 0..ROUNDS {
            allowed += round(app, &owner, &guest, &admin, number % 2 == 1).await;
            app.settle().await;
        }
        assert!(allowed >= ROUNDS * AT_ONCE / 2, "{allowed}");
    }

    async fn a_hundred_copies_of_one_unlock_are_one_unlock(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let holder = guest.holder_of(&owner.lend(app, &guest).await).await;
        let body = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
        let copies = (0..100).map(|_| holder.post_as("/v1/commands", "the-one", body.clone()));
        let replies = join_all(copies).await;
        let first = replies[0].clone().expect(200);
        for reply in &replies {
            assert_eq!((reply.status, &reply.body), (200, &first.body));
        }
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn a_limited_key_opens_exactly_as_often_as_it_may(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let lent = owner.lend_with(app, &guest, json!({ "max_uses": 7 })).await.expect(201);
        let holder = guest.holder_of(&lent.text("grant_id")).await;
        let car = owner.vehicles[0].clone();
        let replies = join_all((0..100).map(|_| holder.command(&car, "unlock"))).await;
        let allowed = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(allowed, 7);
        for reply in replies.into_iter().filter(|reply| reply.status != 200) {
            reply.expect_problem(403, "grant_exhausted");
        }
        assert_eq!(app.cloud.journal().await.len(), 7);
        holder.command(&car, "lock").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_draw_the_same_line() {
    let mut app = TestApp::start(Database::Postgres).await;
    app.add_instance().await;
    let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
    let elsewhere = admin.at(app.url_of(1));
    for number in 0..10 {
        round(&app, &owner, &guest, &elsewhere, number % 2 == 1).await;
    }
    let holder = guest.holder_of(&owner.lend(&app, &guest).await).await;
    let before = app.cloud.journal_length().await;
    let body = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
    let copies = (0..100).map(|copy| {
        let there = holder.at(app.url_of(copy % 2));
        let body = body.clone();
        async move { there.post_as("/v1/commands", "the-one", body).await }
    });
    let replies = join_all(copies).await;
    let first = replies[0].clone().expect(200);
    assert!(replies.iter().all(|reply| reply.body["command_id"] == first.body["command_id"]));
    assert_eq!(app.cloud.journal_length().await - before, 1);
    app.finish().await;
}
