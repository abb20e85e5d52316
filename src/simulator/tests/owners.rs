//! Owners who narrow their consents and take them back while tokens still live.

use serde_json::{Value, json};

use super::{BACK, SCOPE, Sim, approving, exchange, param};

impl Sim {
    pub(super) async fn send(
        &self,
        method: &str,
        token: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request.bearer_auth(token);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// An owner that the application has a name for, and a consent: the tokens, and the user.
    pub(super) async fn connect_as(&self, user: &str, more: &[(&str, &str)]) -> (Value, String) {
        let query = [
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("scope", SCOPE),
            ("user", user),
        ];
        let url = format!("{}/oauth/authorize", self.base);
        let request = self.client.get(url).query(&query).query(more);
        let answer = request.send().await.unwrap();
        let code = param(&answer, "code").unwrap();
        let (status, tokens) = self.token("app", &exchange(&code)).await;
        assert_eq!(status, 200);
        let access = tokens["access_token"].as_str().unwrap().to_owned();
        let user = self.get_json(&access, "/v2.0/user").await;
        (tokens, user["id"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn a_car_that_was_taken_back_is_refused_while_tokens_live() {
    let sim = approving().await;
    let tokens = sim.connect(SCOPE).await;
    let (token, car) = (&tokens.access_token, sim.first_car(&tokens.access_token).await);
    let (status, _) = sim.send("DELETE", "", &format!("/_sim/consents/{car}"), Value::Null).await;
    assert_eq!(status, 204);
    assert_eq!(sim.command(token, &car, "LOCK").await.unwrap().status(), 403);
    let list = sim.get_json(token, "/v2.0/vehicles").await;
    assert_eq!(list["vehicles"].as_array().unwrap().len(), 2);
    let refresh = |token: &str| {
        let fields = [("grant_type", "refresh_token".to_owned()), ("refresh_token", token.into())];
        let request = sim.client.post(format!("{}/oauth/token", sim.base));
        request.basic_auth("app", Some("s")).form(&fields).send()
    };
    let answer = refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(answer.status(), 200);
    let next: Value = answer.json().await.unwrap();
    for car in list["vehicles"].as_array().unwrap() {
        let path = format!("/_sim/consents/{}", car.as_str().unwrap());
        sim.send("DELETE", "", &path, Value::Null).await;
    }
    let answer = refresh(next["refresh_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"], "invalid_grant");
    assert_eq!(sim.get(token, "/v2.0/user").await.status(), 200, "the token itself lives on");
    let again = sim.connect(SCOPE).await.access_token;
    assert_eq!(sim.command(&again, &car, "LOCK").await.unwrap().status(), 200);
    assert_eq!(sim.command(token, &car, "LOCK").await.unwrap().status(), 403);
    assert_eq!(sim.send("DELETE", "", "/_sim/consents/nobody", Value::Null).await.0, 404);
}

#[tokio::test]
async fn an_owner_gives_less_and_more_again() {
    let sim = approving().await;
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    let path = format!("/_sim/consents/{car}");
    let permit = async |permissions: Value| {
        let (status, body) =
            sim.send("PATCH", "", &path, json!({ "permissions": permissions })).await;
        (status, body["consents"][0]["permissions"].clone())
    };
    let fewer = json!(["read_security"]);
    assert_eq!(permit(fewer.clone()).await, (200, fewer.clone()));
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 403);
    let about = format!("/v2.0/vehicles/{car}");
    assert_eq!(sim.get(&token, &format!("{about}/security")).await.status(), 200);
    let given = sim.get_json(&token, &format!("{about}/permissions")).await;
    assert_eq!(given["permissions"], fewer);
    assert_eq!(permit(json!(["control_security", "read_fuel"])).await.0, 200);
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 200);
    assert_eq!(permit(json!(["fly"])).await.0, 400);
    sim.send("DELETE", "", &path, Value::Null).await;
    assert_eq!(permit(fewer).await.0, 404);
}

#[tokio::test]
async fn each_owner_has_consents_of_their_own() {
    let sim = approving().await;
    let (_, first) = sim.connect_as("", &[]).await;
    let (tokens, second) = sim.connect_as("erika", &[("mode", "simulated")]).await;
    let (_, same) = sim.connect_as("erika", &[("mode", "simulated")]).await;
    assert!(first != second && second == same);
    let body = json!({"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"});
    let (_, answer) = sim.post("", "/oauth2/token", body).await;
    let application = answer["access_token"].as_str().unwrap();
    assert!(application.starts_with("sim_app_"));
    let own = tokens["access_token"].as_str().unwrap();
    let car = sim.first_car(own).await;
    let lock = async |user: &str| {
        let url = format!("{}/v3/vehicles/{car}/commands/security/lock", sim.base);
        let request = sim.client.post(url).bearer_auth(application).header("sc-user-id", user);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((lock(&first).await, lock(&second).await), (200, 200));
    let path = format!("{}/v2.0/vehicles/{car}/application", sim.base);
    sim.client.delete(path).bearer_auth(own).send().await.unwrap();
    assert_eq!((lock(&first).await, lock(&second).await), (200, 403));
    let consents = sim.get_json("", "/_sim/consents").await;
    let of = |user: &str| {
        let all = consents["consents"].as_array().unwrap();
        all.iter().filter(|one| one["user_id"] == *user).cloned().collect::<Vec<_>>()
    };
    assert_eq!((of(&first).len(), of(&second).len()), (3, 2));
    let erikas = &of(&second)[0];
    assert_eq!((&erikas["external_id"], &erikas["mode"]), (&json!("erika"), &json!("simulated")));
    sim.send("DELETE", "", "/_sim/consents", Value::Null).await;
    assert_eq!((lock(&first).await, lock(&second).await), (403, 403));
}
