//! Everything that API v2.0 can tell a car, and the rules by which cars refuse.

use serde_json::{Value, json};

use super::{Options, Sim, approving, every_permission, start};

struct Told {
    sim: Sim,
    token: String,
    car: String,
}

impl Told {
    async fn in_a(sim: Sim) -> Self {
        let token = sim.connect(&every_permission()).await.access_token;
        let car = sim.first_car(&token).await;
        Self { sim, token, car }
    }

    async fn tell(&self, path: &str, body: Value) -> (u16, String) {
        let path = format!("/v2.0/vehicles/{}{path}", self.car);
        let (status, body) = self.sim.post(&self.token, &path, body).await;
        let told = match status {
            200 => &body["message"],
            _ => &body["code"],
        };
        (status, told.as_str().unwrap_or_default().to_owned())
    }

    async fn refused(&self, path: &str, body: Value, status: u16, code: &str) {
        assert_eq!(self.tell(path, body.clone()).await, (status, code.to_owned()), "{path} {body}");
    }

    async fn done(&self, path: &str, body: Value) {
        let message = "Successfully sent request to vehicle".to_owned();
        assert_eq!(self.tell(path, body).await, (200, message));
    }

    async fn read(&self, path: &str) -> Value {
        let path = format!("/v2.0/vehicles/{}{path}", self.car);
        self.sim.get_json(&self.token, &path).await
    }
}

#[tokio::test]
async fn every_command_changes_the_car_and_is_in_the_journal() {
    let told = Told::in_a(approving().await).await;
    told.done("/security", json!({"action": "UNLOCK"})).await;
    told.done("/charge", json!({"action": "START"})).await;
    assert_eq!(told.read("/charge").await["state"], "CHARGING");
    told.done("/charge/limit", json!({"limit": 0.9})).await;
    assert_eq!(told.read("/charge/limit").await["limit"], 0.9);
    told.done("/charge/limit/", json!({"limit": "0.7"})).await;
    told.done("/charge", json!({"action": "STOP"})).await;
    assert_eq!(told.read("/charge").await["state"], "NOT_CHARGING");
    told.done("/navigation/destination", json!({"latitude": 48.5, "longitude": "11.5"})).await;
    let expected = json!([
        {"action": "UNLOCK"},
        {"action": "START_CHARGE"},
        {"action": "SET_CHARGE_LIMIT", "limit": 0.9},
        {"action": "SET_CHARGE_LIMIT", "limit": 0.7},
        {"action": "STOP_CHARGE"},
        {"action": "SET_DESTINATION", "latitude": 48.5, "longitude": 11.5},
    ]);
    assert_eq!(told.sim.deeds().await, expected);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_told_to_no_car() {
    let told = Told::in_a(approving().await).await;
    for (path, body) in [
        ("/charge", json!({"action": "PAUSE"})),
        ("/charge/limit", json!({"limit": 0.4})),
        ("/charge/limit", json!({"limit": "full"})),
        ("/charge/limit", json!({})),
        ("/navigation/destination", json!({"latitude": 91, "longitude": 0})),
        ("/navigation/destination", json!({"latitude": 9})),
    ] {
        told.refused(path, body, 400, "PARAMETER").await;
    }
    let sim = &told.sim;
    let other = sim.connect("control_security control_navigation read_charge").await.access_token;
    let path = format!("/v2.0/vehicles/{}/charge", told.car);
    assert_eq!(sim.post(&other, &path, json!({"action": "START"})).await.0, 403);
    assert_eq!(sim.executed().await, 0);
}

#[tokio::test]
async fn a_car_refuses_what_its_state_forbids() {
    let told = Told::in_a(approving().await).await;
    told.sim.adjust(&told.car, json!({"is_driving": true})).await;
    told.refused("/security", json!({"action": "LOCK"}), 409, "IN_MOTION").await;
    let plug = "CHARGING_PLUG_NOT_CONNECTED";
    told.refused("/charge", json!({"action": "START"}), 409, plug).await;
    told.refused("/charge", json!({"action": "STOP"}), 409, plug).await;
    told.refused("/charge/limit", json!({"limit": 0.8}), 409, plug).await;
    assert_eq!(told.sim.executed().await, 0);
    told.done("/navigation/destination", json!({"latitude": 0, "longitude": 0})).await;
    told.sim.adjust(&told.car, json!({"is_driving": false, "is_paused": true})).await;
    told.done("/security", json!({"action": "LOCK"})).await;
    // A fault that strikes after the car has moved finds that it has not.
    told.sim.adjust(&told.car, json!({"is_driving": true})).await;
    told.sim.set_faults(&told.car, json!({"faults": [{"kind": "executed_then_500"}]})).await;
    told.refused("/security", json!({"action": "LOCK"}), 409, "IN_MOTION").await;
}

#[tokio::test]
async fn as_the_official_simulator_commands_succeed_and_change_nothing() {
    let options = Options { auto_approve: true, as_official: true, ..Options::default() };
    let told = Told::in_a(start(options).await).await;
    told.done("/security", json!({"action": "UNLOCK"})).await;
    assert_eq!(told.read("/security").await["isLocked"], true);
    told.sim.adjust(&told.car, json!({"is_charging": true})).await;
    told.done("/charge", json!({"action": "STOP"})).await;
    assert_eq!(told.read("/charge").await["state"], "CHARGING");
    told.refused("/charge/limit", json!({"limit": 0.8}), 501, "SMARTCAR_NOT_CAPABLE").await;
    told.sim.adjust(&told.car, json!({"is_paused": true})).await;
    told.refused("/security", json!({"action": "LOCK"}), 409, "UNREACHABLE").await;
    assert_eq!(told.sim.deeds().await, json!([{"action": "UNLOCK"}, {"action": "STOP_CHARGE"}]));
}
