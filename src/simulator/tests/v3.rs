//! API v3 as its clients see it: the application's token, signals, commands, and the 202 whose
//! body tells the truth.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Options, SCOPE, Sim, approving, every_permission, start};
use crate::smartcar::v3::CommandKind;

struct Door {
    sim: Sim,
    token: String,
    user: String,
    car: String,
}

impl Door {
    /// An application with a token of its own, and an owner who gave this scope.
    async fn open(sim: Sim, scope: &str) -> Self {
        let own = sim.connect(scope).await.access_token;
        let user = sim.get_json(&own, "/v2.0/user").await["id"].as_str().unwrap().to_owned();
        let car = sim.first_car(&own).await;
        let (status, answer) = token(
            &sim,
            json!({"grant_type": "client_credentials",
            "client_id": "client_1", "client_secret": "s"}),
        )
        .await;
        assert_eq!((status, &answer["expires_in"]), (200, &json!(3600)));
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Self { sim, token, user, car }
    }

    async fn get(&self, tail: &str) -> (u16, Value) {
        let url = format!("{}/v3/vehicles/{}{tail}", self.sim.base, self.car);
        let request = self.sim.client.get(url).bearer_auth(&self.token);
        let answer = request.header("sc-user-id", &self.user).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    fn request(&self, kind: CommandKind) -> reqwest::RequestBuilder {
        let url = format!("{}/v3/vehicles/{}{}", self.sim.base, self.car, kind.path());
        let request = self.sim.client.post(url).bearer_auth(&self.token);
        let body = match kind {
            CommandKind::SetChargeLimit => json!({"percent": 90}),
            CommandKind::SetDestination => json!({"latitude": 1.5, "longitude": 2.5}),
            _ => return request.header("sc-user-id", &self.user),
        };
        let body = json!({"data": {"attributes": body}});
        request.header("sc-user-id", &self.user).json(&body)
    }

    async fn tell(&self, kind: CommandKind) -> (u16, Value) {
        let answer = self.request(kind).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

async fn token(sim: &Sim, body: Value) -> (u16, Value) {
    let url = format!("{}/oauth2/token", sim.base);
    let answer = sim.client.post(url).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn an_application_is_given_a_token_however_it_shows_its_secret() {
    let sim = approving().await;
    let url = format!("{}/oauth2/token", sim.base);
    let form = [("grant_type", "client_credentials"), ("client_id", "a"), ("client_secret", "b")];
    let in_form = sim.client.post(&url).form(&form).send().await.unwrap();
    assert_eq!(in_form.status(), 200);
    let basic = sim.client.post(&url).basic_auth("a", Some("b")).form(&form[..1]);
    let answer: Value = basic.send().await.unwrap().json().await.unwrap();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert!(answer.get("refresh_token").is_none());
    let nobody = sim.client.post(&url).form(&form[..2]).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    assert_eq!(nobody.json::<Value>().await.unwrap()["error"], "invalid_client");
    let (status, body) = token(&sim, json!({"grant_type": "password"})).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_request")));
    assert_eq!(token(&sim, json!([1])).await.0, 400);

    let door = Door::open(sim, SCOPE).await;
    door.sim.clock.advance(Duration::from_secs(3600));
    let (status, body) = door.get("/signals").await;
    assert_eq!((status, &body["errors"][0]["code"]), (401, &json!("UNAUTHORIZED")));
    assert_eq!(body["errors"][0]["status"], "401");
}

#[tokio::test]
async fn every_signal_is_read_in_its_own_units() {
    let door = Door::open(approving().await, &every_permission()).await;
    door.sim
        .adjust(
            &door.car,
            json!({"battery_level": 0.5, "fuel_level": 0.25,
        "fuel_capacity_l": 40, "odometer_km": 12.5, "tire_pressure_kpa": [1, 2, 3, 4]}),
        )
        .await;
    let (status, list) = door.get("/signals").await;
    assert_eq!(status, 200);
    let signals = list["data"].as_array().unwrap();
    assert!(signals.len() > 25);
    for signal in signals {
        assert_eq!(signal["attributes"]["status"]["value"], "SUCCESS", "{signal}");
        let code = signal["attributes"]["code"].as_str().unwrap();
        let (status, one) = door.get(&format!("/signals/{code}")).await;
        assert_eq!((status, &one["data"]), (200, signal));
    }
    let body = |code: &str| {
        let signal = signals.iter().find(|signal| signal["id"] == code).unwrap();
        signal["attributes"]["body"].clone()
    };
    assert_eq!(body("closure-islocked"), json!({"value": true}));
    assert_eq!(body("tractionbattery-stateofcharge"), json!({"unit": "percent", "value": 50.0}));
    assert_eq!(
        body("internalcombustionengine-amountremaining"),
        json!({"unit": "l", "value": 10.0})
    );
    assert_eq!(body("odometer-traveleddistance"), json!({"unit": "km", "value": 12.5}));
    assert_eq!(body("charge-chargelimits")["activeLimit"], 80.0);
    let door_right = json!({"row": 0, "column": 1, "isOpen": false, "isLocked": true});
    assert_eq!(body("closure-doors")["values"][1], door_right);
    let wheel = json!({"row": 1, "column": 0, "tirePressure": 3.0});
    assert_eq!(body("wheel-tires")["values"][2], wheel);
    assert_eq!(body("diagnostics-dtclist")["values"][0]["code"], "P302D");
    assert_eq!(body("diagnostics-abs"), json!({"status": "OK", "description": null}));
    assert_eq!(body("service-records")["values"].as_array().unwrap().len(), 2);
    let vehicle = door.get("").await.1["data"]["attributes"].clone();
    assert_eq!((&vehicle["make"], &vehicle["powertrainType"]), (&json!("TESLA"), &json!("PHEV")));
    assert_eq!(list["included"]["vehicle"]["attributes"], vehicle);
    assert_eq!(door.get("/signals/engine-colour").await.0, 404);
}

#[tokio::test]
async fn what_a_car_cannot_or_an_owner_did_not_say_has_a_status_and_no_body() {
    let door = Door::open(approving().await, "read_vehicle_info read_security read_fuel").await;
    door.sim.adjust(&door.car, json!({"powertrain": "BEV"})).await;
    let (_, list) = door.get("/signals").await;
    let find = |code: &str| {
        let signals = list["data"].as_array().unwrap().iter();
        signals.map(|signal| &signal["attributes"]).find(|signal| signal["code"] == code).unwrap()
    };
    for (code, kind, status) in [
        ("internalcombustionengine-fuellevel", "COMPATIBILITY", 501),
        ("location-preciselocation", "PERMISSION", 403),
    ] {
        let signal = find(code);
        assert_eq!(signal["status"]["value"], "ERROR");
        assert_eq!(signal["status"]["error"]["type"], kind);
        assert!(signal.get("body").is_none());
        let (alone, body) = door.get(&format!("/signals/{code}")).await;
        assert_eq!((alone, &body["errors"][0]["type"]), (status, &json!(kind)));
    }
}

#[tokio::test]
async fn an_owner_must_be_named_unless_the_token_is_their_own() {
    let door = Door::open(approving().await, SCOPE).await;
    let signals = format!("{}/v3/vehicles/{}/signals", door.sim.base, door.car);
    let lock = signals.replace("signals", "commands/security/lock");
    let own = door.sim.connect(SCOPE).await.access_token;
    let asked = async |request: reqwest::RequestBuilder, token: &str, user: Option<&str>| {
        let request = request.bearer_auth(token);
        let request = match user {
            Some(user) => request.header("sc-user-id", user),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        (status, body["errors"][0]["detail"].as_str().unwrap_or_default().to_owned())
    };
    let (get, post) = (|| door.sim.client.get(&signals), || door.sim.client.post(&lock));
    let nameless = (400, "missing userId".to_owned());
    assert_eq!(asked(get(), &door.token, None).await, nameless);
    assert_eq!(asked(post(), &door.token, None).await, nameless);
    assert_eq!(asked(post(), &own, None).await, nameless);
    assert_eq!(asked(get(), &own, None).await.0, 200);
    assert_eq!(asked(post(), &own, Some(&door.user)).await.0, 200);
    assert_eq!(asked(get(), &own, Some("nobody")).await.0, 403);
    assert_eq!(asked(get(), &door.token, Some("nobody")).await.0, 403);
    assert_eq!(asked(get(), "forged", Some(&door.user)).await.0, 401);
    let vehicle = door.sim.get_json(&door.token, &format!("/v3/vehicles/{}", door.car)).await;
    assert_eq!(vehicle["data"]["id"], json!(door.car));
    let path = format!("{}/v2.0/vehicles/{}/application", door.sim.base, door.car);
    door.sim.client.delete(path).bearer_auth(&own).send().await.unwrap();
    assert_eq!(asked(get(), &door.token, Some(&door.user)).await.0, 403);
}

#[tokio::test]
async fn every_command_says_how_it_ended() {
    let door = Door::open(approving().await, &every_permission()).await;
    for kind in CommandKind::ALL {
        let (status, body) = door.tell(*kind).await;
        assert_eq!(status, 200, "{body}");
        let data = &body["data"];
        assert!(data["id"].as_str().unwrap().starts_with("exec_"));
        assert_eq!(
            data["attributes"],
            json!({"commandType": kind.command_type(),
            "status": {"value": "SUCCESS"}, "executionMode": "sync"})
        );
        assert!(data["meta"]["completedAt"].is_string());
    }
    assert_eq!(
        door.sim.deeds().await,
        json!([
        {"action": "LOCK"}, {"action": "UNLOCK"}, {"action": "START_CHARGE"},
        {"action": "STOP_CHARGE"}, {"action": "SET_CHARGE_LIMIT", "limit": 0.9},
        {"action": "SET_DESTINATION", "latitude": 1.5, "longitude": 2.5}])
    );
    for percent in [json!(49), json!(0.8), json!("80"), json!(101)] {
        let body = json!({"data": {"attributes": {"percent": percent}}});
        let answer = door.request(CommandKind::SetChargeLimit).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["errors"][0]["code"], "INVALID_INPUT_FORMAT");
    }
    door.sim.adjust(&door.car, json!({"is_driving": true})).await;
    let (status, body) = door.tell(CommandKind::Lock).await;
    assert_eq!((status, &body["errors"][0]["code"]), (409, &json!("IN_MOTION")));

    let reader = Door::open(
        start(Options { auto_approve: true, ..Options::default() }).await,
        "read_security",
    )
    .await;
    assert_eq!(reader.tell(CommandKind::Unlock).await.0, 403);
    assert_eq!(reader.sim.executed().await, 0);
}

#[tokio::test]
async fn a_202_tells_in_its_body_how_the_command_ended() {
    let door = Door::open(approving().await, SCOPE).await;
    let asleep = json!({"type": "VEHICLE_STATE", "code": "ASLEEP"});
    for (outcome, executed) in [(json!("success"), 1), (json!("failure"), 1), (asleep, 1)] {
        let fault = json!({"kind": "accepted_late", "after_ms": 300, "outcome": outcome});
        assert_eq!(door.sim.set_faults(&door.car, json!({"faults": [fault]})).await, 200);
        let answer = door.request(CommandKind::Unlock).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.content_length()), (202, None));
        assert_eq!(answer.headers()["transfer-encoding"], "chunked");
        if outcome == "success" {
            assert_eq!(door.sim.executed().await, 0);
        }
        let body: Value = answer.json().await.unwrap();
        match outcome.as_str() {
            Some("success") => assert_eq!(body["data"]["attributes"]["status"]["value"], "SUCCESS"),
            Some(_) => assert_eq!(body["data"]["attributes"]["status"]["value"], "FAILURE"),
            None => assert_eq!(
                (&body["errors"][0]["status"], &body["errors"][0]["code"]),
                (&json!("409"), &json!("ASLEEP"))
            ),
        }
        assert_eq!(door.sim.executed().await, executed, "{outcome}");
    }
    // The car may refuse although the fault says success.
    door.sim.adjust(&door.car, json!({"is_driving": true})).await;
    let fault = json!({"kind": "accepted_late", "after_ms": 1, "outcome": "success"});
    door.sim.set_faults(&door.car, json!({"faults": [fault]})).await;
    let (status, body) = door.tell(CommandKind::Lock).await;
    assert_eq!((status, &body["errors"][0]["code"]), (202, &json!("IN_MOTION")));
}

#[tokio::test]
async fn faults_strike_in_the_shape_of_the_version() {
    let door = Door::open(approving().await, SCOPE).await;
    let unknown = json!({"kind": "unknown_error", "type": "WEATHER", "code": "FOG", "status": 418});
    for (fault, status, code, executed) in [
        (json!({"kind": "vehicle_state", "code": "ASLEEP"}), 409, "ASLEEP", 0),
        (json!({"kind": "executed_then_500"}), 500, "INTERNAL", 1),
        (unknown, 418, "FOG", 1),
        (json!({"kind": "rate_limited", "retry_after_s": 5}), 429, "VEHICLE", 1),
    ] {
        door.sim.set_faults(&door.car, json!({"faults": [fault]})).await;
        let (told, body) = door.tell(CommandKind::Unlock).await;
        let error = &body["errors"][0];
        assert_eq!((told, &error["code"]), (status, &json!(code)));
        assert_eq!(error["status"], json!(status.to_string()));
        assert_eq!(door.sim.executed().await, executed, "{code}");
    }
    let twice = json!({"faults": [{"kind": "duplicate_keys", "on": "any"}]});
    door.sim.set_faults(&door.car, twice).await;
    let answer = door.request(CommandKind::Lock).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains(r#""value":"SUCCESS","value":"FAILURE""#), "{answer}");
    let script = json!({"faults": [{"kind": "status", "code": 204, "on": "read"}]});
    door.sim.set_faults(&door.car, script).await;
    let url = format!("{}/v3/vehicles/{}", door.sim.base, door.car);
    let answer = door.sim.client.get(url).bearer_auth(&door.token).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

#[tokio::test]
async fn an_accepted_command_goes_on_although_its_client_has_gone() {
    let door = Door::open(approving().await, SCOPE).await;
    let fault = json!({"kind": "accepted_late", "after_ms": 200, "outcome": "success"});
    door.sim.set_faults(&door.car, json!({"faults": [fault]})).await;
    drop(door.request(CommandKind::Unlock).send().await.unwrap());
    assert_eq!(door.sim.executed().await, 0);
    let hold = json!({"faults": [{"kind": "hold", "hold_ms": 50, "on": "read"}], "repeat": true});
    door.sim.set_faults(&door.car, hold).await;
    for _ in 0..200 {
        door.get("/signals").await;
        if door.sim.executed().await == 1 {
            return;
        }
    }
    panic!("the command was given up with its client");
}
