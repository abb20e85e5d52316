//! Consents and tokens: the page, codes that work once, refresh tokens that rotate.

use std::time::Duration;

use serde_json::{Value, json};

use super::{BACK, Options, SCOPE, approving, exchange, param, start};

#[tokio::test]
async fn codes_and_refresh_tokens_work_once_and_for_their_client() {
    let sim = approving().await;
    let answer = sim.authorize(SCOPE).await;
    assert_eq!(answer.status(), 302);
    assert_eq!(param(&answer, "state").as_deref(), Some("s&1"));
    let code = param(&answer, "code").unwrap();
    let (status, first) = sim.token("app", &exchange(&code)).await;
    assert_eq!((status, &first["expires_in"]), (200, &json!(7200)));
    let (status, body) = sim.token("app", &exchange(&code)).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));

    let other = param(&sim.authorize(SCOPE).await, "code").unwrap();
    assert_eq!(sim.token("thief", &exchange(&other)).await.0, 400);
    let late = param(&sim.authorize(SCOPE).await, "code").unwrap();
    sim.clock.advance(Duration::from_secs(600));
    assert_eq!(sim.token("app", &exchange(&late)).await.0, 400);

    let refresh = first["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(sim.token("thief", &fields).await.0, 400);
    let (status, second) = sim.token("app", &fields).await;
    assert_eq!(status, 200);
    assert_eq!(sim.token("app", &fields).await.1["error"], "invalid_grant");
    let fields = [("grant_type", "password")];
    assert_eq!(sim.token("app", &fields).await.1["error"], "unsupported_grant_type");
    let url = format!("{}/oauth/token/", sim.base);
    let nobody = sim.client.post(url).send().await.unwrap();
    assert_eq!(nobody.status(), 401);

    let access = second["access_token"].as_str().unwrap();
    assert_eq!(sim.get(access, "/v2.0/user").await.status(), 200);
    sim.clock.advance(Duration::from_secs(7200));
    assert_eq!(sim.get(access, "/v2.0/user").await.status(), 401);
}

#[tokio::test]
async fn the_owner_decides_on_the_page() {
    let sim = start(Options::default()).await;
    let asked = "required:read_vehicle_info control_security read_security";
    let page = sim.authorize(asked).await.text().await.unwrap();
    assert!(page.contains("Approve") && page.contains("Model 3") && page.contains("s&#38;1"));
    let cars = sim.get_json("", "/_sim/vehicles").await;
    let chosen = cars["vehicles"][1]["id"].as_str().unwrap().to_owned();
    let decide = async |decision: &str| {
        let form = [
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("scope", asked),
            ("state", "s"),
            ("permission", "control_security"),
            ("vehicle", &chosen),
            ("decision", decision),
        ];
        let url = format!("{}/oauth/authorize", sim.base);
        let request = sim.client.post(url).form(&form);
        request.send().await.unwrap()
    };
    let denied = decide("deny").await;
    assert_eq!(param(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(param(&denied, "code"), None);
    let approved = decide("approve").await;
    assert_eq!(approved.status(), 303);
    let code = param(&approved, "code").unwrap();
    let token = sim.token("app", &exchange(&code)).await.1;
    let token = token["access_token"].as_str().unwrap();
    let list = sim.get_json(token, "/v2.0/vehicles").await;
    assert_eq!(list["vehicles"], json!([chosen]));
    let path = format!("/v2.0/vehicles/{chosen}");
    let permissions = sim.get_json(token, &format!("{path}/permissions")).await;
    assert_eq!(permissions["permissions"], json!(["read_vehicle_info", "control_security"]));
    let refused = sim.get(token, &format!("{path}/security")).await;
    assert_eq!(refused.status(), 403);
    let other = cars["vehicles"][0]["id"].as_str().unwrap();
    assert_eq!(sim.command(token, other, "LOCK").await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_car_that_was_disconnected_is_no_longer_shared() {
    let sim = approving().await;
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    let path = format!("{}/v2.0/vehicles/{car}/application", sim.base);
    // One SDK sends a body where none belongs.
    let request = sim.client.delete(&path).bearer_auth(&token).json(&json!({}));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"status": "success"}));
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 403);
    assert_eq!(sim.get_json(&token, "/v2.0/vehicles").await["paging"]["count"], 2);
    let again = sim.client.delete(&path).bearer_auth(&token).send().await.unwrap();
    assert_eq!(again.status(), 403);
    let other = sim.connect(SCOPE).await.access_token;
    assert_eq!(sim.command(&other, &car, "LOCK").await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_token_endpoint_goes_wrong_on_request() {
    let sim = approving().await;
    let url = format!("{}/_sim/token-faults", sim.base);
    let set = async |script: Value| {
        let answer = sim.client.put(&url).json(&script).send().await.unwrap();
        answer.status().as_u16()
    };
    let refresh = async |token: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let request = sim.client.post(format!("{}/oauth/token", sim.base));
        request.basic_auth("app", Some("secret")).form(&fields).send().await
    };
    let tokens = sim.connect(SCOPE).await;
    for (fault, status) in [
        (json!({"kind": "refuse"}), 503),
        (json!({"kind": "html"}), 200),
        (json!({"kind": "invalid_grant"}), 400),
        (json!({"kind": "500"}), 500),
    ] {
        assert_eq!(set(json!({"faults": [fault]})).await, 200);
        let answer = refresh(&tokens.refresh_token).await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(!answer.text().await.unwrap().contains("access_token"));
    }
    // Nothing was used up so far, and a delay uses it.
    set(json!({"faults": [{"kind": "delay", "delay_ms": 10}]})).await;
    let pair: Value = refresh(&tokens.refresh_token).await.unwrap().json().await.unwrap();
    let second = pair["refresh_token"].as_str().unwrap();
    // An entry for refreshes lets an exchange pass.
    set(json!({"faults": [{"kind": "lost", "on": "refresh"}]})).await;
    sim.connect(SCOPE).await;
    let left = sim.get_json("", "/_sim/token-faults").await;
    assert_eq!(left["faults"], json!([{"kind": "lost", "on": "refresh"}]));
    assert!(refresh(second).await.unwrap_err().is_request());
    let again: Value = refresh(second).await.unwrap().json().await.unwrap();
    assert_eq!(again["error"], "invalid_grant");

    set(json!({"faults": [{"kind": "refuse"}], "repeat": true})).await;
    sim.client.delete(&url).send().await.unwrap();
    sim.connect(SCOPE).await;
    for wrong in [
        json!({"faults": [{"kind": "explode"}]}),
        json!({"faults": [{"kind": "delay", "delay_ms": 600_001}]}),
    ] {
        assert_eq!(set(wrong).await, 400);
    }
}
