//! Idempotency keys: a repeated request gets the same answer and does nothing twice.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

/// Sends the same request twice and another one with the same key.
async fn twice_and_another(actor: &Actor, path: &str, body: &Value, another: &Value) -> Reply {
    let key = format!("key-of{}", path.replace('/', "-"));
    let first = actor.post_as(path, &key, body.clone()).await;
    assert!((200..300).contains(&first.status), "{path}: {}", first.body);
    assert!(!first.headers.contains_key("idempotency-replayed"), "{path}");
    let second = actor.post_as(path, &key, body.clone()).await.expect(first.status);
    assert_eq!(second.body, first.body, "{path}");
    assert_eq!(second.headers["idempotency-replayed"], "true", "{path}");
    let other = actor.post_as(path, &key, another.clone()).await;
    other.expect_problem(422, "idempotency_key_reused");
    first
}

async fn without_key(actor: &Actor, path: &str, body: &Value) -> Reply {
    Reply::read(actor.request(Method::POST, path).json(body).send().await.unwrap()).await
}

fn lending(app: &TestApp, owner: &Actor, guest: &Actor) -> Value {
    let now = keylend::clock::Clock::now(&*app.clock);
    json!({
        "vehicle_id": owner.vehicles[0],
        "grantee_id": guest.id,
        "entitlements": ["unlock", "lock"],
        "not_before": now,
        "not_after": "2026-07-01T14:00:00Z",
    })
}

on_both! {
    async fn grants_and_commands_must_have_a_key(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let command = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
        for (path, body) in [("/v1/commands", command), ("/v1/grants", lending(app, &owner, &guest))] {
            let refused = without_key(&owner, path, &body).await;
            refused.expect_problem(400, "idempotency_key_required");
            for odd in ["", "two words", "\"half", &"k".repeat(256)] {
                let refused = owner.post_as(path, odd, body.clone()).await;
                let refused = refused.expect_problem(422, "validation_failed");
                assert_eq!(refused.body["errors"][0]["pointer"], "Idempotency-Key");
            }
        }
        assert!(app.cloud.journal().await.is_empty());
        assert!(owner.get("/v1/grants").await.expect(200).list("grant_id").is_empty());
        let user = json!({ "email": "kim@story.example", "display_name": "Kim" });
        without_key(&app.admin().await, "/v1/users", &user).await.expect(201);
    }

    async fn a_repeated_request_makes_nothing_new(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let user = json!({ "email": "kim@story.example", "display_name": "Kim" });
        let mut another = user.clone();
        another["display_name"] = json!("Lee");
        twice_and_another(&admin, "/v1/users", &user, &another).await;

        let client = json!({ "name": "Backend", "scopes": ["users:read"] });
        let another = json!({ "name": "Backend", "scopes": [] });
        let made = twice_and_another(&admin, "/v1/api-clients", &client, &another).await;
        // The repeated answer has the secret too: whoever lost the first one needs it.
        assert!(!made.text("client_secret").is_empty());
        assert_eq!(admin.get("/v1/api-clients").await.expect(200).list("name").len(), 1);

        let live = json!({ "mode": "live" });
        let simulated = json!({ "mode": "simulated" });
        twice_and_another(&owner, "/v1/connections", &live, &simulated).await;

        let grant = lending(app, &owner, &guest);
        let mut another = grant.clone();
        another["max_uses"] = json!(1);
        twice_and_another(&owner, "/v1/grants", &grant, &another).await;
        assert_eq!(owner.get("/v1/grants").await.expect(200).list("grant_id").len(), 1);

        let unlock = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
        let lock = json!({ "vehicle_id": owner.vehicles[0], "action": "lock" });
        twice_and_another(&guest, "/v1/commands", &unlock, &lock).await;
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn a_refusal_is_repeated_too(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let upcoming = json!({ "not_before": "2026-07-01T12:05:00Z" });
        owner.lend_with(app, &guest, upcoming).await.expect(201);
        let unlock = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
        let first = guest.post_as("/v1/commands", "early", unlock.clone()).await;
        first.expect_problem(403, "grant_not_yet_valid");
        app.advance(std::time::Duration::from_secs(5 * 60));
        let second = guest.post_as("/v1/commands", "early", unlock.clone()).await;
        second.expect_problem(403, "grant_not_yet_valid");
        guest.post_as("/v1/commands", "late", unlock).await.expect(200);
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn a_key_belongs_to_the_one_who_sent_it(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        owner.lend(app, &guest).await;
        let unlock = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
        let first = owner.post_as("/v1/commands", "same", unlock.clone()).await.expect(200);
        let second = guest.post_as("/v1/commands", "same", unlock).await.expect(200);
        assert_ne!(first.text("command_id"), second.text("command_id"));
        assert_eq!(app.cloud.journal().await.len(), 2);

        // An API client that acts for somebody else sends another request.
        let client = app.api_client(&["connections:write"]).await;
        owner.allow(&client).await;
        guest.allow(&client).await;
        let path = "/v1/connections";
        let one = client.acting_for(&owner).post_as(path, "same", json!({})).await.expect(201);
        let other = client.acting_for(&guest).post_as(path, "same", json!({})).await;
        other.expect_problem(422, "idempotency_key_reused");
        assert_eq!(one.text("owner_id"), owner.id);
    }

    async fn the_same_request_with_another_grant_token_is_another_request(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let unlock = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
        let mut holders = Vec::new();
        for _ in 0..2 {
            let grant_id = owner.lend(app, &guest).await;
            holders.push(guest.holder_of(&grant_id).await);
        }
        let first = holders[0].post_as("/v1/commands", "same", unlock.clone()).await.expect(200);
        let again = holders[0].post_as("/v1/commands", "same", unlock.clone()).await.expect(200);
        assert_eq!(first.text("command_id"), again.text("command_id"));
        let other = holders[1].post_as("/v1/commands", "same", unlock).await;
        other.expect_problem(422, "idempotency_key_reused");
    }

    async fn ten_parallel_requests_with_one_key_do_one_thing(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant = lending(app, &owner, &guest);
        let lent = (0..10).map(|_| owner.post_as("/v1/grants", "same", grant.clone()));
        let lent = futures_util::future::join_all(lent).await;
        let unlock = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
        let sent = (0..10).map(|_| guest.post_as("/v1/commands", "same", unlock.clone()));
        let sent = futures_util::future::join_all(sent).await;
        for (replies, status, id) in [(lent, 201, "grant_id"), (sent, 200, "command_id")] {
            let first = replies[0].clone();
            let fresh = |reply: &&Reply| !reply.headers.contains_key("idempotency-replayed");
            assert_eq!(replies.iter().filter(fresh).count(), 1);
            for reply in replies {
                assert_eq!(reply.expect(status).text(id), first.text(id));
            }
        }
        assert_eq!(owner.get("/v1/grants").await.expect(200).list("grant_id").len(), 1);
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn answers_are_forgotten_after_a_day(app) {
        let admin = app.admin().await;
        let client = json!({ "name": "Backend", "scopes": [] });
        admin.post_as("/v1/api-clients", "daily", client.clone()).await.expect(201);
        app.advance(std::time::Duration::from_secs(25 * 60 * 60));
        app.run_workers().await;
        let kept = "SELECT CAST(COUNT(*) AS BIGINT) FROM idempotency_keys";
        assert_eq!(app.count(kept).await, 0);
        let admin = app.admin().await;
        let again = admin.post_as("/v1/api-clients", "daily", client).await.expect(201);
        assert!(!again.headers.contains_key("idempotency-replayed"));
    }
}
