//! What SDKs read of Smartcar's API v3 through the facade, with a digital key.

use serde_json::{Value, json};

use crate::support::{Actor, EVERYTHING, Reply, TestApp, on_both};

async fn holder_and_car(
    app: &TestApp,
    entitlements: &[&str],
) -> (Actor, Actor, String, String, String) {
    let (owner, guest) = (app.generous_owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let lent =
        owner.lend_with(app, &guest, json!({ "entitlements": entitlements })).await.expect(201);
    let grant_id = lent.text("grant_id");
    let holder = guest.holder_of(&grant_id).await;
    let id: keylend::domain::id::VehicleId = car.parse().unwrap();
    (owner, holder, car, id.as_uuid().hyphenated().to_string(), grant_id)
}

#[track_caller]
fn expect_error(reply: &Reply, status: u16, kind: &str) {
    let first = &reply.body["errors"][0];
    assert_eq!((reply.status, &first["type"]), (status, &json!(kind)), "{}", reply.body);
    assert_eq!(first["status"], status.to_string(), "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/json");
    assert!(reply.headers.contains_key("sc-request-id"));
}

fn signal<'a>(list: &'a Value, code: &str) -> &'a Value {
    let signals = list["data"].as_array().unwrap();
    signals.iter().find(|signal| signal["id"] == code).unwrap_or_else(|| panic!("{code}: {list}"))
}

on_both! {
    async fn signals_say_what_the_car_says(app) {
        let (_, holder, car, id, _) = holder_and_car(app, EVERYTHING).await;
        let truth = app.cloud.car_of(app, &car).await;
        let list = holder.get(&format!("/v3/vehicles/{id}/signals")).await.expect(200).body;
        let near = |code: &str, expected: f64| {
            let told = signal(&list, code)["attributes"]["body"]["value"].as_f64().unwrap();
            assert!((told - expected).abs() <= 0.01 * expected.abs().max(1.0), "{code}: {told}, not {expected}");
        };
        let of = |pointer: &str| truth.pointer(pointer).unwrap().as_f64().unwrap();
        near("odometer-traveleddistance", of("/odometer/distance"));
        near("tractionbattery-stateofcharge", of("/battery/percentRemaining") * 100.0);
        near("internalcombustionengine-oillife", of("/engine_oil/lifeRemaining") * 100.0);
        let locked = &signal(&list, "closure-islocked")["attributes"];
        assert_eq!((&locked["group"], &locked["body"]["value"]), (&json!("Closure"), &json!(true)));
        assert!(signal(&list, "closure-islocked")["meta"]["retrievedAt"].is_i64());
        assert_eq!(list["included"]["vehicle"]["attributes"]["make"], truth["make"]);
        assert_eq!(list["included"]["vehicle"]["id"], id);
        let one = holder.get(&format!("/v3/vehicles/{id}/signals/wheel-tires/")).await.expect(200).body;
        assert_eq!(one["data"]["attributes"]["body"], signal(&list, "wheel-tires")["attributes"]["body"]);
        assert_eq!(one["data"]["attributes"], one["attributes"], "some SDKs read it bare");
        assert_eq!(signal(&list, "diagnostics-abs")["attributes"]["body"]["status"], "OK");
        assert_eq!(signal(&list, "charge-ischargingportflapopen")["attributes"]["body"]["value"], false);
        let vehicle = holder.get(&format!("/v3/vehicles/{id}")).await.expect(200).body;
        assert_eq!(vehicle["data"]["attributes"]["model"], truth["model"]);
    }

    async fn a_grant_shows_only_the_signals_that_it_names(app) {
        let (owner, holder, car, id, grant_id) = holder_and_car(app, &["read_odometer"]).await;
        let list = holder.get(&format!("/v3/vehicles/{id}/signals")).await.expect(200).body;
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
        let other = format!("/v3/vehicles/{id}/signals/closure-islocked");
        expect_error(&holder.get(&other).await, 403, "PERMISSION");
        expect_error(&holder.get(&format!("/v3/vehicles/{id}")).await, 403, "PERMISSION");
        expect_error(&holder.get(&format!("/v3/vehicles/{id}/signals/nonsense")).await, 404, "RESOURCE_NOT_FOUND");
        expect_error(&holder.get("/v3/nonsense").await, 404, "RESOURCE_NOT_FOUND");
        expect_error(&owner.get(&other).await, 401, "AUTHENTICATION");
        let refused = owner.get(&format!("/v1/audit-entries?vehicle_id={car}&event=vehicle.read_refused")).await.expect(200).body;
        assert_eq!(refused["data"].as_array().unwrap().len(), 2, "the list asks for what it may: {refused}");
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        expect_error(&holder.get(&format!("/v3/vehicles/{id}/signals")).await, 403, "PERMISSION");
    }

    async fn what_goes_wrong_upstream_is_told_in_the_shape_of_v3(app) {
        let (_, holder, car, id, _) = holder_and_car(app, &["read_odometer"]).await;
        let cloud_id = app.cloud.car_of(app, &car).await["id"].as_str().unwrap().to_owned();
        let asleep = json!({ "kind": "vehicle_state", "code": "ASLEEP", "on": "read" });
        app.cloud.script(&cloud_id, json!([asleep])).await;
        let path = format!("/v3/vehicles/{id}/signals/odometer-traveleddistance");
        expect_error(&holder.get(&path).await, 409, "VEHICLE_STATE");
        holder.get(&path).await.expect(200);
    }

    async fn a_list_says_which_signals_the_cloud_did_not_give(app) {
        let (_, holder, car, id, _) = holder_and_car(app, &["read_odometer", "read_fuel"]).await;
        let cloud_id = app.cloud.car_of(app, &car).await["id"].as_str().unwrap().to_owned();
        let asleep = json!({ "kind": "vehicle_state", "code": "ASLEEP", "on": "read" });
        app.cloud.script(&cloud_id, json!([asleep])).await;
        let list = holder.get(&format!("/v3/vehicles/{id}/signals")).await.expect(200).body;
        let failed = &signal(&list, "odometer-traveleddistance");
        let status = &failed["attributes"]["status"];
        assert_eq!((&status["value"], &status["error"]["code"]), (&json!("ERROR"), &json!("ASLEEP")));
        assert!(failed["meta"]["retrievedAt"].is_i64(), "{list}");
    }

    async fn a_grant_without_reads_has_no_signals(app) {
        let (_, holder, _, id, _) = holder_and_car(app, &["unlock", "lock"]).await;
        expect_error(&holder.get(&format!("/v3/vehicles/{id}/signals")).await, 403, "PERMISSION");
        let altered = holder.with_token(holder.token.clone().unwrap().replace("ey", "fy"));
        expect_error(&altered.get(&format!("/v3/vehicles/{id}/signals")).await, 401, "AUTHENTICATION");
    }
}
