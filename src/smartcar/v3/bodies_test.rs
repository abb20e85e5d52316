//! Every documented body survives a round trip; the variants that pages disagree on are read.

use serde_json::json;

use super::command::{DestinationAttributes, LimitAttributes};
use super::signal::*;
use super::*;
use crate::smartcar::ErrorKind;

fn round<T>(value: serde_json::Value)
where
    T: Serialize + serde::de::DeserializeOwned,
{
    let typed: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(typed).unwrap(), value);
}

#[test]
fn documented_bodies_survive_a_round_trip() {
    round::<ApplicationTokenAnswer>(
        json!({"access_token": "a", "token_type": "Bearer", "expires_in": 3600}),
    );
    round::<CommandBody<LimitAttributes>>(json!({"data": {"attributes": {"percent": 80}}}));
    round::<CommandBody<DestinationAttributes>>(
        json!({"data": {"attributes": {"latitude": 47.5, "longitude": -122.25}}}),
    );
    round::<Execution>(json!({"data": {"id": "exec_1", "type": "command-execution",
        "attributes": {"commandType": "security-unlock", "status": {"value": "SUCCESS"},
            "executionMode": "sync"},
        "meta": {"executedAt": "2026-01-01T00:00:00Z", "completedAt": "2026-01-01T00:00:02Z",
            "durationInSeconds": 2.5}}}));
    round::<ConnectionList>(json!({"data": [{"id": "c", "type": "connection",
        "attributes": {"permissions": ["read_vin"], "vehicle": {"make": "BMW", "model": "i3",
            "year": 2020, "powertrainType": "BEV", "mode": "live"},
            "user": {"id": "u", "externalId": "usr_1"}},
        "relationships": {"vehicle": {"data": {"id": "v", "type": "vehicle"}},
            "user": {"data": {"id": "u", "type": "user"}}}}],
        "meta": {"pageNumber": 1, "pageSize": 10, "totalCount": 1}}));
    round::<Vehicle>(json!({"id": "v", "type": "vehicle", "attributes": {
        "make": "BMW", "model": "i3", "year": 2020, "powertrainType": "BEV"},
        "links": {"self": "/vehicles/v"}}));
}

#[test]
fn an_answer_about_one_thing_is_written_with_and_without_its_document() {
    let link = json!({"self": "/vehicles/v"});
    let read: Document<SelfLink> = serde_json::from_value(json!({ "data": link })).unwrap();
    let written = serde_json::to_value(&read).unwrap();
    assert_eq!(written, json!({"self": "/vehicles/v", "data": link}));
}

#[test]
fn documented_signals_survive_a_round_trip() {
    round::<Signal>(json!({"id": "odometer-traveleddistance", "type": "signal",
        "attributes": {"code": "odometer-traveleddistance", "name": "TraveledDistance",
            "group": "Odometer", "status": {"value": "SUCCESS"},
            "body": {"unit": "kilometers", "value": 115_071.5}},
        "meta": {"retrievedAt": 1_752_104_218_549_i64, "oemUpdatedAt": 1_752_104_118_549_i64},
        "links": {"self": "/vehicles/v/signals/odometer-traveleddistance"}}));
    round::<NumberBody>(json!({"unit": "percent", "value": 78.0}));
    round::<ValueBody<bool>>(json!({"value": true}));
    round::<PlacesBody<Closure>>(json!({"values": [
        {"row": 0, "column": 1, "isOpen": false, "isLocked": true}], "rowCount": 2, "columnCount": 2}));
    round::<PlacesBody<Wheel>>(json!({"values": [{"row": 0, "column": 0, "tirePressure": 230.5}],
        "rowCount": 2, "columnCount": 2, "unit": "kPa"}));
    round::<LocationBody>(json!({"latitude": 1.5, "longitude": 2.5, "heading": 90.0,
        "locationType": "LAST_PARKED"}));
    round::<CapacityBody>(json!({"capacity": 80.9, "source": "SMARTCAR", "unit": "kWh",
        "availableCapacities": [{"capacity": 70.9, "description": null}]}));
    round::<ChargeLimitsBody>(json!({"activeLimit": null, "unit": "percent",
        "values": [{"type": "global", "limit": 80.0, "condition": null}]}));
}

#[test]
fn the_forms_that_pages_disagree_on_are_read() {
    let signal: Signal = serde_json::from_value(json!({"id": "closure-islocked", "type": "signal",
        "attributes": {"code": "closure-islocked", "name": "IsLocked", "group": "Closure",
            "status": {"value": "ERROR", "error": {"type": "COMPATIBILITY",
                "code": "VEHICLE_NOT_CAPABLE", "resolution": {"type": null}}}},
        "meta": {"fetchedAt": "2026-01-01T00:00:00Z", "ingestedAt": "2026-01-01T00:00:00Z"}}))
    .unwrap();
    let error = signal.attributes.status.unwrap().error.unwrap();
    assert_eq!(
        (error.kind.as_str(), error.code.as_deref()),
        ("COMPATIBILITY", Some("VEHICLE_NOT_CAPABLE"))
    );
    assert_eq!(signal.meta.retrieved_at, Some(Moment::Text("2026-01-01T00:00:00Z".to_owned())));
    let number: ErrorList = serde_json::from_value(
        json!({"errors": [{"status": 502, "type": "UPSTREAM", "resolution": "RETRY_LATER"}]}),
    )
    .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(number.errors[0].status, "502");
}

#[test]
fn every_documented_error_survives_a_round_trip_and_names_its_status_as_a_text() {
    for kind in ErrorKind::ALL {
        let list = ErrorList::of(*kind, "r1");
        let wire = serde_json::to_string(&list).unwrap();
        assert_eq!(serde_json::from_str::<ErrorList>(&wire).unwrap(), list);
        assert_eq!(list.errors[0].status, kind.status().to_string());
    }
}

#[test]
fn every_command_has_a_path_and_a_word_of_its_own() {
    for (place, command) in CommandKind::ALL.iter().enumerate() {
        for other in &CommandKind::ALL[place + 1..] {
            assert_ne!(command.path(), other.path());
            assert_ne!(command.command_type(), other.command_type());
        }
    }
}
