//! Every observation as signals; what a maker does not report is no signal.

use serde_json::json;

use super::*;
use crate::domain::reading::{
    Battery, Charge, ChargeState, LockStatus, ObservedLimit, Opening, SystemCondition,
};
use crate::http::smartcar_v2::answer::Refusal;

fn signals(observation: Observation) -> Vec<Signal> {
    let fetched_at = Timestamp::from_unix_micros(1_700_000_000_123_456).unwrap();
    of(&Reading { observation, data_age: None, fetched_at }, "v")
}

fn bodies(observation: Observation) -> Vec<(String, Value)> {
    let told = signals(observation).into_iter().map(|signal| signal.attributes);
    told.map(|told| (told.code, told.body.unwrap())).collect()
}

#[test]
fn percentages_are_free_of_binary_noise() {
    let battery = Battery { level: Some(0.07), range_km: None };
    let level =
        ("tractionbattery-stateofcharge".to_owned(), json!({"unit": "percent", "value": 7.0}));
    assert_eq!(bodies(Observation::Battery(battery)), [level]);
}

#[test]
fn which_charge_limit_is_applied_is_not_claimed() {
    let told = bodies(Observation::ChargeLimit(ObservedLimit { limit: 0.29 }));
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
        doors: vec![opening("backRight", "OPEN")],
        charging_port: vec![opening("chargingPort", "CLOSED")],
        storage: vec![opening("rear", "UNKNOWN")],
        ..LockStatus::default()
    };
    let door = json!({"row": 1, "column": 1, "isOpen": true});
    let expected = [
        ("closure-islocked", json!({"value": true})),
        ("closure-doors", json!({"values": [door], "rowCount": 2, "columnCount": 2})),
        ("closure-reartrunk", json!({"isOpen": null})),
        ("charge-ischargingportflapopen", json!({"value": false})),
    ];
    let told = bodies(Observation::LockStatus(status));
    assert_eq!(told, expected.map(|(code, body)| (code.to_owned(), body)));
    let charge = Charge { is_plugged_in: None, state: ChargeState::Charging };
    let told = bodies(Observation::Charge(charge));
    assert_eq!(told, [("charge-detailedchargingstatus".to_owned(), json!({"value": "CHARGING"}))]);
}

#[test]
fn each_system_is_a_signal() {
    let system = |id: &str| SystemCondition {
        system_id: id.to_owned(),
        status: "OK".to_owned(),
        description: None,
    };
    let systems = vec![system("SYSTEM_ABS"), system("SYSTEM_TPMS")];
    let told = signals(Observation::SystemStatus(SystemStatus { systems }));
    let names: Vec<_> =
        told.iter().map(|one| (one.id.as_str(), one.attributes.name.as_str())).collect();
    assert_eq!(names, [("diagnostics-abs", "ABS"), ("diagnostics-tirepressuremonitoring", "TPMS")]);
    for signal in told {
        assert_eq!(observable(&signal.id), Some(Observable::SystemStatus));
        assert_eq!(signal.meta.retrieved_at, Some(Moment::Millis(1_700_000_000_123)));
    }
}

#[test]
fn a_listed_code_is_read_from_what_it_is_listed_with() {
    assert_eq!(observable("diagnostics-dtclist"), Some(Observable::TroubleCodes));
    assert_eq!(observable("closure-islocked"), Some(Observable::LockStatus));
    assert_eq!(observable("closure"), None);
}

#[test]
fn what_failed_says_why_in_the_words_of_v3() {
    let failure = Failure(Refusal::of("VALIDATION", None).describing("why"));
    let now = Timestamp::from_unix_micros(1_000).unwrap();
    let told = failed(Observable::Odometer, &failure, "v", now);
    let [signal] = told.as_slice() else { panic!("{told:?}") };
    let error = signal.attributes.status.clone().unwrap().error.unwrap();
    assert_eq!(
        (error.kind.as_str(), error.code.as_deref()),
        ("VALIDATION", Some("INVALID_INPUT_FORMAT"))
    );
    assert_eq!((error.description.as_deref(), &signal.attributes.body), (Some("why"), &None));
    assert_eq!(signal.meta.retrieved_at, Some(Moment::Millis(1)));
}
