//! The main job through Smartcar's own clients: an app that was written for Smartcar
//! uses a car through Keylend by taking a digital key for its access token.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{ROOT, installed, tools};
use crate::support::{TestApp, on_both};

/// A client and the program that tells the main job with it.
enum Sdk {
    Node,
    Python,
}

impl Sdk {
    fn command(&self) -> Command {
        let tools = tools();
        let stories = Path::new(ROOT).join("tests/sdk");
        match self {
            Self::Node => {
                let package = installed(tools.join("node/node_modules/smartcar"));
                let mut command = Command::new("node");
                command.arg(stories.join("main_job.mjs")).env("SMARTCAR_FOLDER", package);
                command
            }
            Self::Python => {
                let mut command = Command::new(installed(tools.join("venv/bin/python")));
                command.arg(stories.join("main_job.py"));
                command
            }
        }
    }
}

/// A running program, step by step.
struct Telling {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Telling {
    fn start(sdk: &Sdk, url: &str, grant_token: &str) -> Self {
        let mut command = sdk.command();
        command.env("SMARTCAR_API_ORIGIN", url).env("GRANT_TOKEN", grant_token);
        // The service is on this machine, whatever the machine's way to others is.
        command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program starts: scripts/install-test-tools");
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, lines }
    }

    /// The next step, which must be this one.
    async fn step(&mut self, name: &str) -> Value {
        let line = self.lines.next_line().await.unwrap();
        let line = line.unwrap_or_else(|| panic!("the program ended before the step {name}"));
        let told: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(told["step"], name, "{told}");
        told
    }

    /// The next step, which must be a refusal of this type in the client's own words.
    async fn refused(&mut self, name: &str, status: u16, error_type: &str) -> Value {
        let told = self.step(name).await;
        assert_eq!(
            (&told["statusCode"], &told["type"]),
            (&json!(status), &json!(error_type)),
            "{told}"
        );
        assert!(is_uuid(&told["requestId"]), "{told}");
        told
    }

    async fn go_on(&mut self) {
        self.stdin.write_all(b"\n").await.unwrap();
    }

    async fn end(mut self) {
        self.step("done").await;
        assert_eq!(self.lines.next_line().await.unwrap(), None);
        assert!(self.child.wait().await.unwrap().success());
    }
}

fn is_uuid(value: &Value) -> bool {
    value.as_str().is_some_and(|text| uuid::Uuid::try_parse(text).is_ok())
}

/// What the cars did so far.
async fn actions(app: &TestApp) -> Vec<Value> {
    app.cloud.journal().await.iter().map(|entry| entry["action"].clone()).collect()
}

/// An app lists, reads, unlocks and locks the car, and is refused as soon as the key is revoked.
async fn main_job(app: &TestApp, sdk: Sdk) {
    let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
    let car = owner.vehicles[0].clone();
    let shown = owner.get(&format!("/v1/vehicles/{car}")).await.expect(200).body;
    let grant_id = owner.lend(app, &guest).await;
    let grant_token = guest.holder_of(&grant_id).await.token.unwrap();
    let mut app_of_guest = Telling::start(&sdk, app.url(), &grant_token);

    let listed = app_of_guest.step("vehicles").await;
    assert_eq!(listed["paging"], json!({ "count": 1, "offset": 0 }));
    let id = listed["vehicles"][0].clone();
    assert!(is_uuid(&id), "{listed}");
    assert_eq!(listed["vehicles"], json!([id]));

    let attributes = app_of_guest.step("attributes").await;
    assert_eq!(attributes["id"], id);
    for member in ["make", "model", "year"] {
        assert_eq!(attributes[member], shown[member], "{attributes}");
    }
    let cars = app.cloud.cars().await;
    let same = |car: &&Value| car["make"] == shown["make"] && car["model"] == shown["model"];
    let cloud_id = cars.iter().find(same).unwrap()["id"].clone();
    let permissions = app_of_guest.step("permissions").await;
    let expected = json!(["control_security", "read_security", "read_vehicle_info"]);
    assert_eq!(permissions["permissions"], expected);

    let seen = app_of_guest.step("lock_status").await;
    assert_eq!((&seen["isLocked"], &seen["areLists"]), (&json!(true), &json!(true)), "{seen}");
    for (action, is_locked) in [("unlock", false), ("lock", true), ("unlock", false)] {
        let done = app_of_guest.step(action).await;
        assert_eq!(done["status"], "success", "{done}");
        assert!(done["message"].is_string() && is_uuid(&done["requestId"]), "{done}");
        // The program does not wait for us, so it is asked what it saw, not what is now.
        assert_eq!(app_of_guest.step("lock_status").await["isLocked"], is_locked);
    }

    app_of_guest.refused("altered", 401, "AUTHENTICATION").await;
    app_of_guest.refused("altered", 401, "AUTHENTICATION").await;
    let other = app_of_guest.refused("other_vehicle", 403, "PERMISSION").await;
    assert!(other["description"].as_str().unwrap().contains("vehicle_mismatch"), "{other}");

    app_of_guest.step("waiting").await;
    assert_eq!(actions(app).await, ["UNLOCK", "LOCK", "UNLOCK"]);
    let is_locked = |cars: Vec<Value>| {
        cars.into_iter().find(|car| car["id"] == cloud_id).unwrap()["is_locked"].clone()
    };
    assert_eq!(is_locked(app.cloud.cars().await), false);
    let revoke = format!("/v1/grants/{grant_id}/revoke");
    admin.post(&revoke, json!({ "reason": "the trip is over" })).await.expect(200);

    app_of_guest.go_on().await;
    for _ in ["unlock", "lock"] {
        let refused = app_of_guest.refused("revoked", 403, "PERMISSION").await;
        assert!(refused["description"].as_str().unwrap().contains("grant_revoked"), "{refused}");
    }
    for _ in ["attributes", "lock status", "vehicles"] {
        app_of_guest.refused("revoked", 403, "PERMISSION").await;
    }
    app_of_guest.end().await;

    let journal = app.cloud.journal().await;
    assert_eq!(actions(app).await, ["UNLOCK", "LOCK", "UNLOCK"]);
    assert!(journal.iter().all(|entry| entry["vehicle_id"] == cloud_id), "{journal:?}");
    assert_eq!(is_locked(app.cloud.cars().await), false);
    let events = admin.events_of(&car).await;
    let count = |name: &str| events.iter().filter(|event| *event == name).count();
    assert_eq!((count("command.authorized"), count("command.refused")), (3, 2), "{events:?}");
}

on_both! {
    async fn an_app_written_with_smartcars_node_sdk_runs_unchanged(app) {
        main_job(app, Sdk::Node).await;
    }

    async fn an_app_written_with_smartcars_python_sdk_runs_unchanged(app) {
        main_job(app, Sdk::Python).await;
    }
}
