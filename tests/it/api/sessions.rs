//! Sessions: signing in, going on, signing out, and everything that ends one at once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::people::PASSWORD;
use crate::support::{Actor, Reply, on_both};

const ACCESS_LIFETIME: Duration = Duration::from_secs(10 * 60);
const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// After so many failures in a quarter of an hour the door is shut for an address.
const FAILURES_MAX: usize = 10;

async fn sign_in(nobody: &Actor, email: &str, password: &str) -> Reply {
    nobody.post("/v1/sessions", json!({ "email": email, "password": password })).await
}

async fn refresh(nobody: &Actor, refresh_token: &str) -> Reply {
    nobody.post("/v1/sessions/refresh", json!({ "refresh_token": refresh_token })).await
}

/// A refusal without the name of its request.
fn nameless(refusal: &Reply) -> Value {
    let mut body = refusal.body.clone();
    body["request_id"] = Value::Null;
    body
}

on_both! {
    async fn a_person_signs_in_and_goes_on_with_new_tokens(app) {
        let guest = app.guest().await;
        let nobody = Actor::nobody(app);
        let first = sign_in(&nobody, "Guest@Story.example", PASSWORD).await.expect(201);
        assert_eq!(first.text("token_type"), "Bearer");
        assert_eq!(first.body["expires_in"], 600);

        let second = refresh(&nobody, &first.text("refresh_token")).await.expect(201);
        assert_eq!(second.text("session_id"), first.text("session_id"));
        assert_ne!(second.text("access_token"), first.text("access_token"));
        assert_ne!(second.text("refresh_token"), first.text("refresh_token"));
        for tokens in [&first, &second] {
            let me = nobody.with_token(tokens.text("access_token")).get("/v1/users/me").await;
            assert_eq!(me.expect(200).text("user_id"), guest.id);
        }
    }

    async fn an_old_refresh_token_ends_the_whole_family(app) {
        let guest = app.guest().await;
        let nobody = Actor::nobody(app);
        let first = sign_in(&nobody, "guest@story.example", PASSWORD).await.expect(201);
        let second = refresh(&nobody, &first.text("refresh_token")).await.expect(201);

        let copied = refresh(&nobody, &first.text("refresh_token")).await;
        copied.expect_problem(401, "token_invalid");
        for tokens in [&first, &second] {
            let me = nobody.with_token(tokens.text("access_token")).get("/v1/users/me").await;
            me.expect_problem(401, "token_invalid");
        }
        let last = refresh(&nobody, &second.text("refresh_token")).await;
        last.expect_problem(401, "token_invalid");
        // Another session of the same person is another family.
        guest.get("/v1/users/me").await.expect(200);

        let path = format!("/v1/audit-entries?user_id={}&event=session.ended", guest.id);
        let ended = app.admin().await.get(&path).await.expect(200);
        assert_eq!(ended.list("event").len(), 1, "{}", ended.body);
        assert_eq!(ended.body["data"][0]["details"]["reason"], "refresh_reused");
    }

    async fn of_ten_parallel_refreshes_exactly_one_wins(app) {
        app.guest().await;
        let nobody = Actor::nobody(app);
        let first = sign_in(&nobody, "guest@story.example", PASSWORD).await.expect(201);
        let token = first.text("refresh_token");
        let attempts = (0..10).map(|_| refresh(&nobody, &token));
        let replies = futures_util::future::join_all(attempts).await;
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        let won: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
        assert_eq!(won.len(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 9, "{statuses:?}");
        // The others were repetitions of a used token: somebody may have copied it.
        let me = nobody.with_token(won[0].text("access_token")).get("/v1/users/me").await;
        me.expect_problem(401, "token_invalid");
    }

    async fn signing_out_ends_both_tokens_at_once(app) {
        app.guest().await;
        let nobody = Actor::nobody(app);
        let tokens = sign_in(&nobody, "guest@story.example", PASSWORD).await.expect(201);
        let guest = nobody.with_token(tokens.text("access_token"));
        guest.delete("/v1/sessions/current").await.expect(204);
        guest.get("/v1/users/me").await.expect_problem(401, "token_invalid");
        guest.delete("/v1/sessions/current").await.expect_problem(401, "token_invalid");
        let late = refresh(&nobody, &tokens.text("refresh_token")).await;
        late.expect_problem(401, "token_invalid");
    }

    async fn an_access_token_lives_for_ten_minutes_and_a_session_for_thirty_days(app) {
        app.guest().await;
        let nobody = Actor::nobody(app);
        let tokens = sign_in(&nobody, "guest@story.example", PASSWORD).await.expect(201);
        let guest = nobody.with_token(tokens.text("access_token"));
        app.advance(ACCESS_LIFETIME - Duration::from_secs(1));
        guest.get("/v1/users/me").await.expect(200);
        app.advance(Duration::from_secs(1));
        let expired = guest.get("/v1/users/me").await.expect_problem(401, "token_expired");
        let challenge = expired.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("invalid_token"), "{challenge}");

        let next = refresh(&nobody, &tokens.text("refresh_token")).await.expect(201);
        nobody.with_token(next.text("access_token")).get("/v1/users/me").await.expect(200);
        app.advance(SESSION_LIFETIME);
        let late = refresh(&nobody, &next.text("refresh_token")).await;
        late.expect_problem(401, "token_invalid");
    }

    async fn what_was_wrong_with_credentials_is_not_told(app) {
        let (guest, stranger) = (app.guest().await, app.stranger().await);
        let path = format!("/v1/users/{}/disable", stranger.id);
        app.admin().await.post(&path, json!({})).await.expect(200);
        let no_password = json!({ "email": "nop@story.example", "display_name": "No Password" });
        app.admin().await.post("/v1/users", no_password).await.expect(201);

        let nobody = Actor::nobody(app);
        let wrong = sign_in(&nobody, "guest@story.example", "not their password at all").await;
        let wrong = wrong.expect_problem(401, "credentials_invalid");
        for (email, password) in [
            ("unknown@story.example", PASSWORD),
            ("stranger@story.example", PASSWORD),
            ("nop@story.example", PASSWORD),
            ("guest@story.example", ""),
        ] {
            let refused = sign_in(&nobody, email, password).await;
            let refused = refused.expect_problem(401, "credentials_invalid");
            assert_eq!(nameless(&refused), nameless(&wrong), "{email}");
        }
        app.idle().await;
        let path = format!("/v1/audit-entries?user_id={}&event=session.refused", guest.id);
        let refused = app.admin().await.get(&path).await.expect(200);
        assert_eq!(refused.body["data"][0]["details"]["reason"], "wrong_password");
    }

    async fn guessing_is_throttled_and_time_heals(app) {
        app.guest().await;
        app.stranger().await;
        let nobody = Actor::nobody(app);
        let email = "guest@story.example";
        for _ in 0..FAILURES_MAX {
            let wrong = sign_in(&nobody, email, "not their password at all").await;
            wrong.expect_problem(401, "credentials_invalid");
        }
        let shut = sign_in(&nobody, email, PASSWORD).await.expect_problem(429, "rate_limited");
        assert_eq!(shut.body["retryable"], true);
        let wait: u64 = shut.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
        // Others at the same address are not shut out.
        sign_in(&nobody, "stranger@story.example", PASSWORD).await.expect(201);

        app.advance(Duration::from_secs(wait));
        sign_in(&nobody, email, PASSWORD).await.expect(201);
    }

    async fn a_closed_account_is_out_at_once(app) {
        let guest = app.guest().await;
        let nobody = Actor::nobody(app);
        let tokens = sign_in(&nobody, "guest@story.example", PASSWORD).await.expect(201);
        let path = format!("/v1/users/{}/disable", guest.id);
        let closed = app.admin().await.post(&path, json!({})).await.expect(200);
        assert!(closed.body["disabled_at"].is_string(), "{}", closed.body);

        guest.get("/v1/users/me").await.expect_problem(401, "token_invalid");
        let late = refresh(&nobody, &tokens.text("refresh_token")).await;
        late.expect_problem(401, "token_invalid");
        let back = sign_in(&nobody, "guest@story.example", PASSWORD).await;
        back.expect_problem(401, "credentials_invalid");
    }

    async fn one_address_in_two_organizations_is_told_apart_by_the_organization(app) {
        app.guest().await;
        let foreigner = app.foreigner().await;
        let twin = json!({ "email": "guest@story.example", "display_name": "Twin" });
        let twin = foreigner.post("/v1/users", twin).await.expect(201);
        foreigner.redeem(&twin.text("claim_token")).await;
        let nobody = Actor::nobody(app);
        let either = sign_in(&nobody, "guest@story.example", PASSWORD).await;
        either.expect_problem(401, "credentials_invalid");
        let body = json!({ "email": "guest@story.example", "password": PASSWORD,
            "organization_id": twin.text("organization_id") });
        let tokens = nobody.post("/v1/sessions", body).await.expect(201);
        let me = nobody.with_token(tokens.text("access_token")).get("/v1/users/me").await;
        assert_eq!(me.expect(200).text("user_id"), twin.text("user_id"));
    }
}
