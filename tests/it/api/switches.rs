//! A booking moves to another car: one grant ends and another one begins, or neither.

use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

async fn switch(actor: &Actor, grant_id: &str, car: &str) -> Reply {
    let path = format!("/v1/grants/{grant_id}/switch-vehicle");
    actor.post(&path, json!({ "vehicle_id": car })).await
}

/// A grant for the first car, as it was issued.
async fn lent(app: &TestApp, owner: &Actor, guest: &Actor) -> Reply {
    let terms = json!({ "max_uses": 3, "external_ref": "booking-1", "label": "Trip" });
    owner.lend_with(app, guest, terms).await.expect(201)
}

on_both! {
    async fn a_booking_moves_with_all_that_is_left_of_it(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let [first, second] = [&owner.vehicles[0], &owner.vehicles[1]];
        let before = lent(app, &owner, &guest).await;
        let before_id = before.text("grant_id");
        let holder = guest.holder_of(&before_id).await;
        holder.command(first, "unlock").await.expect(200);
        let path = format!("/v1/grants/{before_id}/switch-vehicle");
        let body = json!({ "vehicle_id": second });
        let moved = owner.post_as(&path, "once", body.clone()).await.expect(201);
        for member in ["grantee_id", "entitlements", "not_before", "not_after", "grace_minutes", "label", "external_ref"] {
            assert_eq!(moved.body[member], before.body[member], "{member}");
        }
        let moved_id = moved.text("grant_id");
        assert_eq!((&moved.body["vehicle_id"], &moved.body["max_uses"], &moved.body["uses"]), (&json!(second), &json!(2), &json!(0)));
        assert_eq!(moved.body["in_flight"], json!([]));
        // The car that they leave can be closed, and nothing else.
        holder.command(first, "unlock").await.expect_problem(403, "grant_revoked");
        holder.command(first, "lock").await.expect(200);
        let ended = guest.get(&format!("/v1/grants/{before_id}")).await.expect(200);
        assert_eq!((ended.text("status"), ended.text("end_reason")), ("ended".into(), "revoked".into()));
        let holder = guest.holder_of(&moved_id).await;
        holder.command(second, "unlock").await.expect(200);
        holder.command(second, "unlock").await.expect(200);
        holder.command(second, "unlock").await.expect_problem(403, "grant_exhausted");
        // Asked for again it is the same, and the key of another request is not its key.
        let again = owner.post_as(&path, "once", body.clone()).await.expect(201);
        assert_eq!((&again.body, &again.headers["idempotency-replayed"]), (&moved.body, &"true".parse().unwrap()));
        let other = lent(app, &owner, &guest).await.text("grant_id");
        let other = owner.post_as(&format!("/v1/grants/{other}/switch-vehicle"), "once", body).await;
        other.expect_problem(422, "idempotency_key_reused");
        let admin = app.admin().await;
        let issued = admin.get(&format!("/v1/audit-entries?grant_id={moved_id}&event=grant.issued")).await.expect(200);
        assert_eq!(issued.body["data"][0]["details"]["instead_of"], json!(before_id));
        let revoked = admin.get(&format!("/v1/audit-entries?grant_id={before_id}&event=grant.revoked")).await.expect(200);
        assert_eq!(revoked.body["data"][0]["details"]["leave_lock"], json!(true));
    }

    async fn a_booking_that_cannot_move_stays_as_it_is(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (other, admin) = (app.member("other").await, app.admin().await);
        let [first, second] = [&owner.vehicles[0], &owner.vehicles[1]];
        let grant_id = lent(app, &owner, &guest).await.text("grant_id");
        switch(&owner, &grant_id, first).await.expect_problem(422, "validation_failed");
        for actor in [&guest, &admin] {
            switch(actor, &grant_id, second).await.expect_problem(403, "not_the_owner");
        }
        switch(&other, &grant_id, second).await.expect_problem(404, "not_found");
        switch(&owner, &grant_id, "veh_01k0a6v8w5e3tb3q6m1x9r7yzn").await.expect_problem(404, "not_found");
        // A car that somebody else has at that time.
        let path = format!("/v1/vehicles/{second}");
        let seen = owner.get(&path).await.expect(200);
        owner.patch(&path, &seen, json!({ "sharing": "exclusive" })).await.expect(200);
        let taken = owner.lend_with(app, &other, json!({ "vehicle_id": second })).await.expect(201);
        let refused = switch(&owner, &grant_id, second).await.expect_problem(409, "window_taken");
        assert!(!refused.body["free_windows"].as_array().unwrap().is_empty());
        let still = guest.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        assert_eq!((still.text("status"), &still.body["end_reason"]), ("active".into(), &Value::Null));
        guest.command(first, "unlock").await.expect(200);
        owner.post(&format!("/v1/grants/{}/revoke", taken.text("grant_id")), json!({})).await.expect(200);
        switch(&owner, &grant_id, second).await.expect(201);
        switch(&owner, &grant_id, second).await.expect_problem(409, "grant_ended");
        // One without a use left.
        let once = owner.lend_with(app, &guest, json!({ "max_uses": 1 })).await.expect(201).text("grant_id");
        guest.holder_of(&once).await.command(first, "unlock").await.expect(200);
        switch(&owner, &once, &owner.vehicles[2]).await.expect_problem(403, "grant_exhausted");
        assert_eq!(app.count("SELECT COUNT(*) FROM grants").await, 4);
    }

    async fn a_booking_that_is_paused_or_waits_does_not_get_free_by_moving(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let second = &owner.vehicles[1];
        let grant_id = lent(app, &owner, &guest).await.text("grant_id");
        for by in [&guest, &owner, &admin] {
            let body = json!({ "scope": { "grant_id": grant_id }, "reason": "The phone is lost." });
            let hold = by.post("/v1/holds", body).await.expect(201).text("hold_id");
            switch(&owner, &grant_id, second).await.expect_problem(403, "grant_held");
            by.delete(&format!("/v1/holds/{hold}")).await.expect(204);
        }
        let claim = format!("/v1/users/{}/claims", guest.id);
        let claim = admin.post(&claim, json!({})).await.expect(201);
        let recovered = admin.redeem(&claim.text("claim_token")).await;
        switch(&owner, &grant_id, second).await.expect_problem(403, "account_recovered");
        owner.post(&format!("/v1/grants/{grant_id}/confirm"), json!({})).await.expect(200);
        switch(&owner, &grant_id, second).await.expect(201);
        recovered.command(second, "unlock").await.expect(200);
    }

    async fn nobody_moves_a_booking_to_a_car_of_somebody_else(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let heir = app.member("heir").await;
        let given = &owner.vehicles[2];
        owner.post(&format!("/v1/vehicles/{given}/transfer"), json!({ "to_user_id": heir.id })).await.expect(200);
        let started = heir.post("/v1/connections", json!({})).await.expect(201);
        let taken = app.consent(&heir, &started).await;
        let theirs = taken.body["vehicle_ids"][0].as_str().unwrap();
        let grant_id = lent(app, &owner, &guest).await.text("grant_id");
        switch(&owner, &grant_id, theirs).await.expect_problem(404, "not_found");
        let refused = switch(&owner, &grant_id, given).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["code"], "vehicle_removed");
        guest.command(&owner.vehicles[0], "unlock").await.expect(200);
    }
}
