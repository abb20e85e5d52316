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

    /// The car that the service knows under this id, as it is now.
    pub(crate) async fn car_of(&self, app: &super::TestApp, vehicle_id: &str) -> Value {
        let vehicle_id: keylend::domain::id::VehicleId = vehicle_id.parse().unwrap();
        let mut reader = app.service().base.store.read().await.unwrap();
        let known =
            keylend::storage::decisions::vehicles(&mut reader, &[vehicle_id]).await.unwrap();
        let id = known[0].provider_vehicle_id.clone();
        self.cars().await.into_iter().find(|car| car["id"] == id).unwrap()
    }

    /// An access token of the cloud itself, for everything, as an app without Keylend gets it.
    pub(crate) async fn access_token(&self) -> String {
        let scope = keylend::smartcar::permission::ALL.join(" ");
        let asked = [
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", "http://127.0.0.1:9/back"),
            ("scope", &scope),
            ("state", "s"),
        ];
        let url = format!("{}/oauth/authorize", self.url);
        let answer = self.http.get(url).query(&asked).send().await.unwrap();
        let back = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", "http://127.0.0.1:9/back"),
        ];
        let url = format!("{}/oauth/token", self.url);
        let answer = self.http.post(url).basic_auth("app", Some("secret")).form(&form);
        let pair: Value = answer.send().await.unwrap().json().await.unwrap();
        pair["access_token"].as_str().unwrap().to_owned()
    }

    /// Everybody takes their consent to each car back.
    pub(crate) async fn withdraw_consents(&self) {
        for car in self.cars().await {
            self.withdraw(car["id"].as_str().unwrap()).await;
        }
    }

    /// Changes a car as its driver would.
    pub(crate) async fn adjust(&self, car: &str, changes: Value) {
        let url = format!("{}/_sim/vehicles/{car}", self.url);
        let answer = self.http.patch(url).json(&changes).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
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

    /// Registers a webhook as an operator does in the dashboard; returns the status.
    pub(crate) async fn register_webhook(&self, receiver: &str) -> u16 {
        let url = format!("{}/_sim/webhooks", self.url);
        let body = serde_json::json!({ "url": receiver });
        self.http.post(url).json(&body).send().await.unwrap().status().as_u16()
    }

    /// Has the only webhook hear of the state of a car, as the cloud would by itself.
    pub(crate) async fn announce(&self, car: &str) {
        let webhooks = self.get("/_sim/webhooks").await;
        let id = webhooks["webhooks"][0]["id"].as_str().unwrap();
        let url = format!("{}/_sim/webhooks/{id}/deliver", self.url);
        let body = serde_json::json!({ "vehicle_id": car, "event": "state" });
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The consents that stand.
    async fn consents(&self) -> Vec<Value> {
        self.get("/_sim/consents").await["consents"].as_array().unwrap().clone()
    }

    /// How many cars are shared with anybody.
    pub(crate) async fn consented_cars(&self) -> usize {
        self.consents().await.len()
    }

    /// The cloud's id of the owner.
    pub(crate) async fn user_id(&self) -> String {
        self.consents().await[0]["user_id"].as_str().unwrap().to_owned()
    }

    /// The owner takes this car back; tokens live on.
    pub(crate) async fn withdraw(&self, car: &str) {
        let url = format!("{}/_sim/consents/{car}", self.url);
        assert!(self.http.delete(url).send().await.unwrap().status().is_success());
    }

    /// The owner permits exactly this for the car from now on.
    pub(crate) async fn permit(&self, car: &str, permissions: &[&str]) {
        let url = format!("{}/_sim/consents/{car}", self.url);
        let body = serde_json::json!({ "permissions": permissions });
        let answer = self.http.patch(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// No application gets a token any more.
    pub(crate) async fn refuse_tokens(&self) {
        let url = format!("{}/_sim/token-faults", self.url);
        let fault = serde_json::json!({ "kind": "refuse", "on": "client_credentials" });
        let body = serde_json::json!({ "faults": [fault], "repeat": true });
        let answer = self.http.put(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Takes every consent and token back.
    pub(crate) async fn forget_consents(&self) {
        let url = format!("{}/_sim/consents", self.url);
        assert!(self.http.delete(url).send().await.unwrap().status().is_success());
    }
}
