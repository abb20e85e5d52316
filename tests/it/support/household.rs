//! Service and vehicle cloud as processes of their own, and one person: the owner of a car, who
//! administers the service too.

use serde_json::json;

use super::Actor;
use super::people::PASSWORD;
use super::program::{Running, Terminal};

/// Everything that runs.
pub(crate) struct Household {
    pub(crate) terminal: Terminal,
    pub(crate) service: Running,
    /// Where the service is: `127.0.0.1:PORT`.
    pub(crate) address: String,
    pub(crate) cloud: Running,
    pub(crate) cloud_url: String,
    /// The one person, signed in.
    pub(crate) admin: Actor,
    /// Their car.
    pub(crate) car: String,
}

impl Household {
    /// Starts cloud and service, on an SQLite file if no address of a server is given, and connects
    /// a car.
    pub(crate) async fn start(database_url: Option<&str>) -> Self {
        let mut terminal = Terminal::open();
        let mut cloud = terminal.start(&["simulate", "--listen", "127.0.0.1:0", "--auto-approve"]);
        let cloud_url = cloud.after("simulated vehicle cloud at").await;
        let address = free_address();
        terminal.export("KEYLEND_SIMULATOR_URL", &cloud_url);
        terminal.export("KEYLEND_LISTEN", &address);
        terminal.export("KEYLEND_SMARTCAR_TIMEOUT_S", "2");
        if let Some(url) = database_url {
            terminal.export("KEYLEND_DATABASE_URL", url);
        }
        terminal.run(&["migrate"]).await.well();
        let admin = ["admin", "create", "--organization", "x", "--email", "a@example.com"];
        let admin = [&admin[..], &["--password-stdin"]].concat();
        terminal.run_with(&admin, PASSWORD).await.well();
        let mut service = terminal.start(&["serve"]);
        service.logged_after("public_url=").await;

        let visitor = Actor::visiting(&format!("http://{address}"));
        let body = json!({ "email": "a@example.com", "password": PASSWORD });
        let session = visitor.post("/v1/sessions", body).await.expect(201);
        let admin = visitor.with_token(session.text("access_token"));
        let started = admin.post("/v1/connections", json!({})).await.expect(201);
        let consent = admin.get(&started.text("authorize_url")).await.expect(302);
        let back = consent.headers["location"].to_str().unwrap();
        admin.come_back(back).await;
        let car = admin.get("/v1/vehicles").await.expect(200).list("vehicle_id").remove(0);
        Self { terminal, service, address, cloud, cloud_url, admin, car }
    }

    /// How often cars were told something.
    pub(crate) async fn executed(&self) -> u64 {
        let count = format!("{}/_sim/journal?count=true", self.cloud_url);
        self.admin.get(&count).await.body["count"].as_u64().unwrap()
    }

    /// Ends both programs as a supervisor does.
    pub(crate) async fn finish(self) {
        assert!(self.service.terminate().await.success());
        assert!(self.cloud.terminate().await.success());
    }
}

/// An address that was free a moment ago: the service must be told its own name before it starts.
pub(crate) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
