//! The documented body of every reading is read, and written again as it was.

use super::*;

fn documented(observable: Observable) -> Value {
    let door = json!({"type": "frontLeft", "status": "OPEN"});
    match observable {
        Observable::Attributes => json!({"make": "TESLA", "model": "Model 3", "year": 2024}),
        Observable::Vin => json!({"vin": "5YJSA1CN5DFP00101"}),
        Observable::Location => json!({"latitude": 37.4292, "longitude": -122.1381}),
        Observable::Odometer => json!({"distance": 104.32}),
        Observable::Battery => json!({"percentRemaining": 0.3, "range": null}),
        Observable::BatteryCapacity => json!({"capacity": 28.7}),
        Observable::NominalCapacity => json!({
            "availableCapacities": [{"capacity": 70.9, "description": null},
                {"capacity": 80.9, "description": "GT: Long range"}],
            "capacity": {"nominal": 80.9, "source": "USER_SELECTED"},
            "url": "https://connect.smartcar.com/battery-capacity?vehicle_id=v"}),
        Observable::Charge => json!({"isPluggedIn": true, "state": "FULLY_CHARGED"}),
        Observable::ChargeLimit => json!({"limit": 0.8}),
        Observable::Fuel => json!({"amountRemaining": 53.2, "percentRemaining": 0.3, "range": 9.5}),
        Observable::TirePressure => json!({"frontLeft": 219.3, "frontRight": 218.3,
            "backLeft": 217.3, "backRight": null}),
        Observable::EngineOil => json!({"lifeRemaining": 0.35}),
        Observable::LockStatus => json!({"isLocked": false, "doors": [door], "windows": [],
            "sunroof": [], "storage": [{"type": "rear", "status": "UNKNOWN"}],
            "chargingPort": [{"type": "chargingPort", "status": "CLOSED"}]}),
        Observable::SystemStatus => json!({"systems": [
            {"systemId": "SYSTEM_TPMS", "status": "ALERT", "description": "Left front tire"},
            {"systemId": "SYSTEM_AIRBAG", "status": "OK", "description": null}]}),
        Observable::TroubleCodes => json!({"activeCodes": [
            {"code": "P302D", "timestamp": "2024-09-05T14:48:00.000Z"},
            {"code": "P0128", "timestamp": null}]}),
        Observable::ServiceHistory => json!([{"serviceId": "1", "odometerDistance": 46047.22,
            "serviceDate": "2023-06-28T14:48:00.000Z",
            "serviceTasks": [{"taskId": "5", "taskDescription": "Oil change"}],
            "serviceDetails": [{"type": "Service Type", "value": null}],
            "serviceCost": {"totalCost": 120.5, "currency": "USD"}}]),
    }
}

#[test]
fn every_documented_body_is_read_and_written_again() {
    for &observable in Observable::ALL {
        let documented = documented(observable);
        let read = read(observable, &documented, UnitSystem::Metric).unwrap();
        assert_eq!(body(&read, UnitSystem::Metric), documented);
    }
}

#[test]
fn imperial_numbers_become_metric_and_back() {
    for (observable, imperial, metric) in [
        (Observable::Odometer, json!({"distance": 1000.0}), json!({"distance": 1609.344})),
        (
            Observable::Battery,
            json!({"percentRemaining": 0.5, "range": 100.0}),
            json!({"percentRemaining": 0.5, "range": 160.934_4}),
        ),
        (
            Observable::Fuel,
            json!({"amountRemaining": 10.0, "percentRemaining": null, "range": 100.0}),
            json!({"amountRemaining": 37.854_117_84, "percentRemaining": null, "range": 160.934_4}),
        ),
        (
            Observable::TirePressure,
            json!({"frontLeft": 10.0, "frontRight": null, "backLeft": null, "backRight": null}),
            json!({"frontLeft": 68.947_572_931_68, "frontRight": null, "backLeft": null,
                "backRight": null}),
        ),
        (Observable::BatteryCapacity, json!({"capacity": 75.0}), json!({"capacity": 75.0})),
    ] {
        let read = read(observable, &imperial, UnitSystem::Imperial).unwrap();
        assert_eq!(body(&read, UnitSystem::Metric), metric);
        assert_eq!(body(&read, UnitSystem::Imperial), imperial);
    }
}

#[test]
fn what_cannot_be_right_is_refused() {
    let many: Vec<_> = (0..201).map(|_| json!({"code": "P0128"})).collect();
    for (observable, wrong) in [
        (Observable::Attributes, json!({"make": "", "model": "M", "year": 2024})),
        (Observable::Attributes, json!({"make": "BMW", "model": "M", "year": 24})),
        (Observable::Vin, json!({"vin": "5YJSA1CN5DFP0010"})),
        (Observable::Location, json!({"latitude": 91, "longitude": 0})),
        (Observable::Location, json!({"latitude": 1})),
        (Observable::Odometer, json!({"distance": null})),
        (Observable::Odometer, json!({"distance": -1})),
        (Observable::Odometer, json!([])),
        (Observable::Battery, json!({"percentRemaining": 1.5, "range": null})),
        (Observable::Battery, json!({"percentRemaining": "half", "range": null})),
        (Observable::NominalCapacity, json!({"capacity": {"nominal": 80.9}})),
        (Observable::Charge, json!({"isPluggedIn": true, "state": "EXPLODING"})),
        (Observable::ChargeLimit, json!({"limit": 80})),
        (Observable::LockStatus, json!({"isLocked": "true"})),
        (Observable::LockStatus, json!({"isLocked": true, "doors": null})),
        (Observable::SystemStatus, json!({})),
        (Observable::TroubleCodes, json!({ "activeCodes": many })),
        (Observable::ServiceHistory, json!({})),
    ] {
        assert!(read(observable, &wrong, UnitSystem::Metric).is_err(), "{wrong}");
    }
}

#[test]
fn what_may_be_missing_may_be_missing() {
    for (observable, short) in [
        (Observable::LockStatus, json!({"isLocked": true})),
        (Observable::Battery, json!({})),
        (Observable::NominalCapacity, json!({"url": "javascript:alert(1)"})),
        (Observable::ServiceHistory, json!([{}])),
        (Observable::Attributes, json!({"make": "BMW", "model": "i3", "year": " 2020 "})),
    ] {
        let read = read(observable, &short, UnitSystem::Metric).unwrap();
        let whole = body(&read, UnitSystem::Metric);
        assert!(!whole.to_string().contains("javascript"), "{whole}");
        assert!(super::read(observable, &whole, UnitSystem::Metric).is_ok_and(|it| it == read));
    }
}

#[test]
fn every_path_leads_to_what_is_found_there() {
    for &observable in Observable::ALL {
        assert_eq!(observable_at(path(observable)), Some(observable));
        assert_eq!(observable_at(&format!("{}/", path(observable))), Some(observable));
    }
    assert_eq!(observable_at("/tires"), None);
    assert_eq!(observable_at("odometer"), None);
}
