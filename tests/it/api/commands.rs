//! Commands: who may give them, what becomes of them, and how what is not certain gets settled.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

/// A car is checked so long after a command.
const FIRST_CHECK: Duration = Duration::from_secs(3);
/// More checks than reconciliation makes.
const CHECKS_MAX: usize = 50;

/// The command when it has reached its last status. Time passes meanwhile.
async fn settled(app: &TestApp, actor: &Actor, command_id: &str) -> Reply {
    let path = format!("/v1/commands/{command_id}");
    for _ in 0..CHECKS_MAX {
        app.advance(FIRST_CHECK);
        app.run_workers().await;
        let seen = actor.get(&path).await.expect(200);
        if !["sending", "acknowledged", "unknown"].contains(&seen.text("status").as_str()) {
            return seen;
        }
    }
    panic!("{command_id} is not settled");
}

/// What a misbehaving cloud makes of an unlock: the status, and the first reasons.
async fn unlock_with(app: &TestApp, owner: &Actor, fault: Value) -> Reply {
    app.cloud.script_all(&json!([fault])).await;
    let reply = owner.command(&owner.vehicles[0], "unlock").await;
    app.cloud.script_all(&json!([])).await;
    reply
}

on_both! {
    async fn an_owner_opens_their_own_car_without_a_grant(app) {
        let owner = app.owner().await;
        let car = owner.vehicles[0].clone();
        let unlocked = owner.command(&car, "unlock").await.expect(200);
        assert_eq!(unlocked.text("status"), "acknowledged");
        assert_eq!(unlocked.text("evidence"), "provider_ack");
        assert_eq!(unlocked.text("user_id"), owner.id);
        assert_eq!(unlocked.body["grant_id"], Value::Null);
        let journal = app.cloud.journal().await;
        assert_eq!(journal[0]["action"], "UNLOCK");
        let path = format!("/v1/commands/{}", unlocked.text("command_id"));
        assert_eq!(owner.get(&path).await.expect(200).body, unlocked.body);
        assert_eq!(app.admin().await.get(&path).await.expect(200).body, unlocked.body);
        app.stranger().await.get(&path).await.expect_problem(404, "not_found");
        app.foreigner().await.get(&path).await.expect_problem(404, "not_found");
        let path = format!("/v1/audit-entries?vehicle_id={car}&event=command.authorized");
        let authorized = owner.get(&path).await.expect(200);
        assert_eq!(authorized.body["data"][0]["details"]["basis"], "ownership");
    }

    async fn nobody_else_commands_a_car(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let (car, other_car) = (owner.vehicles[0].clone(), owner.vehicles[1].clone());
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        stranger.command(&car, "unlock").await.expect_problem(404, "not_found");
        app.admin().await.command(&car, "unlock").await.expect_problem(404, "not_found");
        app.foreigner().await.command(&car, "unlock").await.expect_problem(404, "not_found");
        Actor::nobody(app).command(&car, "unlock").await.expect_problem(401, "token_missing");
        guest.command(&other_car, "unlock").await.expect_problem(404, "not_found");
        holder.command(&other_car, "unlock").await.expect_problem(403, "vehicle_mismatch");

        let by_grant = json!({ "vehicle_id": car, "action": "unlock", "grant_id": grant_id });
        let taken = stranger.post("/v1/commands", by_grant.clone()).await;
        let taken = taken.expect_problem(403, "not_the_grantee");
        assert_eq!(taken.body["reasons"], json!(["not_the_grantee"]));
        let second = owner.lend(app, &stranger).await;
        let other_grant = json!({ "vehicle_id": car, "action": "unlock", "grant_id": second });
        let refused = holder.post("/v1/commands", other_grant).await;
        refused.expect_problem(403, "not_the_grantee");
        assert!(app.cloud.journal().await.is_empty());
        holder.post("/v1/commands", by_grant).await.expect(200);
    }

    async fn what_was_not_lent_is_refused_with_every_reason(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let lock_only = json!({ "entitlements": ["lock"] });
        let grant_id = owner.lend_with(app, &guest, lock_only).await.expect(201).text("grant_id");
        let holder = guest.holder_of(&grant_id).await;
        holder.command(&car, "lock").await.expect(200);
        let body = json!({ "vehicle_id": car, "action": "unlock" });
        for is_replay in [false, true] {
            let refused = holder.post_as("/v1/commands", "once", body.clone()).await;
            assert_eq!(refused.headers.contains_key("idempotency-replayed"), is_replay);
            refused.expect_problem(403, "entitlement_missing");
        }
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        let refused = holder.command(&car, "unlock").await.expect_problem(403, "grant_revoked");
        assert_eq!(refused.body["reasons"], json!(["grant_revoked", "entitlement_missing"]));
        let path = format!("/v1/vehicles/{car}/commands");
        let list = owner.get(&path).await.expect(200);
        assert_eq!(list.list("status"), ["refused", "refused", "acknowledged"]);
    }

    async fn a_closed_account_stops_keys_at_both_ends(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let (admin, car) = (app.admin().await, owner.vehicles[0].clone());
        let (first, second) = (owner.lend(app, &guest).await, owner.lend(app, &stranger).await);
        let (guest, stranger) = (guest.holder_of(&first).await, stranger.holder_of(&second).await);
        admin.post(&format!("/v1/users/{}/disable", guest.id), json!({})).await.expect(200);
        guest.command(&car, "unlock").await.expect_problem(403, "grant_revoked");
        stranger.command(&car, "unlock").await.expect(200);
        admin.post(&format!("/v1/users/{}/disable", owner.id), json!({})).await.expect(200);
        stranger.command(&car, "unlock").await.expect_problem(403, "account_disabled");
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn a_client_that_does_not_wait_is_told_where_to_look(app) {
        let owner = app.owner().await;
        let slow = json!([{ "kind": "delay", "delay_ms": 500 }]);
        app.cloud.script_all(&slow).await;
        let body = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
        let request = owner.request(Method::POST, "/v1/commands").header("idempotency-key", "once");
        let request = request.header("prefer", "wait=0").json(&body);
        let accepted = Reply::read(request.send().await.unwrap()).await.expect(202);
        assert_eq!(accepted.text("status"), "sending");
        assert_eq!(accepted.text("evidence"), "none");
        let location = accepted.headers["location"].to_str().unwrap().to_owned();
        assert_eq!(location, format!("/v1/commands/{}", accepted.text("command_id")));
        owner.get(&location).await.expect(200);
        // Asking again with the same key waits for the same command.
        let done = owner.post_as("/v1/commands", "once", body).await.expect(200);
        assert_eq!(done.text("command_id"), accepted.text("command_id"));
        assert_eq!(done.text("status"), "acknowledged");
        assert_eq!(done.headers["idempotency-replayed"], "true");
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn what_provably_did_not_happen_is_failed(app) {
        let owner = app.owner().await;
        let asleep = json!({ "kind": "vehicle_state", "code": "ASLEEP" });
        let asleep = unlock_with(app, &owner, asleep).await;
        let asleep = asleep.expect_problem(409, "vehicle_unreachable").command();
        assert_eq!(asleep.text("status"), "failed", "{}", asleep.body);
        assert_eq!(asleep.body["reasons"], json!(["vehicle_unreachable", "VEHICLE_STATE/ASLEEP"]));
        assert_eq!(asleep.text("evidence"), "none");
        let limited = json!({ "kind": "rate_limited", "retry_after_s": 7 });
        let limited = unlock_with(app, &owner, limited).await.expect_problem(429, "rate_limited");
        assert_eq!(limited.headers["retry-after"], "7");
        let limited = limited.command();
        assert_eq!(limited.text("status"), "failed", "{}", limited.body);
        assert_eq!(limited.body["reasons"][0], "rate_limited");
        assert_eq!(limited.body["retry_after_ms"], 7000);
        assert!(app.cloud.journal().await.is_empty());
        // What failed stays failed.
        app.advance(FIRST_CHECK);
        app.run_workers().await;
        let path = format!("/v1/commands/{}", asleep.text("command_id"));
        assert_eq!(owner.get(&path).await.expect(200).body, asleep.body);
    }

    async fn what_may_have_happened_is_unknown_until_the_car_is_seen(app) {
        let owner = app.owner().await;
        for fault in ["executed_then_no_answer", "executed_then_500", "garbage"] {
            let unknown = unlock_with(app, &owner, json!({ "kind": fault })).await.expect(202);
            assert!(unknown.text("user_message").starts_with("It may have happened."));
            assert_eq!(unknown.text("status"), "unknown", "{fault}: {}", unknown.body);
            let seen = settled(app, &owner, &unknown.text("command_id")).await;
            assert_eq!(seen.text("status"), "confirmed", "{fault}: {}", seen.body);
            assert_eq!(seen.text("evidence"), "state_observed");
            assert!(seen.body["observed_at"].is_string());
            let before = ["user_message", "resolution", "retry_after_ms"].map(|member| &seen.body[member]);
            assert_eq!((before, &seen.body["reasons"]), ([&json!(null); 3], &json!([])));
            owner.command(&owner.vehicles[0], "lock").await.expect(200);
        }
        // Nothing was ever sent twice.
        assert_eq!(app.cloud.journal().await.len(), 6);
    }

    async fn an_acknowledgement_is_confirmed_by_checking_the_car(app) {
        let owner = app.owner().await;
        let unlocked = owner.command(&owner.vehicles[0], "unlock").await.expect(200);
        let seen = settled(app, &owner, &unlocked.text("command_id")).await;
        assert_eq!(seen.text("status"), "confirmed", "{}", seen.body);
        let lying = json!({ "kind": "acknowledged_not_executed" });
        app.cloud.script_all(&json!([lying])).await;
        let acknowledged = owner.command(&owner.vehicles[0], "lock").await.expect(200);
        assert_eq!(acknowledged.text("status"), "acknowledged");
        let seen = settled(app, &owner, &acknowledged.text("command_id")).await;
        assert_eq!(seen.text("status"), "unconfirmed", "{}", seen.body);
        let events = owner.events_of(&owner.vehicles[0]).await;
        assert_eq!(events[..3],
            ["command.unconfirmed", "command.acknowledged", "command.authorized"]);
    }

    async fn a_silent_cloud_is_contradicted_by_the_car_or_never_resolved(app) {
        let owner = app.owner().await;
        let silent = json!({ "kind": "error", "type": "UPSTREAM", "code": "NO_RESPONSE" });
        let unknown = unlock_with(app, &owner, silent.clone()).await.expect(202);
        assert_eq!(unknown.text("status"), "unknown", "{}", unknown.body);
        let seen = settled(app, &owner, &unknown.text("command_id")).await;
        assert!(["contradicted", "unresolved"].contains(&seen.text("status").as_str()), "{}", seen.body);
        assert!(app.cloud.journal().await.is_empty());

        let unknown = unlock_with(app, &owner, silent).await.expect(202);
        let blind = vec![json!({ "kind": "refuse", "on": "read" }); 100];
        app.cloud.script_all(&json!(blind)).await;
        let lost = settled(app, &owner, &unknown.text("command_id")).await;
        assert_eq!(lost.text("status"), "unresolved", "{}", lost.body);
        assert!(lost.body["reasons"].to_string().contains("not_seen_in_time"), "{}", lost.body);
    }

    async fn a_car_that_is_closed_when_it_cannot_obey_any_more_contradicts(app) {
        let owner = app.owner().await;
        let silent = json!({ "kind": "error", "type": "UPSTREAM", "code": "NO_RESPONSE" });
        let unknown = unlock_with(app, &owner, silent).await.expect(202);
        let car = app.cloud.car_of(app, &owner.vehicles[0]).await;
        let says_closed = || app.cloud.adjust(car["id"].as_str().unwrap(), json!({ "is_locked": true }));
        // It may still be about to open.
        app.advance(FIRST_CHECK);
        says_closed().await;
        app.run_workers().await;
        let path = format!("/v1/commands/{}", unknown.text("command_id"));
        assert_eq!(owner.get(&path).await.expect(200).text("status"), "unknown");
        app.advance(Duration::from_secs(40));
        says_closed().await;
        let seen = settled(app, &owner, &unknown.text("command_id")).await;
        assert_eq!(seen.text("status"), "contradicted", "{}", seen.body);
    }

    async fn a_command_that_was_followed_by_another_cannot_be_judged(app) {
        let owner = app.owner().await;
        let car = &owner.vehicles[0];
        let first = owner.command(car, "unlock").await.expect(200);
        let second = owner.command(car, "lock").await.expect(200);
        let first = settled(app, &owner, &first.text("command_id")).await;
        assert_eq!(first.text("status"), "unconfirmed", "{}", first.body);
        assert_eq!(first.body["reasons"], json!(["overtaken"]));
        let second = settled(app, &owner, &second.text("command_id")).await;
        assert_eq!(second.text("status"), "confirmed", "{}", second.body);
    }

    async fn the_list_of_a_car_is_for_its_owner_and_administrators(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        owner.lend(app, &guest).await;
        for action in ["unlock", "lock", "unlock"] {
            owner.command(&car, action).await.expect(200);
        }
        owner.command(&owner.vehicles[1], "unlock").await.expect(200);
        let path = format!("/v1/vehicles/{car}/commands");
        let all = owner.get(&path).await.expect(200);
        assert_eq!(all.list("action"), ["unlock", "lock", "unlock"]);
        assert_eq!(app.admin().await.get(&path).await.expect(200).body, all.body);
        let page = owner.get(&format!("{path}?limit=2")).await.expect(200);
        let next = format!("{path}?limit=2&cursor={}", page.text("next_cursor"));
        assert_eq!(page.headers["link"], format!("<{next}>; rel=\"next\""));
        assert_eq!(owner.get(&next).await.expect(200).list("command_id"), all.list("command_id")[2..]);
        for who in [app.stranger().await, app.foreigner().await] {
            who.get(&path).await.expect_problem(404, "not_found");
        }
        let guests = guest.get(&path).await;
        assert!([403, 404].contains(&guests.status), "{}", guests.body);
    }
}
