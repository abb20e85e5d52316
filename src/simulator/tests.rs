//! The simulator as its clients see it: over a real socket, from the consent to the journal.

use std::sync::{Arc, Once};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Fleet, Options, serve};
use crate::clock::{Clock, ManualClock};
use crate::domain::time::Timestamp;
use crate::entropy::SeededEntropy;
use crate::smartcar::v2::TokenAnswer;

mod commands;
mod connect;
mod connections;
mod consents;
mod faults;
mod owners;
mod reads;
mod v3;
mod webhooks;

const BACK: &str = "http://127.0.0.1:9/back";
const SCOPE: &str = "required:read_vehicle_info read_security control_security";

struct Sim {
    base: String,
    client: reqwest::Client,
    clock: Arc<ManualClock>,
    stop: tokio_util::sync::DropGuard,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

#[expect(clippy::disallowed_methods, reason = "a test's own client and its own server task")]
async fn start(options: Options) -> Sim {
    static CRYPTO: Once = Once::new();
    CRYPTO.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let start = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let clock = Arc::new(ManualClock::at(start));
    let stop = CancellationToken::new();
    let entropy = Arc::new(SeededEntropy::from_seed(7));
    let clock_in: Arc<dyn Clock> = Arc::clone(&clock) as _;
    let server = tokio::spawn(serve(listener, options, clock_in, entropy, stop.clone()));
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    Sim { base, client, clock, stop: stop.drop_guard(), server }
}

/// Everything that can be asked for.
fn every_permission() -> String {
    crate::smartcar::permission::ALL.join(" ")
}

async fn approving() -> Sim {
    start(Options { auto_approve: true, ..Options::default() }).await
}

impl Sim {
    async fn authorize(&self, scope: &str) -> reqwest::Response {
        let query = [
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("scope", scope),
            ("state", "s&1"),
        ];
        let url = format!("{}/oauth/authorize", self.base);
        let request = self.client.get(url).query(&query);
        request.send().await.unwrap()
    }

    async fn token(&self, client: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}/oauth/token", self.base);
        let request = self.client.post(url).basic_auth(client, Some("secret"));
        let answer = request.form(fields).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn connect(&self, scope: &str) -> TokenAnswer {
        let code = param(&self.authorize(scope).await, "code").unwrap();
        let (status, body) = self.token("app", &exchange(&code)).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body).unwrap()
    }

    async fn get(&self, token: &str, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.base);
        let request = self.client.get(url).bearer_auth(token);
        request.send().await.unwrap()
    }

    async fn get_json(&self, token: &str, path: &str) -> Value {
        self.get(token, path).await.json().await.unwrap()
    }

    async fn command(
        &self,
        token: &str,
        car: &str,
        action: &str,
    ) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}/v2.0/vehicles/{car}/security", self.base);
        let request = self.client.post(url).bearer_auth(token);
        request.json(&json!({ "action": action })).send().await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.base);
        let request = self.client.post(url).bearer_auth(token);
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn adjust(&self, car: &str, parts: Value) -> u16 {
        let url = format!("{}/_sim/vehicles/{car}", self.base);
        let answer = self.client.patch(url).json(&parts).send().await.unwrap();
        answer.status().as_u16()
    }

    /// What the journal says, without times and ids.
    async fn deeds(&self) -> Value {
        let mut body = self.get_json("", "/_sim/journal").await;
        for entry in body["commands"].as_array_mut().unwrap() {
            let entry = entry.as_object_mut().unwrap();
            assert!(
                ["at", "elapsed_us", "vehicle_id", "request_id"]
                    .map(|name| entry.remove(name))
                    .iter()
                    .all(Option::is_some)
            );
        }
        body["commands"].take()
    }

    async fn set_faults(&self, car: &str, script: Value) -> u16 {
        let url = format!("{}/_sim/vehicles/{car}/faults", self.base);
        let answer = self.client.put(url).json(&script).send().await.unwrap();
        answer.status().as_u16()
    }

    async fn executed(&self) -> u64 {
        let body = self.get_json("", "/_sim/journal?count=true").await;
        body["count"].as_u64().unwrap()
    }

    async fn first_car(&self, token: &str) -> String {
        let list = self.get_json(token, "/v2.0/vehicles").await;
        list["vehicles"][0].as_str().unwrap().to_owned()
    }
}

fn exchange(code: &str) -> [(&'static str, &str); 3] {
    [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)]
}

fn param(answer: &reqwest::Response, name: &str) -> Option<String> {
    let location = answer.headers().get("location")?.to_str().unwrap();
    let url = url::Url::parse(location).unwrap();
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn an_owner_connects_and_a_car_is_unlocked() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let sim = start(Options {
        auto_approve: true,
        journal: Some(file.path().to_owned()),
        fleet: Fleet::of_size(12),
        ..Options::default()
    })
    .await;
    let token = sim.connect(SCOPE).await.access_token;
    let list = sim.get_json(&token, "/v2.0/vehicles/?limit=5&offset=10").await;
    assert_eq!(list["vehicles"].as_array().unwrap().len(), 2);
    assert_eq!(list["paging"], json!({"count": 12, "offset": 10}));
    let car = sim.first_car(&token).await;
    let about = sim.get_json(&token, &format!("/v2.0/vehicles/{car}/")).await;
    assert_eq!((about["id"].as_str(), about["make"].as_str()), (Some(&*car), Some("TESLA")));

    let path = format!("/v2.0/vehicles/{car}/security");
    let before = sim.get(&token, &path).await;
    assert_eq!(before.headers()["sc-unit-system"], "metric");
    assert!(before.headers().contains_key("sc-data-age"));
    assert!(before.headers().contains_key("sc-fetched-at"));
    assert_eq!(before.json::<Value>().await.unwrap()["isLocked"], true);

    let answer = sim.command(&token, &car, "UNLOCK").await.unwrap();
    let request_id = answer.headers()["sc-request-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.json::<Value>().await.unwrap()["status"], "success");
    assert_eq!(sim.get_json(&token, &path).await["isLocked"], false);

    let line: Value = serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
    let expected = json!({"at": sim.clock.now(), "vehicle_id": car, "action": "UNLOCK",
        "request_id": request_id, "elapsed_us": 0});
    assert_eq!(line, expected);
    let journal = sim.get_json("", &format!("/_sim/journal?vehicle_id={car}")).await;
    assert_eq!(journal["commands"], json!([expected]));
    let cars = sim.get_json("", "/_sim/vehicles").await;
    assert_eq!(cars["vehicles"][0]["is_locked"], false);

    drop(sim.stop);
    sim.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_the_cloud_does_not_have_is_answered_with_the_envelope() {
    let sim = approving().await;
    for (path, code) in [("/v2.0/nothing", "PATH"), ("/v1.0/vehicles", "VERSION")] {
        let answer = sim.get("", path).await;
        assert_eq!(answer.status(), 404);
        let id = answer.headers()["sc-request-id"].to_str().unwrap().to_owned();
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["code"], &body["requestId"]), (&json!(code), &json!(id)));
    }
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    let wrong = sim.command(&token, &car, "OPEN").await.unwrap();
    assert_eq!(wrong.status(), 400);
    let url = format!("{}/_sim/consents", sim.base);
    sim.client.delete(url).send().await.unwrap();
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 401);
    assert_eq!(sim.executed().await, 0);
}
