//! Keys from before an owner's consent was lost: when it comes back, they open nothing before the owner says so. The
//! owner may have taken it back because of them.

use keylend::clock::Clock;
use keylend::signing::webhook_signature;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

/// An owner whose cars are connected, a guest with a key for the first, and the key.
async fn lent(app: &TestApp) -> (Actor, Actor, String) {
    let (owner, guest) = (app.owner().await, app.guest().await);
    let grant_id = owner.lend(app, &guest).await;
    guest.command(&owner.vehicles[0], "unlock").await.expect(200);
    (owner, guest, grant_id)
}

/// The owner takes the consent to every car back, and it is noticed.
async fn lose_every_consent(app: &TestApp, owner: &Actor) {
    app.cloud.withdraw_consents().await;
    lose(app, owner, &owner.vehicles).await;
}

async fn lose(app: &TestApp, owner: &Actor, cars: &[String]) {
    for car in cars {
        let failed = owner.command(car, "lock").await.expect(409).command();
        assert_eq!(failed.text("status"), "failed", "{}", failed.body);
        app.idle().await;
        assert_eq!(owner.command(car, "lock").await.status, 403);
    }
}

/// Connects the owner's cars again; what completes it has these members too.
async fn come_back(app: &TestApp, owner: &Actor, more: Value) -> Reply {
    let started = owner.post("/v1/connections", json!({})).await.expect(201);
    let received = app.pass_consent(&started.text("authorize_url")).await.expect(200);
    complete(owner, &received, more).await
}

async fn complete(owner: &Actor, received: &Reply, more: Value) -> Reply {
    let path = format!("/v1/connections/{}/complete", received.text("connection_id"));
    let mut body = json!({ "completion_code": received.text("completion_code") });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    owner.post(&path, body).await
}

async fn assert_waits(guest: &Actor, car: &str) {
    guest.command(car, "unlock").await.expect_problem(403, "consent_returned");
    // What they opened before can be closed.
    guest.command(car, "lock").await.expect(200);
    let path = format!("/v1/vehicles/{car}/lock-status");
    guest.get(&path).await.expect_problem(403, "consent_returned");
    let check = json!({ "vehicle_id": car, "action": "unlock" });
    let check = guest.post("/v1/access-checks", check).await.expect(200);
    assert_eq!(check.body["reasons"], json!(["consent_returned"]));
}

async fn confirmed(owner: &Actor, car: &str) -> usize {
    let events = owner.events_of(car).await;
    events.iter().filter(|event| *event == "grant.confirmed").count()
}

on_both! {
    async fn a_key_from_before_a_lost_consent_waits_for_the_owners_word(app) {
        let (owner, guest, grant_id) = lent(app).await;
        let (car, holder) = (&owner.vehicles[0], guest.holder_of(&grant_id).await);
        let confirm = format!("/v1/grants/{grant_id}/confirm");
        lose_every_consent(app, &owner).await;
        // A word that was given before the consent came back is about something else.
        owner.post(&confirm, json!({})).await.expect(200);
        let back = come_back(app, &owner, json!({})).await.expect(200);
        assert_eq!(back.body["waiting_grant_ids"], json!([grant_id]));
        owner.command(car, "unlock").await.expect(200);
        assert_waits(&guest, car).await;
        assert_waits(&holder, car).await;

        guest.post(&confirm, json!({})).await.expect_problem(403, "not_the_owner");
        app.admin().await.post(&confirm, json!({})).await.expect_problem(403, "not_the_owner");
        assert_eq!(confirmed(&owner, car).await, 0);
        for _ in 0..2 {
            owner.post(&confirm, json!({})).await.expect(200);
        }
        assert_eq!(confirmed(&owner, car).await, 1);
        holder.command(car, "unlock").await.expect(200);

        // A key from afterwards needs no word, and a second loss is another one.
        let later = owner.lend_with(app, &guest, json!({ "label": "Later" })).await.expect(201);
        guest.holder_of(&later.text("grant_id")).await.command(car, "unlock").await.expect(200);
        lose_every_consent(app, &owner).await;
        come_back(app, &owner, json!({})).await.expect(200);
        assert_waits(&holder, car).await;
    }

    async fn the_owner_stands_by_every_key_with_the_code(app) {
        let (owner, guest, grant_id) = lent(app).await;
        let car = &owner.vehicles[0];
        // One that has ended is not confirmed.
        let revoked = owner.lend(app, &guest).await;
        owner.post(&format!("/v1/grants/{revoked}/revoke"), json!({})).await.expect(200);
        lose_every_consent(app, &owner).await;
        let back = come_back(app, &owner, json!({ "keep_grants": true })).await.expect(200);
        assert_eq!(back.body["waiting_grant_ids"], json!([]));
        guest.command(car, "unlock").await.expect(200);
        assert_eq!(confirmed(&owner, car).await, 1);
        let path = format!("/v1/audit-entries?event=grant.confirmed&grant_id={grant_id}");
        let entries = app.admin().await.get(&path).await.expect(200);
        assert_eq!(entries.body["data"][0]["actor"]["id"], json!(owner.id), "{}", entries.body);
    }

    async fn a_program_without_the_scope_keeps_no_keys(app) {
        let (owner, guest, _) = lent(app).await;
        let client = app.api_client(&["connections:write"]).await;
        owner.allow(&client).await;
        let client = client.acting_for(&owner);
        lose_every_consent(app, &owner).await;
        let started = client.post("/v1/connections", json!({})).await.expect(201);
        let received = app.pass_consent(&started.text("authorize_url")).await.expect(200);
        // More often than a code may be wrong: nothing is spent.
        for _ in 0..6 {
            let refused = complete(&client, &received, json!({ "keep_grants": true })).await;
            refused.expect_problem(403, "scope_missing");
        }
        complete(&client, &received, json!({})).await.expect(200);
        assert_waits(&guest, &owner.vehicles[0]).await;
    }

    async fn a_consent_that_was_alive_all_the_time_stops_no_key(app) {
        let (owner, guest, _) = lent(app).await;
        let again = come_back(app, &owner, json!({})).await.expect(200);
        assert_eq!(again.body["waiting_grant_ids"], json!([]));
        guest.command(&owner.vehicles[0], "unlock").await.expect(200);
    }

    async fn the_keys_of_one_car_alone_wait_if_the_consent_to_it_alone_was_lost(app) {
        let (owner, guest, _) = lent(app).await;
        let other = json!({ "vehicle_id": owner.vehicles[1] });
        owner.lend_with(app, &guest, other).await.expect(201);
        let car = &owner.vehicles[0];
        let cloud_id = app.cloud.car_of(app, car).await["id"].as_str().unwrap().to_owned();
        app.cloud.withdraw(&cloud_id).await;
        lose(app, &owner, &owner.vehicles[..1]).await;
        come_back(app, &owner, json!({})).await.expect(200);
        assert_waits(&guest, car).await;
        guest.command(&owner.vehicles[1], "unlock").await.expect(200);
    }

    /// The owner permits nothing for a while, at the cloud, and everything again.
    async fn a_consent_that_comes_back_by_itself_restores_no_key(app) {
        let (owner, guest, _) = lent(app).await;
        let car = &owner.vehicles[0];
        let cloud_id = app.cloud.car_of(app, car).await["id"].as_str().unwrap().to_owned();
        let noticed = async |number: usize, permissions: &[&str]| {
            app.cloud.permit(&cloud_id, permissions).await;
            let event = json!({"eventId": format!("e{number}"), "eventType": "VEHICLE_ERROR", "vehicleId": cloud_id,
                "data": {"errors": [{"type": "PERMISSION", "code": null, "state": "ERROR"}]},
                "meta": {"version": "4.0", "deliveredAt": app.clock.now().as_unix_micros() / 1000}});
            let body = event.to_string();
            let signature = webhook_signature::sign("simulated-token-of-webhooks", body.as_bytes());
            let url = format!("{}/v1/smartcar/webhooks", app.url());
            let request = app.http.post(url).header("content-type", "application/json");
            let answer = request.header("sc-signature", signature).body(body).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        };
        noticed(0, &[]).await;
        guest.command(car, "unlock").await.expect_problem(403, "permission_missing");
        noticed(1, &["control_security", "read_security", "read_vehicle_info"]).await;
        owner.command(car, "unlock").await.expect(200);
        assert_waits(&guest, car).await;
    }
}
