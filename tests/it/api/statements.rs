//! How a grant was used, for a parking fine and for a dispute.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api::again;
use crate::support::{Actor, TestApp, on_both};

struct Lent {
    owner: Actor,
    guest: Actor,
    car: String,
    at_cloud: String,
    grant_id: String,
}

async fn lend(app: &TestApp, changes: Value) -> Lent {
    let (owner, guest) = (app.generous_owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let at_cloud = app.cloud.car_of(app, &car).await["id"].as_str().unwrap().to_owned();
    let grant_id = owner.lend_with(app, &guest, changes).await.expect(201).text("grant_id");
    Lent { owner, guest, car, at_cloud, grant_id }
}

impl Lent {
    async fn statement(&self, actor: &Actor) -> Value {
        let path = format!("/v1/grants/{}/statement", self.grant_id);
        actor.get(&path).await.expect(200).body
    }
}

/// One thing that a car is read for at one end: the reading and its age.
fn read<'a>(statement: &'a Value, end: &str, observable: &str) -> (&'a Value, Option<i64>) {
    let readings = statement[end].as_array().unwrap().iter();
    let found = readings.filter(|reading| reading["observable"] == observable).collect::<Vec<_>>();
    assert_eq!(found.len(), 1, "{statement}");
    (&found[0]["reading"], found[0]["age_s"].as_i64())
}

fn events(statement: &Value) -> Vec<&str> {
    statement["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"].as_str().unwrap())
        .collect()
}

on_both! {
    async fn it_tells_times_uses_and_what_the_car_was_seen_as(app) {
        let lent = lend(app, json!({ "statement": true, "max_uses": 5 })).await;
        let before = lent.statement(&lent.owner).await;
        assert_eq!((&before["first_unlock"], &before["last_lock"], &before["distance_km"]), (&Value::Null, &Value::Null, &Value::Null));
        assert_eq!(read(&before, "start", "odometer"), (&Value::Null, None));
        app.cloud.adjust(&lent.at_cloud, json!({ "odometer_km": 1000.0, "latitude": 48.0, "longitude": 11.0 })).await;
        let holder = lent.guest.holder_of(&lent.grant_id).await;
        let unlock = holder.command(&lent.car, "unlock").await.expect(200);
        app.settle().await;
        app.run_workers().await;
        app.cloud.adjust(&lent.at_cloud, json!({ "odometer_km": 1042.5, "latitude": 49.0 })).await;
        app.advance(Duration::from_secs(30 * 60));
        let (owner, guest) = (again(app, &lent.owner, "owner").await, again(app, &lent.guest, "guest").await);
        let lock = holder.command(&lent.car, "lock").await.expect(200);
        app.settle().await;
        guest.post(&format!("/v1/grants/{}/relinquish", lent.grant_id), json!({})).await.expect(200);
        app.run_workers().await;
        // Once: what is done with the car later is nobody's business here.
        app.cloud.adjust(&lent.at_cloud, json!({ "odometer_km": 2000.0 })).await;
        app.advance(Duration::from_secs(60));
        app.run_workers().await;
        let told = lent.statement(&guest).await;
        assert_eq!((&told["grant"]["uses"], &told["grant"]["end_reason"]), (&json!(1), &json!("relinquished")));
        assert_eq!((&told["owner_id"], &told["complete"]), (&json!(owner.id), &json!(true)));
        assert_eq!(told["first_unlock"]["command_id"], unlock.body["command_id"]);
        assert_eq!(told["last_lock"]["command_id"], lock.body["command_id"]);
        assert!((told["distance_km"].as_f64().unwrap() - 42.5).abs() < 0.5, "{told}");
        let (place, age_s) = read(&told, "start", "location");
        assert!((place["latitude"].as_f64().unwrap() - 48.0).abs() < 0.01, "{place}");
        assert!((0..10).contains(&age_s.unwrap()), "{told}");
        let (place, age_s) = read(&told, "end", "location");
        assert!((place["latitude"].as_f64().unwrap() - 49.0).abs() < 0.01, "{place}");
        assert!(age_s.unwrap().abs() < 10, "{told}");
        for event in ["grant.issued", "command.authorized", "command.confirmed", "grant.relinquished"] {
            assert!(events(&told).contains(&event), "{told}");
        }
        let first = told["first_unlock"]["entry_id"].as_str().unwrap();
        let entry = told["entries"].as_array().unwrap().iter().find(|entry| entry["entry_id"] == first).unwrap();
        let proof = guest.get(entry["proof"].as_str().unwrap()).await;
        assert_eq!(proof.status, 200, "{}", proof.body);
        for actor in [&owner, &app.admin().await] {
            assert_eq!(lent.statement(actor).await["distance_km"], told["distance_km"]);
        }
        for other in [app.stranger().await, app.foreigner().await] {
            let path = format!("/v1/grants/{}/statement", lent.grant_id);
            other.get(&path).await.expect_problem(404, "not_found");
        }
    }

    async fn a_car_is_not_read_unless_its_owner_asked_for_it_and_not_when_others_have_it(app) {
        let lent = lend(app, json!({})).await;
        let holder = lent.guest.holder_of(&lent.grant_id).await;
        holder.command(&lent.car, "unlock").await.expect(200);
        app.settle().await;
        app.run_workers().await;
        let told = lent.statement(&lent.guest).await;
        assert_eq!(read(&told, "start", "location"), (&Value::Null, None));
        let reads = format!("/v1/audit-entries?vehicle_id={}&event=vehicle.read", lent.car);
        assert!(app.admin().await.get(&reads).await.expect(200).body["data"].as_array().unwrap().is_empty());
        // The owner asks for it, and has the car before it is read at the end.
        let path = format!("/v1/grants/{}", lent.grant_id);
        let seen = lent.owner.get(&path).await.expect(200);
        lent.owner.patch(&path, &seen, json!({ "statement": true })).await.expect(200);
        app.run_workers().await;
        assert!(read(&lent.statement(&lent.guest).await, "start", "location").0.is_object());
        lent.owner.command(&lent.car, "unlock").await.expect(200);
        lent.owner.post(&format!("{path}/revoke"), json!({})).await.expect(200);
        app.settle().await;
        app.run_workers().await;
        assert_eq!(read(&lent.statement(&lent.guest).await, "end", "location"), (&Value::Null, None));
    }

    async fn an_unlock_that_never_happened_does_not_count_and_a_silent_car_is_unknown(app) {
        let lent = lend(app, json!({ "statement": true })).await;
        let holder = lent.guest.holder_of(&lent.grant_id).await;
        app.cloud.script_all(&json!([{ "kind": "error", "type": "VEHICLE_STATE", "code": "IN_MOTION" }])).await;
        let failed = holder.command(&lent.car, "unlock").await;
        assert!(failed.status >= 400, "{}", failed.body);
        app.settle().await;
        let silent = vec![json!({ "kind": "refuse", "on": "read" }); 100];
        app.cloud.script(&lent.at_cloud, json!(silent)).await;
        app.run_workers().await;
        let told = lent.statement(&lent.owner).await;
        assert_eq!((&told["first_unlock"], &told["last_lock"]), (&Value::Null, &Value::Null));
        for observable in ["odometer", "fuel", "battery", "location"] {
            assert_eq!(read(&told, "start", observable), (&Value::Null, None));
        }
    }
}
