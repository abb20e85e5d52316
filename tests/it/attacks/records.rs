//! What people read in the record about themselves tells them nothing of others.

use serde_json::{Value, json};

use crate::support::{Actor, on_both};

/// The details of the newest refusal about somebody, as they read it themself.
async fn refusal(actor: &Actor) -> Value {
    let path = format!("/v1/audit-entries?user_id={}&event=command.refused", actor.id);
    let entries = actor.get(&path).await.expect(200);
    entries.body["data"][0]["details"].clone()
}

on_both! {
    async fn a_refusal_does_not_tell_who_has_the_car_or_what_others_may(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let car = owner.vehicles[0].clone();
        let (past, of_another) = (owner.lend(app, &guest).await, owner.lend(app, &stranger).await);
        guest.holder_of(&past).await.command(&car, "unlock").await.expect(200);
        owner.post(&format!("/v1/grants/{past}/revoke"), json!({})).await.expect(200);
        stranger.holder_of(&of_another).await.command(&car, "unlock").await.expect(200);
        let lock = |grant_id: &str| json!({ "vehicle_id": car, "action": "lock", "grant_id": grant_id });
        guest.post("/v1/commands", lock(&past)).await.expect_problem(403, "grant_revoked");
        let told = refusal(&guest).await;
        assert_eq!(told["rests_on"]["last_unlock"], "other");
        assert!(!told.to_string().contains(&stranger.id), "{told}");
        guest.post("/v1/commands", lock(&of_another)).await.expect_problem(403, "not_the_grantee");
        let told = refusal(&guest).await;
        assert_eq!((&told["reasons"], &told["rests_on"]), (&json!(["not_the_grantee"]), &Value::Null));
        app.settle().await;
    }
}
