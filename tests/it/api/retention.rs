//! What is over and old is forgotten, and the record still says that it was.

use std::time::Duration;

use serde_json::json;

use crate::support::on_both;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const OWNER: &str = "owner@story.example";
const COMMANDS: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM commands";
const CONSENTS: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM connections";

on_both! {
    async fn commands_that_are_over_are_forgotten_after_their_time(app) {
        let owner = app.owner().await;
        let car = &owner.vehicles[0];
        let unlock = json!({ "vehicle_id": car, "action": "unlock" });
        let old = owner.post_as("/v1/commands", "a-key", unlock.clone()).await.expect(200);
        app.settle().await;
        app.advance(89 * DAY);
        app.run_workers().await;
        assert_eq!(app.count(COMMANDS).await, 1);
        let owner = app.sign_in(OWNER).await;
        owner.post("/v1/commands", json!({ "vehicle_id": car, "action": "lock" })).await.expect(200);
        app.settle().await;

        app.advance(DAY);
        app.run_workers().await;

        assert_eq!(app.count(COMMANDS).await, 1, "the lock of yesterday");
        let owner = app.sign_in(OWNER).await;
        let path = format!("/v1/commands/{}", old.text("command_id"));
        owner.get(&path).await.expect_problem(404, "not_found");
        assert!(owner.events_of(car).await.contains(&"command.confirmed".to_owned()));
        // Its key is free again.
        let new = owner.post_as("/v1/commands", "a-key", unlock).await.expect(200);
        assert_ne!(new.text("command_id"), old.text("command_id"));
        app.settle().await;
    }

    async fn consents_that_came_to_nothing_are_forgotten_and_those_with_cars_are_kept(app) {
        let owner = app.owner().await;
        owner.post("/v1/connections", json!({})).await.expect(201);
        assert_eq!(app.count(CONSENTS).await, 2);
        app.advance(91 * DAY);
        app.run_workers().await;
        assert_eq!(app.count(CONSENTS).await, 1);
        let owner = app.sign_in(OWNER).await;
        assert_eq!(owner.get("/v1/vehicles").await.expect(200).body["data"][0]["owner_id"], *owner.id);
    }
}
