//! Nobody is left unable to close a car: `lock` outlives a grant for its grace, and nothing else does.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::again;
use crate::support::{Actor, Reply, on_both};

const MINUTE: Duration = Duration::from_secs(60);
/// The validity of what people lend here.
const LENT: Duration = Duration::from_secs(2 * 60 * 60);

async fn revoke(owner: &Actor, grant_id: &str, body: Value) -> Reply {
    owner.post(&format!("/v1/grants/{grant_id}/revoke"), body).await.expect(200)
}

/// Everything that a key can do, and what the car is asked for.
async fn only_locks(holder: &Actor, car: &str, code: &str) {
    holder.command(car, "unlock").await.expect_problem(403, code);
    holder.get(&format!("/v1/vehicles/{car}/lock-status")).await.expect_problem(403, code);
    holder.command(car, "lock").await.expect(200);
}

on_both! {
    async fn after_its_time_a_key_still_locks_for_a_quarter_of_an_hour(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let issued = owner.lend_with(app, &guest, json!({})).await.expect(201);
        assert_eq!((&issued.body["grace_minutes"], issued.text("lock_until")), (&json!(15), "2026-07-01T14:15:00Z".into()));
        let holder = guest.holder_of(&issued.text("grant_id")).await;
        holder.command(&car, "unlock").await.expect(200);
        app.advance(LENT);
        only_locks(&holder, &car, "grant_expired").await;
        let guest = again(app, &guest, "guest").await;
        guest.command(&car, "lock").await.expect(200);
        let asked = json!({ "vehicle_id": car, "action": "lock" });
        assert_eq!(guest.post("/v1/access-checks", asked.clone()).await.expect(200).body["allowed"], true);
        app.advance(15 * MINUTE - Duration::from_micros(1));
        holder.command(&car, "lock").await.expect(200);
        app.advance(Duration::from_micros(1));
        holder.command(&car, "lock").await.expect_problem(403, "grant_expired");
        let guest = again(app, &guest, "guest").await;
        let checked = guest.post("/v1/access-checks", asked).await.expect(200);
        assert_eq!(checked.body["reasons"], json!(["grant_expired"]));
    }

    async fn a_grace_is_as_long_as_the_owner_says(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let none = owner.lend_with(app, &guest, json!({ "grace_minutes": 0 })).await.expect(201);
        let holder = guest.holder_of(&none.text("grant_id")).await;
        app.advance(LENT);
        holder.command(&car, "lock").await.expect_problem(403, "grant_expired");
        let owner = again(app, &owner, "owner").await;
        for (minutes, status) in [(1440, 201), (1441, 422), (-1, 422)] {
            owner.lend_with(app, &guest, json!({ "grace_minutes": minutes })).await.expect(status);
        }
        let open = owner.lend_with(app, &guest, json!({ "entitlements": ["unlock"] })).await;
        let open = open.expect_problem(422, "validation_failed");
        assert_eq!(open.body["errors"][0]["code"], "lock_missing");
        let later = owner.lend_with(app, &guest, json!({ "grace_minutes": 1 })).await.expect(201);
        let path = format!("/v1/grants/{}", later.text("grant_id"));
        let longer = owner.patch(&path, &later, json!({ "grace_minutes": 5 })).await.expect(200);
        assert_eq!((longer.text("effect"), longer.text("lock_until")), ("widening".into(), "2026-07-01T16:05:00Z".into()));
        let open = owner.patch(&path, &longer, json!({ "entitlements": ["unlock"] })).await;
        assert_eq!(open.expect_problem(422, "validation_failed").body["errors"][0]["code"], "lock_missing");
    }

    async fn a_revocation_leaves_the_lock_only_if_it_says_so(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        for (body, code) in [(json!({}), Some("grant_revoked")), (json!({ "leave_lock": true }), None)] {
            let grant_id = owner.lend(app, &guest).await;
            let holder = guest.holder_of(&grant_id).await;
            holder.command(&car, "unlock").await.expect(200);
            let revoked = revoke(&owner, &grant_id, body).await;
            assert_eq!(revoked.text("status"), "ended");
            match code {
                Some(code) => {
                    assert_eq!(revoked.body["lock_until"], Value::Null);
                    holder.command(&car, "lock").await.expect_problem(403, code);
                }
                None => {
                    assert_eq!(revoked.text("lock_until"), "2026-07-01T12:15:00Z");
                    only_locks(&holder, &car, "grant_revoked").await;
                    app.advance(15 * MINUTE);
                    holder.command(&car, "lock").await.expect_problem(403, "grant_revoked");
                }
            }
        }
    }

    async fn who_comes_next_has_the_car_alone(app) {
        let (owner, guest, next) = (app.owner().await, app.guest().await, app.member("next").await);
        let car = owner.vehicles[0].clone();
        let late = guest.holder_of(&owner.lend(app, &guest).await).await;
        let day = json!({ "not_after": "2026-07-02T12:00:00Z" });
        let following = owner.lend_with(app, &next, day).await.expect(201).text("grant_id");
        let following = next.holder_of(&following).await;
        late.command(&car, "unlock").await.expect(200);
        app.advance(LENT);
        late.command(&car, "lock").await.expect(200);
        following.command(&car, "lock").await.expect(200);
        late.command(&car, "lock").await.expect(200);
        following.command(&car, "unlock").await.expect(200);
        late.command(&car, "lock").await.expect_problem(403, "grant_expired");
        // So has the owner, who took it back.
        let owner = again(app, &owner, "owner").await;
        owner.command(&car, "unlock").await.expect(200);
        following.command(&car, "lock").await.expect(200);
        let path = format!("/v1/vehicles/{car}/commands");
        let shown = owner.get(&path).await.expect(200);
        let refused = shown.body["data"].as_array().unwrap().iter().filter(|command| command["status"] == "refused");
        assert_eq!(refused.count(), 1);
    }

    async fn what_else_ends_a_grant_leaves_nothing(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let given_back = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&given_back).await;
        guest.post(&format!("/v1/grants/{given_back}/relinquish"), json!({})).await.expect(200);
        holder.command(&car, "lock").await.expect_problem(403, "grant_relinquished");
        // What is revoked when its time is over loses its grace.
        let over = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&over).await;
        app.advance(LENT);
        holder.command(&car, "lock").await.expect(200);
        let owner = again(app, &owner, "owner").await;
        revoke(&owner, &over, json!({})).await;
        holder.command(&car, "lock").await.expect_problem(403, "grant_revoked");
    }

    async fn a_drain_waits_for_what_was_before_the_end_and_not_for_the_locks_after_it(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let grant_id = owner.lend(app, &guest).await;
        app.cloud.script_all(&json!([{ "kind": "hold", "hold_ms": 1500 }, { "kind": "hold", "hold_ms": 3500 }])).await;
        let asked = async |action: &str| {
            let body = json!({ "vehicle_id": car, "action": action });
            let request = guest.request(Method::POST, "/v1/commands").header("idempotency-key", action);
            let request = request.header("prefer", "wait=0").json(&body);
            Reply::read(request.send().await.unwrap()).await.expect(202).text("command_id")
        };
        let unlock = asked("unlock").await;
        let path = format!("/v1/grants/{grant_id}/revoke?wait=drain");
        let revoked = owner.post(&path, json!({ "leave_lock": true }));
        let locked = async {
            while owner.get(&format!("/v1/grants/{grant_id}")).await.text("status") != "ended" {
                tokio::task::yield_now().await;
            }
            asked("lock").await
        };
        let (revoked, lock) = tokio::join!(revoked, locked);
        assert_eq!(revoked.expect(200).body["in_flight"], json!([]));
        let status = async |command_id: &str| {
            guest.get(&format!("/v1/commands/{command_id}")).await.expect(200).text("status")
        };
        assert_ne!(status(&unlock).await, "sending");
        assert_eq!(status(&lock).await, "sending");
        app.idle().await;
        app.settle().await;
    }
}
