//! A key that is bound to a phone, in the hands of somebody who has copied it, the proofs, or both (P12).

#![expect(clippy::disallowed_methods, reason = "there are sessions beside the service's")]

use keylend::clock::Clock as _;
use keylend::config::{Allowance, Config};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::support::blocking::{pid, until_blocking};
use crate::support::device::{Device, Held, public};
use crate::support::{Actor, Database, Reply, TestApp, on_both};

/// A guest with a bound key, and the car.
struct Scene {
    owner: Actor,
    guest: Actor,
    grant_id: String,
    car: String,
}

async fn scene(app: &TestApp) -> Scene {
    let (owner, guest) = (app.owner().await, app.guest().await);
    let grant_id = owner.lend(app, &guest).await;
    let car = owner.vehicles[0].clone();
    Scene { owner, guest, grant_id, car }
}

async fn sent(held: &Held<'_>, car: &str, proof: &str) -> Reply {
    let body = json!({ "vehicle_id": car, "action": "unlock" });
    let request = held.with_proof(Method::POST, "/v1/commands", proof).json(&body);
    Reply::read(request.header("idempotency-key", "the-same").send().await.unwrap()).await
}

on_both! {
    async fn a_bound_key_opens_with_a_proof_of_its_phone_alone(app) {
        let Scene { guest, grant_id, car, .. } = scene(app).await;
        let (phone, other) = (Device::new(), Device::new());
        let held = phone.holder_of(&guest, &grant_id).await;
        held.command_as("1", &car, "unlock").await.expect(200);
        assert_eq!(app.cloud.journal().await.len(), 1);

        let bearer = guest.with_token(held.token.clone());
        bearer.command(&car, "unlock").await.expect_problem(401, "dpop_proof_required");
        bearer.get(&format!("/v1/vehicles/{car}/lock-status")).await.expect_problem(401, "dpop_proof_required");
        let thief = Held { device: &other, actor: held.actor.clone(), token: held.token.clone(), minted: held.minted.clone() };
        thief.command_as("2", &car, "unlock").await.expect_problem(401, "dpop_proof_invalid");
        let none = held.actor.request(Method::POST, "/v1/commands").header("authorization", format!("DPoP {}", held.token));
        let none = none.header("idempotency-key", "3").json(&json!({ "vehicle_id": car, "action": "unlock" }));
        Reply::read(none.send().await.unwrap()).await.expect_problem(401, "dpop_proof_required");
        // Nor is a key that is bound to nothing shown in this way.
        let unbound = guest.holder_of(&grant_id).await;
        let unbound = Held { token: unbound.token.unwrap(), ..thief };
        unbound.command_as("4", &car, "unlock").await.expect_problem(401, "token_invalid");
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn a_bound_key_is_refused_as_a_bearer_at_the_facade_too(app) {
        let Scene { guest, grant_id, .. } = scene(app).await;
        let phone = Device::new();
        let held = phone.holder_of(&guest, &grant_id).await;
        let id = held.get("/v2.0/vehicles").await.expect(200).body["vehicles"][0].as_str().unwrap().to_owned();
        let bearer = guest.with_token(held.token.clone());
        for path in [format!("/v2.0/vehicles/{id}"), format!("/v2.0/vehicles/{id}/security"), "/v2.0/vehicles".to_owned()] {
            let refused = bearer.get(&path).await.expect(401);
            assert_eq!(refused.body["type"], "AUTHENTICATION", "{path}");
            held.get(&path).await.expect(200);
            // The phone learns there too which nonce it needs.
            let proof = phone.sign(&phone.header(), &phone.claims(&Method::GET, &public(&path), Some(&held.token), "old"));
            let refused = Reply::read(held.with_proof(Method::GET, &path, &proof).send().await.unwrap()).await.expect(401);
            assert!(refused.headers["www-authenticate"].to_str().unwrap().contains("use_dpop_nonce"), "{path}");
            assert!(refused.headers.contains_key("dpop-nonce"), "{path}");
        }
    }

    async fn a_proof_works_once_whatever_comes_with_it(app) {
        let Scene { guest, grant_id, car, .. } = scene(app).await;
        let phone = Device::new();
        let held = phone.holder_of(&guest, &grant_id).await;
        let proof = phone.proof(&held.actor, &Method::POST, "/v1/commands", Some(&held.token)).await;
        let first = sent(&held, &car, &proof).await.expect(200);
        // The whole request again, as somebody has it who listened: not even the answer of then.
        sent(&held, &car, &proof).await.expect_problem(401, "dpop_proof_invalid");
        // The phone itself repeats a request with a new proof and the same key.
        let proof = phone.proof(&held.actor, &Method::POST, "/v1/commands", Some(&held.token)).await;
        let repeated = sent(&held, &car, &proof).await.expect(200);
        assert_eq!(repeated.headers["idempotency-replayed"], "true");
        assert_eq!(repeated.body["command_id"], first.body["command_id"]);
        // What only reads is not read twice with one proof either.
        for path in [format!("/v1/vehicles/{car}/lock-status"), format!("/v1/commands/{}", first.text("command_id"))] {
            let proof = phone.proof(&held.actor, &Method::GET, &path, Some(&held.token)).await;
            for expected in [200, 401] {
                let reply = held.with_proof(Method::GET, &path, &proof).send().await.unwrap();
                assert_eq!(reply.status().as_u16(), expected, "{path}");
            }
        }
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn of_two_requests_at_once_with_one_proof_one_is_carried_out(app) {
        let Scene { guest, grant_id, car, .. } = scene(app).await;
        let phone = Device::new();
        let held = phone.holder_of(&guest, &grant_id).await;
        for round in 0..5 {
            let proof = phone.proof(&held.actor, &Method::POST, "/v1/commands", Some(&held.token)).await;
            let each = (0..4).map(|number| {
                let body = json!({ "vehicle_id": car, "action": if number % 2 == 0 { "lock" } else { "unlock" } });
                let request = held.with_proof(Method::POST, "/v1/commands", &proof).json(&body);
                request.header("idempotency-key", format!("{round}-{number}")).send()
            });
            let replies = futures_util::future::join_all(each).await;
            let carried_out = replies.iter().filter(|reply| reply.as_ref().unwrap().status() == 200).count();
            assert_eq!(carried_out, 1);
        }
        assert_eq!(app.cloud.journal().await.len(), 5);
    }

    async fn one_thing_wrong_with_a_proof_is_enough(app) {
        let Scene { guest, grant_id, car, .. } = scene(app).await;
        let phone = Device::new();
        let held = phone.holder_of(&guest, &grant_id).await;
        let url = public("/v1/commands");
        let nonce = phone.nonce(&held.actor).await;
        let claims = || phone.claims(&Method::POST, &url, Some(&held.token), &nonce);
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            phone.sign(&phone.header(), &claims)
        };
        let mut private = phone.header();
        private["jwk"]["d"] = "AAAA".into();
        let cases = [
            ("`htu`", with("htu", format!("{url}/more").into())),
            ("`htu`", with("htu", format!("{}/v1/commands", app.url()).into())),
            ("`htm`", with("htm", "GET".into())),
            ("`ath`", with("ath", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".into())),
            ("`ath`", with("ath", Value::Null)),
            ("`jti`", with("jti", "x".repeat(2000).into())),
            ("the header", phone.sign(&private, &claims())),
            ("longer than 4096", with("more", "x".repeat(4000).into())),
            ("three segments", String::new()),
        ];
        for (what, proof) in cases {
            let refused = sent(&held, &car, &proof).await.expect_problem(401, "dpop_proof_invalid");
            assert!(refused.text("detail").contains(what), "{what}: {}", refused.body);
            let challenge = refused.headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("DPoP ") && challenge.contains("invalid_dpop_proof"), "{what}: {challenge}");
        }
        for nonce in [Value::Null, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into()] {
            let refused = sent(&held, &car, &with("nonce", nonce)).await.expect_problem(401, "use_dpop_nonce");
            assert!(refused.headers["www-authenticate"].to_str().unwrap().contains(r#"error="use_dpop_nonce""#));
            assert!(refused.headers.contains_key("dpop-nonce"));
        }
        // The phone's clock does not matter, the nonce's age does.
        sent(&held, &car, &with("iat", 4_000_000_000_u64.into())).await.expect(200);
        app.clock.advance(std::time::Duration::from_secs(5 * 60));
        sent(&held, &car, &with("iat", 0.into())).await.expect_problem(401, "use_dpop_nonce");
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn two_proofs_in_one_request_are_none(app) {
        let Scene { guest, grant_id, car, .. } = scene(app).await;
        let phone = Device::new();
        let held = phone.holder_of(&guest, &grant_id).await;
        let request = held.request(Method::POST, "/v1/commands").await.header("dpop", "again");
        let request = request.header("idempotency-key", "1").json(&json!({ "vehicle_id": car, "action": "unlock" }));
        Reply::read(request.send().await.unwrap()).await.expect_problem(401, "dpop_proof_invalid");
    }

    async fn a_bound_key_is_short_lived_and_nothing_else_is_bound_by_its_proof(app) {
        let Scene { owner, guest, grant_id, car } = scene(app).await;
        let phone = Device::new();
        let held = phone.holder_of(&guest, &grant_id).await;
        assert_eq!(held.minted.body["expires_at"], json!(app.clock.now().plus(std::time::Duration::from_secs(600))));
        let path = format!("/v1/grants/{grant_id}/token");
        // A proof that was used to bind a key binds no other.
        let proof = phone.proof(&guest, &Method::POST, &path, None).await;
        for expected in [200, 401] {
            let request = guest.request(Method::POST, &path).header("dpop", &proof).json(&json!({}));
            assert_eq!(request.send().await.unwrap().status().as_u16(), expected);
        }
        let proof = phone.proof(&guest, &Method::POST, &path, None).await;
        let request = owner.request(Method::POST, &path).header("dpop", &proof).json(&json!({}));
        Reply::read(request.send().await.unwrap()).await.expect_problem(403, "not_the_grantee");
        app.clock.advance(std::time::Duration::from_secs(600));
        held.command_as("late", &car, "unlock").await.expect_problem(401, "token_expired");
    }

    async fn a_lost_phone_is_one_call_and_the_guest_goes_on_with_another(app) {
        let Scene { owner, guest, grant_id, car } = scene(app).await;
        let (lost, other) = (Device::new(), Device::new());
        let (found, kept) = (lost.holder_of(&guest, &grant_id).await, other.holder_of(&guest, &grant_id).await);
        let path = format!("/v1/users/{}/device-keys", guest.id);
        let keys = guest.get(&path).await.expect(200).body["device_keys"].clone();
        assert_eq!(keys.as_array().unwrap().len(), 2);
        let lost_key = found.minted.text("device_key");
        for stranger in [&owner, &app.stranger().await] {
            stranger.delete(&format!("{path}/{lost_key}")).await.expect_problem(403, "admin_only");
        }
        // The guest says so at home, where they sign in; the phone was signed in too.
        let at_home = app.sign_in("guest@story.example").await;
        for _ in 0..2 {
            at_home.delete(&format!("{path}/{lost_key}")).await.expect(204);
        }
        found.command_as("1", &car, "unlock").await.expect_problem(401, "token_invalid");
        found.get(&format!("/v1/vehicles/{car}/lock-status")).await.expect_problem(401, "token_invalid");
        found.get("/v2.0/vehicles").await.expect(401);
        kept.command_as("2", &car, "unlock").await.expect(200);
        // Nor does it get another key, for a new pair or in a new session.
        let mint = format!("/v1/grants/{grant_id}/token");
        for (session, phone, status, code) in [
            (&guest, &Device::new(), 401, "token_invalid"),
            (&at_home, &lost, 409, "device_key_revoked"),
        ] {
            let proof = phone.proof(session, &Method::POST, &mint, None).await;
            let request = session.request(Method::POST, &mint).header("dpop", proof).json(&json!({}));
            Reply::read(request.send().await.unwrap()).await.expect_problem(status, code);
        }
        let entries = app.admin().await.get(&format!("/v1/audit-entries?user_id={}", guest.id)).await;
        assert_eq!(entries.list("event").iter().filter(|event| *event == "device_key.revoked").count(), 1);
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn who_has_opened_the_car_can_close_it_by_phone_in_the_grace_too(app) {
        let Scene { owner, guest, grant_id, car } = scene(app).await;
        let phone = Device::new();
        phone.holder_of(&guest, &grant_id).await.command_as("1", &car, "unlock").await.expect(200);
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({ "leave_lock": true })).await.expect(200);
        app.clock.advance(std::time::Duration::from_secs(11 * 60));
        let guest = app.sign_in("guest@story.example").await;
        let late = phone.holder_of(&guest, &grant_id).await;
        late.command_as("2", &car, "unlock").await.expect_problem(403, "grant_revoked");
        late.command_as("3", &car, "lock").await.expect(200);
        app.clock.advance(std::time::Duration::from_secs(4 * 60));
        let mint = format!("/v1/grants/{grant_id}/token");
        let proof = phone.proof(&guest, &Method::POST, &mint, None).await;
        let request = guest.request(Method::POST, &mint).header("dpop", proof).json(&json!({}));
        Reply::read(request.send().await.unwrap()).await.expect_problem(409, "grant_ended");
    }

    async fn one_token_is_ended_and_the_others_open(app) {
        let Scene { owner, guest, grant_id, car } = scene(app).await;
        let (copied, own) = (guest.holder_of(&grant_id).await, guest.holder_of(&grant_id).await);
        let path = format!("/v1/grants/{grant_id}/tokens");
        let tokens = owner.get(&path).await.expect(200).list("token_id");
        assert_eq!(tokens.len(), 2);
        // Not by the name of another grant.
        let other = owner.lend(app, &guest).await;
        owner.delete(&format!("/v1/grants/{other}/tokens/{}", tokens[1])).await.expect_problem(404, "not_found");
        guest.delete(&format!("{path}/{}", tokens[1])).await.expect(204);
        copied.command(&car, "unlock").await.expect_problem(401, "token_invalid");
        copied.get("/v2.0/vehicles").await.expect(401);
        copied.get(&format!("/v1/vehicles/{car}/lock-status")).await.expect_problem(401, "token_invalid");
        own.command(&car, "unlock").await.expect(200);
        let ended = owner.get(&path).await.expect(200).body["data"][1]["ended_at"].clone();
        assert_eq!(ended, json!(app.clock.now()));
    }

    async fn a_grant_that_requires_a_phone_is_used_in_no_other_way_but_to_lock(app) {
        let Scene { owner, guest, car, .. } = scene(app).await;
        let lent = owner.lend_with(app, &guest, json!({ "require_device_key": true })).await.expect(201);
        let (grant_id, phone) = (lent.text("grant_id"), Device::new());
        let held = phone.holder_of(&guest, &grant_id).await;
        let minted = guest.post(&format!("/v1/grants/{grant_id}/token"), json!({})).await;
        minted.expect_problem(403, "device_key_required");
        let body = |action: &str| json!({ "vehicle_id": car, "action": action, "grant_id": grant_id });
        guest.post("/v1/commands", body("unlock")).await.expect_problem(403, "device_key_required");
        guest.get(&format!("/v1/vehicles/{car}/lock-status?grant_id={grant_id}")).await.expect_problem(403, "device_key_required");
        held.command_as("1", &car, "unlock").await.expect(200);
        held.get(&format!("/v1/vehicles/{car}/lock-status")).await.expect(200);
        guest.post("/v1/commands", body("lock")).await.expect(200);
        // A token from before the owner asked for it opens nothing from then on.
        let other = owner.lend_with(app, &guest, json!({})).await.expect(201);
        let holder = guest.holder_of(&other.text("grant_id")).await;
        holder.command(&car, "unlock").await.expect(200);
        let path = format!("/v1/grants/{}", other.text("grant_id"));
        let amended = owner.patch(&path, &other, json!({ "require_device_key": true })).await.expect(200);
        assert_eq!((&amended.body["effect"], &amended.body["require_device_key"]), (&json!("narrowing"), &json!(true)));
        holder.command(&car, "unlock").await.expect_problem(403, "device_key_required");
        holder.get("/v2.0/vehicles").await.expect(403);
        let back = owner.patch(&path, &amended, json!({ "require_device_key": false })).await.expect(200);
        assert_eq!(back.body["effect"], "widening");
        // The record says which phone it was.
        let entries = owner.get(&format!("/v1/audit-entries?grant_id={grant_id}")).await.expect(200);
        let opened = entries.body["data"].as_array().unwrap().iter().find(|entry| entry["event"] == "command.authorized"
            && entry["details"]["action"] == "unlock");
        assert_eq!(opened.unwrap()["details"]["rests_on"]["device_key"], held.minted.body["device_key"]);
    }

    async fn a_program_ends_a_token_or_a_phone_for_a_person_alone(app) {
        let Scene { guest, grant_id, car, .. } = scene(app).await;
        let phone = Device::new();
        let held = phone.holder_of(&guest, &grant_id).await;
        let token = format!("/v1/grants/{grant_id}/tokens/{}", held.minted.text("token_id"));
        let key = format!("/v1/users/{}/device-keys/{}", guest.id, held.minted.text("device_key"));
        let program = app.api_client(&["users:read", "users:write", "grants:read", "grants:write"]).await;
        for path in [&token, &key] {
            program.delete(path).await.expect_problem(403, "acting_for_missing");
            // Neither for the guest, who has not let it, nor for somebody whom it made.
            program.acting_for(&guest).delete(path).await.expect_problem(403, "acting_for_not_allowed");
            let body = json!({ "email": format!("made{}@story.example", path.len()), "display_name": "Made" });
            let mut made = program.clone();
            made.id = program.post("/v1/users", body).await.expect(201).text("user_id");
            let refused = program.acting_for(&made).delete(path).await;
            assert!([403, 404].contains(&refused.status), "{path}: {}", refused.body);
        }
        guest.get("/v1/users/me").await.expect(200);
        held.command_as("1", &car, "unlock").await.expect(200);
        guest.allow(&program).await;
        program.acting_for(&guest).delete(&key).await.expect(204);
        held.command_as("2", &car, "unlock").await.expect_problem(401, "token_invalid");
        guest.get("/v1/users/me").await.expect(401);
    }

    async fn a_person_has_32_phones_at_most(app) {
        let Scene { guest, grant_id, .. } = scene(app).await;
        for _ in 0..32 {
            Device::new().holder_of(&guest, &grant_id).await;
        }
        let (phone, path) = (Device::new(), format!("/v1/grants/{grant_id}/token"));
        let proof = phone.proof(&guest, &Method::POST, &path, None).await;
        let request = guest.request(Method::POST, &path).header("dpop", proof).json(&json!({}));
        Reply::read(request.send().await.unwrap()).await.expect_problem(409, "too_many_device_keys");
    }
}

/// So many requests are recorded, and each is sent again twice at each of two instances.
const RECORDED: usize = 250;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_recorded_proofs_none_is_accepted_at_any_instance() {
    let mut app = TestApp::start(Database::Postgres).await;
    app.add_instance().await;
    let Scene { guest, grant_id, car, .. } = scene(&app).await;
    let phone = Device::new();
    let here = phone.holder_of(&guest, &grant_id).await;
    let there = Held { actor: here.actor.at(app.url_of(1)), ..here.clone() };
    let (nonce, path) = (phone.nonce(&guest).await, format!("/v1/vehicles/{car}/lock-status"));
    let ask = async |held: &Held<'_>, proof: &str| {
        held.with_proof(Method::GET, &path, proof).send().await.unwrap().status().as_u16()
    };
    let (mut accepted, mut again) = (0, 0);
    for round in 0..RECORDED {
        let claims = phone.claims(&Method::GET, &public(&path), Some(&here.token), &nonce);
        let proof = phone.sign(&phone.header(), &claims);
        let first = if round % 2 == 0 { &here } else { &there };
        accepted += usize::from(ask(first, &proof).await == 200);
        let replays = [&here, &there, &here, &there].map(|held| ask(held, &proof));
        let replays = futures_util::future::join_all(replays).await;
        again += replays.into_iter().filter(|status| *status != 401).count();
    }
    assert_eq!((accepted, again), (RECORDED, 0));
    app.finish().await;
}

/// What somebody else is doing to a row when a request comes that rests on it.
async fn while_it_is_being_changed(
    app: &TestApp,
    sql: &'static str,
    name: &str,
    request: impl Future<Output = Reply>,
) -> Reply {
    let url = app.database_url();
    let mut watch = PgConnection::connect(&url).await.unwrap();
    let mut changing = PgConnection::connect(&url).await.unwrap();
    let changing_pid = pid(&mut changing).await;
    let mut change = changing.begin().await.unwrap();
    sqlx::query(sql).bind(name).execute(&mut *change).await.unwrap();
    let committed = async {
        until_blocking(&mut watch, changing_pid).await;
        change.commit().await.unwrap();
    };
    tokio::join!(request, committed).0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_waits_for_the_end_of_its_token_and_a_token_for_the_end_of_its_phone() {
    let app = TestApp::start(Database::Postgres).await;
    let Scene { guest, grant_id, car, .. } = scene(&app).await;
    let phone = Device::new();
    let held = phone.holder_of(&guest, &grant_id).await;
    let end = "UPDATE grant_tokens SET ended_at = 1 WHERE device_key = $1";
    let key = held.minted.text("device_key");
    let decided =
        while_it_is_being_changed(&app, end, &key, held.command_as("1", &car, "unlock")).await;
    decided.expect_problem(401, "token_invalid");

    let revoke = "UPDATE device_keys SET revoked_at = 1 WHERE thumbprint = $1";
    let path = format!("/v1/grants/{grant_id}/token");
    let proof = phone.proof(&guest, &Method::POST, &path, None).await;
    let request = guest.request(Method::POST, &path).header("dpop", proof).json(&json!({}));
    let minting = async { Reply::read(request.send().await.unwrap()).await };
    while_it_is_being_changed(&app, revoke, &key, minting)
        .await
        .expect_problem(409, "device_key_revoked");
    assert!(app.cloud.journal().await.is_empty());
    app.finish().await;
}

fn little(config: &mut Config) {
    config.limits.grant_requests = Allowance { burst: 5, per_minute: 1 };
}

on_both! {
    as little;

    async fn a_phone_that_asks_without_end_can_still_lock_and_give_back(app) {
        let Scene { guest, grant_id, .. } = scene(app).await;
        let phone = Device::new();
        let held = phone.holder_of(&guest, &grant_id).await;
        let listed = held.get("/v2.0/vehicles").await.expect(200);
        let path = format!("/v2.0/vehicles/{}", listed.body["vehicles"][0].as_str().unwrap());
        for _ in 0..5 {
            held.get("/v2.0/vehicles").await;
        }
        held.get("/v2.0/vehicles").await.expect(429);
        let lock = held.request(Method::POST, &format!("{path}/security")).await.json(&json!({ "action": "LOCK" }));
        Reply::read(lock.send().await.unwrap()).await.expect(200);
        let back = held.request(Method::DELETE, &format!("{path}/application")).await;
        Reply::read(back.send().await.unwrap()).await.expect(200);
    }
}
