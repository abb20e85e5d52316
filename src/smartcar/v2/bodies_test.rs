//! Every documented body survives a round trip; the variants that pages disagree on are read.

use super::batch::{BatchAnswer, BatchRequest};
use super::commands::{DestinationRequest, LimitRequest};
use super::management::{Compatibility, ManagedConnections, SubscriptionAnswer};
use super::reads::*;
use super::*;
use serde_json::json;

fn round<T>(value: serde_json::Value)
where
    T: Serialize + serde::de::DeserializeOwned,
{
    let typed: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(typed).unwrap(), value);
}

#[test]
fn documented_bodies_survive_a_round_trip() {
    round::<TokenAnswer>(json!({"access_token": "a", "token_type": "Bearer",
        "expires_in": 7200, "refresh_token": "r"}));
    round::<User>(json!({"id": "u"}));
    round::<VehicleList>(json!({"vehicles": ["v"], "paging": {"count": 1, "offset": 0}}));
    round::<Attributes>(json!({"id": "v", "make": "TESLA", "model": "Model 3", "year": 2024}));
    round::<PermissionList>(
        json!({"permissions": ["read_vin"], "paging": {"count": 1, "offset": 0}}),
    );
    round::<Security>(json!({"isLocked": true,
        "doors": [{"type": "frontLeft", "status": "CLOSED"}], "windows": [], "sunroof": [],
        "storage": [], "chargingPort": [{"type": "chargingPort", "status": "UNKNOWN"}]}));
    round::<ActionRequest<SecurityAction>>(json!({"action": "LOCK"}));
    round::<ActionRequest<SecurityAction>>(json!({"action": "UNLOCK"}));
    assert_eq!(
        serde_json::to_value(ActionAnswer::success()).unwrap(),
        json!({"status": "success", "message": "Successfully sent request to vehicle"})
    );
}

#[test]
fn documented_reads_survive_a_round_trip() {
    round::<Vin>(json!({"vin": "5YJSA1CN5DFP00101"}));
    round::<Location>(json!({"latitude": 37.4292, "longitude": -122.1381}));
    round::<Odometer>(json!({"distance": 104.32}));
    round::<Battery>(json!({"percentRemaining": 0.3, "range": 40.5}));
    round::<BatteryCapacity>(json!({"capacity": 28.7}));
    round::<NominalCapacity>(json!({
        "availableCapacities": [{"capacity": 70.9, "description": null},
            {"capacity": 80.9, "description": "GT: Long range"}],
        "capacity": {"nominal": 80.9, "source": "USER_SELECTED"},
        "url": "https://connect.smartcar.com/battery-capacity?vehicle_id=v"}));
    round::<NominalCapacity>(json!({"availableCapacities": [], "capacity": null, "url": null}));
    round::<Charge>(json!({"isPluggedIn": true, "state": "FULLY_CHARGED"}));
    round::<ChargeLimit>(json!({"limit": 0.8}));
    round::<Fuel>(json!({"amountRemaining": 53.2, "percentRemaining": 0.3, "range": null}));
    round::<TirePressure>(json!({"frontLeft": 219.3, "frontRight": 219.3, "backLeft": 219.3,
        "backRight": null}));
    round::<EngineOil>(json!({"lifeRemaining": 0.35}));
    round::<SystemStatus>(json!({"systems": [
        {"systemId": "SYSTEM_TPMS", "status": "ALERT", "description": "Left front tire"},
        {"systemId": "SYSTEM_AIRBAG", "status": "OK", "description": null}]}));
    round::<TroubleCodes>(json!({"activeCodes": [
        {"code": "P302D", "timestamp": "2024-09-05T14:48:00.000Z"}, {"code": "P1D9A", "timestamp": null}]}));
    round::<Vec<ServiceRecord>>(json!([{"serviceId": null, "odometerDistance": 46047.22,
        "serviceDate": "2022-07-10T16:20:00.000Z",
        "serviceTasks": [{"taskId": "3262", "taskDescription": "Oil change"}],
        "serviceDetails": [{"type": "Service Advisor", "value": null}],
        "serviceCost": {"totalCost": null, "currency": null}}]));
}

#[test]
fn documented_bodies_of_batches_and_management_survive_a_round_trip() {
    round::<BatchRequest>(json!({"requests": [{"path": "/odometer"}, {"path": "/"}]}));
    round::<BatchAnswer>(json!({"responses": [
        {"path": "/odometer", "code": 200, "body": {"distance": 37829},
            "headers": {"sc-data-age": "2019-10-24T00:43:46.000Z", "sc-unit-system": "imperial"}},
        {"path": "/location", "code": 403, "headers": {}, "body": {"type": "PERMISSION"}}]}));
    round::<ManagedConnections>(json!({"connections": [{"userId": "u", "vehicleId": "v",
        "connectedAt": "2022-01-21T22:28:25.823Z", "mode": "live"}], "paging": {"cursor": null}}));
    round::<ManagedConnections>(json!({"connections": [{"userId": "u", "vehicleId": "v"}]}));
    round::<SubscriptionAnswer>(json!({"vehicleId": "v", "webhookId": "w"}));
    round::<Compatibility>(json!({"compatible": true, "reason": null, "capabilities": [
        {"permission": "read_odometer", "endpoint": "/odometer", "capable": true, "reason": null}]}));
}

#[test]
fn numbers_of_commands_may_be_texts_and_older_batches_lack_headers() {
    for limit in [json!({"limit": 0.8}), json!({"limit": "0.8"})] {
        assert_eq!(serde_json::from_value::<LimitRequest>(limit).unwrap().limit, 0.8);
    }
    for wrong in
        [json!({"limit": "NaN"}), json!({"limit": "much"}), json!({"limit": null}), json!({})]
    {
        assert!(serde_json::from_value::<LimitRequest>(wrong.clone()).is_err(), "{wrong}");
    }
    round::<DestinationRequest>(json!({"latitude": 47.6205063, "longitude": -122.3518523}));
    round::<ActionRequest<ChargeAction>>(json!({"action": "START"}));
    let old = json!({"responses": [{"path": "/vin", "code": 501, "body": {}}]});
    let old: BatchAnswer = serde_json::from_value(old).unwrap();
    assert_eq!(old.responses[0].headers, batch::BatchHeaders::default());
}

#[test]
fn a_year_may_be_a_text_and_lists_may_be_missing() {
    let text = json!({"id": "v", "make": "BMW", "model": "i3", "year": "2020"});
    assert_eq!(serde_json::from_value::<Attributes>(text).unwrap().year, 2020);
    let only_lock: Security = serde_json::from_value(json!({"isLocked": false})).unwrap();
    assert!(!only_lock.is_locked && only_lock.doors.is_empty());
    assert!(serde_json::from_value::<Security>(json!({"doors": []})).is_err());
}

#[test]
fn tokens_do_not_show_in_debug_texts() {
    let answer = TokenAnswer {
        access_token: "hidden".into(),
        token_type: "Bearer".into(),
        expires_in: 1,
        refresh_token: "hidden".into(),
    };
    assert!(!format!("{answer:?}").contains("hidden"));
}
