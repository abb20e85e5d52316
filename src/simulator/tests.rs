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
        "request_id": request_id});
    assert_eq!(line, expected);
    let journal = sim.get_json("", &format!("/_sim/journal?vehicle_id={car}")).await;
    assert_eq!(journal["commands"], json!([expected]));
    let cars = sim.get_json("", "/_sim/vehicles").await;
    assert_eq!(cars["vehicles"][0]["is_locked"], false);

    drop(sim.stop);
    sim.server.await.unwrap().unwrap();
}

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

#[tokio::test]
async fn each_fault_strikes_before_or_after_the_car_moves() {
    let sim = approving().await;
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    // The fault, the status that the client sees (0: no answer), and whether the car moves.
    let faults = [
        (json!({"kind": "delay", "delay_ms": 20}), 200, 1),
        (json!({"kind": "refuse"}), 503, 0),
        (json!({"kind": "executed_then_no_answer"}), 0, 1),
        (json!({"kind": "executed_then_500"}), 500, 1),
        (json!({"kind": "vehicle_state", "code": "ASLEEP"}), 409, 0),
        (json!({"kind": "rate_limited", "retry_after_s": 30}), 429, 0),
        (json!({"kind": "unauthorized"}), 401, 0),
        (json!({"kind": "garbage"}), 200, 1),
        (json!({"kind": "hold", "hold_ms": 20}), 200, 1),
        (json!({"kind": "acknowledged_not_executed"}), 200, 0),
        (json!({"kind": "error", "type": "UPSTREAM", "code": "NO_RESPONSE"}), 502, 0),
    ];
    let mut total = 0;
    for (fault, status, moves) in faults {
        let script = json!({"faults": [&fault]});
        assert_eq!(sim.set_faults(&car, script).await, 200, "{fault}");
        let answer = sim.command(&token, &car, "UNLOCK").await;
        match answer {
            Err(error) => assert!(status == 0 && error.is_request(), "{fault}: {error:?}"),
            Ok(answer) => {
                assert_eq!(answer.status(), status, "{fault}");
                let retry = answer.headers().get("retry-after").cloned();
                assert_eq!(retry.is_some(), status == 429, "{fault}");
                let readable = answer.json::<Value>().await.is_ok();
                assert_eq!(readable, fault["kind"] != "garbage", "{fault}");
            }
        }
        total += moves;
        assert_eq!(sim.executed().await, total, "{fault}");
        let after = sim.command(&token, &car, "LOCK").await.unwrap();
        assert_eq!(after.status(), 200, "a fault strikes once: {fault}");
        total += 1;
    }
}

#[tokio::test]
async fn faults_can_repeat_wait_for_reads_and_be_taken_back() {
    let sim = approving().await;
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    let path = format!("/v2.0/vehicles/{car}/security");
    let script = json!({"faults": [{"kind": "refuse", "on": "read"}], "repeat": true});
    assert_eq!(sim.set_faults(&car, script).await, 200);
    assert_eq!(sim.get(&token, &path).await.status(), 503);
    assert_eq!(sim.command(&token, &car, "LOCK").await.unwrap().status(), 200);
    assert_eq!(sim.get(&token, &path).await.status(), 503);
    let faults = format!("/_sim/vehicles/{car}/faults");
    let left = sim.get_json("", &faults).await;
    assert_eq!(left["faults"][0], json!({"kind": "refuse", "on": "read"}));
    let url = format!("{}{faults}", sim.base);
    sim.client.delete(url).send().await.unwrap();
    assert_eq!(sim.get(&token, &path).await.status(), 200);
    let unknown = json!({"faults": [{"kind": "explode"}]});
    assert_eq!(sim.set_faults(&car, unknown).await, 400);
    assert_eq!(sim.set_faults("nobody", json!({"faults": []})).await, 404);
}

#[tokio::test]
async fn a_delayed_command_is_executed_although_its_client_has_gone() {
    let sim = approving().await;
    let token = sim.connect(SCOPE).await.access_token;
    let car = sim.first_car(&token).await;
    let script = json!({"faults": [{"kind": "delay", "delay_ms": 1000}]});
    sim.set_faults(&car, script).await;
    let path = format!("/v2.0/vehicles/{car}/security");
    let request = sim.client.post(format!("{}{path}", sim.base));
    let request = request.bearer_auth(&token).timeout(Duration::from_millis(50));
    let gone = request.json(&json!({"action": "UNLOCK"})).send().await;
    assert!(gone.unwrap_err().is_timeout());
    assert_eq!(sim.executed().await, 0);
    // Held reads of the same car pass the time.
    let hold = json!({"faults": [{"kind": "hold", "hold_ms": 50, "on": "read"}], "repeat": true});
    sim.set_faults(&car, hold).await;
    for _ in 0..200 {
        sim.get(&token, &path).await;
        if sim.executed().await == 1 {
            return;
        }
    }
    panic!("the command was given up with its client");
}
