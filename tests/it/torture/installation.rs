//! A service on a database of its own with a vehicle cloud, each in processes of their own. The
//! cloud is never hurt: what its journal says is what happened.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use keylend::storage::Location;
use serde_json::{Value, json};

use super::process::Process;
use crate::support::app::http_client;
use crate::support::databases::Database;
use crate::support::people::PASSWORD;
use crate::support::postgres::cluster;
use crate::support::program::Terminal;

/// How many cars there are.
const CARS: &str = "12";
/// What the vehicle cloud does, in turn, with what a car is told: mostly it takes a little while,
/// so that there is something in flight whenever a process ends.
const MANNERS: &[(&str, u64)] = &[
    ("delay", 5),
    ("delay", 20),
    ("delay", 1),
    ("executed_then_no_answer", 0),
    ("delay", 40),
    ("delay", 10),
    ("refuse", 0),
    ("delay", 2),
    ("delay", 80),
    ("executed_then_500", 0),
    ("delay", 15),
    ("garbage", 0),
    ("delay", 30),
];

/// The name by which browsers and tokens know the service, wherever it listens.
pub(crate) const PUBLIC_URL: &str = "https://keylend.test";

pub(crate) struct Installation {
    terminal: Terminal,
    cloud: Process,
    pub(crate) cloud_url: String,
    pub(crate) location: Location,
    /// Where each instance listens.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Addresses that were free a moment ago: instances come back to theirs.
fn free_addresses(count: usize) -> Vec<SocketAddr> {
    let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners: Vec<TcpListener> = (0..count).map(|_| bind()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

/// Says what there is to set, and makes the tables, the keys and two organizations.
async fn set_up(terminal: &mut Terminal, url: &str) {
    for (name, value) in [
        ("KEYLEND_DATABASE_URL", url),
        ("KEYLEND_PUBLIC_URL", PUBLIC_URL),
        ("KEYLEND_SMARTCAR_TIMEOUT_S", "1"),
        ("KEYLEND_CALLER_REQUESTS_BURST", "1000000"),
        ("KEYLEND_GRANT_REQUESTS_BURST", "1000000"),
        ("KEYLEND_VEHICLE_REQUESTS_BURST", "1000000"),
        ("KEYLEND_VEHICLE_REQUESTS_PER_MINUTE", "1000000"),
        ("KEYLEND_APPLICATION_REQUESTS_BURST", "1000000"),
        ("KEYLEND_APPLICATION_REQUESTS_PER_MINUTE", "1000000"),
        ("KEYLEND_VISITS_PER_SECOND", "100000"),
        ("KEYLEND_LOG", "error,keylend::cli::serve=info"),
    ] {
        terminal.export(name, value);
    }
    terminal.run(&["migrate"]).await.well();
    for (organization, email) in [("Story", "admin@story.example"), ("Else", "admin@else.example")]
    {
        let create = ["admin", "create", "--organization", organization, "--email", email];
        let create = [&create[..], &["--password-stdin"]].concat();
        terminal.run_with(&create, PASSWORD).await.well();
    }
}

impl Installation {
    /// Makes an installation with so many instances, in a database of its own.
    pub(crate) async fn new(database: Database, instances: usize) -> Self {
        let terminal = Terminal::open();
        let url = match database {
            Database::Sqlite => {
                format!("sqlite:{}", terminal.folder().join("keylend.db").display())
            }
            Database::Postgres => {
                tokio::task::spawn_blocking(|| cluster().create_database(None)).await.unwrap()
            }
        };
        Self::on(terminal, &url, instances).await
    }

    /// The same in the empty database at this URL.
    pub(crate) async fn at(url: &str, instances: usize) -> Self {
        Self::on(Terminal::open(), url, instances).await
    }

    /// Starts the cloud and no service.
    async fn on(mut terminal: Terminal, url: &str, instances: usize) -> Self {
        set_up(&mut terminal, url).await;
        let simulate =
            ["simulate", "--listen", "127.0.0.1:0", "--auto-approve", "--vehicles", CARS];
        let mut simulate = terminal.command(&simulate);
        simulate.args(["--journal", "journal.jsonl"]);
        let cloud = Process::start(simulate, "simulated vehicle cloud at").await;
        let cloud_url = cloud.ready.clone();
        terminal.export("KEYLEND_SIMULATOR_URL", &cloud_url);
        let location = url.parse().unwrap();
        let addresses = free_addresses(instances);
        let installation = Self { terminal, cloud, cloud_url, location, addresses };
        installation.teach_manners().await;
        installation
    }

    async fn teach_manners(&self) {
        let http = http_client();
        let cars = http.get(format!("{}/_sim/vehicles", self.cloud_url)).send().await.unwrap();
        let cars: Value = cars.json().await.unwrap();
        let faults = MANNERS.iter().map(|&(kind, delay_ms)| match kind {
            "delay" => json!({ "kind": kind, "delay_ms": delay_ms }),
            _ => json!({ "kind": kind }),
        });
        let mut faults: Vec<Value> = faults.collect();
        for car in cars["vehicles"].as_array().unwrap() {
            // No two cars begin at the same place.
            faults.rotate_left(1);
            let url =
                format!("{}/_sim/vehicles/{}/faults", self.cloud_url, car["id"].as_str().unwrap());
            let script = json!({ "faults": faults, "repeat": true });
            let answer = http.put(url).json(&script).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        }
    }

    /// Starts an instance, which may have a failpoint armed, and waits until it listens.
    pub(crate) async fn serve(&self, instance: usize, failpoint: Option<&str>) -> Process {
        let mut serve = self.terminal.command(&["serve"]);
        serve.env("KEYLEND_LISTEN", self.addresses[instance].to_string());
        if let Some(failpoint) = failpoint {
            serve.env("KEYLEND_FAILPOINT", failpoint);
        }
        Process::start(serve, "public_url=").await
    }

    /// Where an instance is reached.
    pub(crate) fn url(&self, instance: usize) -> String {
        format!("http://{}", self.addresses[instance])
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.terminal.folder().join("keylend.keys")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.terminal.folder().join("journal.jsonl")
    }

    /// Ends the cloud, and keeps everything for whoever wants to look at it.
    pub(crate) async fn keep(self) -> PathBuf {
        self.cloud.terminate().await;
        self.terminal.keep()
    }
}
