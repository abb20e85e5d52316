//! Connect as an owner's browser sees it: test logins, errors on the way back, and logging in
//! again when the maker no longer accepts the old login.

use serde_json::{Value, json};

use super::{BACK, Options, SCOPE, Sim, approving, every_permission, exchange, param, start};

impl Sim {
    async fn authorize_with(&self, more: &[(&str, &str)]) -> reqwest::Response {
        let query = [
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("scope", SCOPE),
            ("state", "s"),
        ];
        let url = format!("{}/oauth/authorize", self.base);
        self.client.get(url).query(&query).query(more).send().await.unwrap()
    }

    async fn reauthenticate(&self, car: &str, more: &[(&str, &str)]) -> reqwest::Response {
        let query = [
            ("response_type", "vehicle_id"),
            ("client_id", "app"),
            ("vehicle_id", car),
            ("redirect_uri", BACK),
            ("state", "again"),
        ];
        let url = format!("{}/oauth/reauthenticate", self.base);
        self.client.get(url).query(&query).query(more).send().await.unwrap()
    }
}

#[tokio::test]
async fn test_logins_send_the_owner_back_with_every_documented_error() {
    let sim = approving().await;
    for (email, error) in [
        ("smartcar@invalid-subscription.com", "invalid_subscription"),
        ("smartcar@vehicle-incompatible.com", "vehicle_incompatible"),
        ("error.access_denied@smartcar.com", "access_denied"),
        ("error.no_vehicles@smartcar.com", "no_vehicles"),
        ("error.configuration_error@smartcar.com", "configuration_error"),
        ("error.server_error@smartcar.com", "server_error"),
        (
            "error.user_manually_returned_to_application@smartcar.com",
            "user_manually_returned_to_application",
        ),
        ("error.oem_cancelled_login@smartcar.com", "oem_cancelled_login"),
    ] {
        let answer = sim.authorize_with(&[("email", email)]).await;
        assert_eq!(param(&answer, "error").as_deref(), Some(error));
        assert_eq!(param(&answer, "state").as_deref(), Some("s"));
        assert!(param(&answer, "error_description").is_some() && param(&answer, "code").is_none());
        let more = ["vin", "make", "model", "year"].map(|name| param(&answer, name).is_some());
        assert_eq!(more, [error == "vehicle_incompatible"; 4], "{error}");
        let status = param(&answer, "status_code").is_some();
        assert_eq!(status, error == "configuration_error");
    }
    let good = sim.authorize_with(&[("email", "erika@example.org"), ("flags", "country:DE")]).await;
    assert!(param(&good, "code").is_some());
}

#[tokio::test]
async fn a_troubled_login_shares_cars_that_answer_its_error() {
    let sim = approving().await;
    let trouble = [("email", "VEHICLE_STATE.ASLEEP@smartcar.com"), ("single_select", "true")];
    let (tokens, user) = sim.connect_as("erika", &trouble).await;
    let token = tokens["access_token"].as_str().unwrap();
    let list = sim.get_json(token, "/v2.0/vehicles").await;
    assert_eq!(list["vehicles"].as_array().unwrap().len(), 1);
    let car = sim.first_car(token).await;
    let asleep = sim.command(token, &car, "LOCK").await.unwrap();
    assert_eq!(asleep.status(), 409);
    assert_eq!(asleep.json::<Value>().await.unwrap()["code"], "ASLEEP");
    assert_eq!(sim.get(token, &format!("/v2.0/vehicles/{car}")).await.status(), 409);
    let signals = format!("{}/v3/vehicles/{car}/signals", sim.base);
    let request = sim.client.get(signals).bearer_auth(token).header("sc-user-id", user);
    let body: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["errors"][0]["code"], "ASLEEP");
    let other = sim.connect(SCOPE).await.access_token;
    assert_eq!(sim.command(&other, &car, "LOCK").await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_owners_bring_back_can_be_chosen() {
    let sim = approving().await;
    let brought = |answer: &reqwest::Response| {
        ["code", "user_id", "error"].map(|name| param(answer, name).is_some())
    };
    assert_eq!(brought(&sim.authorize(SCOPE).await), [true, true, false]);
    for (change, brings) in [
        (json!({"result": "v2"}), [true, false, false]),
        (json!({"result": "v3"}), [false, true, false]),
        (json!({"result": "both", "next_error": "server_error"}), [false, false, true]),
        (json!({}), [true, true, false]),
        (json!({"next_error": null}), [true, true, false]),
    ] {
        let (status, _) = sim.send("PUT", "", "/_sim/connect", change).await;
        assert_eq!(status, 200);
        assert_eq!(brought(&sim.authorize(SCOPE).await), brings);
    }
    let options = sim.get_json("", "/_sim/connect").await;
    assert_eq!(options, json!({"result": "both", "next_error": null}));
    let (status, _) = sim.send("PUT", "", "/_sim/connect", json!({"next_error": "x"})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn an_owner_logs_in_again_and_the_car_answers() {
    let sim = approving().await;
    let token = sim.connect(&every_permission()).await.access_token;
    let car = sim.first_car(&token).await;
    let account = format!("/_sim/vehicles/{car}/account");
    let wrong = json!({"error": "CONNECTED_SERVICES_ACCOUNT", "code": "AUTHENTICATION_FAILED"});
    assert_eq!(sim.send("PUT", "", &account, wrong.clone()).await.0, 204);
    assert_eq!(sim.get_json("", &account).await, wrong);
    let (status, body) = sim.post(&token, &format!("/v2.0/vehicles/{car}/batch"), json!({})).await;
    assert_eq!((status, &body["code"]), (400, &json!("AUTHENTICATION_FAILED")));
    let body = sim.get_json(&token, &format!("/v2.0/vehicles/{car}/location")).await;
    assert_eq!(body["resolution"]["type"], "REAUTHENTICATE");
    let url = body["resolution"]["url"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("{}/oauth/reauthenticate?response_type=vehicle_id", sim.base))
    );
    let v3 = sim.get_json(&token, &format!("/v3/vehicles/{car}")).await;
    assert_eq!(v3["errors"][0]["resolution"]["url"], url);

    let gone = sim.reauthenticate(&car, &[("email", "error.oem_cancelled_login@smartcar.com")]);
    assert_eq!(param(&gone.await, "error").as_deref(), Some("oem_cancelled_login"));
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 400);
    let back = sim.reauthenticate(&car, &[]).await;
    assert_eq!(param(&back, "vehicle_id").as_deref(), Some(&*car));
    assert_eq!(param(&back, "state").as_deref(), Some("again"));
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 200);
    let unknown = sim.reauthenticate("nobody", &[]).await;
    assert_eq!(param(&unknown, "error").as_deref(), Some("configuration_error"));

    sim.send("PUT", "", &account, wrong).await;
    assert_eq!(sim.send("DELETE", "", &account, Value::Null).await.0, 204);
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 200);
    let unknown = json!({"error": "CONNECTED_SERVICES_ACCOUNT", "code": "MOOD"});
    assert_eq!(sim.send("PUT", "", &account, unknown).await.0, 400);
}

#[tokio::test]
async fn the_pages_ask_for_a_login() {
    let sim = start(Options::default()).await;
    let page = sim.authorize_with(&[("user", "erika"), ("mode", "simulated")]).await;
    let page = page.text().await.unwrap();
    for part in ["name=\"email\"", "type=\"password\"", "value=\"erika\"", "value=\"simulated\""] {
        assert!(page.contains(part), "{part}");
    }
    let cars = sim.get_json("", "/_sim/vehicles").await;
    let car = cars["vehicles"][0]["id"].as_str().unwrap().to_owned();
    let decide = async |path: &str, more: &[(&str, &str)]| {
        let mut form = vec![
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("scope", SCOPE),
            ("permission", "control_security"),
            ("vehicle", &car),
            ("vehicle_id", &car),
        ];
        form.extend_from_slice(more);
        let request = sim.client.post(format!("{}{path}", sim.base)).form(&form);
        request.send().await.unwrap()
    };
    let code = [("response_type", "code")];
    let back = decide("/oauth/authorize", &[code[0], ("decision", "return")]).await;
    assert!(param(&back, "error").unwrap().starts_with("user_manually"));
    let login = ("email", "CONNECTED_SERVICES_ACCOUNT.AUTHENTICATION_FAILED@smartcar.com");
    let back = decide("/oauth/authorize", &[code[0], ("decision", "approve"), login]).await;
    let (_, tokens) = sim.token("app", &exchange(&param(&back, "code").unwrap())).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(sim.command(token, &car, "LOCK").await.unwrap().status(), 400);
    let page = sim.reauthenticate(&car, &[]).await.text().await.unwrap();
    assert!(page.contains("Log in again") && page.contains("Model 3"));
    let again = [("response_type", "vehicle_id"), ("decision", "approve")];
    let back = decide("/oauth/reauthenticate", &again).await;
    assert_eq!(param(&back, "vehicle_id").as_deref(), Some(&*car));
    assert_eq!(sim.command(token, &car, "LOCK").await.unwrap().status(), 200);
}
