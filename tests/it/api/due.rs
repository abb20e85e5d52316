//! What the clock brings about is recorded once: a grant is near its end, it is over, its car was left unlocked, a hold ran out.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Actor, TestApp, on_both};

const MINUTE: Duration = Duration::from_secs(60);

/// The events about a car that nobody asked for, oldest first.
async fn due(app: &TestApp, car: &str) -> Vec<(String, Value)> {
    app.run_workers().await;
    let path = format!("/v1/audit-entries?vehicle_id={car}&limit=100");
    let entries = app.admin().await.get(&path).await.expect(200);
    let mut due: Vec<(String, Value)> = entries.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["actor"]["kind"] == "system")
        .map(|entry| (entry["event"].as_str().unwrap().to_owned(), entry["details"].clone()))
        .filter(|(event, _)| event.starts_with("grant.") || event.starts_with("hold."))
        .collect();
    due.reverse();
    due
}

fn words(due: &[(String, Value)]) -> Vec<&str> {
    due.iter().map(|(event, _)| event.as_str()).collect()
}

async fn lend(app: &TestApp, owner: &Actor, guest: &Actor) -> String {
    let times = json!({ "not_after": "2026-07-01T13:00:00Z", "grace_minutes": 30 });
    owner.lend_with(app, guest, times).await.expect(201).text("grant_id")
}

on_both! {
    async fn a_grant_is_near_its_end_and_over_once(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let grant_id = lend(app, &owner, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        holder.command(&car, "unlock").await.expect(200);
        holder.command(&car, "lock").await.expect(200);
        app.advance(MINUTE * 44);
        assert!(due(app, &car).await.is_empty());
        app.advance(MINUTE);
        for _ in 0..2 {
            let told = due(app, &car).await;
            assert_eq!(words(&told), ["grant.ending"]);
            assert_eq!(told[0].1["not_after"], "2026-07-01T13:00:00Z");
        }
        app.advance(MINUTE * 15);
        // Another instance's clock may be behind.
        assert_eq!(due(app, &car).await.len(), 1);
        app.advance(Duration::from_secs(4));
        for _ in 0..2 {
            let told = due(app, &car).await;
            assert_eq!(words(&told), ["grant.ending", "grant.expired"]);
            assert_eq!(told[1].1["lock_until"], "2026-07-01T13:30:00Z");
        }
    }

    async fn a_longer_grant_is_near_its_end_once_more(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let grant_id = lend(app, &owner, &guest).await;
        app.advance(MINUTE * 50);
        assert_eq!(words(&due(app, &car).await), ["grant.ending"]);
        let owner = crate::api::again(app, &owner, "owner").await;
        let path = format!("/v1/grants/{grant_id}");
        let seen = owner.get(&path).await.expect(200);
        let longer = json!({ "not_after": "2026-07-01T14:00:00Z" });
        owner.patch(&path, &seen, longer).await.expect(200);
        assert_eq!(due(app, &car).await.len(), 1);
        app.advance(MINUTE * 60);
        let told = due(app, &car).await;
        assert_eq!(words(&told), ["grant.ending", "grant.ending"]);
        assert_eq!(told[1].1["not_after"], "2026-07-01T14:00:00Z");
    }

    async fn a_car_that_its_guest_left_unlocked_is_told(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let (one, other) = (lend(app, &owner, &guest).await, lend(app, &owner, &guest).await);
        let unlock = guest.holder_of(&one).await.command(&car, "unlock").await.expect(200);
        let left = json!({ "leave_lock": true });
        owner.post(&format!("/v1/grants/{one}/revoke"), left).await.expect(200);
        app.advance(Duration::from_secs(4));
        for _ in 0..2 {
            let told = due(app, &car).await;
            assert_eq!(words(&told), ["grant.left_unlocked"]);
            assert_eq!(told[0].1["lock_until"], "2026-07-01T12:30:00Z");
        }
        let path = format!("/v1/audit-entries?grant_id={one}&event=grant.left_unlocked");
        let entries = app.admin().await.get(&path).await.expect(200);
        assert_eq!(entries.body["data"][0]["command_id"], unlock.body["command_id"]);
        // The other one is over while it was not the one that unlocked.
        app.advance(MINUTE * 61);
        assert_eq!(words(&due(app, &car).await), ["grant.left_unlocked", "grant.expired"]);
        let told = format!("/v1/audit-entries?grant_id={other}&event=grant.expired");
        assert_eq!(app.admin().await.get(&told).await.expect(200).body["data"].as_array().unwrap().len(), 1);
    }

    async fn what_an_act_ended_and_what_failed_is_not_told(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let (revoked, expired) = (lend(app, &owner, &guest).await, lend(app, &owner, &guest).await);
        // The car surely did not open.
        app.cloud.script_all(&json!([{ "kind": "error", "type": "VEHICLE_STATE", "code": "IN_MOTION" }])).await;
        guest.holder_of(&expired).await.command(&car, "unlock").await;
        owner.post(&format!("/v1/grants/{revoked}/revoke"), json!({})).await.expect(200);
        app.settle().await;
        app.advance(MINUTE * 61);
        assert_eq!(words(&due(app, &car).await), ["grant.expired"]);
    }

    async fn a_hold_runs_out_once(app) {
        let owner = app.owner().await;
        let car = owner.vehicles[0].clone();
        let hold = json!({ "scope": { "vehicle_id": car }, "reason": "Washed.", "until": "2026-07-01T12:10:00Z" });
        let hold_id = owner.post("/v1/holds", hold).await.expect(201).text("hold_id");
        let lifted = json!({ "scope": { "vehicle_id": car }, "reason": "Parked.", "until": "2026-07-01T12:05:00Z" });
        let lifted = owner.post("/v1/holds", lifted).await.expect(201).text("hold_id");
        owner.delete(&format!("/v1/holds/{lifted}")).await.expect(204);
        app.advance(MINUTE * 10);
        assert!(due(app, &car).await.is_empty());
        app.advance(Duration::from_secs(4));
        for _ in 0..2 {
            let told = due(app, &car).await;
            assert_eq!(words(&told), ["hold.expired"]);
            assert_eq!((&told[0].1["hold_id"], &told[0].1["rank"]), (&json!(hold_id), &json!("owner")));
        }
    }
}
