//! Reads of API v3, against servers that answer badly.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::tests::{application, cloud};
use crate::connector::smartcar::test_server::{NOW, Then, meaning, ok, say};
use crate::connector::{ConnectorError, Happened, VehicleConnector};
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::reading::{Observable, Observation, Opening, Reading};
use crate::domain::time::Timestamp;

fn signal(code: &str, body: &Value) -> Value {
    json!({
        "id": code, "type": "signal",
        "attributes": {"code": code, "name": "Name", "group": "Group",
            "status": {"value": "SUCCESS"}, "body": body},
        "meta": {"retrievedAt": NOW, "oemUpdatedAt": "2026-07-01T11:00:00Z"},
        "links": {"self": format!("/vehicles/car-1/signals/{code}")}
    })
}

fn list(signals: &[Value]) -> Then {
    let car = json!({"id": "car-1", "type": "vehicle",
        "attributes": {"make": "TESLA", "model": "Model 3", "year": 2024}});
    ok(&json!({"data": signals, "included": {"vehicle": car}}).to_string())
}

async fn read(answer: Then, observable: Observable) -> Result<Reading, ConnectorError> {
    cloud(vec![answer]).0.read(&application(), "car-1", observable).await
}

async fn observed(signals: &[Value], observable: Observable) -> Observation {
    read(list(signals), observable).await.unwrap().observation
}

/// The answer about a single signal.
fn single(signal: &Value) -> Then {
    ok(&json!({"data": signal}).to_string())
}

fn is_near(number: f64, other: f64) -> bool {
    (number - other).abs() < 1e-9
}

#[tokio::test]
async fn distances_are_kilometers_whatever_their_unit() {
    for (unit, km) in [
        (json!("km"), Some(100.0)),
        (json!("kilometers"), Some(100.0)),
        (json!("Kilometers"), Some(100.0)),
        (json!("miles"), Some(160.934_4)),
        (json!("mi"), Some(160.934_4)),
        (json!("parsecs"), None),
        (json!(""), None),
        (Value::Null, None),
    ] {
        let signal = signal("odometer-traveleddistance", &json!({"unit": unit, "value": 100.0}));
        let read = read(single(&signal), Observable::Odometer).await;
        match (km, read) {
            (Some(km), Ok(Reading { observation: Observation::Odometer(seen), .. })) => {
                assert!(is_near(seen.distance_km, km), "{unit}");
            }
            (None, read) => assert_eq!(meaning(read).0, Fault::Garbled, "{unit}"),
            (_, read) => panic!("{unit} {read:?}"),
        }
    }
    for value in [json!(-1), json!(null), json!("100"), json!(1e12)] {
        let signal = signal("odometer-traveleddistance", &json!({"unit": "km", "value": value}));
        let read = read(single(&signal), Observable::Odometer).await;
        assert_eq!(meaning(read).0, Fault::Garbled, "{value}");
    }
}

#[tokio::test]
async fn percentages_become_shares() {
    let level = |unit: &str, value| {
        signal("tractionbattery-stateofcharge", &json!({"unit": unit, "value": value}))
    };
    let range = signal("tractionbattery-range", &json!({"unit": "miles", "value": 100}));
    let Observation::Battery(battery) =
        observed(&[range, level("percent", 78.0)], Observable::Battery).await
    else {
        panic!("no battery")
    };
    assert!(is_near(battery.level.unwrap(), 0.78));
    assert!(is_near(battery.range_km.unwrap(), 160.934_4));
    let Observation::Battery(battery) = observed(&[level("%", 1.0)], Observable::Battery).await
    else {
        panic!("no battery")
    };
    assert!(is_near(battery.level.unwrap(), 0.01) && battery.range_km.is_none());
    for strange in [level("percent", 100.5), level("percent", -1.0), level("permille", 780.0)] {
        let read = read(list(&[strange]), Observable::Battery).await;
        assert_eq!(meaning(read).0, Fault::Garbled);
    }
}

#[tokio::test]
async fn a_signal_without_a_value_says_why() {
    let status = |status: Value| {
        let mut signal = signal("closure-islocked", &json!({"value": true}));
        signal["attributes"]["status"] = status;
        signal
    };
    let no_response = "UPSTREAM/NO_RESPONSE";
    for (signals, fault, told) in [
        (
            vec![status(json!({"value": "ERROR", "error":
                {"type": "COMPATIBILITY", "code": "VEHICLE_NOT_CAPABLE"}}))],
            Fault::NotCapable,
            "COMPATIBILITY/VEHICLE_NOT_CAPABLE",
        ),
        (
            vec![status(json!({"value": "ERROR", "error": {"type": "PERMISSION"}}))],
            Fault::Permission,
            "PERMISSION",
        ),
        (vec![status(json!({"value": "ERROR", "error": {"type": "NEW"}}))], Fault::Upstream, "NEW"),
        (vec![status(json!({"value": "ERROR"}))], Fault::Upstream, no_response),
        (vec![status(json!({"value": "UNAVAILABLE"}))], Fault::Upstream, no_response),
        (vec![signal("closure-islocked", &Value::Null)], Fault::Upstream, no_response),
        (vec![signal("closure-doors", &json!({"values": []}))], Fault::Upstream, no_response),
        (vec![], Fault::Upstream, no_response),
    ] {
        let error = read(list(&signals), Observable::LockStatus).await.unwrap_err();
        assert_eq!((error.fault, error.happened), (fault, Happened::Refused), "{signals:?}");
        assert_eq!(error.provider_code.as_ref().map(ProviderCode::as_str), Some(told));
    }
    for body in [json!({"value": "true"}), json!({"value": null}), json!({}), json!(true)] {
        let read = read(list(&[signal("closure-islocked", &body)]), Observable::LockStatus).await;
        assert_eq!(meaning(read).0, Fault::Garbled, "{body}");
    }
}

#[tokio::test]
async fn an_answer_about_another_car_or_with_a_signal_twice_is_garbled() {
    let locked = || signal("closure-islocked", &json!({"value": true}));
    let mut linked = locked();
    linked["links"]["self"] = json!("https://x.example/v3/vehicles/car-2/signals/closure-islocked");
    let mut related = locked();
    related["relationships"] = json!({"vehicle": {"data": {"id": "car-2", "type": "vehicle"}}});
    let other = json!({"id": "car-2", "type": "vehicle",
        "attributes": {"make": "TESLA", "model": "Model 3", "year": 2024}});
    let included = json!({"data": [locked()], "included": {"vehicle": other}});
    let whole = json!({"data": [locked()], "links": {"self": "/vehicles/car-2/signals"}});
    for (name, answer) in [
        ("linked", list(&[linked])),
        ("related", list(&[related])),
        ("included", ok(&included.to_string())),
        ("linked as a whole", ok(&whole.to_string())),
        ("twice", list(&[locked(), locked()])),
        (
            "a value twice",
            ok(&json!({"data": [locked()]})
                .to_string()
                .replace(r#""value":true"#, r#""value":true,"value":false"#)),
        ),
        ("no list", ok(r#"{"data":{}}"#)),
        ("html", ok("<html>")),
        ("202", say("202 Accepted", "", "{}")),
    ] {
        let read = read(answer, Observable::LockStatus).await;
        assert_eq!(meaning(read).0, Fault::Garbled, "{name}");
    }
    let mut far = signal("odometer-traveleddistance", &json!({"unit": "km", "value": 1}));
    far["links"]["self"] = json!("/vehicles/car-2/signals/odometer-traveleddistance");
    assert_eq!(meaning(read(single(&far), Observable::Odometer).await).0, Fault::Garbled);
    // A single signal comes with or without a document around it, but never in place of another.
    let near = signal("odometer-traveleddistance", &json!({"unit": "km", "value": 1}));
    assert!(read(ok(&near.to_string()), Observable::Odometer).await.is_ok());
    assert_eq!(meaning(read(single(&locked()), Observable::Odometer).await).0, Fault::Upstream);
}

#[tokio::test]
async fn a_time_that_has_not_come_yet_is_no_age() {
    let now: Timestamp = NOW.parse().unwrap();
    let millis = |at: Timestamp| json!(at.as_unix_micros() / 1000);
    let (soon, late) = (now.plus(Duration::from_secs(5)), now.plus(Duration::from_secs(6)));
    let earlier = now.minus(Duration::from_secs(60));
    for (told, age) in [
        (json!("2026-07-01T11:59:00Z"), Some(earlier)),
        (millis(earlier), Some(earlier)),
        (millis(soon), Some(soon)),
        (millis(late), None),
        (json!(late.to_string()), None),
        (json!("yesterday"), None),
        (json!(i64::MAX), None),
        (Value::Null, None),
    ] {
        let mut locked = signal("closure-islocked", &json!({"value": true}));
        locked["meta"] = json!({"oemUpdatedAt": told, "retrievedAt": told});
        let reading = read(list(&[locked]), Observable::LockStatus).await.unwrap();
        assert_eq!(reading.reported_at, age, "{told}");
        assert_eq!(reading.fetched_at, if age == Some(earlier) { earlier } else { now }, "{told}");
    }
}

#[tokio::test]
async fn a_lock_status_names_doors_windows_and_lids() {
    let place =
        |row: u32, column: u32, open: Value| json!({"row": row, "column": column, "isOpen": open});
    let doors = json!({"values": [place(0, 0, json!(false)), place(0, 1, json!(true)),
        place(1, 0, Value::Null), place(1, 1, json!(false)), place(2, 0, json!(true))]});
    let windows = json!({"values": [place(0, 0, json!(true))]});
    let mut failed = signal("closure-sunroof", &json!({"isOpen": true}));
    failed["attributes"]["status"]["value"] = json!("ERROR");
    let seen = [
        signal("closure-islocked", &json!({"value": false})),
        signal("closure-doors", &doors),
        signal("closure-windows", &windows),
        signal("closure-reartrunk", &json!({"isOpen": true})),
        signal("charge-ischargingportflapopen", &json!({"value": false})),
        failed,
    ];
    let Observation::LockStatus(status) = observed(&seen, Observable::LockStatus).await else {
        panic!("no lock status")
    };
    let named = |openings: &[Opening]| -> Vec<String> {
        openings.iter().map(|one| format!("{} {}", one.place, one.status)).collect()
    };
    assert!(!status.is_locked);
    let doors = ["frontLeft closed", "frontRight open", "backLeft unknown", "backRight closed"];
    assert_eq!(named(&status.doors), doors);
    assert_eq!(named(&status.windows), ["frontLeft open"]);
    assert_eq!(named(&status.storage), ["rear open"]);
    assert_eq!(named(&status.charging_port), ["chargingPort closed"]);
    assert!(status.sunroof.is_empty());
}

#[tokio::test]
async fn the_charge_limit_is_the_active_one_and_otherwise_the_one_that_holds_everywhere() {
    let limit = |kind: &str, limit: u32| json!({"type": kind, "limit": limit, "condition": null});
    let home = limit("LOCATION", 60);
    for (active, values, expected) in [
        (json!(70), json!([home, limit("GLOBAL", 90)]), Some(0.7)),
        (Value::Null, json!([home, limit("GLOBAL", 90)]), Some(0.9)),
        (Value::Null, json!([limit("global", 80)]), Some(0.8)),
        (Value::Null, json!([home]), None),
        (Value::Null, json!([]), None),
        (json!(101), json!([limit("GLOBAL", 90)]), None),
    ] {
        let body = json!({"activeLimit": active, "unit": "percent", "values": values});
        let signal = signal("charge-chargelimits", &body);
        match (expected, read(single(&signal), Observable::ChargeLimit).await) {
            (Some(share), Ok(Reading { observation: Observation::ChargeLimit(seen), .. })) => {
                assert!(is_near(seen.limit, share), "{body}");
            }
            (None, read) => assert_eq!(meaning(read).0, Fault::Garbled, "{body}"),
            (_, read) => panic!("{body} {read:?}"),
        }
    }
}

#[tokio::test]
async fn several_things_are_read_from_one_list_and_each_is_judged_alone() {
    let signals = [
        signal("closure-islocked", &json!({"value": true})),
        signal("odometer-traveleddistance", &json!({"unit": "parsecs", "value": 1})),
        signal("vehicleidentification-vin", &json!({"value": "1".repeat(17)})),
    ];
    let car = r#"{"data":{"id":"car-1","type":"vehicle",
        "attributes":{"make":"TESLA","model":"Model 3","year":2024}}}"#;
    let (cloud, requests) =
        cloud(vec![list(&signals), ok(car), ok(&car.replace("car-1", "car-2"))]);
    let wanted = [
        Observable::Odometer,
        Observable::Vin,
        Observable::Fuel,
        Observable::LockStatus,
        Observable::Attributes,
    ];
    let read = cloud.read_batch(&application(), "car-1", &wanted).await.unwrap();
    let faults: Vec<_> =
        read.iter().map(|one| one.as_ref().err().map(|error| error.fault)).collect();
    assert_eq!(faults, [Some(Fault::Garbled), None, Some(Fault::Upstream), None, None]);
    let told = matches!(&read[1].as_ref().unwrap().observation,
        Observation::Vin(seen) if seen.vin == "1".repeat(17));
    assert!(told);
    let lines: Vec<String> = requests.try_iter().skip(1).collect();
    assert!(lines[0].starts_with("GET /v3/vehicles/car-1/signals HTTP/1.1\r\n"));
    assert!(lines[1].starts_with("GET /v3/vehicles/car-1 HTTP/1.1\r\n"));
    assert!(lines.iter().all(|request| request.contains("sc-user-id: owner-1\r\n")));
    let other = cloud.read(&application(), "car-1", Observable::Attributes).await;
    assert_eq!(meaning(other).0, Fault::Garbled);
}
