//! Somebody is erased in the middle of a trip: nothing about where they left the car is kept.

use serde_json::json;

use crate::support::on_both;

const READINGS: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM grant_readings";

on_both! {
    async fn what_an_erased_guest_left_is_not_read_any_more(app) {
        let (owner, guest) = (app.generous_owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let lent = owner.lend_with(app, &guest, json!({ "statement": true })).await.expect(201);
        let path = format!("/v1/grants/{}", lent.text("grant_id"));
        guest.command(&car, "unlock").await.expect(200);
        app.settle().await;
        app.run_workers().await;
        assert!(app.count(READINGS).await > 0);
        guest.delete(&format!("/v1/users/{}/personal-data", guest.id)).await.expect(200);
        assert_eq!(app.count(READINGS).await, 0);
        app.run_workers().await;
        assert_eq!(app.count(READINGS).await, 0);
        let told = owner.get(&path).await.expect(200);
        assert_eq!((&told.body["status"], &told.body["statement"]), (&json!("ended"), &json!(false)));
    }
}
