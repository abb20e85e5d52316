//! The vehicle cloud of a story: the simulator on a socket of its own, never stopped before the
//! story is over. Its journal is the truth about what cars did.

use std::path::PathBuf;
use std::sync::Arc;

use keylend::clock::ManualClock;
use keylend::entropy::SeededEntropy;
use keylend::simulator::{self, Fleet, Options};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::app::http_client;

pub(crate) struct Cloud {
    pub(crate) url: String,
    http: reqwest::Client,
    _stop: DropGuard,
}

impl Cloud {
    pub(crate) async fn start(clock: Arc<ManualClock>, journal: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let options = Options {
            fleet: Fleet::default(),
            auto_approve: true,
            journal: Some(journal),
            ..Options::default()
        };
        let entropy = Arc::new(SeededEntropy::from_seed(77));
        let served = simulator::serve(listener, options, clock, entropy, stop.clone());
        #[expect(clippy::disallowed_methods, reason = "it ends with the guard")]
        tokio::spawn(served);
        Self { url, http: http_client(), _stop: stop.drop_guard() }
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// What the cars really did: `{at, vehicle_id, action, request_id}` each.
    pub(crate) async fn journal(&self) -> Vec<Value> {
        self.get("/_sim/journal").await["commands"].as_array().unwrap().clone()
    }

    /// How many commands the cars executed.
    pub(crate) async fn journal_length(&self) -> usize {
        self.get("/_sim/journal?count=true").await["count"].as_u64().unwrap() as usize
    }

    /// The cars: `{id, make, model, year, is_locked}` each.
    pub(crate) async fn cars(&self) -> Vec<Value> {
        self.get("/_sim/vehicles").await["vehicles"].as_array().unwrap().clone()
    }

    /// Makes a car misbehave: a list of `{"kind": …, "on": "command" | "read" | "any"}`.
    pub(crate) async fn script(&self, car: &str, faults: Value) {
        let url = format!("{}/_sim/vehicles/{car}/faults", self.url);
        let body = serde_json::json!({ "faults": faults });
        let answer = self.http.put(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The same for every car.
    pub(crate) async fn script_all(&self, faults: &Value) {
        for car in self.cars().await {
            self.script(car["id"].as_str().unwrap(), faults.clone()).await;
        }
    }

    /// Takes every consent and token back.
    pub(crate) async fn forget_consents(&self) {
        let url = format!("{}/_sim/consents", self.url);
        assert!(self.http.delete(url).send().await.unwrap().status().is_success());
    }
}
