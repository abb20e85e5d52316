//! Webhooks as their receivers see them: the challenge, first deliveries, news, repetitions, and
//! what no honest cloud would send.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Fleet, Options, SCOPE, Sim, every_permission, start};
use crate::simulator::FleetCar;
use crate::simulator::cloud::courier::Seal;

const LOCKED: &str = "closure-islocked";

#[derive(Clone)]
struct Door {
    seal: Arc<Seal>,
    mail: UnboundedSender<Letter>,
    /// What the next letters are answered with; 204 when there is nothing left.
    answers: Arc<Mutex<VecDeque<u16>>>,
}

struct Letter {
    event: Value,
    body: Vec<u8>,
    signature: Option<String>,
    is_genuine: bool,
}

struct Receiver {
    url: String,
    mail: UnboundedReceiver<Letter>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

async fn receive(State(door): State<Door>, headers: HeaderMap, body: bytes::Bytes) -> Response {
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(headers["user-agent"], "Smartcar/1.0");
    assert_eq!(headers["content-type"], "application/json");
    let signature = headers.get("sc-signature").map(|text| text.to_str().unwrap().to_owned());
    let challenge = event["data"]["challenge"].as_str().or(event["payload"]["challenge"].as_str());
    if let Some(challenge) = challenge {
        assert!(challenge.len() == 32 && signature.is_none());
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        assert!(challenge.chars().all(is_hex));
        let proof = door.seal.of(challenge.as_bytes());
        return Json(json!({ "challenge": proof })).into_response();
    }
    let is_genuine = signature.as_deref() == Some(&door.seal.of(&body));
    door.mail.send(Letter { event, body: body.to_vec(), signature, is_genuine }).unwrap();
    let answer = door.answers.lock().unwrap().pop_front().unwrap_or(204);
    axum::http::StatusCode::from_u16(answer).unwrap().into_response()
}

impl Receiver {
    #[expect(clippy::disallowed_methods, reason = "a test's own server task")]
    async fn open(management_token: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, mail) = unbounded_channel();
        let answers = Arc::default();
        let door = Door {
            seal: Arc::new(Seal::new(management_token)),
            mail: sender,
            answers: Arc::clone(&answers),
        };
        let app = Router::new().route("/hook", routing::post(receive)).with_state(door);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, mail, answers }
    }

    async fn next(&mut self) -> Letter {
        let next = tokio::time::timeout(Duration::from_secs(20), self.mail.recv());
        next.await.expect("a letter in time").unwrap()
    }

    fn is_empty(&mut self) -> bool {
        self.mail.try_recv().is_err()
    }
}

impl Sim {
    async fn register(&self, receiver: &Receiver, more: Value) -> (u16, Value) {
        let mut body = more;
        body["url"] = json!(receiver.url);
        self.post("", "/_sim/webhooks", body).await
    }

    async fn deliver(&self, webhook: &Value, body: Value) -> Value {
        let path = format!("/_sim/webhooks/{}/deliver", webhook["id"].as_str().unwrap());
        let (status, answer) = self.post("", &path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

/// One car, so that letters come in an order that can be told.
async fn one_car() -> Sim {
    let car: FleetCar =
        serde_json::from_value(json!({"make": "Tesla", "model": "One", "year": 2022, "id": "c1"}))
            .unwrap();
    start(Options {
        auto_approve: true,
        fleet: Fleet::from_cars(vec![car]).unwrap(),
        webhook_retries: Some(vec![Duration::from_millis(5); 3]),
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn a_webhook_that_knows_the_secret_hears_what_cars_say() {
    let sim = one_car().await;
    let token = sim.connect(SCOPE).await.access_token;
    let thief = Receiver::open("another secret").await;
    let (status, body) = sim.register(&thief, json!({})).await;
    assert_eq!((status, &body["type"]), (400, &json!("VALIDATION")));
    assert_eq!(sim.get_json("", "/_sim/webhooks").await, json!({"webhooks": []}));
    let mut receiver = Receiver::open("simulated-token-of-webhooks").await;
    let (status, body) = sim.register(&receiver, json!({"signals": ["no-such"]})).await;
    assert_eq!(status, 400, "{body}");
    let (status, webhook) = sim.register(&receiver, json!({"signals": [LOCKED]})).await;
    assert_eq!((status, &webhook["version"]), (201, &json!("4.0")));

    let first = receiver.next().await;
    assert!(first.is_genuine);
    let event = &first.event;
    assert_eq!(event["eventType"], "VEHICLE_STATE");
    assert_eq!(event["data"]["triggers"], json!([{"code": "FIRST_DELIVERY"}]));
    assert_eq!(event["vehicleId"], "c1");
    assert_eq!(event["data"]["vehicle"]["make"], "TESLA");
    let user = sim.get_json(&token, "/v2.0/user").await;
    assert_eq!(event["data"]["user"], user);
    assert_eq!(
        (&event["meta"]["webhookId"], &event["meta"]["mode"]),
        (&webhook["id"], &json!("LIVE"))
    );
    assert_eq!(
        (&event["meta"]["signalCount"], &event["meta"]["version"]),
        (&json!(1), &json!("4.0"))
    );
    assert_eq!(event["data"]["signals"][0]["body"], json!({"value": true}));

    // Locking a locked car is no news.
    for action in ["LOCK", "UNLOCK"] {
        assert_eq!(sim.command(&token, "c1", action).await.unwrap().status(), 200);
    }
    let news = receiver.next().await.event;
    let trigger = json!([{"code": LOCKED, "name": "IsLocked", "group": "Closure"}]);
    assert_eq!(news["data"]["triggers"], trigger);
    assert_eq!(news["data"]["signals"][0]["body"], json!({"value": false}));
    let now = crate::clock::Clock::now(&*sim.clock).as_unix_micros() / 1000;
    assert_eq!(news["data"]["signals"][0]["meta"]["oemUpdatedAt"], now);
    assert_eq!(news["meta"]["deliveredAt"], now);
    assert_ne!(news["eventId"], event["eventId"]);
    sim.adjust("c1", json!({"is_locked": true})).await;
    assert_eq!(receiver.next().await.event["data"]["signals"][0]["body"]["value"], true);

    let path = format!("/_sim/webhooks/{}", webhook["id"].as_str().unwrap());
    assert_eq!(sim.send("DELETE", "", &path, Value::Null).await.0, 204);
    assert_eq!(sim.send("DELETE", "", &path, Value::Null).await.0, 404);
    sim.command(&token, "c1", "UNLOCK").await.unwrap();
    assert!(receiver.is_empty());
}

#[tokio::test]
async fn an_event_comes_again_until_it_is_taken() {
    let sim = one_car().await;
    sim.connect(&every_permission()).await;
    let mut receiver = Receiver::open("simulated-token-of-webhooks").await;
    receiver.answers.lock().unwrap().extend([500, 302, 404, 204]);
    let (_, webhook) = sim.register(&receiver, json!({})).await;
    let mut deliveries = Vec::new();
    let mut events = Vec::new();
    for _ in 0..4 {
        let letter = receiver.next().await;
        assert!(letter.is_genuine);
        deliveries.push(letter.event["meta"]["deliveryId"].to_string());
        events.push(letter.event["eventId"].to_string());
        // JavaScript writes what it has parsed in the same way.
        assert!(!String::from_utf8(letter.body).unwrap().contains(".0,"));
    }
    deliveries.sort();
    deliveries.dedup();
    events.dedup();
    assert_eq!((deliveries.len(), events.len()), (4, 1));
    receiver.answers.lock().unwrap().extend([500; 4]);
    let by_hand = json!({"vehicle_id": "c1", "event": "state"});
    let answer = sim.deliver(&webhook, by_hand.clone()).await;
    assert_eq!(answer["status"], 500);
    for _ in 0..4 {
        assert_eq!(receiver.next().await.event["eventId"], answer["event_id"]);
    }
    let answer = sim.deliver(&webhook, by_hand).await;
    assert_eq!(answer["status"], 204);
    // Four attempts are all there are.
    assert_eq!(receiver.next().await.event["eventId"], answer["event_id"]);
    let shown = sim.get_json("", "/_sim/webhooks").await;
    assert_eq!(
        (&shown["webhooks"][0]["failed"], &shown["webhooks"][0]["delivered"]),
        (&json!(7), &json!(2))
    );
}

#[tokio::test]
async fn a_hostile_hand_can_send_what_no_cloud_would() {
    let sim = one_car().await;
    let mut receiver = Receiver::open("simulated-token-of-webhooks").await;
    let (_, webhook) = sim.register(&receiver, json!({"signals": [LOCKED]})).await;
    sim.connect(SCOPE).await;
    let first = receiver.next().await;
    let state = |tamper: &str| json!({"vehicle_id": "c1", "event": "state", "tamper": tamper});
    sim.deliver(&webhook, state("replay")).await;
    let again = receiver.next().await;
    assert_eq!((again.body, again.signature), (first.body, first.signature));
    sim.deliver(&webhook, state("signature")).await;
    let forged = receiver.next().await;
    assert!(!forged.is_genuine && forged.signature.unwrap().len() == 64);
    for (tamper, by) in [("old", -3_600_000), ("early", 60_000)] {
        sim.deliver(&webhook, state(tamper)).await;
        let letter = receiver.next().await;
        let meta = &letter.event["data"]["signals"][0]["meta"];
        let [updated, retrieved] = ["oemUpdatedAt", "retrievedAt"].map(|at| meta[at].as_i64());
        assert!(letter.is_genuine && updated.unwrap() - retrieved.unwrap() == by, "{tamper}");
    }
    let error =
        json!({"type": "CONNECTED_SERVICES_ACCOUNT", "code": "SUBSCRIPTION", "state": "RESOLVED"});
    let body = json!({"vehicle_id": "c1", "event": "error", "error": error});
    let answer = sim.deliver(&webhook, body).await;
    let told = receiver.next().await.event;
    assert_eq!(
        (&told["eventId"], &told["eventType"]),
        (&answer["event_id"], &json!("VEHICLE_ERROR"))
    );
    let told = &told["data"]["errors"][0];
    assert_eq!((&told["code"], &told["state"]), (&json!("SUBSCRIPTION"), &json!("RESOLVED")));
    assert!(told["docURL"].is_string() && told["resolution"].is_object());
    let path = format!("/_sim/webhooks/{}/deliver", webhook["id"].as_str().unwrap());
    for wrong in [
        json!({"vehicle_id": "c1", "event": "error"}),
        json!({"vehicle_id": "c1", "event": "error", "error": {"type": "MOOD"}}),
        json!({"vehicle_id": "c1", "event": "party"}),
    ] {
        assert_eq!(sim.post("", &path, wrong).await.0, 400);
    }
}

#[tokio::test]
async fn trouble_with_accounts_and_consents_is_told() {
    let sim = one_car().await;
    let mut receiver = Receiver::open("simulated-token-of-webhooks").await;
    let (_, webhook) = sim.register(&receiver, json!({"signals": [LOCKED]})).await;
    let token = sim.connect(SCOPE).await.access_token;
    receiver.next().await;
    let account = "/_sim/vehicles/c1/account";
    let wrong = json!({"error": "CONNECTED_SERVICES_ACCOUNT", "code": "AUTHENTICATION_FAILED"});
    let mut errors = Vec::new();
    for method in ["PUT", "PUT", "DELETE"] {
        sim.send(method, "", account, wrong.clone()).await;
        // Saying the same again is no news.
        if errors.len() != 1 || method == "DELETE" {
            let told = receiver.next().await.event["data"]["errors"][0].clone();
            errors.push((told["code"].clone(), told["state"].clone()));
        }
    }
    let failed = json!("AUTHENTICATION_FAILED");
    assert_eq!(errors, [(failed.clone(), json!("ERROR")), (failed, json!("RESOLVED"))]);

    sim.send("PATCH", "", "/_sim/consents/c1", json!({"permissions": ["read_vin"]})).await;
    let mut told = [receiver.next().await.event, receiver.next().await.event];
    told.sort_by_key(|event| event["eventType"].to_string());
    assert_eq!(told[0]["data"]["errors"][0]["type"], "PERMISSION");
    assert_eq!(told[1]["data"]["signals"][0]["status"]["error"]["type"], "PERMISSION");
    assert!(told[1]["data"]["signals"][0].get("body").is_none());
    sim.send("DELETE", "", "/_sim/consents/c1", Value::Null).await;
    assert_eq!(receiver.next().await.event["data"]["errors"][0]["state"], "ERROR");
    sim.command(&token, "c1", "UNLOCK").await.unwrap();
    let token = sim.connect(SCOPE).await.access_token;
    let first = receiver.next().await.event;
    assert_eq!(first["data"]["triggers"][0]["code"], "FIRST_DELIVERY");

    let subscription = format!("/v2.0/vehicles/c1/webhooks/{}", webhook["id"].as_str().unwrap());
    assert_eq!(sim.send("DELETE", &token, &subscription, json!({})).await.0, 401);
    let ended = sim
        .send("DELETE", "simulated-token-of-webhooks", &format!("{subscription}/"), json!({}))
        .await;
    assert_eq!(ended, (200, json!({"status": "success"})));
    sim.command(&token, "c1", "UNLOCK").await.unwrap();
    let (status, body) = sim.send("POST", &token, &subscription, Value::Null).await;
    assert_eq!((status, body), (200, json!({"vehicleId": "c1", "webhookId": webhook["id"]})));
    let first = receiver.next().await.event;
    assert_eq!(first["data"]["triggers"][0]["code"], "FIRST_DELIVERY");
    assert_eq!(first["data"]["signals"][0]["body"]["value"], false);
}

#[tokio::test]
async fn a_webhook_of_version_2_is_told_in_its_words() {
    let sim = one_car().await;
    sim.connect(&every_permission()).await;
    let mut receiver = Receiver::open("simulated-token-of-webhooks").await;
    let (status, webhook) = sim.register(&receiver, json!({"version": "2.0"})).await;
    assert_eq!(status, 201);
    let letter = receiver.next().await;
    assert!(letter.is_genuine);
    let event = letter.event;
    assert_eq!((&event["version"], &event["eventName"]), (&json!("2.0"), &json!("schedule")));
    assert_eq!((&event["webhookId"], &event["mode"]), (&webhook["id"], &json!("live")));
    let car = &event["payload"]["vehicles"][0];
    assert_eq!(car["vehicleId"], "c1");
    assert_eq!(
        (&car["data"][0]["path"], &car["data"][0]["code"]),
        (&json!("/security"), &json!(200))
    );
    assert_eq!(car["data"][0]["body"]["isLocked"], true);
    let wrong = json!({"error": "CONNECTED_SERVICES_ACCOUNT", "code": "SUBSCRIPTION"});
    sim.send("PUT", "", "/_sim/vehicles/c1/account", wrong).await;
    let event = receiver.next().await.event;
    assert_eq!(event["payload"]["vehicles"][0]["data"][0]["body"]["code"], "SUBSCRIPTION");
}
