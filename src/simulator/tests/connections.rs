//! The application's own view of its connections, in both versions, and of the cars that could be
//! connected.

use serde_json::{Value, json};

use super::{Options, SCOPE, Sim, approving, start};
use crate::simulator::{Fleet, FleetCar};

impl Sim {
    async fn managed(&self, method: &str, token: &str, query: &[(&str, &str)]) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        // One SDK asks with a slash at the end, one without.
        let url = format!("{}/v2.0/management/connections/", self.base);
        let request = self.client.request(method, url).basic_auth("default", Some(token));
        let answer = request.query(query).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn application(&self) -> String {
        let body =
            json!({"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"});
        let (_, answer) = self.post("", "/oauth2/token", body).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_management_token_lists_and_ends_connections() {
    let sim = start(Options {
        auto_approve: true,
        fleet: Fleet::of_size(12),
        management_token: Some("secret".to_owned()),
        ..Options::default()
    })
    .await;
    let token = sim.connect(SCOPE).await.access_token;
    let (_, erika) = sim.connect_as("erika", &[("mode", "test"), ("single_select", "true")]).await;
    assert_eq!(sim.managed("GET", "simulated-token-of-webhooks", &[]).await.0, 401);
    let (status, first) = sim.managed("GET", "secret", &[]).await;
    assert_eq!((status, first["connections"].as_array().unwrap().len()), (200, 10));
    let cursor = first["paging"]["cursor"].as_str().unwrap();
    let (_, rest) = sim.managed("GET", "secret", &[("cursor", cursor), ("limit", "100")]).await;
    assert_eq!(rest["connections"].as_array().unwrap().len(), 3);
    assert_eq!(rest["paging"], json!({ "cursor": null }));
    let (_, test) = sim.managed("GET", "secret", &[("mode", "test")]).await;
    let car = sim.first_car(&token).await;
    let entry = json!({"userId": erika, "vehicleId": car, "mode": "test",
        "connectedAt": test["connections"][0]["connectedAt"]});
    assert_eq!(test["connections"], json!([entry]));
    assert!(entry["connectedAt"].as_str().unwrap().ends_with('Z'));
    let (_, both) = sim.managed("GET", "secret", &[("vehicle_id", &car)]).await;
    assert_eq!(both["connections"].as_array().unwrap().len(), 2);

    assert_eq!(sim.managed("DELETE", "secret", &[]).await.0, 400);
    assert_eq!(sim.managed("GET", "secret", &[("mode", "real")]).await.0, 400);
    let ended = sim.managed("DELETE", "secret", &[("user_id", &erika), ("vehicle_id", &car)]).await;
    let gone = json!({"connections": [{"userId": erika, "vehicleId": car}]});
    assert_eq!(ended, (200, gone));
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 200);
    sim.managed("DELETE", "secret", &[("vehicle_id", &car)]).await;
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 403);
    let (_, rest) = sim.managed("GET", "secret", &[("limit", "100")]).await;
    assert_eq!(rest["connections"].as_array().unwrap().len(), 11);
}

#[tokio::test]
async fn an_application_lists_and_ends_connections_of_version_3() {
    let sim = approving().await;
    let own = sim.connect(SCOPE).await.access_token;
    let (_, erika) = sim.connect_as("erika", &[("mode", "simulated")]).await;
    let car = sim.first_car(&own).await;
    let application = sim.application().await;
    let list = async |query: &str| {
        let body = sim.get_json(&application, &format!("/v3/connections/{query}")).await;
        let users: Vec<_> = body["data"].as_array().unwrap_or(&Vec::new()).clone();
        (users, body)
    };
    assert_eq!(sim.get(&own, "/v3/connections").await.status(), 401);
    let (live, body) = list("?page[size]=2&page%5Bnumber%5D=2").await;
    assert_eq!(live.len(), 1);
    assert_eq!(body["meta"], json!({"pageNumber": 2, "pageSize": 2, "totalCount": 3}));
    let (one, _) =
        list(&format!("?filter%5BvehicleId%5D={car}&filter[vehicle.mode]=simulated")).await;
    assert_eq!(one.len(), 1);
    let connection = &one[0];
    assert_eq!(connection["type"], "connection");
    assert_eq!(connection["relationships"]["vehicle"]["data"]["id"], car);
    assert_eq!(connection["relationships"]["user"]["data"]["id"], erika);
    assert_eq!(connection["attributes"]["user"], json!({"id": erika, "externalId": "erika"}));
    assert_eq!(connection["attributes"]["vehicle"]["mode"], "simulated");
    assert_eq!(connection["attributes"]["permissions"].as_array().unwrap().len(), 3);
    for (query, count) in [
        (format!("?filter[userId]={erika}"), 0),
        (format!("?filter[userId]={erika}&filter[vehicle.mode]=simulated"), 3),
        ("?filter[user.externalId]=erika&filter[vehicle.mode]=simulated".to_owned(), 3),
        ("?filter[user.externalId]=max&filter[vehicle.mode]=simulated".to_owned(), 0),
        ("?filter[vehicleId]=nobody".to_owned(), 0),
    ] {
        assert_eq!(list(&query).await.0.len(), count, "{query}");
    }
    for wrong in ["?page[number]=0", "?page[size]=x", "?filter[vehicle.mode]=real"] {
        let (_, body) = list(wrong).await;
        assert_eq!(body["errors"][0]["code"], "INVALID_INPUT_FORMAT", "{wrong}");
    }

    let path = format!("/v3/connections/{}", connection["id"].as_str().unwrap());
    assert_eq!(sim.get_json(&application, &path).await["data"], *connection);
    assert_eq!(sim.send("DELETE", "", &path, Value::Null).await.0, 401);
    assert_eq!(sim.send("DELETE", &application, &path, Value::Null).await.0, 204);
    assert_eq!(sim.send("DELETE", &application, &path, Value::Null).await.0, 404);
    assert_eq!(sim.get(&application, &path).await.status(), 404);
    let user = format!("/v3/users/{erika}");
    assert_eq!(sim.send("DELETE", &application, &user, Value::Null).await.0, 204);
    assert_eq!(list("?filter[vehicle.mode]=simulated").await.0.len(), 0);
    assert_eq!(list("").await.0.len(), 3);
}

#[tokio::test]
async fn cars_of_the_fleet_are_compatible_and_others_are_not() {
    let car = |make: &str, vin: &str, powertrain: &str| -> FleetCar {
        serde_json::from_value(json!({"make": make, "model": "One", "year": 2022, "vin": vin,
            "powertrain": powertrain}))
        .unwrap()
    };
    let cars =
        vec![car("Audi", "0SCAUDI0000000001", "ICE"), car("BMW", "0SCBMW00000000001", "BEV")];
    let fleet = Fleet::from_cars(cars).unwrap();
    let sim = start(Options { fleet, ..Options::default() }).await;
    let ask = async |path: &str, query: &[(&str, &str)]| {
        let request = sim.client.get(format!("{}/v2.0/compatibility{path}", sim.base));
        let answer = request.basic_auth("app", Some("s")).query(query).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let scope = ("scope", "read_fuel control_charge control_pin");
    let (status, body) = ask("", &[("vin", "0SCAUDI0000000001"), scope]).await;
    assert_eq!((status, &body["compatible"], &body["reason"]), (200, &json!(true), &Value::Null));
    let reasons: Vec<_> =
        body["capabilities"].as_array().unwrap().iter().map(|one| one["reason"].clone()).collect();
    assert_eq!(
        json!(reasons),
        json!([null, "VEHICLE_NOT_CAPABLE", "VEHICLE_NOT_CAPABLE", "SMARTCAR_NOT_CAPABLE"])
    );
    let (_, body) = ask("", &[("vin", "WVWZZZ00000000001"), scope]).await;
    assert_eq!(
        (&body["compatible"], &body["reason"]),
        (&json!(false), &json!("VEHICLE_NOT_COMPATIBLE"))
    );
    assert_eq!(ask("", &[("vin", "short"), scope]).await.0, 400);
    assert_eq!(sim.get("", "/v2.0/compatibility?vin=x").await.status(), 401);

    let (_, all) = ask("/matrix/", &[("region", "EUROPE")]).await;
    assert_eq!(all.as_object().unwrap().len(), 2);
    assert_eq!(all["BMW"][0]["type"], "BEV");
    let (_, some) =
        ask("/matrix", &[("region", "US"), ("type", "ICE"), ("scope", "read_fuel")]).await;
    assert_eq!(some.as_object().unwrap().keys().collect::<Vec<_>>(), ["AUDI"]);
    assert_eq!(ask("/matrix", &[("region", "MOON")]).await.0, 400);

    let application = sim.application().await;
    let path = "/v3/compatible-vehicles?filter[make]=bmw&filter[region]=US";
    let body = sim.get_json(&application, path).await;
    assert_eq!(body["data"].as_array().unwrap().len(), 1);
    assert_eq!(body["data"][0]["attributes"]["powertrainType"], "BEV");
}
