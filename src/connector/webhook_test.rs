//! Events of every version in our own terms, and what is no event.

use serde_json::json;

use super::*;
use crate::domain::reading::LockStatus;

fn now() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

fn locked() -> Observation {
    Observation::LockStatus(LockStatus { is_locked: true, ..LockStatus::default() })
}

fn news(event: &Value) -> News {
    match read(event.to_string().as_bytes(), now()) {
        Some(Message::News(news)) => news,
        other => panic!("{event}: {other:?}"),
    }
}

fn state(signal: Value) -> Value {
    json!({"eventId": "e", "eventType": "VEHICLE_STATE", "vehicleId": "car-1",
        "data": {"signals": [signal]}, "meta": {"deliveredAt": "2026-07-01T12:00:00Z"}})
}

#[test]
fn a_lock_is_seen_in_every_version() {
    let at: Timestamp = "2026-07-01T11:59:00Z".parse().unwrap();
    let millis = at.as_unix_micros() / 1000;
    for event in [
        state(
            json!({"code": "closure-islocked", "body": {"value": true}, "meta": {"oemUpdatedAt": millis}}),
        ),
        json!({"eventId": "e", "eventType": "VEHICLE_STATE", "data": {"vehicle": {"id": "car-1"},
            "signals": [{"code": "closure-islocked", "body": {"value": true},
                "meta": {"oemUpdatedAt": "2026-07-01T11:59:00Z"}}]}}),
        json!({"version": "2.0", "webhookId": "w", "eventName": "scheduled", "payload": {"vehicles": [
            {"vehicleId": "car-1", "data": [{"path": "/security", "code": 200,
                "headers": {"sc-data-age": "2026-07-01T11:59:00Z"}, "body": {"isLocked": true}}]}]}}),
    ] {
        let [car] = &news(&event).cars[..] else { panic!("{event}") };
        assert_eq!(car.provider_vehicle_id, "car-1");
        assert_eq!(car.readings[0].observation, locked());
        assert_eq!(car.readings[0].reported_at, Some(at), "{event}");
    }
}

#[test]
fn a_time_that_has_not_come_yet_is_no_age() {
    let early = now().plus(std::time::Duration::from_secs(60)).as_unix_micros() / 1000;
    let event = state(
        json!({"code": "closure-islocked", "body": {"value": true}, "meta": {"oemUpdatedAt": early}}),
    );
    assert_eq!(news(&event).cars[0].readings[0].reported_at, None);
}

#[test]
fn signals_without_a_value_say_nothing() {
    for signal in [
        json!({"code": "closure-islocked", "status": {"value": "ERROR"}, "body": {"value": true}}),
        json!({"code": "closure-islocked", "body": {"value": "yes"}}),
        json!({"code": "closure-islocked"}),
        json!({"code": "odometer-traveleddistance", "body": {"value": 1.0}}),
        json!({"code": "charge-detailedchargingstatus", "body": {"value": "EXPLODING"}}),
    ] {
        assert!(news(&state(signal.clone())).cars[0].readings.is_empty(), "{signal}");
    }
}

#[test]
fn what_can_settle_a_command_is_read_as_the_connector_reads_it() {
    let limit = |limit| Observation::ChargeLimit(crate::domain::reading::ObservedLimit { limit });
    let active = json!({"activeLimit": 70, "values": [], "unit": "percent"});
    let too_much = json!({"activeLimit": 700, "values": [], "unit": "percent"});
    let by_path = |path: &str, code: u16, body: Value| {
        json!({"version": "2.0", "eventName": "schedule", "payload": {"vehicles": [
            {"vehicleId": "car-1", "data": [{"path": path, "code": code, "body": body}]}]}})
    };
    for (event, seen) in [
        (state(json!({"code": "charge-chargelimits", "body": active})), Some(limit(0.7))),
        (state(json!({"code": "charge-chargelimits", "body": too_much})), None),
        (by_path("/charge/limit", 200, json!({"limit": 0.9})), Some(limit(0.9))),
        (by_path("/charge/limit", 409, json!({"limit": 0.9})), None),
        (by_path("/charge/limit", 200, json!({"limit": 9})), None),
        (by_path("/odometer", 200, json!({"distance": 9})), None),
        (by_path("/nonsense", 200, json!({})), None),
    ] {
        let readings = news(&event).cars.remove(0).readings;
        let observations: Vec<_> = readings.into_iter().map(|one| one.observation).collect();
        assert_eq!(observations, Vec::from_iter(seen), "{event}");
    }
}

#[test]
fn complaints_about_consent_and_account_are_heard() {
    let event = |errors: Value| json!({"eventId": "e", "eventType": "VEHICLE_ERROR", "vehicleId": "car-1", "data": {"errors": errors}});
    let heard = news(&event(json!([
        {"type": "CONNECTED_SERVICES_ACCOUNT", "code": "SUBSCRIPTION", "state": "ERROR"},
        {"type": "CONNECTED_SERVICES_ACCOUNT", "code": "no word", "state": "RESOLVED"},
        {"type": "PERMISSION", "code": null, "state": "ERROR"},
        {"type": "VEHICLE_STATE", "code": "ASLEEP", "state": "ERROR"},
        {"type": "PERMISSION", "state": "PERHAPS"}])));
    let complaint = |fault, kind, code, resolved| {
        let provider_code = ProviderCode::new(kind, code).unwrap();
        Complaint { fault, provider_code, resolved }
    };
    assert_eq!(
        heard.cars[0].complaints,
        [
            complaint(Fault::Account, "CONNECTED_SERVICES_ACCOUNT", Some("SUBSCRIPTION"), false),
            complaint(Fault::Account, "CONNECTED_SERVICES_ACCOUNT", None, true),
            complaint(Fault::Permission, "PERMISSION", None, false),
        ]
    );
}

#[test]
fn challenges_and_charging_events_are_read_and_the_rest_is_no_event() {
    let challenge = |event: Value| read(event.to_string().as_bytes(), now());
    let told = Some(Message::Challenge("abc".to_owned()));
    assert_eq!(
        challenge(json!({"eventId": "e", "eventType": "VERIFY", "data": {"challenge": "abc"}})),
        told
    );
    assert_eq!(
        challenge(
            json!({"version": "2.0", "eventName": "verify", "payload": {"challenge": "abc"}})
        ),
        told
    );
    let started = json!({"version": "2.0", "eventName": "eventBased", "payload": {"eventId": "e",
        "vehicleId": "car-1", "eventType": "CHARGING_STARTED", "eventTime": "2026-07-01T11:59:00Z"}});
    let charge = Charge { is_plugged_in: None, state: ChargeState::Charging };
    let seen = Observation::Charge(charge);
    assert_eq!(news(&started).cars[0].readings[0].observation, seen);
    for nothing in [
        json!([]),
        json!({}),
        json!({"eventId": "e", "eventType": "VEHICLE_STATE", "data": {}}),
        json!({"eventId": "", "eventType": "VEHICLE_STATE", "vehicleId": "v", "data": {}}),
        json!({"eventId": "e", "eventType": "SOMETHING", "vehicleId": "v", "data": {}}),
        json!({"version": "3.0", "eventName": "verify", "payload": {"challenge": "abc"}}),
        json!({"version": "2.0", "eventName": "schedule", "payload": {"vehicles": 3}}),
    ] {
        assert_eq!(read(nothing.to_string().as_bytes(), now()), None, "{nothing}");
    }
}
