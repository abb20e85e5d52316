//! Who had a car at some moment, by the record.

use std::time::Duration;

use keylend::clock::Clock;
use keylend::domain::time::Timestamp;
use serde_json::{Value, json};

use super::again;
use crate::support::{Actor, Reply, TestApp, on_both};

const MINUTE: Duration = Duration::from_secs(60);

async fn at(actor: &Actor, car: &str, moment: Timestamp) -> Value {
    let path = format!("/v1/vehicles/{car}/holders?at={moment}");
    actor.get(&path).await.expect(200).body["holder"].clone()
}

/// The moment, and then a minute passes.
fn then(app: &TestApp) -> Timestamp {
    let now = app.clock.now();
    app.advance(MINUTE);
    now
}

on_both! {
    async fn the_last_who_unlocked_had_the_car(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (car, admin) = (&owner.vehicles[0], app.admin().await);
        let grant_id = owner.lend(app, &guest).await;
        let before = then(app);
        let unlock = guest.command(car, "unlock").await.expect(200);
        let unlocked = then(app);
        guest.command(car, "lock").await.expect(200);
        let locked = then(app);
        // Nothing comes of this one: the car surely did not do it.
        app.cloud.script_all(&json!([{ "kind": "error", "type": "VEHICLE_STATE", "code": "IN_MOTION" }])).await;
        let failed = owner.command(car, "unlock").await;
        assert!(failed.status >= 400, "{}", failed.body);
        app.settle().await;
        let failed = then(app);
        let own = owner.command(car, "unlock").await.expect(200);
        let taken = then(app);
        assert_eq!(at(&admin, car, before).await, Value::Null);
        let had = at(&admin, car, unlocked).await;
        assert_eq!((&had["user_id"], &had["grant_id"]), (&json!(guest.id), &json!(grant_id)));
        assert_eq!((&had["since"], &had["locked_at"]), (&json!(unlocked), &Value::Null));
        assert_eq!(had["command_id"], unlock.body["command_id"]);
        for moment in [locked, failed] {
            let had = at(&admin, car, moment).await;
            assert_eq!((&had["user_id"], &had["locked_at"]), (&json!(guest.id), &json!(locked)));
        }
        let had = at(&admin, car, taken).await;
        assert_eq!((&had["user_id"], &had["grant_id"]), (&json!(owner.id), &Value::Null));
        assert_eq!(had["command_id"], own.body["command_id"]);
        // It can be proved, and its owner is told the same.
        app.run_workers().await;
        let owner = again(app, &owner, "owner").await;
        let told = at(&owner, car, taken).await;
        assert_eq!((&told["entry_id"], &told["user_id"]), (&had["entry_id"], &had["user_id"]));
        let proof = format!("/v1/audit-entries/{}/proof", had["entry_id"].as_str().unwrap());
        owner.get(&proof).await.expect(200);
        let now: Reply = owner.get(&format!("/v1/vehicles/{car}/holders")).await.expect(200);
        assert_eq!(now.body["holder"]["user_id"], json!(owner.id));
        // Once the commands are forgotten, the record still says what did not happen.
        app.execute("DELETE FROM commands").await;
        let forgotten = at(&owner, car, locked).await;
        assert_eq!((&forgotten["user_id"], &forgotten["status"]), (&json!(guest.id), &Value::Null));
        assert_eq!(at(&owner, car, failed).await["user_id"], json!(guest.id));
        guest.get(&format!("/v1/vehicles/{car}/holders")).await.expect_problem(403, "admin_only");
        owner.get(&format!("/v1/vehicles/{car}/holders?at=noon")).await.expect_problem(422, "validation_failed");
    }
}
