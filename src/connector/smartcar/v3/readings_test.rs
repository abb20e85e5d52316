//! The documented signals of every reading are read, and written again as they were; what a maker
//! does not report is no signal.

use serde_json::json;

use super::super::parts::Told;
use super::*;
use crate::domain::reading::{Battery, Charge, ChargeState, LockStatus, ObservedLimit, Opening};

fn bodies(observation: &Observation) -> Vec<(String, Value)> {
    signals(observation).into_iter().map(|said| (said.code, said.body)).collect()
}

fn told(signals: &[(String, Value)]) -> Signals {
    let told = |(code, body): &(String, Value)| {
        let told = Told { status: None, body: Some(body.clone()), meta: Default::default() };
        (code.clone(), told)
    };
    Signals(signals.iter().map(told).collect())
}

fn documented(observable: Observable) -> Vec<(&'static str, Value)> {
    let percent = |value: f64| json!({"unit": "percent", "value": value});
    let km = |value: f64| json!({"unit": "km", "value": value});
    let corner = json!({"row": 0, "column": 1, "isOpen": true});
    let corners = json!({"values": [corner], "rowCount": 2, "columnCount": 2});
    match observable {
        // These two are read from what another reading is written as.
        Observable::Attributes | Observable::BatteryCapacity => vec![],
        Observable::Vin => {
            vec![("vehicleidentification-vin", json!({"value": "5YJSA1CN5DFP00101"}))]
        }
        Observable::Location => {
            vec![("location-preciselocation", json!({"latitude": 37.4292, "longitude": -122.1381}))]
        }
        Observable::Odometer => vec![("odometer-traveleddistance", km(104.32))],
        Observable::Battery => vec![
            ("tractionbattery-stateofcharge", percent(78.0)),
            ("tractionbattery-range", km(301.5)),
        ],
        Observable::NominalCapacity => vec![(
            "tractionbattery-nominalcapacity",
            json!({
            "capacity": 80.9, "source": "SMARTCAR", "unit": "kWh",
            "availableCapacities": [{"capacity": 80.9, "description": null}]}),
        )],
        Observable::Charge => vec![
            ("charge-detailedchargingstatus", json!({"value": "CHARGING"})),
            ("charge-ischargingcableconnected", json!({"value": true})),
        ],
        Observable::ChargeLimit => vec![(
            "charge-chargelimits",
            json!({"activeLimit": null,
            "values": [{"type": "global", "limit": 80.0, "condition": null}], "unit": "percent"}),
        )],
        Observable::Fuel => vec![
            ("internalcombustionengine-fuellevel", percent(30.0)),
            ("internalcombustionengine-amountremaining", json!({"unit": "l", "value": 15.5})),
            ("internalcombustionengine-range", km(250.0)),
        ],
        Observable::TirePressure => vec![(
            "wheel-tires",
            json!({"rowCount": 2, "columnCount": 2,
            "unit": "kPa", "values": [
                {"row": 0, "column": 0, "tirePressure": 219.5},
                {"row": 0, "column": 1, "tirePressure": 218.5},
                {"row": 1, "column": 0, "tirePressure": 217.5},
                {"row": 1, "column": 1, "tirePressure": null}]}),
        )],
        Observable::EngineOil => vec![("internalcombustionengine-oillife", percent(35.0))],
        Observable::LockStatus => vec![
            ("closure-islocked", json!({"value": true})),
            ("closure-doors", corners.clone()),
            ("closure-windows", corners),
            ("closure-sunroof", json!({"isOpen": false})),
            ("closure-fronttrunk", json!({"isOpen": true})),
            ("closure-reartrunk", json!({"isOpen": null})),
            ("charge-ischargingportflapopen", json!({"value": false})),
        ],
        Observable::SystemStatus => vec![
            ("diagnostics-abs", json!({"status": "OK", "description": null})),
            (
                "diagnostics-tirepressuremonitoring",
                json!({"status": "ALERT", "description": "Left front tire"}),
            ),
        ],
        Observable::TroubleCodes => vec![(
            "diagnostics-dtclist",
            json!({"values": [
            {"code": "P302D", "timestamp": "2024-09-05T14:48:00.000Z"}]}),
        )],
        Observable::ServiceHistory => vec![(
            "service-records",
            json!({"values": [{"serviceId": "1",
            "odometerDistance": 46047.22, "serviceDate": "2023-06-28T14:48:00.000Z",
            "serviceTasks": [{"taskId": "5", "taskDescription": "Oil change"}],
            "serviceDetails": [{"type": "Service Type", "value": null}],
            "serviceCost": {"totalCost": 120.5, "currency": "USD"}}]}),
        )],
    }
}

#[test]
fn every_documented_signal_is_read_and_written_again() {
    for &observable in Observable::ALL.iter().filter(|one| is_listed(**one)) {
        let documented: Vec<(String, Value)> = documented(observable)
            .into_iter()
            .map(|(code, body)| (code.to_owned(), body))
            .collect();
        let Ok(read) = read(observable, &told(&documented)) else { panic!("{observable}") };
        assert_eq!(bodies(&read), documented);
        for (code, _) in &documented {
            assert_eq!(observable_of(code), Some(observable), "{code}");
        }
        let listed: Vec<&str> = kinds(observable).iter().map(|kind| kind.code).collect();
        let written: Vec<&str> = documented.iter().map(|(code, _)| code.as_str()).collect();
        assert!(listed.is_empty() || listed == written, "{observable}");
    }
    assert_eq!(observable_of("closure"), None);
}

#[test]
fn two_readings_share_a_signal() {
    let body = json!({"capacity": 80.9, "availableCapacities": []});
    let signals = told(&[("tractionbattery-nominalcapacity".to_owned(), body)]);
    let capacity = read(Observable::BatteryCapacity, &signals);
    assert!(
        matches!(capacity, Ok(Observation::BatteryCapacity(seen)) if seen.capacity_kwh == Some(80.9))
    );
    // A capacity of which nobody says where it is from is not that of this car.
    let nominal = read(Observable::NominalCapacity, &signals);
    assert!(
        matches!(nominal, Ok(Observation::NominalCapacity(seen)) if seen.nominal_kwh.is_none())
    );
}

#[test]
fn percentages_are_free_of_binary_noise() {
    let battery = Battery { level: Some(0.07), range_km: None };
    let level =
        ("tractionbattery-stateofcharge".to_owned(), json!({"unit": "percent", "value": 7.0}));
    assert_eq!(bodies(&Observation::Battery(battery)), [level]);
}

#[test]
fn which_charge_limit_is_applied_is_not_claimed() {
    let told = bodies(&Observation::ChargeLimit(ObservedLimit { limit: 0.29 }));
    let global = json!({"type": "global", "limit": 29.0, "condition": null});
    let body = json!({"values": [global], "activeLimit": null, "unit": "percent"});
    assert_eq!(told, [("charge-chargelimits".to_owned(), body)]);
}

#[test]
fn what_a_maker_does_not_report_is_no_signal() {
    let opening =
        |place: &str, status: &str| Opening { place: place.into(), status: status.into() };
    let status = LockStatus {
        is_locked: true,
        doors: vec![opening("backRight", "open")],
        charging_port: vec![opening("chargingPort", "closed")],
        storage: vec![opening("rear", "unknown")],
        ..LockStatus::default()
    };
    let door = json!({"row": 1, "column": 1, "isOpen": true});
    let expected = [
        ("closure-islocked", json!({"value": true})),
        ("closure-doors", json!({"values": [door], "rowCount": 2, "columnCount": 2})),
        ("closure-reartrunk", json!({"isOpen": null})),
        ("charge-ischargingportflapopen", json!({"value": false})),
    ];
    let told = bodies(&Observation::LockStatus(status));
    assert_eq!(told, expected.map(|(code, body)| (code.to_owned(), body)));
    let charge = Charge { is_plugged_in: None, state: ChargeState::Charging };
    let told = bodies(&Observation::Charge(charge));
    assert_eq!(told, [("charge-detailedchargingstatus".to_owned(), json!({"value": "CHARGING"}))]);
}
