//! A vehicle cloud, a service and an owner with three cars, each process as it runs in the world.

use std::future::Future;
use std::time::Duration;

use keylend::clock::{Clock as _, SystemClock};
use keylend::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::checker::History;
use crate::checker::history::Answer;
use crate::support::people::PASSWORD;
use crate::support::program::Running;
use crate::support::{Actor, Reply, Terminal};

/// Longer than anything takes that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The world around a service.
pub(crate) struct Stage {
    pub(crate) terminal: Terminal,
    cloud_url: String,
    cloud: Running,
    visitor: Actor,
}

/// A running service.
pub(crate) struct Instance {
    pub(crate) running: Running,
    pub(crate) url: String,
}

impl Stage {
    /// A cloud, a migrated database at this URL (a file if there is none) and an administrator.
    pub(crate) async fn open(database_url: Option<&str>) -> Self {
        Self::with_cars(3, database_url).await
    }

    /// The same with so many cars.
    pub(crate) async fn with_cars(count: usize, database_url: Option<&str>) -> Self {
        let mut terminal = Terminal::open();
        let count = count.to_string();
        let simulate =
            ["simulate", "--listen", "127.0.0.1:0", "--auto-approve", "--vehicles", &count];
        let mut cloud = terminal.start(&simulate);
        let cloud_url = cloud.after("simulated vehicle cloud at").await;
        terminal.export("KEYLEND_SIMULATOR_URL", &cloud_url);
        terminal.export("KEYLEND_LISTEN", "127.0.0.1:0");
        terminal.export("KEYLEND_PUBLIC_URL", "https://keys.example.com");
        terminal.export("KEYLEND_SMARTCAR_TIMEOUT_S", "2");
        for name in ["CALLER", "GRANT", "VEHICLE"] {
            terminal.export(&format!("KEYLEND_{name}_REQUESTS_BURST"), "100000");
        }
        if let Some(url) = database_url {
            terminal.export("KEYLEND_DATABASE_URL", url);
        }
        terminal.run(&["migrate"]).await.well();
        let admin = ["admin", "create", "--organization", "x", "--email", "a@example.com"];
        let admin = [&admin[..], &["--password-stdin"]].concat();
        terminal.run_with(&admin, PASSWORD).await.well();
        let visitor = Actor::visiting(&cloud_url);
        Self { terminal, cloud_url, cloud, visitor }
    }

    /// Starts a service, with more settings than the stage has.
    pub(crate) async fn serve(&self, settings: &[(&str, &str)]) -> Instance {
        self.serve_with(&["serve"], settings).await
    }

    /// The same with these arguments.
    pub(crate) async fn serve_with(
        &self,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Instance {
        let mut running = self.terminal.start_with(arguments, settings);
        let logged = running.logged_after("address=").await;
        let address = logged.split_whitespace().next().unwrap();
        Instance { url: format!("http://{address}"), running }
    }

    /// The administrator, signed in.
    pub(crate) async fn sign_in(&self, service: &Instance) -> Actor {
        let visitor = Actor::visiting(&service.url);
        let body = json!({ "email": "a@example.com", "password": PASSWORD });
        let session = visitor.post("/v1/sessions", body).await.expect(201);
        visitor.with_token(session.text("access_token"))
    }

    /// The administrator as the owner of three cars.
    pub(crate) async fn owner(&self, service: &Instance) -> Actor {
        let mut owner = self.sign_in(service).await;
        let started = owner.post("/v1/connections", json!({})).await.expect(201);
        let consent = owner.get(&started.text("authorize_url")).await.expect(302);
        let back = consent.headers["location"].to_str().unwrap();
        // The public address leads nowhere: the browser is sent to the instance itself.
        let back = back.replace("https://keys.example.com", &service.url);
        owner.come_back(&back).await;
        owner.vehicles = owner.get("/v1/vehicles").await.expect(200).list("vehicle_id");
        owner
    }

    /// How many commands the cars executed.
    pub(crate) async fn executed(&self) -> u64 {
        self.ask("/_sim/journal?count=true").await["count"].as_u64().unwrap()
    }

    pub(crate) async fn ask(&self, path: &str) -> Value {
        self.visitor.get(path).await.expect(200).body
    }

    /// Makes every car hold its next answer back.
    pub(crate) async fn hold_answers(&self, hold_ms: u64) {
        for car in self.ask("/_sim/vehicles").await["vehicles"].as_array().unwrap() {
            let faults =
                format!("{}/_sim/vehicles/{}/faults", self.cloud_url, car["id"].as_str().unwrap());
            let hold = json!({ "faults": [{ "kind": "hold", "hold_ms": hold_ms }] });
            let request = self.visitor.request(reqwest::Method::PUT, &faults).json(&hold);
            assert!(request.send().await.unwrap().status().is_success());
        }
    }

    /// Ends one service well.
    pub(crate) async fn close_one(&self, service: Instance) {
        assert!(service.running.terminate().await.success());
    }

    /// Ends everything well: nothing was left undone that a supervisor would notice.
    pub(crate) async fn close(self, services: Vec<Instance>) {
        for service in services {
            assert!(service.running.terminate().await.success());
        }
        assert!(self.cloud.terminate().await.success());
    }
}

const DAY: i64 = 24 * 60 * 60;

/// The beginning of the day by the machine's clock, by which programs go: the same all day, for requests that are repeated.
pub(crate) fn today() -> Timestamp {
    let now = SystemClock::start().now().as_unix_micros() / 1_000_000;
    Timestamp::from_unix_seconds(now.div_euclid(DAY) * DAY).unwrap()
}

/// Two days later: it has not begun when the day is nearly over.
pub(crate) fn tomorrow() -> Timestamp {
    today().plus(Duration::from_secs(2 * 24 * 60 * 60))
}

/// Asks until there is an answer, and not for ever.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("never came: {what}"))
}

/// Asks until the answer has this status, and shows the last one that had not.
pub(crate) async fn until_status<F: Future<Output = Reply>>(
    status: u16,
    mut ask: impl FnMut() -> F,
) -> Reply {
    let last = std::sync::Mutex::new(None);
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            let reply = ask().await;
            if reply.status == status {
                return reply;
            }
            *last.lock().unwrap() = Some(reply);
            tokio::task::yield_now().await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("never {status}, but {last:?}"))
}

/// Waits until the service says that it is ready, or that one of its checks fails.
pub(crate) async fn until_ready(service_url: &str, is_ready: bool) -> Reply {
    let visitor = Actor::visiting(service_url);
    let status = if is_ready { 200 } else { 503 };
    until_status(status, || visitor.get("/readyz")).await
}

/// Nobody who was told of a fault of the service was told anything but to come again later. What a car did not do is no
/// fault of the service.
pub(crate) fn assert_turned_away_well(history: &History) {
    for request in &history.requests {
        let is_fault = |answer: &&Answer| answer.status >= 500 && !answer.is_success();
        let fault = request.answer.as_ref().filter(is_fault);
        let well = |answer: &Answer| answer.is_turning_away() && answer.body["retryable"] == true;
        assert!(fault.is_none_or(well), "{request:?}");
    }
}

/// A refusal that a client can wait out: a problem document with `Retry-After`.
#[track_caller]
pub(crate) fn assert_wait(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert!(reply.headers.contains_key("retry-after"), "{:?}", reply.headers);
    assert_eq!(reply.body["retryable"], true);
}
