//! A booking changes: what narrows is a line at once, what widens asks the owner, and the key on the phone goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::again;
use crate::support::{Actor, Reply, on_both};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn seen(actor: &Actor, grant_id: &str) -> Reply {
    actor.get(&format!("/v1/grants/{grant_id}")).await.expect(200)
}

async fn amend(actor: &Actor, grant_id: &str, changes: Value) -> Reply {
    let seen = seen(actor, grant_id).await;
    actor.patch(&format!("/v1/grants/{grant_id}"), &seen, changes).await
}

on_both! {
    async fn a_change_says_what_it_did_and_is_in_the_record(app) {
        let (owner, guest) = (app.generous_owner().await, app.guest().await);
        let issued = owner.lend_with(app, &guest, json!({ "external_ref": " booking-17 " })).await.expect(201);
        let (grant_id, version) = (issued.text("grant_id"), |reply: &Reply| reply.body["version"].as_i64());
        assert_eq!((issued.headers["etag"].to_str().unwrap(), version(&issued)), ("\"1\"", Some(1)));
        assert_eq!(issued.text("external_ref"), "booking-17");
        for (changes, effect) in [
            (json!({ "entitlements": ["unlock", "lock", "read_attributes", "read_lock_status", "read_odometer"] }), "widening"),
            (json!({ "max_uses": 3 }), "narrowing"),
            (json!({ "max_uses": 2, "not_after": "2026-07-01T15:00:00Z" }), "mixed"),
            (json!({ "max_uses": null, "not_before": "2026-07-01T11:00:00Z" }), "widening"),
            (json!({ "not_before": "2026-07-01T10:00:00Z" }), "none"),
            (json!({ "label": "Late", "metadata": { "seat": 1 }, "external_ref": "booking-18", "instructions": "Level 2,\nleft." }), "none"),
            (json!({ "label": null, "metadata": null, "external_ref": null, "fallback_text": "Call us." }), "none"),
        ] {
            let amended = amend(&owner, &grant_id, changes.clone()).await.expect(200);
            assert_eq!(amended.text("effect"), effect, "{changes}");
            assert_eq!(amended.headers["etag"].to_str().unwrap(), format!("\"{}\"", version(&amended).unwrap()));
            let now = seen(&guest, &grant_id).await;
            for (name, value) in now.body.as_object().unwrap().iter().filter(|(name, _)| *name != "held_by") {
                assert_eq!(&amended.body[name], value, "{name}");
            }
        }
        let now = seen(&owner, &grant_id).await;
        assert_eq!((version(&now), now.body["revision"].as_i64()), (Some(8), Some(6)));
        assert_eq!((now.text("not_after"), &now.body["label"]), ("2026-07-01T15:00:00Z".to_owned(), &Value::Null));
        assert_eq!((now.text("instructions"), now.text("fallback_text")), ("Level 2,\nleft.".into(), "Call us.".into()));
        let path = format!("/v1/audit-entries?grant_id={grant_id}&event=grant.amended");
        let entries = app.admin().await.get(&path).await.expect(200);
        let entries = entries.body["data"].as_array().unwrap();
        let effects: Vec<_> = entries.iter().map(|entry| &entry["details"]["effect"]).collect();
        assert_eq!(json!(effects), json!(["none", "none", "none", "widening", "mixed", "narrowing", "widening"]));
        assert_eq!(entries[4]["details"]["not_after"], "2026-07-01T15:00:00Z");
        assert_eq!(entries[4]["details"]["max_uses"], 2);
    }

    async fn the_key_on_the_phone_goes_on_when_the_grant_is_extended(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let later = json!({ "not_before": "2026-07-01T13:00:00Z", "not_after": "2026-07-01T14:00:00Z" });
        let grant_id = owner.lend_with(app, &guest, later).await.expect(201).text("grant_id");
        let holder = guest.holder_of(&grant_id).await;
        holder.command(&car, "unlock").await.expect_problem(403, "grant_not_yet_valid");
        amend(&owner, &grant_id, json!({ "not_before": "2026-07-01T12:00:00Z" })).await.expect(200);
        holder.command(&car, "unlock").await.expect(200);
        amend(&owner, &grant_id, json!({ "not_after": "2026-07-01T18:00:00Z" })).await.expect(200);
        app.advance(5 * HOUR);
        holder.command(&car, "unlock").await.expect(200);
        app.advance(HOUR);
        holder.command(&car, "unlock").await.expect_problem(403, "grant_expired");
    }

    async fn what_a_grant_no_longer_allows_is_refused_with_that_reason(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        holder.command(&car, "unlock").await.expect(200);
        amend(&owner, &grant_id, json!({ "entitlements": ["lock"] })).await.expect(200);
        holder.command(&car, "unlock").await.expect_problem(403, "entitlement_missing");
        holder.command(&car, "lock").await.expect(200);
        amend(&owner, &grant_id, json!({ "entitlements": ["unlock", "lock"], "max_uses": 1 })).await.expect(200);
        holder.command(&car, "unlock").await.expect_problem(403, "grant_exhausted");
        amend(&owner, &grant_id, json!({ "not_before": "2026-07-01T13:00:00Z" })).await.expect(200);
        holder.command(&car, "lock").await.expect_problem(403, "grant_not_yet_valid");
        let few = amend(&owner, &grant_id, json!({ "max_uses": 1, "not_after": "2026-07-01T12:00:00Z" })).await;
        let few = few.expect_problem(422, "validation_failed");
        assert_eq!(few.body["errors"][0]["pointer"], "/not_after");
    }

    async fn what_cannot_become_of_a_grant_is_refused_and_changes_nothing(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend_with(app, &guest, json!({ "max_uses": 5 })).await.expect(201).text("grant_id");
        let holder = guest.holder_of(&grant_id).await;
        for _ in 0..2 {
            holder.command(&owner.vehicles[0], "unlock").await.expect(200);
        }
        app.advance(HOUR / 60);
        let before = seen(&owner, &grant_id).await;
        for (changes, pointer, code) in [
            (json!({}), "", "empty"),
            (json!({ "entitlements": [] }), "/entitlements", "empty"),
            (json!({ "entitlements": null, "max_uses": 0 }), "/max_uses", "out_of_range"),
            (json!({ "max_uses": 1 }), "/max_uses", "below_uses"),
            (json!({ "not_after": "2026-07-01T11:00:00Z" }), "/not_after", "invalid_validity"),
            (json!({ "not_after": "2026-07-01T12:00:30Z" }), "/not_after", "in_the_past"),
            (json!({ "not_after": "2027-08-05T12:00:00.000001Z" }), "/not_after", "invalid_validity"),
            (json!({ "external_ref": "" }), "/external_ref", "invalid"),
            (json!({ "external_ref": "x".repeat(10_000) }), "/external_ref", "invalid"),
            (json!({ "metadata": { "much": "x".repeat(5_000) } }), "/metadata", "too_long"),
            (json!({ "grantee_id": guest.id }), "/grantee_id", "unknown_field"),
        ] {
            let refused = amend(&owner, &grant_id, changes.clone()).await;
            let refused = refused.expect_problem(422, "validation_failed");
            let error = &refused.body["errors"][0];
            assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!(code)), "{changes}");
        }
        assert_eq!(seen(&owner, &grant_id).await.body, before.body);
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        amend(&owner, &grant_id, json!({ "max_uses": 3 })).await.expect_problem(409, "grant_ended");
    }

    async fn nobody_changes_what_they_have_not_seen(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let path = format!("/v1/grants/{grant_id}");
        let old = seen(&owner, &grant_id).await;
        owner.patch(&path, &old, json!({ "max_uses": 3 })).await.expect(200);
        let stale = owner.patch(&path, &old, json!({ "max_uses": 4 })).await;
        let stale = stale.expect_problem(412, "precondition_failed");
        assert!(stale.text("detail").contains("\"2\""), "{}", stale.body);
        let ask = |tag: Option<&'static str>| {
            let request = owner.request(Method::PATCH, &path).json(&json!({ "max_uses": 4 }));
            let request = match tag {
                Some(tag) => request.header("if-match", tag),
                None => request,
            };
            async { Reply::read(request.send().await.unwrap()).await }
        };
        ask(None).await.expect_problem(428, "precondition_required");
        ask(Some("2")).await.expect_problem(422, "validation_failed");
        ask(Some("W/\"2\"")).await.expect_problem(412, "precondition_failed");
        assert_eq!(seen(&owner, &grant_id).await.body["max_uses"], 3);
        ask(Some("\"1\", \"2\"")).await.expect(200);
        // Of many who have seen the same, one changes it.
        let seen = seen(&owner, &grant_id).await;
        let all = join_all((5..13).map(|uses| owner.patch(&path, &seen, json!({ "max_uses": uses })))).await;
        let changed = all.iter().filter(|reply| reply.status == 200).count();
        assert_eq!((changed, all.iter().filter(|reply| reply.status == 412).count()), (1, 7));
    }

    async fn a_narrowing_can_be_waited_for_and_nothing_begun_after_it_is_executed(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        for number in 0..20 {
            let grant_id = owner.lend(app, &guest).await;
            let holder = guest.holder_of(&grant_id).await;
            let (path, seen) = (format!("/v1/grants/{grant_id}?wait=drain"), seen(&owner, &grant_id).await);
            let (is_narrowed, before) = (AtomicBool::new(false), app.cloud.journal_length().await);
            let unlocks = join_all((0..24).map(|_| async {
                let mut allowed = 0;
                loop {
                    let began_after = is_narrowed.load(Ordering::SeqCst);
                    let reply = holder.command(&car, "unlock").await;
                    match reply.status {
                        200 | 202 => allowed += 1,
                        403 => assert_eq!(reply.text("code"), "entitlement_missing"),
                        other => panic!("{other}: {}", reply.body),
                    }
                    if began_after {
                        assert_eq!(reply.status, 403, "allowed after the narrowing");
                        return allowed;
                    }
                }
            }));
            let narrowing = async {
                while app.cloud.journal_length().await < before + 12 {
                    tokio::task::yield_now().await;
                }
                let narrowed = owner.patch(&path, &seen, json!({ "entitlements": ["lock"] })).await.expect(200);
                is_narrowed.store(true, Ordering::SeqCst);
                assert_eq!((narrowed.text("effect").as_str(), &narrowed.body["in_flight"]), ("narrowing", &json!([])));
                app.cloud.journal_length().await
            };
            let (allowed, at_the_answer) = tokio::join!(unlocks, narrowing);
            let after = app.cloud.journal_length().await;
            assert_eq!((at_the_answer, allowed.iter().sum::<usize>()), (after, after - before), "round {number}");
        }
    }

    async fn a_change_of_an_owner_who_lost_the_car_is_refused(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        app.advance(2 * HOUR);
        let owner = again(app, &owner, "owner").await;
        amend(&owner, &grant_id, json!({ "not_after": "2026-07-01T18:00:00Z" })).await.expect_problem(409, "grant_ended");
    }
}
