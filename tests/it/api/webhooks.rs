//! What the vehicle cloud sends by itself: proving who one is, settling commands, suspending cars;
//! and what somebody else might send in its place.

use std::time::Duration;

use keylend::domain::time::Timestamp;
use keylend::service::webhooks;
use keylend::signing::webhook_signature;
use serde_json::{Value, json};

use super::again;
use crate::support::{Actor, Reply, TestApp, on_both};

/// The secret that the tests' service and simulator share.
const SECRET: &str = "simulated-token-of-webhooks";

/// Delivers these bytes with this signature.
async fn deliver(app: &TestApp, body: &str, signature: Option<&str>) -> Reply {
    deliver_at(app, "/v1/smartcar/webhooks", body, signature).await
}

async fn deliver_at(app: &TestApp, path: &str, body: &str, signature: Option<&str>) -> Reply {
    let url = format!("{}{path}", app.url());
    let mut request =
        app.http.post(url).header("content-type", "application/json").body(body.to_owned());
    if let Some(signature) = signature {
        request = request.header("sc-signature", signature);
    }
    Reply::read(request.send().await.unwrap()).await
}

/// Expects the cloud, and gives the path of the address that is registered there.
async fn expected(app: &TestApp) -> String {
    let expected = webhooks::expect_verification(&app.service().base).await.unwrap();
    let url: url::Url = expected.url.parse().unwrap();
    format!("{}?{}", url.path(), url.query().unwrap())
}

/// Delivers an event as the cloud would.
async fn signed(app: &TestApp, event: &Value) -> Reply {
    let body = event.to_string();
    deliver(app, &body, Some(&webhook_signature::sign(SECRET, body.as_bytes()))).await
}

fn millis(at: Timestamp) -> i64 {
    at.as_unix_micros() / 1000
}

fn state(event_id: &str, car: &str, is_locked: bool, at: Timestamp, sent_at: Timestamp) -> Value {
    json!({"eventId": event_id, "eventType": "VEHICLE_STATE", "vehicleId": car,
        "data": {"signals": [{"code": "closure-islocked", "body": {"value": is_locked},
            "meta": {"oemUpdatedAt": millis(at), "retrievedAt": millis(at)}}]},
        "meta": {"version": "4.0", "deliveredAt": millis(sent_at)}})
}

fn complaint(event_id: &str, car: &str, state: &str, at: Timestamp) -> Value {
    json!({"eventId": event_id, "eventType": "VEHICLE_ERROR", "vehicleId": car,
        "data": {"errors": [{"type": "CONNECTED_SERVICES_ACCOUNT", "code": "AUTHENTICATION_FAILED",
            "state": state}]},
        "meta": {"version": "4.0", "deliveredAt": millis(at)}})
}

async fn cloud_id(app: &TestApp, car: &str) -> String {
    app.cloud.car_of(app, car).await["id"].as_str().unwrap().to_owned()
}

/// A car that was told to unlock, and the command.
async fn unlocked(app: &TestApp, owner: &Actor) -> (String, String) {
    let car = owner.vehicles[0].clone();
    let command = owner.command(&car, "unlock").await.expect(200);
    assert_eq!(command.text("status"), "acknowledged");
    (cloud_id(app, &car).await, format!("/v1/commands/{}", command.text("command_id")))
}

on_both! {
    async fn the_cloud_is_answered_only_while_it_is_expected(app) {
        let url = format!("{}/v1/smartcar/webhooks", app.url());
        assert_eq!(app.cloud.register_webhook(&url).await, 400);
        let path = expected(app).await;
        assert_eq!(app.cloud.register_webhook(&format!("{}{path}", app.url())).await, 201);

        let ask = |challenge: &str| {
            json!({"eventId": "e", "eventType": "VERIFY", "data": {"challenge": challenge}}).to_string()
        };
        let told = deliver_at(app, &path, &ask("challenge-1"), None).await.expect(200);
        assert_eq!(told.text("challenge"), webhook_signature::sign(SECRET, b"challenge-1"));
        // A text that could be an event is never signed: whoever got its signature could send it.
        let forged = state("e", "car", true, "2026-07-01T12:00:00Z".parse().unwrap(),
            "2026-07-01T12:00:00Z".parse().unwrap()).to_string();
        for wrong in [forged.as_str(), "short", "", "with space", &"x".repeat(129), "{}{}{}{}"] {
            deliver_at(app, &path, &ask(wrong), None).await.expect_problem(422, "validation_failed");
        }
        for _ in 0..3 {
            deliver_at(app, &path, &ask("challenge-2"), None).await.expect(200);
        }
        let refused = deliver_at(app, &path, &ask("challenge-2"), None).await;
        refused.expect_problem(422, "validation_failed");
        let path = expected(app).await;
        app.advance(webhooks::REGISTRATION_TIME);
        let refused = deliver_at(app, &path, &ask("challenge-2"), None).await;
        refused.expect_problem(422, "validation_failed");
    }

    async fn a_car_that_reports_itself_settles_the_command(app) {
        let owner = app.owner().await;
        let url = format!("{}{}", app.url(), expected(app).await);
        assert_eq!(app.cloud.register_webhook(&url).await, 201);
        let (car, command) = unlocked(app, &owner).await;
        // Nobody looks at the car: the cloud's own event must arrive. One that was faster than the
        // acknowledgement settles nothing, so there is one more.
        app.cloud.announce(&car).await;
        let settled = tokio::time::timeout(Duration::from_secs(30), async {
            while owner.get(&command).await.expect(200).text("status") != "confirmed" {}
        });
        settled.await.expect("the event arrives");
        let seen = owner.get(&command).await.expect(200);
        assert_eq!(seen.text("evidence"), "state_observed");
    }

    async fn forged_events_do_nothing(app) {
        let owner = app.owner().await;
        let (car, command) = unlocked(app, &owner).await;
        let now = app.service().base.clock.now();
        let body = state("e1", &car, false, now, now).to_string();
        let right = webhook_signature::sign(SECRET, body.as_bytes());
        let others = [
            None,
            Some(String::new()),
            Some(webhook_signature::sign("another secret", body.as_bytes())),
            Some(right.to_uppercase()),
            Some(format!("{right} ")[1..].to_owned()),
        ];
        for signature in others {
            let refused = deliver(app, &body, signature.as_deref()).await;
            refused.expect_problem(401, "token_invalid");
        }
        let altered = body.replace("false", "true");
        deliver(app, &altered, Some(&right)).await.expect_problem(401, "token_invalid");
        assert_eq!(owner.get(&command).await.expect(200).text("status"), "acknowledged");
        deliver(app, &body, Some(&right)).await.expect(200);
        assert_eq!(owner.get(&command).await.expect(200).text("status"), "confirmed");
    }

    async fn a_state_that_is_older_than_the_command_or_ahead_of_time_settles_nothing(app) {
        let owner = app.owner().await;
        app.advance(Duration::from_secs(7200));
        let owner = again(app, &owner, "owner").await;
        let (car, command) = unlocked(app, &owner).await;
        let now = app.service().base.clock.now();
        let hour = now.minus(Duration::from_secs(3600));
        let minute = now.plus(Duration::from_secs(60));
        for (number, at) in [hour, minute].into_iter().enumerate() {
            signed(app, &state(&format!("e{number}"), &car, false, at, now)).await.expect(200);
        }
        assert_eq!(owner.get(&command).await.expect(200).text("status"), "acknowledged");
        // What was sent long ago, or has not been sent yet, is not taken in at all.
        for sent_at in [now.minus(Duration::from_secs(8 * 86_400)), now.plus(Duration::from_secs(3600))] {
            let refused = signed(app, &state("e9", &car, false, now, sent_at)).await;
            refused.expect_problem(422, "validation_failed");
        }
        signed(app, &state("e3", "no-such-car", false, now, now)).await.expect(200);
        signed(app, &state("e4", &car, false, now, now)).await.expect(200);
        assert_eq!(owner.get(&command).await.expect(200).text("status"), "confirmed");
    }

    async fn one_event_suspends_the_grants_and_one_gives_them_back(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let vehicle_id = owner.vehicles[0].clone();
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        let car = cloud_id(app, &vehicle_id).await;
        let now = app.service().base.clock.now();
        let error = complaint("e1", &car, "ERROR", now);
        signed(app, &error).await.expect(200);
        holder.command(&vehicle_id, "unlock").await.expect_problem(403, "vehicle_suspended");
        app.advance(Duration::from_secs(5));
        // An answer to an older complaint does not end a younger one.
        let early = complaint("e0", &car, "RESOLVED", now.minus(Duration::from_secs(60)));
        signed(app, &early).await.expect(200);
        holder.command(&vehicle_id, "unlock").await.expect_problem(403, "vehicle_suspended");
        let later = app.service().base.clock.now();
        signed(app, &complaint("e2", &car, "RESOLVED", later)).await.expect(200);
        holder.command(&vehicle_id, "unlock").await.expect(200);
        // The complaint once more is one that was taken in.
        signed(app, &error).await.expect(200);
        holder.command(&vehicle_id, "lock").await.expect(200);
        let path = format!("/v1/audit-entries?grant_id={grant_id}");
        let events = app.admin().await.get(&path).await.expect(200).list("event");
        let count = |name: &str| events.iter().filter(|event| *event == name).count();
        assert_eq!((count("grant.vehicle_impaired"), count("grant.vehicle_restored")), (1, 1), "{events:?}");
    }

    async fn what_is_no_event_is_refused(app) {
        for body in ["", "[]", "null", "{}", "{\"eventType\":\"VEHICLE_STATE\"}", "\u{0}", "{{{{"] {
            let signature = webhook_signature::sign(SECRET, body.as_bytes());
            deliver(app, body, Some(&signature)).await.expect_problem(422, "validation_failed");
        }
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        deliver(app, &deep, None).await.expect_problem(422, "validation_failed");
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(70_000));
        deliver(app, &large, None).await.expect_problem(413, "body_too_large");
    }
}
