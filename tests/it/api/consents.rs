//! What follows when an owner's consent changes at the vehicle cloud: narrowed, withdrawn, or an
//! account that its maker refuses. It is noticed within one failed call, whichever version of the
//! API is spoken, and the record says why.

use std::time::Duration;

use keylend::config::{ApiVersions, Config};
use serde_json::{Value, json};

use super::again;
use crate::support::{TestApp, on_both};

async fn cloud_id(app: &TestApp, car: &str) -> String {
    app.cloud.car_of(app, car).await["id"].as_str().unwrap().to_owned()
}

/// The events of one grant, newest first, with what else was recorded.
async fn entries(app: &TestApp, grant_id: &str) -> Vec<(String, Value)> {
    let path = format!("/v1/audit-entries?grant_id={grant_id}&limit=50");
    let reply = app.admin().await.get(&path).await.expect(200);
    let rows = reply.body["data"].as_array().unwrap();
    rows.iter()
        .map(|row| (row["event"].as_str().unwrap().to_owned(), row["details"].clone()))
        .collect()
}

async fn withdrawn(app: &TestApp) {
    let (owner, guest) = (app.owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let grant_id = owner.lend(app, &guest).await;
    let holder = guest.holder_of(&grant_id).await;
    app.cloud.withdraw(&cloud_id(app, &car).await).await;

    let failed = holder.command(&car, "unlock").await.expect(409).command();
    assert_eq!(failed.text("status"), "failed", "{}", failed.body);
    assert_eq!(failed.text("resolution"), "reauthenticate");
    app.idle().await;
    holder.command(&car, "unlock").await.expect_problem(403, "permission_missing");
    assert!(app.cloud.journal().await.is_empty());
    let (event, details) = entries(app, &grant_id)
        .await
        .into_iter()
        .find(|(event, _)| event == "grant.vehicle_impaired")
        .expect("the record says why");
    assert_eq!(
        (event.as_str(), &details["reason"]),
        ("grant.vehicle_impaired", &json!("consent_withdrawn"))
    );
    // The owner's other cars are not concerned.
    owner.command(&owner.vehicles[1], "lock").await.expect(200);

    let mut owner = owner;
    app.connect(&mut owner).await;
    holder.command(&car, "unlock").await.expect_problem(403, "consent_returned");
    owner.post(&format!("/v1/grants/{grant_id}/confirm"), json!({})).await.expect(200);
    holder.command(&car, "unlock").await.expect(200);
}

async fn narrowed(app: &TestApp) {
    let owner = app.generous_owner().await;
    let car = owner.vehicles[0].clone();
    app.cloud.permit(&cloud_id(app, &car).await, &["read_vehicle_info", "read_security"]).await;
    let failed = owner.command(&car, "unlock").await.expect(409).command();
    assert_eq!(
        (failed.text("status").as_str(), failed.body["reasons"][0].as_str()),
        ("failed", Some("permission_missing"))
    );
    app.idle().await;
    let shown = owner.get(&format!("/v1/vehicles/{car}")).await.expect(200);
    assert_eq!(shown.body["permissions"], json!(["read_security", "read_vehicle_info"]));
    owner.command(&car, "unlock").await.expect_problem(403, "permission_missing");
    owner.get(&format!("/v1/vehicles/{car}/lock-status")).await.expect(200);
    // A grant can never name what the owner no longer permits.
    let guest = app.guest().await;
    let refused = owner.lend_with(app, &guest, json!({ "entitlements": ["unlock", "lock"] })).await;
    refused.expect_problem(422, "validation_failed");
}

async fn refused_account(app: &TestApp) {
    let (owner, guest) = (app.owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let grant_id = owner.lend(app, &guest).await;
    let holder = guest.holder_of(&grant_id).await;
    let fault = json!({ "kind": "error", "type": "CONNECTED_SERVICES_ACCOUNT", "code": "AUTHENTICATION_FAILED" });
    app.cloud.script(&cloud_id(app, &car).await, json!([fault])).await;

    let failed = holder.command(&car, "unlock").await.expect(409).command();
    assert_eq!(failed.text("status"), "failed");
    assert_eq!(failed.text("resolution"), "reauthenticate");
    holder.command(&car, "unlock").await.expect_problem(403, "vehicle_suspended");
    let shown = owner.get(&format!("/v1/vehicles/{car}")).await.expect(200);
    assert_eq!(shown.text("suspended_reason"), "connected_services_account/authentication_failed");
    // It is the whole account that the maker refuses.
    owner.command(&owner.vehicles[1], "lock").await.expect_problem(403, "vehicle_suspended");
    let events = entries(app, &grant_id).await;
    assert!(events.iter().any(|(event, _)| event == "grant.vehicle_impaired"), "{events:?}");

    // The owner mends the account, and comes back to keys that work.
    let connection_id = shown.text("connection_id");
    let path = format!("/v1/connections/{connection_id}/reauthenticate");
    let started = owner.post(&path, json!({})).await.expect(200);
    let back = app.pass_consent(&started.text("reauthenticate_url")).await.expect(200);
    assert_eq!(back.text("connection_id"), connection_id);
    holder.command(&car, "unlock").await.expect(200);
    assert_eq!(
        entries(app, &grant_id)
            .await
            .iter()
            .filter(|(event, _)| event == "grant.vehicle_restored")
            .count(),
        1
    );
}

fn v3(config: &mut Config) {
    config.smartcar.api_versions = ApiVersions::V3Only;
}

fn v2(config: &mut Config) {
    config.smartcar.api_versions = ApiVersions::V2Only;
}

on_both! { as v3;
    async fn a_withdrawn_consent_suspends_its_grants_in_v3(app) {
        withdrawn(app).await;
    }

    async fn a_narrowed_consent_narrows_what_works_in_v3(app) {
        narrowed(app).await;
    }

    async fn an_account_that_its_maker_refuses_suspends_its_grants_in_v3(app) {
        refused_account(app).await;
    }

    /// Knowing the cloud's id of a stranger is not enough to take the stranger's cars.
    async fn the_id_of_a_stranger_connects_nothing(app) {
        let owner = app.owner().await;
        let victim = app.cloud.user_id().await;
        let thief = app.member("thief").await;
        let started = thief.post("/v1/connections", json!({})).await.expect(201);
        let url = reqwest::Url::parse(&started.text("authorize_url")).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let back = app.http.get(format!("{}/v1/connections/callback", app.url()))
            .query(&[("state", state.as_str()), ("user_id", victim.as_str())])
            .header("accept", "application/json");
        let reply = crate::support::Reply::read(back.send().await.unwrap()).await;
        reply.expect_problem(409, "consent_lost");
        assert!(thief.get("/v1/vehicles").await.expect(200).list("make").is_empty());
        owner.command(&owner.vehicles[0], "lock").await.expect(200);
    }
}

on_both! { as v2;
    async fn a_withdrawn_consent_suspends_its_grants_in_v2(app) {
        withdrawn(app).await;
    }

    async fn a_narrowed_consent_narrows_what_works_in_v2(app) {
        narrowed(app).await;
    }

    async fn an_account_that_its_maker_refuses_suspends_its_grants_in_v2(app) {
        refused_account(app).await;
    }
}

on_both! {
    async fn a_suspended_car_that_works_again_is_found_without_anybody_saying_so(app) {
        let owner = app.owner().await;
        let car = owner.vehicles[0].clone();
        let fault = json!({ "kind": "error", "type": "CONNECTED_SERVICES_ACCOUNT", "code": "SUBSCRIPTION" });
        app.cloud.script(&cloud_id(app, &car).await, json!([fault])).await;
        owner.command(&car, "unlock").await.expect(409);
        owner.command(&car, "unlock").await.expect_problem(403, "vehicle_suspended");
        // A subscription is one car's.
        owner.command(&owner.vehicles[1], "lock").await.expect(200);
        app.advance(Duration::from_secs(6 * 60));
        app.run_workers().await;
        let owner = again(app, &owner, "owner").await;
        owner.command(&car, "unlock").await.expect(200);
        let events = app.admin().await.events_of(&car).await;
        assert!(events.contains(&"vehicle.resumed".to_owned()), "{events:?}");
    }

    async fn a_consent_is_ended_here_and_upstream(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let car = owner.vehicles[0].clone();
        let grant_id = owner.lend(app, &guest).await;
        let holder = guest.holder_of(&grant_id).await;
        let connection_id = owner.get(&format!("/v1/vehicles/{car}")).await.expect(200).text("connection_id");
        let path = format!("/v1/connections/{connection_id}");
        stranger.delete(&path).await.expect_problem(404, "not_found");
        let ended = owner.delete(&path).await.expect(200);
        assert_eq!((ended.text("status").as_str(), &ended.body["ended_upstream"]), ("lost", &json!(true)));
        assert_eq!(ended.text("status_reason"), "disconnected");
        holder.command(&car, "unlock").await.expect_problem(403, "vehicle_removed");
        let grant = guest.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        assert_eq!((grant.text("status"), grant.text("end_reason")), ("ended".into(), "vehicle_removed".into()));
        assert_eq!(app.cloud.consented_cars().await, 0);
        assert!(app.cloud.journal().await.is_empty());
        // Idempotency more changes nothing.
        owner.delete(&path).await.expect(200);
        let path = "/v1/audit-entries?event=connection.ended";
        assert_eq!(app.admin().await.get(path).await.expect(200).list("event").len(), 1);
    }
}
