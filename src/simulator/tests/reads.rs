//! Everything that API v2.0 can read of a car, in both unit systems, alone and in a batch.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Fleet, Options, Sim, approving, every_permission, start};
use crate::smartcar::permission;

const PATHS: &[(&str, &str)] = &[
    ("", "read_vehicle_info"),
    ("/vin", "read_vin"),
    ("/location", "read_location"),
    ("/odometer", "read_odometer"),
    ("/battery", "read_battery"),
    ("/battery/capacity", "read_battery"),
    ("/battery/nominal_capacity", "read_battery"),
    ("/charge", "read_charge"),
    ("/charge/limit", "read_charge"),
    ("/fuel", "read_fuel"),
    ("/tires/pressure", "read_tires"),
    ("/engine/oil", "read_engine_oil"),
    ("/security", "read_security"),
    ("/diagnostics/system_status", "read_diagnostics"),
    ("/diagnostics/dtcs", "read_diagnostics"),
    ("/service/history", "read_service_history"),
];

async fn imperial(sim: &Sim, token: &str, path: &str) -> (Option<String>, Value) {
    let request = sim.client.get(format!("{}{path}", sim.base)).bearer_auth(token);
    let answer = request.header("sc-unit-system", "imperial").send().await.unwrap();
    let units = answer.headers().get("sc-unit-system");
    let units = units.map(|units| units.to_str().unwrap().to_owned());
    (units, answer.json().await.unwrap())
}

#[tokio::test]
async fn every_default_car_answers_every_read_with_and_without_a_slash() {
    let sim = approving().await;
    let token = sim.connect(&every_permission()).await.access_token;
    let cars = sim.get_json(&token, "/v2.0/vehicles").await["vehicles"].clone();
    for car in cars.as_array().unwrap() {
        for (path, _) in PATHS {
            let path = format!("/v2.0/vehicles/{}{path}", car.as_str().unwrap());
            let answer = sim.get(&token, &path).await;
            assert_eq!(answer.status(), 200, "{path}");
            for header in ["sc-request-id", "sc-data-age", "sc-fetched-at", "sc-unit-system"] {
                assert!(answer.headers().contains_key(header), "{path} {header}");
            }
            let body: Value = answer.json().await.unwrap();
            assert!(
                !body.to_string().contains("null")
                    || path.ends_with("capacity")
                    || path.contains("/diagnostics")
                    || path.contains("/service"),
                "{path} {body}"
            );
            assert_eq!(sim.get_json(&token, &format!("{path}/")).await, body);
        }
    }
    let shown = sim.get_json("", "/_sim/vehicles").await["vehicles"][0].clone();
    let car = shown["id"].as_str().unwrap();
    for (member, path) in [
        ("location", "location"),
        ("odometer", "odometer"),
        ("battery", "battery"),
        ("battery_capacity", "battery/capacity"),
        ("charge", "charge"),
        ("charge_limit", "charge/limit"),
        ("fuel", "fuel"),
        ("tire_pressure", "tires/pressure"),
        ("engine_oil", "engine/oil"),
    ] {
        let read = sim.get_json(&token, &format!("/v2.0/vehicles/{car}/{path}")).await;
        assert_eq!(read, shown[member], "{member}");
    }
    assert_eq!(shown["charge"], json!({"isPluggedIn": true, "state": "NOT_CHARGING"}));
    assert_eq!((&shown["is_locked"], &shown["is_driving"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn each_read_needs_its_permission_and_no_other() {
    let sim = approving().await;
    for (path, needed) in PATHS {
        let alone = sim.connect(needed).await.access_token;
        let others: Vec<_> =
            permission::ALL.iter().filter(|name| *name != needed).copied().collect();
        let others = sim.connect(&others.join(" ")).await.access_token;
        let car = sim.first_car(&alone).await;
        let path = format!("/v2.0/vehicles/{car}{path}");
        assert_eq!(sim.get(&alone, &path).await.status(), 200, "{path}");
        let refused = sim.get(&others, &path).await;
        assert_eq!(refused.status(), 403, "{path}");
        assert_eq!(refused.json::<Value>().await.unwrap()["type"], "PERMISSION");
    }
}

#[tokio::test]
async fn numbers_come_in_the_units_that_are_asked_for() {
    let sim = approving().await;
    let token = sim.connect(&every_permission()).await.access_token;
    let car = sim.first_car(&token).await;
    let parts = json!({"odometer_km": 1609.344, "tire_pressure_kpa": [200, 220, 230, 240],
        "fuel_level": 0.5, "fuel_capacity_l": 40, "fuel_range_km": 600});
    assert_eq!(sim.adjust(&car, parts).await, 200);
    let path = |tail: &str| format!("/v2.0/vehicles/{car}{tail}");
    let near = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 0.01;
    let (units, odometer) = imperial(&sim, &token, &path("/odometer")).await;
    assert_eq!(units.as_deref(), Some("imperial"));
    assert!(near(&odometer["distance"], 1000.0), "{odometer}");
    let (_, fuel) = imperial(&sim, &token, &path("/fuel")).await;
    assert!(near(&fuel["amountRemaining"], 5.28) && near(&fuel["range"], 186.41), "{fuel}");
    assert_eq!(fuel["percentRemaining"], 0.5);
    let (_, tires) = imperial(&sim, &token, &path("/tires/pressure")).await;
    assert!(near(&tires["frontLeft"], 29.01), "{tires}");
    assert_eq!(sim.get_json(&token, &path("/tires/pressure")).await["backRight"], 240.0);
}

#[tokio::test]
async fn a_car_without_an_engine_or_a_battery_says_that_it_has_none() {
    let cars = br#"{"vehicles":[
        {"make":"Renault","model":"Zoe","year":2019,"powertrain":"BEV"},
        {"make":"Audi","model":"A4","year":2015,"powertrain":"ICE"}]}"#;
    let fleet = Fleet::from_json(cars).unwrap();
    let sim = start(Options { auto_approve: true, fleet, ..Options::default() }).await;
    let token = sim.connect(&every_permission()).await.access_token;
    let ids = sim.get_json(&token, "/v2.0/vehicles").await["vehicles"].clone();
    for (car, paths) in
        [(0, &["/fuel", "/engine/oil"][..]), (1, &["/battery", "/charge", "/charge/limit"])]
    {
        for path in paths {
            let path = format!("/v2.0/vehicles/{}{path}", ids[car].as_str().unwrap());
            let answer = sim.get(&token, &path).await;
            assert_eq!(answer.status(), 501);
            let body: Value = answer.json().await.unwrap();
            assert_eq!(
                (&body["type"], &body["code"]),
                (&json!("COMPATIBILITY"), &json!("VEHICLE_NOT_CAPABLE"))
            );
        }
    }
    let shown = sim.get_json("", "/_sim/vehicles").await["vehicles"].clone();
    assert_eq!((&shown[0]["fuel"], &shown[1]["charge"]), (&Value::Null, &Value::Null));
    let ice = ids[1].as_str().unwrap();
    let start =
        sim.post(&token, &format!("/v2.0/vehicles/{ice}/charge"), json!({"action": "START"})).await;
    assert_eq!(start.0, 501);
}

#[tokio::test]
async fn a_batch_answers_each_path_as_it_would_alone() {
    let sim = approving().await;
    let token =
        sim.connect("read_vehicle_info read_odometer read_service_history").await.access_token;
    let car = sim.first_car(&token).await;
    let path = format!("/v2.0/vehicles/{car}/batch");
    let asked = [
        "/",
        "/odometer",
        "/fuel",
        "/nothing",
        "odometer",
        "/permissions",
        "/service/history?startDate=2090-01-01",
    ];
    let asked: Vec<_> = asked.iter().map(|path| json!({"path": path})).collect();
    let (status, body) = sim.post(&token, &path, json!({"requests": asked})).await;
    assert_eq!(status, 200, "{body}");
    let items = body["responses"].as_array().unwrap();
    let codes: Vec<_> = items.iter().map(|item| item["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [200, 200, 403, 404, 404, 200, 200]);
    assert!(items.iter().all(|item| item["headers"].is_object()));
    assert_eq!(items[0]["body"]["make"], "TESLA");
    assert_eq!(items[1]["headers"]["sc-unit-system"], "metric");
    assert_eq!(items[2]["body"]["type"], "PERMISSION");
    assert_eq!(
        (&items[6]["path"], &items[6]["body"]),
        (&json!("/service/history?startDate=2090-01-01"), &json!([]))
    );
    let many: Vec<_> = (0..51).map(|_| json!({"path": "/"})).collect();
    for wrong in [json!({"requests": many}), json!({"requests": []}), json!({})] {
        assert_eq!(sim.post(&token, &path, wrong).await.0, 400);
    }
    // A documented error befalls one item, anything else the whole answer.
    let script = json!({"faults": [{"kind": "vehicle_state", "code": "ASLEEP", "on": "read"}]});
    sim.set_faults(&car, script).await;
    let two = json!({"requests": [{"path": "/"}, {"path": "/odometer"}]});
    let (_, body) = sim.post(&token, &path, two.clone()).await;
    assert_eq!(body["responses"][0]["body"]["code"], "ASLEEP");
    assert_eq!(body["responses"][1]["code"], 200);
    sim.set_faults(&car, json!({"faults": [{"kind": "refuse", "on": "read"}]})).await;
    assert_eq!(sim.post(&token, &path, two).await.0, 503);
}

#[tokio::test]
async fn service_history_is_cut_to_a_period_in_either_spelling() {
    let sim = approving().await;
    let token = sim.connect("read_service_history read_diagnostics").await.access_token;
    let car = sim.first_car(&token).await;
    let path = format!("/v2.0/vehicles/{car}/service/history");
    let all = sim.get_json(&token, &path).await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    let day = &all[1]["serviceDate"].as_str().unwrap()[..10];
    let undefined = "?start_date=undefined&end_date=undefined";
    for (query, count) in [
        (undefined.to_owned(), 2),
        (format!("?start_date={day}"), 1),
        (format!("?startDate={day}&endDate={day}"), 1),
        ("?end_date=2020-01-01".to_owned(), 0),
    ] {
        let some = sim.get_json(&token, &format!("{path}{query}")).await;
        assert_eq!(some.as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(sim.get(&token, &format!("{path}?start_date=soon")).await.status(), 400);
    let dtcs = sim.get_json(&token, &format!("/v2.0/vehicles/{car}/diagnostics/dtcs")).await;
    assert_eq!(dtcs["activeCodes"][0]["code"], "P302D");
}

#[tokio::test]
async fn time_moves_a_driving_car_and_fills_a_charging_one() {
    let sim = approving().await;
    let token = sim.connect(&every_permission()).await.access_token;
    let car = sim.first_car(&token).await;
    let path = |tail: &str| format!("/v2.0/vehicles/{car}{tail}");
    let parts = json!({"battery_level": 0.5, "battery_capacity_kwh": 44, "battery_range_km": 400,
        "charge_limit": 0.75, "is_charging": true, "odometer_km": 100});
    assert_eq!(sim.adjust(&car, parts).await, 200);
    assert_eq!(sim.get_json(&token, &path("/charge")).await["state"], "CHARGING");
    sim.clock.advance(Duration::from_secs(1800));
    let battery = sim.get_json(&token, &path("/battery")).await;
    assert_eq!(battery, json!({"percentRemaining": 0.625, "range": 250.0}));
    sim.clock.advance(Duration::from_secs(3600));
    assert_eq!(sim.get_json(&token, &path("/battery")).await["percentRemaining"], 0.75);
    let full = sim.get_json(&token, &path("/charge")).await;
    assert_eq!(full, json!({"isPluggedIn": true, "state": "FULLY_CHARGED"}));

    let before = sim.get_json(&token, &path("/location")).await;
    assert_eq!(sim.adjust(&car, json!({"is_driving": true, "heading": 0})).await, 200);
    assert_eq!(sim.get_json(&token, &path("/charge")).await["isPluggedIn"], false);
    sim.clock.advance(Duration::from_secs(1200));
    assert_eq!(sim.get_json(&token, &path("/odometer")).await["distance"], 120.0);
    assert_eq!(sim.get_json(&token, &path("/battery")).await["percentRemaining"], 0.7);
    let after = sim.get_json(&token, &path("/location")).await;
    assert!(after["latitude"].as_f64() > before["latitude"].as_f64());
    assert_eq!(sim.adjust(&car, json!({"is_driving": false})).await, 200);
    sim.clock.advance(Duration::from_secs(300));
    assert_eq!(sim.get_json(&token, &path("/odometer")).await["distance"], 120.0);
    for wrong in [json!({"battery_level": 2}), json!({"colour": "red"}), json!([])] {
        assert_eq!(sim.adjust(&car, wrong.clone()).await, 400, "{wrong}");
    }
    assert_eq!(sim.adjust("nobody", json!({})).await, 404);
}
