//! Strangers at the door of the vehicle cloud: they have no secret, and are not to hold up those who write.

use std::num::NonZeroU32;

use futures_util::future::join_all;
use keylend::clock::Clock as _;
use keylend::config::Config;
use keylend::service::webhooks;
use keylend::signing::webhook_signature;
use serde_json::json;

use crate::support::{Reply, TestApp, on_both};

/// The secret that the tests' service and simulator share.
const SECRET: &str = "simulated-token-of-webhooks";
/// With a clock that stands, an address is let in four times as often as this and never again.
const VISITS_PER_SECOND: u32 = 10;
const STRANGERS: usize = 100;

async fn deliver(app: &TestApp, body: String, signature: Option<&str>) -> Reply {
    deliver_at(app, "/v1/smartcar/webhooks", body, signature).await
}

async fn deliver_at(app: &TestApp, path: &str, body: String, signature: Option<&str>) -> Reply {
    let request = app.http.post(format!("{}{path}", app.url()));
    let mut request = request.header("content-type", "application/json").body(body);
    if let Some(signature) = signature {
        request = request.header("sc-signature", signature);
    }
    Reply::read(request.send().await.unwrap()).await
}

fn challenge() -> String {
    let data = json!({ "challenge": "let-me-sign-this" });
    json!({ "eventId": "e", "eventType": "VERIFY", "data": data }).to_string()
}

/// An event about a car that is not here.
fn event(app: &TestApp) -> String {
    let at = app.clock.now().as_unix_micros() / 1000;
    json!({"eventId": "e1", "eventType": "VEHICLE_STATE", "vehicleId": "not-here",
        "data": {"signals": [{"code": "closure-islocked", "body": {"value": true},
            "meta": {"oemUpdatedAt": at, "retrievedAt": at}}]},
        "meta": {"version": "4.0", "deliveredAt": at}})
    .to_string()
}

fn few_visits(config: &mut Config) {
    config.limits.visits_per_second = NonZeroU32::new(VISITS_PER_SECOND).unwrap();
}

on_both! {
    async fn strangers_use_up_none_of_the_answers_that_the_cloud_is_to_get(app) {
        let expected = webhooks::expect_verification(&app.service().base).await.unwrap();
        for number in 0..20 {
            let guess = format!("kl_webhook_{number:043}");
            let path = format!("/v1/smartcar/webhooks?{}={guess}", webhooks::VERIFICATION);
            let asked = if number % 2 == 0 { "/v1/smartcar/webhooks" } else { path.as_str() };
            deliver_at(app, asked, challenge(), None).await.expect_problem(422, "validation_failed");
        }
        let url: url::Url = expected.url.parse().unwrap();
        let path = format!("{}?{}", url.path(), url.query().unwrap());
        for _ in 0..5 {
            deliver_at(app, &path, challenge(), None).await.expect(200);
        }
        deliver_at(app, &path, challenge(), None).await.expect_problem(422, "validation_failed");
    }

    async fn a_challenge_that_nobody_expects_waits_for_no_writer(app) {
        // Somebody writes and does not stop.
        let writing = app.service().base.store.begin().await.unwrap();
        let answers = join_all((0..STRANGERS).map(|_| deliver(app, challenge(), None))).await;
        for answer in answers {
            answer.expect_problem(422, "validation_failed");
        }
        drop(writing);
    }
}

on_both! { as few_visits;
    async fn who_does_not_know_the_secret_is_paced_and_the_cloud_is_not(app) {
        let forged = webhook_signature::sign("another secret", event(app).as_bytes());
        let strangers = (0..STRANGERS).map(|number| match number % 3 {
            0 => deliver(app, challenge(), None),
            1 => deliver(app, event(app), Some(&forged)),
            _ => deliver(app, "nonsense".to_owned(), None),
        });
        let refused = join_all(strangers).await;
        let refused = refused.iter().filter(|answer| answer.status == 429).count();
        let admitted = STRANGERS - refused;
        assert!(admitted <= 4 * VISITS_PER_SECOND as usize, "{admitted} were let in");
        let right = webhook_signature::sign(SECRET, event(app).as_bytes());
        for _ in 0..STRANGERS {
            deliver(app, event(app), Some(&right)).await.expect(200);
        }
    }
}
