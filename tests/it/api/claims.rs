//! Claims: how people come to accounts, and what they can do about their credentials afterwards.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::people::PASSWORD;
use crate::support::{Actor, Reply, TestApp, on_both};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const ANOTHER_PASSWORD: &str = "orange rhinos park lengthways";

async fn made(app: &TestApp, changes: Value) -> Reply {
    let mut body = json!({ "email": "kim@story.example", "display_name": "Kim" });
    for (member, value) in changes.as_object().unwrap() {
        body[member] = value.clone();
    }
    app.admin().await.post("/v1/users", body).await.expect(201)
}

async fn redeem(app: &TestApp, claim: &Reply, changes: Value) -> Reply {
    let mut body = json!({ "claim_token": claim.text("claim_token"), "password": PASSWORD });
    for (member, value) in changes.as_object().unwrap() {
        body[member] = value.clone();
    }
    Actor::nobody(app).post("/v1/claims/redeem", body).await
}

/// Another claim for the same account.
async fn claim_again(app: &TestApp, made: &Reply) -> Reply {
    let path = format!("/v1/users/{}/claims", made.text("user_id"));
    app.admin().await.post(&path, json!({})).await.expect(201)
}

on_both! {
    async fn a_claim_brings_a_person_to_their_account_once(app) {
        let made = made(app, json!({})).await;
        let (token, url) = (made.text("claim_token"), made.text("claim_url"));
        assert_eq!(url, format!("http://keylend.test/c#{token}"));
        assert_eq!((made.text("claim_purpose").as_str(), &made.body["claim_pin"]), ("join", &Value::Null));
        let nobody = Actor::nobody(app);
        let early = json!({ "email": "kim@story.example", "password": PASSWORD });
        nobody.post("/v1/sessions", early.clone()).await.expect_problem(401, "credentials_invalid");

        let session = redeem(app, &made, json!({})).await.expect(201);
        let kim = nobody.with_token(session.text("access_token"));
        assert_eq!(kim.get("/v1/users/me").await.expect(200).text("user_id"), made.text("user_id"));
        nobody.post("/v1/sessions", early).await.expect(201);
        redeem(app, &made, json!({})).await.expect_problem(409, "claim_redeemed");
        // Only a hash of the secret is kept.
        let dump = app.dump().await;
        assert!(!dump.windows(token.len()).any(|bytes| bytes == token.as_bytes()));
        let entries = format!("/v1/audit-entries?user_id={}", made.text("user_id"));
        let events = app.admin().await.get(&entries).await.expect(200).list("event");
        for event in ["user.created", "claim.created", "claim.redeemed", "session.created"] {
            assert!(events.contains(&event.to_owned()), "{event}: {events:?}");
        }
    }

    async fn what_stands_in_the_way_of_a_claim_is_said_and_changes_nothing(app) {
        let first = made(app, json!({})).await;
        let second = claim_again(app, &first).await;
        redeem(app, &first, json!({})).await.expect_problem(409, "claim_replaced");
        app.advance(WEEK);
        redeem(app, &second, json!({})).await.expect_problem(409, "claim_expired");
        let third = claim_again(app, &first).await;
        app.advance(WEEK.checked_sub(Duration::from_secs(1)).unwrap());
        let path = format!("/v1/users/{}/disable", first.text("user_id"));
        app.admin().await.post(&path, json!({})).await.expect(200);
        redeem(app, &third, json!({})).await.expect_problem(409, "account_disabled");
        let path = format!("/v1/users/{}/claims", first.text("user_id"));
        app.admin().await.post(&path, json!({})).await.expect_problem(409, "account_disabled");
        let path = format!("/v1/users/{}/enable", first.text("user_id"));
        app.admin().await.post(&path, json!({})).await.expect(200);
        redeem(app, &third, json!({ "claim_token": "kl_claim_x" })).await.expect_problem(404, "claim_unknown");
        redeem(app, &third, json!({})).await.expect(201);
    }

    async fn a_password_that_breaks_the_rules_leaves_the_claim_as_it_is(app) {
        let made = made(app, json!({})).await;
        let long = "correct horse battery ".repeat(500);
        for password in ["maple trout 14", "passwordpassword", "aaaaaaaaaaaaaaaaaaaa", "", &long] {
            let refused = redeem(app, &made, json!({ "password": password })).await;
            let refused = refused.expect_problem(422, "validation_failed");
            assert_eq!(refused.body["errors"][0]["pointer"], "/password", "{password:?}");
            assert_eq!(refused.body["errors"][0]["code"], "password_refused", "{password:?}");
            let text = refused.body.to_string();
            assert!(password.is_empty() || !text.contains(password), "{text}");
        }
        let without = redeem(app, &made, json!({ "password": null })).await;
        assert_eq!(without.expect_problem(422, "validation_failed").body["errors"][0]["code"], "required");
        redeem(app, &made, json!({})).await.expect(201);
    }

    async fn a_program_redeems_nothing(app) {
        let made = made(app, json!({})).await;
        let body = json!({ "claim_token": made.text("claim_token"), "password": PASSWORD });
        let client = app.api_client(&["users:write"]).await;
        client.post("/v1/claims/redeem", body).await.expect_problem(403, "person_only");
        redeem(app, &made, json!({})).await.expect(201);
    }

    async fn a_recovery_ends_what_there_was_and_leaves_an_hour(app) {
        let (admin, guest) = (app.admin().await, app.guest().await);
        let path = format!("/v1/users/{}/claims", guest.id);
        let late = admin.post(&path, json!({})).await.expect(201);
        assert_eq!(late.text("claim_purpose"), "recover");
        guest.get("/v1/users/me").await.expect_problem(401, "token_invalid");
        let old = json!({ "email": "guest@story.example", "password": PASSWORD });
        let old = Actor::nobody(app).post("/v1/sessions", old).await;
        old.expect_problem(401, "credentials_invalid");
        app.advance(HOUR);
        redeem(app, &late, json!({})).await.expect_problem(409, "claim_expired");

        let admin = app.admin().await;
        let claim = admin.post(&path, json!({})).await.expect(201);
        assert_eq!(claim.text("claim_purpose"), "recover");
        let session = redeem(app, &claim, json!({})).await.expect(201);
        let me = admin.with_token(session.text("access_token")).get("/v1/users/me").await.expect(200);
        assert_eq!((me.text("user_id"), me.text("recovered_by")), (guest.id, admin.id));
        assert!(me.body["recovered_at"].is_string(), "{}", me.body);
    }

    async fn a_changed_password_ends_every_other_session(app) {
        let guest = app.guest().await;
        let other = app.sign_in("guest@story.example").await;
        assert_eq!(guest.get("/v1/users/me/sessions").await.expect(200).list("session_id").len(), 2);
        let change = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
        let path = "/v1/users/me/password";
        let wrong = guest.put(path, change("not their password", ANOTHER_PASSWORD)).await;
        let wrong = wrong.expect_problem(422, "validation_failed");
        assert_eq!(wrong.body["errors"][0]["pointer"], "/current_password");
        let weak = guest.put(path, change(PASSWORD, "guest@story.example")).await;
        assert_eq!(weak.expect_problem(422, "validation_failed").body["errors"][0]["pointer"], "/new_password");

        guest.put(path, change(PASSWORD, ANOTHER_PASSWORD)).await.expect(204);
        other.get("/v1/users/me").await.expect_problem(401, "token_invalid");
        let open = guest.get("/v1/users/me/sessions").await.expect(200);
        assert_eq!(open.body["data"].as_array().unwrap().len(), 1, "{}", open.body);
        assert_eq!(open.body["data"][0]["is_current"], true);
        let sign_in = async |password: &str| {
            let body = json!({ "email": "guest@story.example", "password": password });
            Actor::nobody(app).post("/v1/sessions", body).await
        };
        sign_in(PASSWORD).await.expect_problem(401, "credentials_invalid");
        sign_in(ANOTHER_PASSWORD).await.expect(201);
        for _ in 0..9 {
            guest.put(path, change("not their password", PASSWORD)).await.expect(422);
        }
        guest.put(path, change("not their password", PASSWORD)).await.expect(422);
        guest.put(path, change(ANOTHER_PASSWORD, PASSWORD)).await.expect_problem(429, "rate_limited");
    }

    async fn people_end_their_own_sessions_and_administrators_all_of_somebodys(app) {
        let (admin, guest) = (app.admin().await, app.guest().await);
        let lost = app.sign_in("guest@story.example").await;
        let sessions = guest.get("/v1/users/me/sessions").await.expect(200);
        let rows = sessions.body["data"].as_array().unwrap();
        let other = rows.iter().find(|row| row["is_current"] == false).unwrap()["session_id"].as_str();
        let path = format!("/v1/users/me/sessions/{}", other.unwrap());
        admin.delete(&path).await.expect_problem(403, "person_only");
        guest.delete(&path).await.expect(204);
        guest.delete(&path).await.expect(204);
        lost.get("/v1/users/me").await.expect_problem(401, "token_invalid");
        guest.get("/v1/users/me").await.expect(200);
        admin.delete(&format!("/v1/users/{}/sessions", guest.id)).await.expect(204);
        guest.get("/v1/users/me").await.expect_problem(401, "token_invalid");
    }

    async fn a_session_that_nobody_uses_is_over_after_a_week(app) {
        app.guest().await;
        let nobody = Actor::nobody(app);
        let sign_in = json!({ "email": "guest@story.example", "password": PASSWORD });
        let [used, idle] = [(); 2].map(|()| nobody.post("/v1/sessions", sign_in.clone()));
        let (used, idle) = (used.await.expect(201), idle.await.expect(201));
        let go_on = async |session: &Reply| {
            let body = json!({ "refresh_token": session.text("refresh_token") });
            nobody.post("/v1/sessions/refresh", body).await
        };
        app.advance(WEEK.checked_sub(Duration::from_secs(1)).unwrap());
        let used = go_on(&used).await.expect(201);
        app.advance(Duration::from_secs(1));
        go_on(&idle).await.expect_problem(401, "token_invalid");
        let used = go_on(&used).await.expect(201);
        let me = nobody.with_token(used.text("access_token"));
        assert_eq!(me.get("/v1/users/me/sessions").await.expect(200).list("session_id").len(), 1);
    }
}
