//! Events as documented, and in the forms of older pages.

use serde_json::json;

use super::v3::signal::Moment;
use super::webhook::{Event, EventType, LegacyEvent, LegacySchedule};

#[test]
fn documented_events_survive_a_round_trip() {
    for documented in [
        json!({"eventId": "e1", "eventType": "VERIFY", "data": {"challenge": "abc"},
            "meta": {"version": "4.0", "webhookId": "w", "webhookName": "n", "deliveryId": "d",
                "deliveredAt": 1_761_896_351_529_i64}}),
        json!({"eventId": "e2", "eventType": "VEHICLE_STATE", "vehicleId": "v",
            "data": {"user": {"id": "u"},
                "vehicle": {"id": "v", "make": "TESLA", "model": "Model 3", "year": 2020},
                "triggers": [{"code": "closure-islocked", "name": "IsLocked", "group": "Closure"}],
                "signals": [{"code": "closure-islocked", "name": "IsLocked", "group": "Closure",
                    "body": {"value": true},
                    "meta": {"oemUpdatedAt": 1_731_940_328_000_i64, "retrievedAt": 1_731_940_328_000_i64}}]},
            "meta": {"version": "4.0", "deliveryId": "d", "deliveredAt": 1_761_896_351_529_i64,
                "webhookId": "w", "webhookName": "n", "signalCount": 1, "mode": "LIVE"}}),
        json!({"eventId": "e3", "eventType": "VEHICLE_ERROR", "vehicleId": "v",
            "data": {"errors": [{"type": "CONNECTED_SERVICES_ACCOUNT", "code": "SUBSCRIPTION",
                "state": "ERROR", "description": "d", "suggestedUserMessage": "m"}]},
            "meta": {"version": "4.0"}}),
    ] {
        let event: Event = serde_json::from_value(documented.clone()).unwrap();
        assert_eq!(serde_json::to_value(event).unwrap(), documented);
    }
}

#[test]
fn the_forms_of_older_pages_are_read() {
    let event: Event = serde_json::from_value(json!({"eventId": "e", "eventType": "VEHICLE_STATE",
        "data": {"vehicle": {"id": "v"}, "signals": [{"code": "closure-islocked",
            "body": {"value": false}, "meta": {"fetchedAt": "2026-01-01T00:00:00Z"}}]},
        "triggers": [{"type": "SIGNAL_UPDATED", "signal": {"code": "closure-islocked"}}],
        "meta": {"version": "4.0", "deliveredAt": "2026-01-01T00:00:00Z"}}))
    .unwrap();
    assert_eq!((event.event_type, event.vehicle_id), (EventType::VehicleState, None));
    let code = event.triggers[0].signal.as_ref().unwrap().code.as_deref();
    assert_eq!(code, Some("closure-islocked"));
    let retrieved_at = event.data.signals[0].meta.retrieved_at.clone();
    assert_eq!(retrieved_at, Some(Moment::Text("2026-01-01T00:00:00Z".to_owned())));

    let legacy: LegacyEvent = serde_json::from_value(json!({"version": "2.0", "webhookId": "w",
        "eventName": "schedule", "mode": "live", "payload": {"vehicles": [{"vehicleId": "v",
            "requestId": "r", "data": [{"path": "/security", "code": 200,
                "headers": {"sc-data-age": "2026-01-01T00:00:00Z"}, "body": {"isLocked": true}}]}]}}))
    .unwrap();
    let schedule: LegacySchedule = serde_json::from_value(legacy.payload).unwrap();
    assert_eq!(schedule.vehicles[0].data[0].code, 200);
}
