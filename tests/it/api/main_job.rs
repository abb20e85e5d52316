//! The main job: a car is lent, used, and the key is ended.

use serde_json::json;

use crate::support::on_both;

on_both! {
    async fn a_guest_uses_a_car_until_the_key_is_revoked(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let car = owner.vehicles[0].clone();
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;

        let unlocked = holder.command(&car, "unlock").await.expect(200);
        assert_eq!(unlocked.text("status"), "acknowledged");
        assert_eq!(unlocked.text("evidence"), "provider_ack");
        holder.command(&car, "lock").await.expect(200);
        assert_eq!(app.cloud.journal().await.len(), 2);

        let path = format!("/v1/grants/{grant_id}/revoke");
        let ended = admin.post(&path, json!({ "reason": "the story is over" })).await.expect(200);
        assert_eq!(ended.text("status"), "ended");
        assert_eq!(ended.text("end_reason"), "revoked");
        assert_eq!(ended.body["in_flight"], json!([]));

        let refused = holder.command(&car, "unlock").await;
        let refused = refused.expect_problem(403, "grant_revoked");
        assert_eq!(refused.body["reasons"], json!(["grant_revoked"]));
        assert_eq!(app.cloud.journal().await.len(), 2);

        let events = admin.events_of(&car).await;
        assert_eq!(events[0], "command.refused");
        assert_eq!(events[1], "grant.revoked");
        assert!(events.contains(&"grant.issued".to_owned()));
    }

    async fn a_stranger_at_the_car_learns_nothing_and_is_in_the_record(app) {
        let (owner, stranger) = (app.owner().await, app.stranger().await);
        let car = owner.vehicles[0].clone();
        stranger.command(&car, "unlock").await.expect_problem(404, "not_found");
        assert!(app.cloud.journal().await.is_empty());
        let path = format!("/v1/audit-entries?event=command.refused&user_id={}", stranger.id);
        let entries = app.admin().await.get(&path).await.expect(200);
        assert_eq!(entries.list("vehicle_id"), [car]);
        assert_eq!(entries.body["data"][0]["details"]["reasons"], json!(["not_found"]));
    }
}
