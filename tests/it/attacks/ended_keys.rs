//! An ex-guest whose key has ended and who goes on asking: the record and the disk must not fill with it, and
//! nobody else must wait. With the pace of a service as it is installed.

use std::collections::BTreeMap;
use std::time::Duration;

use keylend::config::{Config, Limits};
use serde_json::{Value, json};

use crate::support::{Actor, TestApp, on_both};

/// So many seconds the ex-guest goes on, with so many requests in each.
const SECONDS: usize = 10;
const EACH_SECOND: usize = 60;

/// Every table in which something is kept for a request.
const ROWS: &str = "SELECT (SELECT COUNT(*) FROM commands) + (SELECT COUNT(*) FROM audit_entries) \
    + (SELECT COUNT(*) FROM idempotency_keys) + (SELECT COUNT(*) FROM personal_data) \
    + (SELECT COUNT(*) FROM record_queue) + (SELECT COUNT(*) FROM record_bundles) \
    + (SELECT COUNT(*) FROM record_subjects) + (SELECT COUNT(*) FROM record_tiles)";

fn as_installed(config: &mut Config) {
    let Limits { caller_requests, grant_requests, .. } = Limits::default();
    config.limits.caller_requests = caller_requests;
    config.limits.grant_requests = grant_requests;
}

/// How often which status was answered, while `asked` was asked as fast as it is answered.
async fn flood<F: Future<Output = u16>>(
    app: &TestApp,
    asked: impl Fn(usize) -> F,
) -> BTreeMap<u16, u64> {
    let mut answers = BTreeMap::new();
    for _ in 0..SECONDS {
        for number in 0..EACH_SECOND {
            *answers.entry(asked(number).await).or_default() += 1;
        }
        app.advance(Duration::from_secs(1));
    }
    answers
}

/// The entries of the record with this event, as administrators see them.
async fn entries(admin: &Actor, event: &str) -> Vec<Value> {
    let path = format!("/v1/audit-entries?limit=100&event={event}");
    let listed = admin.get(&path).await.expect(200);
    listed.body["data"].as_array().unwrap().clone()
}

/// Lets the minute end in which refusals count together.
async fn minute_is_over(app: &TestApp) {
    app.advance(Duration::from_secs(60));
    app.run_workers().await;
}

on_both! { as as_installed;
    async fn an_ended_key_leaves_few_rows_and_their_exact_number(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let car = &owner.vehicles[0];
        let grant_id = owner.lend(app, &guest).await;
        let key = guest.holder_of(&grant_id).await;
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        minute_is_over(app).await;
        let before = app.count(ROWS).await;

        let answers = flood(app, |_| async { key.command(car, "unlock").await.status }).await;
        minute_is_over(app).await;

        let rows = app.count(ROWS).await - before;
        assert!(rows <= 100, "{rows} rows for {answers:?}");
        let [refused, throttled] = [403, 429].map(|status| answers[&status]);
        assert_eq!(refused + throttled, (SECONDS * EACH_SECOND) as u64, "{answers:?}");
        let singly = entries(&admin, "command.refused").await.len() as u64;
        let [counted] = entries(&admin, "refusals.counted").await.try_into().unwrap();
        assert_eq!(singly, 5);
        assert_eq!(counted["details"]["commands"].as_u64(), Some(refused - singly));
        for (member, value) in [("grant_id", &grant_id), ("vehicle_id", car), ("user_id", &guest.id)] {
            assert_eq!(counted[member], **value, "{counted}");
        }
    }

    async fn meanwhile_others_end_keys_and_lock(app) {
        let (owner, guest, other) = (app.owner().await, app.guest().await, app.stranger().await);
        let car = &owner.vehicles[0];
        let grant_id = owner.lend(app, &guest).await;
        let key = guest.holder_of(&grant_id).await;
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        let others = owner.lend(app, &other).await;
        let answers = flood(app, |number| {
            let (owner, key, other, others) = (&owner, &key, &other, &others);
            async move {
                match number {
                    10 => other.command(car, "lock").await.expect(200).status,
                    20 => owner.command(car, "lock").await.expect(200).status,
                    30 => {
                        let ended = owner.lend(app, other).await;
                        let path = format!("/v1/grants/{ended}/revoke");
                        owner.post(&path, json!({})).await.expect(200).status
                    }
                    40 => other.get(&format!("/v1/grants/{others}")).await.expect(200).status,
                    _ => key.command(car, "unlock").await.status,
                }
            }
        });
        assert_eq!(answers.await[&200], 4 * SECONDS as u64);
    }

    async fn refused_reads_are_counted_too_and_through_the_facade(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let car = &owner.vehicles[0];
        let grant_id = owner.lend(app, &guest).await;
        let key = guest.holder_of(&grant_id).await;
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        let uuid = keylend::domain::id::VehicleId::as_uuid(&car.parse().unwrap());
        let answers = flood(app, |number| {
            let (key, facade) = (&key, format!("/v2.0/vehicles/{uuid}"));
            async move {
                match number % 3 {
                    0 => key.get(&format!("/v1/vehicles/{car}/lock-status")).await.status,
                    1 => key.get(&format!("{facade}/security")).await.status,
                    _ => {
                        let body = json!({ "action": "UNLOCK" });
                        key.post(&format!("{facade}/security"), body).await.status
                    }
                }
            }
        });
        let answers = answers.await;
        minute_is_over(app).await;
        let [counted] = entries(&admin, "refusals.counted").await.try_into().unwrap();
        let [commands, reads] =
            ["commands", "reads"].map(|member| counted["details"][member].as_u64().unwrap());
        assert_eq!(commands + reads + 5, answers[&403], "{counted} for {answers:?}");
        assert!(commands > 0 && reads > commands, "{counted}");
    }

    async fn whoever_asks_too_often_still_learns_what_was_decided(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = &owner.vehicles[0];
        let key = guest.holder_of(&owner.lend(app, &guest).await).await;
        let unlock = json!({ "vehicle_id": car, "action": "unlock" });
        let first = key.post_as("/v1/commands", "the-first", unlock.clone()).await.expect(200);
        let mut asked = 0;
        let throttled = loop {
            let answer = key.command(car, "unlock").await;
            if answer.status == 429 && answer.text("detail").contains("One grant may be used 60 times") {
                break answer;
            }
            asked += 1;
            assert!(asked < 100, "{}", answer.body);
        };
        throttled.expect_problem(429, "rate_limited");
        let again = key.post_as("/v1/commands", "the-first", unlock).await.expect(200);
        assert_eq!(again.text("command_id"), first.text("command_id"));
        let lock = json!({ "vehicle_id": car, "action": "lock" });
        key.post_as("/v1/commands", "the-first", lock).await.expect_problem(422, "idempotency_key_reused");
        // Locking has a pace of its own, and so has whoever else may use the car.
        key.command(car, "lock").await.expect(200);
        owner.command(car, "unlock").await.expect(200);
    }

    async fn whoever_copied_a_key_uses_up_nothing_of_what_the_guest_does_signed_in(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = &owner.vehicles[0];
        let copied = guest.holder_of(&owner.lend(app, &guest).await).await;
        let check = json!({ "vehicle_id": car, "action": "unlock" });
        let mut asked = 0;
        while copied.post("/v1/access-checks", check.clone()).await.status == 200 {
            asked += 1;
            assert!(asked <= Limits::default().grant_requests.burst);
        }
        copied.command(car, "unlock").await.expect_problem(429, "rate_limited");
        guest.command(car, "unlock").await.expect(200);
        guest.post("/v1/access-checks", check).await.expect(200);
    }

    async fn an_owner_who_issues_too_often_can_still_end_keys(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let mut issued = 1;
        let throttled = loop {
            let answer = owner.lend_with(app, &guest, json!({})).await;
            if answer.status != 201 {
                break answer;
            }
            issued += 1;
        };
        throttled.expect_problem(429, "rate_limited");
        assert!(issued <= Limits::default().caller_requests.burst, "{issued}");
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
    }
}
