//! API clients: their credentials, their tokens, and acting for people.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keylend::clock::Clock;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

/// An API client as it was made: its id and its secret.
async fn made(app: &TestApp, scopes: &[&str]) -> (String, String) {
    let body = json!({ "name": "Backend", "scopes": scopes });
    let made = app.admin().await.post("/v1/api-clients", body).await.expect(201);
    (made.text("client_id"), made.text("client_secret"))
}

async fn by_form(app: &TestApp, fields: &[(&str, &str)]) -> Reply {
    let request = app.http.post(format!("{}/oauth/token", app.url())).form(fields);
    Reply::read(request.send().await.unwrap()).await
}

async fn by_basic(app: &TestApp, id: &str, secret: &str, fields: &[(&str, &str)]) -> Reply {
    let credentials = STANDARD.encode(format!("{id}:{secret}"));
    let request = app.http.post(format!("{}/oauth/token", app.url())).form(fields);
    let request = request.header("authorization", format!("Basic {credentials}"));
    Reply::read(request.send().await.unwrap()).await
}

/// An error in the form of RFC 6749 section 5.2.
#[track_caller]
fn expect_oauth_error(reply: &Reply, status: u16, error: &str) {
    assert_eq!((reply.status, reply.text("error").as_str()), (status, error), "{}", reply.body);
    assert!(reply.body["error_description"].is_string());
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.headers["cache-control"], "no-store");
}

const GRANT_TYPE: (&str, &str) = ("grant_type", "client_credentials");

on_both! {
    async fn a_secret_is_shown_once(app) {
        let admin = app.admin().await;
        let (id, secret) = made(app, &["grants:write", "commands:write"]).await;
        assert!(secret.len() > 20);
        let list = admin.get("/v1/api-clients").await.expect(200);
        assert_eq!(list.list("api_client_id"), [id]);
        assert_eq!(list.body["data"][0]["scopes"], json!(["grants:write", "commands:write"]));
        assert!(!list.body.to_string().contains(&secret));
        let record = admin.get("/v1/audit-entries").await.expect(200);
        assert!(!record.body.to_string().contains(&secret));
    }

    async fn an_api_client_gets_a_token_by_form_and_by_basic(app) {
        let (id, secret) = made(app, &["users:read"]).await;
        let form = [GRANT_TYPE, ("client_id", &id), ("client_secret", &secret)];
        let by_form = by_form(app, &form).await.expect(200);
        let by_basic = by_basic(app, &id, &secret, &[GRANT_TYPE]).await.expect(200);
        let mut clients = Vec::new();
        for answer in [by_form, by_basic] {
            assert_eq!(answer.text("token_type"), "Bearer");
            assert_eq!(answer.text("scope"), "users:read");
            assert_eq!(answer.body["expires_in"], 600);
            assert_eq!(answer.headers["cache-control"], "no-store");
            let client = Actor::nobody(app).with_token(answer.text("access_token"));
            client.get("/v1/users").await.expect(200);
            clients.push(client);
        }
        app.advance(std::time::Duration::from_secs(600));
        for client in clients {
            client.get("/v1/users").await.expect_problem(401, "token_expired");
        }
    }

    async fn wrong_credentials_are_refused_in_the_words_of_oauth(app) {
        let (id, secret) = made(app, &["users:read"]).await;
        let wrong = format!("{}x", &secret[..secret.len() - 1]);
        let form = [GRANT_TYPE, ("client_id", &id), ("client_secret", &wrong)];
        let wrong_secret = by_form(app, &form).await;
        expect_oauth_error(&wrong_secret, 401, "invalid_client");
        assert!(wrong_secret.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
        for other in ["key_00000000000000000000000001", "nobody", "", "a\0b"] {
            let form = [GRANT_TYPE, ("client_id", other), ("client_secret", &secret)];
            expect_oauth_error(&by_form(app, &form).await, 401, "invalid_client");
            let basic = by_basic(app, other, &secret, &[GRANT_TYPE]).await;
            expect_oauth_error(&basic, 401, "invalid_client");
        }
        expect_oauth_error(&by_form(app, &[GRANT_TYPE]).await, 401, "invalid_client");

        let password = [("grant_type", "password"), ("client_id", &id), ("client_secret", &secret)];
        expect_oauth_error(&by_form(app, &password).await, 400, "unsupported_grant_type");
        let twice = [GRANT_TYPE, GRANT_TYPE, ("client_id", &id), ("client_secret", &secret)];
        expect_oauth_error(&by_form(app, &twice).await, 400, "invalid_request");
        let both = [GRANT_TYPE, ("client_id", &id), ("client_secret", &secret)];
        let both = by_basic(app, &id, &secret, &both).await;
        expect_oauth_error(&both, 400, "invalid_request");
        let json = json!({ "grant_type": "client_credentials" });
        let as_json = Actor::nobody(app).post("/oauth/token", json).await;
        expect_oauth_error(&as_json, 400, "invalid_request");

        let path = "/v1/audit-entries?event=api_client.refused";
        let refused = app.admin().await.get(path).await.expect(200);
        assert_eq!(refused.list("event").len(), 1);
        assert_eq!(refused.body["data"][0]["details"]["reason"], "wrong_secret");
    }

    async fn guessing_a_secret_is_throttled(app) {
        let (id, secret) = made(app, &["users:read"]).await;
        let wrong = [GRANT_TYPE, ("client_id", &id), ("client_secret", "wrong")];
        for _ in 0..10 {
            expect_oauth_error(&by_form(app, &wrong).await, 401, "invalid_client");
        }
        let right = [GRANT_TYPE, ("client_id", id.as_str()), ("client_secret", &secret)];
        let shut = by_form(app, &right).await.expect_problem(429, "rate_limited");
        let wait: u64 = shut.headers["retry-after"].to_str().unwrap().parse().unwrap();
        app.advance(std::time::Duration::from_secs(wait));
        by_form(app, &right).await.expect(200);
    }

    async fn a_revoked_api_client_stops_at_once(app) {
        let (id, secret) = made(app, &["users:read"]).await;
        let form = [GRANT_TYPE, ("client_id", id.as_str()), ("client_secret", &secret)];
        let token = by_form(app, &form).await.expect(200).text("access_token");
        let client = Actor::nobody(app).with_token(token);
        client.get("/v1/users").await.expect(200);

        let path = format!("/v1/api-clients/{id}/revoke");
        client.post(&path, json!({})).await.expect_problem(403, "admin_only");
        app.guest().await.post(&path, json!({})).await.expect_problem(403, "admin_only");
        app.foreigner().await.post(&path, json!({})).await.expect_problem(404, "not_found");
        let revoked = app.admin().await.post(&path, json!({})).await.expect(200);
        assert!(revoked.body["revoked_at"].is_string());

        client.get("/v1/users").await.expect_problem(401, "token_invalid");
        expect_oauth_error(&by_form(app, &form).await, 401, "invalid_client");
    }

    async fn a_secret_is_replaced_while_the_one_before_works_on(app) {
        let admin = app.admin().await;
        let (id, first) = made(app, &["users:read"]).await;
        let path = format!("/v1/api-clients/{id}/rotate-secret");
        let rotate = async |overlap_s: u64| {
            let made = admin.post(&path, json!({ "overlap_s": overlap_s })).await.expect(201);
            assert_eq!(made.text("client_id"), id);
            made.text("client_secret")
        };
        let works = async |secret: &str| {
            let form = [GRANT_TYPE, ("client_id", &id), ("client_secret", secret)];
            by_form(app, &form).await.status == 200
        };
        let second = rotate(60).await;
        assert!(works(&first).await && works(&second).await);
        app.advance(std::time::Duration::from_secs(60));
        assert!(!works(&first).await && works(&second).await);
        // Somebody else has the second: it ends at once, and the first stays ended.
        let third = rotate(0).await;
        assert!(!works(&first).await && !works(&second).await && works(&third).await);
        let long = admin.post(&path, json!({ "overlap_s": 604_801 })).await;
        long.expect_problem(422, "validation_failed");
        admin.post(&format!("/v1/api-clients/{id}/revoke"), json!({})).await.expect(200);
        admin.post(&path, json!({})).await.expect_problem(409, "api_client_ended");
        assert!(!works(&third).await);
    }

    async fn a_client_with_an_end_has_one(app) {
        let admin = app.admin().await;
        let ends = |at: &str| json!({ "name": "Season", "scopes": ["users:read"], "expires_at": at });
        let past = admin.post("/v1/api-clients", ends("2026-01-01T00:00:00Z")).await;
        past.expect_problem(422, "validation_failed");
        let soon = app.clock.now().plus(std::time::Duration::from_secs(300)).to_string();
        let made = admin.post("/v1/api-clients", ends(&soon)).await.expect(201);
        let (id, secret) = (made.text("client_id"), made.text("client_secret"));
        let form = [GRANT_TYPE, ("client_id", &id), ("client_secret", &secret)];
        let token = by_form(app, &form).await.expect(200).text("access_token");
        let client = Actor::nobody(app).with_token(token);
        client.get("/v1/users").await.expect(200);
        app.advance(std::time::Duration::from_secs(300));
        client.get("/v1/users").await.expect_problem(401, "token_invalid");
        expect_oauth_error(&by_form(app, &form).await, 401, "invalid_client");
        let rotate = format!("/v1/api-clients/{id}/rotate-secret");
        admin.post(&rotate, json!({})).await.expect_problem(409, "api_client_ended");
    }

    async fn only_administrators_manage_api_clients(app) {
        let member = app.guest().await;
        let body = json!({ "name": "Mine", "scopes": ["users:read"] });
        member.post("/v1/api-clients", body.clone()).await.expect_problem(403, "admin_only");
        member.get("/v1/api-clients").await.expect_problem(403, "admin_only");
        let client = app.api_client(&["users:write", "users:read"]).await;
        client.post("/v1/api-clients", body).await.expect_problem(403, "admin_only");
        client.get("/v1/api-clients").await.expect_problem(403, "admin_only");
        assert!(app.foreigner().await.get("/v1/api-clients").await.expect(200).list("name").is_empty());
        let unknown = json!({ "name": "Backend", "scopes": ["everything"] });
        let refused = app.admin().await.post("/v1/api-clients", unknown).await;
        refused.expect_problem(422, "validation_failed");
    }

    async fn the_record_names_the_api_client_and_for_whom_it_acted(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let client = app.api_client(&["grants:write", "commands:write", "connections:write"]).await;
        owner.allow(&client).await;
        guest.allow(&client).await;
        let mut for_owner = client.acting_for(&owner);
        for_owner.vehicles = owner.vehicles.clone();
        let grant_id = for_owner.lend(app, &guest).await;
        let issued = owner.get(&format!("/v1/audit-entries?grant_id={grant_id}")).await.expect(200);
        let actor = json!({ "kind": "api_client", "id": client.id, "acting_for": owner.id });
        assert_eq!(issued.body["data"][0]["event"], "grant.issued");
        assert_eq!(issued.body["data"][0]["actor"], actor);

        let car = &owner.vehicles[0];
        let body = json!({ "vehicle_id": car, "action": "unlock", "grant_id": grant_id });
        client.post("/v1/commands", body.clone()).await.expect_problem(403, "acting_for_missing");
        let unlocked = client.acting_for(&guest).post("/v1/commands", body).await.expect(200);
        assert_eq!(unlocked.text("user_id"), guest.id);
        let path = format!("/v1/audit-entries?vehicle_id={car}&event=command.authorized");
        let authorized = owner.get(&path).await.expect(200);
        let actor = json!({ "kind": "api_client", "id": client.id, "acting_for": guest.id });
        assert_eq!(authorized.body["data"][0]["actor"], actor);

        client.acting_for(&owner).command(car, "lock").await.expect(200);
        client.acting_for(&guest).command(car, "lock").await.expect(200);
        client.command(car, "lock").await.expect_problem(403, "acting_for_missing");
        let connection = client.post("/v1/connections", json!({})).await;
        connection.expect_problem(403, "acting_for_missing");
        let connection = client.acting_for(&guest).post("/v1/connections", json!({})).await;
        assert_eq!(connection.expect(201).text("owner_id"), guest.id);
    }

    async fn an_api_client_acts_for_open_accounts_of_its_organization_alone(app) {
        let (owner, guest, foreigner) =
            (app.owner().await, app.guest().await, app.foreigner().await);
        let client = app.api_client(&["grants:write", "users:read"]).await;
        guest.allow(&client).await;
        let me = client.acting_for(&guest).get("/v1/users/me").await.expect(200);
        assert_eq!(me.text("user_id"), guest.id);

        let mut for_guest = client.acting_for(&guest);
        for_guest.vehicles = owner.vehicles.clone();
        let refused = for_guest.lend_with(app, &app.stranger().await, json!({})).await;
        refused.expect_problem(404, "not_found");

        let refused = client.acting_for(&foreigner).get("/v1/users/me").await;
        let refused = refused.expect_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], "Keylend-Acting-For");
        assert_eq!(refused.body["errors"][0]["code"], "unknown_user");
        let path = format!("/v1/users/{}/disable", guest.id);
        app.admin().await.post(&path, json!({})).await.expect(200);
        let refused = client.acting_for(&guest).get("/v1/users/me").await;
        refused.expect_problem(422, "validation_failed");
        // Nobody else may name another person.
        let refused = owner.acting_for(&guest).get("/v1/users/me").await;
        refused.expect_problem(422, "validation_failed");
    }

    async fn a_client_that_acts_for_somebody_sees_what_they_see(app) {
        let (owner, stranger) = (app.owner().await, app.stranger().await);
        let scopes = ["vehicles:read", "commands:read", "connections:write", "grants:read"];
        let client = app.api_client(&scopes).await;
        owner.allow(&client).await;
        stranger.allow(&client).await;
        let car = &owner.vehicles[0];
        let connection = owner.post("/v1/connections", json!({})).await.expect(201);
        let connection = format!("/v1/connections/{}", connection.text("connection_id"));
        let commands = format!("/v1/vehicles/{car}/commands");
        for path in [&connection, &commands, &format!("/v1/vehicles/{car}")] {
            client.acting_for(&owner).get(path).await.expect(200);
            client.acting_for(&stranger).get(path).await.expect_problem(404, "not_found");
        }
        for path in ["/v1/vehicles", "/v1/grants"] {
            let seen = client.acting_for(&stranger).get(path).await.expect(200);
            assert_eq!(seen.body["data"], json!([]), "{path}");
        }
        let seen = client.acting_for(&owner).get("/v1/vehicles").await.expect(200);
        assert_eq!(seen.list("vehicle_id").len(), owner.vehicles.len());
    }

    async fn a_key_repeats_a_command_for_one_person_alone(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let client = app.api_client(&["commands:write"]).await;
        owner.allow(&client).await;
        guest.allow(&client).await;
        let car = &owner.vehicles[0];
        let body = json!({ "vehicle_id": car, "action": "lock" });
        owner.lend(app, &guest).await;
        let for_owner = client.acting_for(&owner);
        let first = for_owner.post_as("/v1/commands", "one-key", body.clone()).await.expect(200);
        let again = for_owner.post_as("/v1/commands", "one-key", body.clone()).await.expect(200);
        assert_eq!(first.text("command_id"), again.text("command_id"));
        let other = client.acting_for(&guest).post_as("/v1/commands", "one-key", body).await;
        other.expect_problem(422, "idempotency_key_reused");
    }

    async fn an_api_client_does_what_its_scopes_say(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let client = app.api_client(&[]).await;
        owner.allow(&client).await;
        let car = &owner.vehicles[0];
        for path in ["/v1/users", "/v1/grants", "/v1/vehicles", "/v1/audit-entries"] {
            client.get(path).await.expect_problem(403, "scope_missing");
        }
        for path in [format!("/v1/grants/{grant_id}"), format!("/v1/vehicles/{car}/commands")] {
            client.get(&path).await.expect_problem(403, "scope_missing");
        }
        let nothing = || json!({});
        let posts: [(String, Value); 5] = [
            (format!("/v1/grants/{grant_id}/token"), nothing()),
            (format!("/v1/grants/{grant_id}/revoke"), nothing()),
            (format!("/v1/grants/{grant_id}/relinquish"), nothing()),
            ("/v1/connections".to_owned(), nothing()),
            ("/v1/commands".to_owned(), json!({ "vehicle_id": car, "action": "lock" })),
        ];
        for (path, body) in posts {
            let refused = client.acting_for(&owner).post(&path, body).await;
            refused.expect_problem(403, "scope_missing");
        }
        assert!(app.cloud.journal().await.is_empty());
    }
}
