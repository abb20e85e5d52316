//! The programs of `examples/smartcar-sdk`: every call that Smartcar's page for a maker shows, in
//! five languages, each result compared with the simulated car. Ruby's gem is in no registry that
//! the tests can reach, so the requests that it sends are replayed.

use std::process::Stdio;
use std::sync::Arc;

use keylend::clock::ManualClock;
use keylend::config::{ApiVersions, Config};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{ROOT, installed, tools};
use crate::support::cloud::Cloud;
use crate::support::{EVERYTHING, TestApp, on_both};

/// What each call tells, and where the simulator shows the same.
const TOLD: &[(&str, &[(&str, &str)])] = &[
    ("vehicles", &[("/vehicles/0", "/id")]),
    ("attributes", &[("/id", "/id"), ("/make", "/make"), ("/model", "/model"), ("/year", "/year")]),
    ("vin", &[("/vin", "/vin")]),
    ("location", &[("/latitude", "/location/latitude"), ("/longitude", "/location/longitude")]),
    ("odometer", &[("/distance", "/odometer/distance")]),
    (
        "battery",
        &[("/percentRemaining", "/battery/percentRemaining"), ("/range", "/battery/range")],
    ),
    ("battery_capacity", &[("/capacity", "/battery_capacity/capacity")]),
    ("charge", &[("/isPluggedIn", "/charge/isPluggedIn"), ("/state", "/charge/state")]),
    (
        "fuel",
        &[
            ("/amountRemaining", "/fuel/amountRemaining"),
            ("/percentRemaining", "/fuel/percentRemaining"),
            ("/range", "/fuel/range"),
        ],
    ),
    (
        "tire_pressure",
        &[
            ("/frontLeft", "/tire_pressure/frontLeft"),
            ("/frontRight", "/tire_pressure/frontRight"),
            ("/backLeft", "/tire_pressure/backLeft"),
            ("/backRight", "/tire_pressure/backRight"),
        ],
    ),
    ("engine_oil", &[("/lifeRemaining", "/engine_oil/lifeRemaining")]),
    ("lock_status", &[("/isLocked", "/is_locked")]),
    ("signals", &[("/odometer", "/odometer/distance")]),
    ("signal", &[("/isLocked", "/is_locked")]),
    ("vehicle", &[("/id", "/id"), ("/make", "/make"), ("/model", "/model"), ("/year", "/year")]),
    ("unlock", &[]),
    ("lock", &[]),
    ("start_charge", &[]),
    ("stop_charge", &[]),
    ("set_charge_limit", &[]),
    ("charge_limit", &[("/limit", "/charge_limit/limit")]),
    ("odometer_imperial", &[("/distance", "/odometer_miles")]),
    ("batch", &[("/odometer", "/odometer/distance"), ("/attributes/id", "/id")]),
    ("permissions", &[]),
    ("refused", &[]),
];

/// The calls that act, as the journal of the cars names them.
const ACTIONS: &[(&str, &str)] = &[
    ("unlock", "UNLOCK"),
    ("lock", "LOCK"),
    ("start_charge", "START_CHARGE"),
    ("stop_charge", "STOP_CHARGE"),
    ("set_charge_limit", "SET_CHARGE_LIMIT"),
];

/// The reads of API v3.
const V3_READS: [&str; 3] = ["signals", "signal", "vehicle"];
/// What Java's and Go's clients do not have.
const LACKED: &[&str] =
    &["lock_status", "signals", "signal", "vehicle", "set_charge_limit", "charge_limit"];

#[derive(Debug, Clone, Copy)]
enum Language {
    Node,
    Python,
    Java,
    Go,
    Ruby,
}

impl Language {
    const ALL: [Self; 5] = [Self::Node, Self::Python, Self::Java, Self::Go, Self::Ruby];

    /// Calls that this client does not have in the version that its registry offers. What Ruby's
    /// sends to read v3 is not recorded.
    fn lacks(self) -> &'static [&'static str] {
        match self {
            Self::Java | Self::Go => LACKED,
            Self::Ruby => &V3_READS,
            Self::Node | Self::Python => &[],
        }
    }

    /// The program; `None` for the one whose requests are replayed.
    fn command(self) -> Option<Command> {
        let examples = format!("{ROOT}/examples/smartcar-sdk");
        Some(match self {
            Self::Node => {
                let package = installed(tools().join("node/node_modules"));
                let mut command = Command::new("node");
                command.arg(format!("{examples}/node/main.js"));
                command.env("NODE_PATH", package);
                command
            }
            Self::Python => {
                let mut command = Command::new(installed(tools().join("venv/bin/python")));
                command.arg(format!("{examples}/python/main.py"));
                command
            }
            Self::Java => {
                let jars = installed(tools().join("java"));
                let mut command = Command::new("java");
                command.arg("-cp").arg(format!("{}/*", jars.display())).arg("Main");
                command
            }
            Self::Go => Command::new(installed(tools().join("go/smartcar-sdk"))),
            Self::Ruby => return None,
        })
    }
}

/// Runs a program and reads the line of each call.
async fn run(language: Language, url: &str, token: &str) -> Vec<Value> {
    let Some(mut command) = language.command() else { return replay(url, token).await };
    command.env("KEYLEND_URL", url).env("ACCESS_TOKEN", token);
    // The service is on this machine, whatever the machine's way to others is.
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("the program starts: scripts/install-test-tools");
    let (out, err) = (String::from_utf8(output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{language:?}: {out:?}\n{err}");
    out.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Sends the requests that Ruby's client sends, and tells of the answers what it would.
async fn replay(url: &str, token: &str) -> Vec<Value> {
    let recorded = format!("{ROOT}/examples/smartcar-sdk/ruby/requests.json");
    let recorded: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(recorded).unwrap()).unwrap();
    let http = crate::support::app::http_client();
    let mut lines: Vec<Value> = Vec::new();
    for request in recorded {
        let text = |member: &str| request[member].as_str().unwrap_or_default();
        let first = lines.first().and_then(|line| line["vehicles"][0].as_str()).unwrap_or_default();
        let path = text("path").replace("{id}", first);
        let method = Method::from_bytes(text("method").as_bytes()).unwrap();
        let mut sent = http.request(method, format!("{url}{path}")).bearer_auth(token);
        for (name, value) in request["headers"].as_object().unwrap() {
            sent = sent.header(name, value.as_str().unwrap());
        }
        if let Some(body) = request["body"].as_str() {
            sent = sent.body(body.to_owned());
        }
        let answer = sent.send().await.unwrap();
        let status = answer.status().as_u16();
        let mut line: Value = answer.json().await.unwrap();
        let expected = if text("call") == "refused" { 403 } else { 200 };
        assert_eq!(status, expected, "{path}: {line}");
        if text("call") == "batch" {
            let bodies = line["responses"].clone();
            line = json!({
                "odometer": bodies[0]["body"]["distance"],
                "attributes": bodies[1]["body"],
            });
        }
        line["call"] = request["call"].clone();
        lines.push(line);
        if text("call") == "lock_status" {
            lines.extend(V3_READS.map(|call| json!({ "call": call, "unsupported": true })));
        }
    }
    lines
}

/// Whether two values are the same, but for the rounding of a number on its way.
fn alike(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= 0.01 * other.abs().max(0.01),
        _ => one == other,
    }
}

/// Compares what was told with the car. `id` is the name under which the app knows it.
fn check(language: Language, lines: &[Value], mut car: Value, id: &str) {
    car["odometer_miles"] = json!(car["odometer"]["distance"].as_f64().unwrap() / 1.609_344);
    car["charge_limit"] = json!({ "limit": 0.8 });
    car["id"] = json!(id);
    let called: Vec<&str> = lines.iter().map(|line| line["call"].as_str().unwrap()).collect();
    let expected: Vec<&str> = TOLD.iter().map(|(call, _)| *call).collect();
    assert_eq!(called, expected, "{language:?}");
    for ((call, members), line) in TOLD.iter().zip(lines) {
        let unsupported = line["unsupported"] == true;
        assert_eq!(unsupported, language.lacks().contains(call), "{language:?}: {line}");
        if unsupported {
            continue;
        }
        for (member, truth) in *members {
            let (told, expected) = (line.pointer(member), car.pointer(truth));
            let same = told.zip(expected).is_some_and(|(told, expected)| alike(told, expected));
            assert!(same, "{language:?} {call}{member}: {told:?}, not {expected:?}");
        }
        match *call {
            "permissions" => {
                let given = line["permissions"].as_array().unwrap();
                assert!(given.contains(&json!("read_battery")), "{language:?}: {line}");
            }
            "refused" => {
                let told = (&line["type"], &line["statusCode"]);
                let by_text = line["text"] == "Forbidden";
                let refused = told == (&json!("PERMISSION"), &json!(403));
                assert!(refused || by_text, "{language:?}: {line}");
            }
            call if ACTIONS.iter().any(|(action, _)| *action == call) => {
                assert_eq!(line["status"], "success", "{language:?}: {line}");
            }
            _ => {}
        }
    }
}

/// What the cars did since there were so many entries.
async fn actions_since(cloud: &Cloud, before: usize) -> Vec<Value> {
    let journal = cloud.journal().await;
    journal[before..].iter().map(|entry| entry["action"].clone()).collect()
}

fn expected_actions(language: Language) -> Vec<Value> {
    let does = |(call, _): &&(&str, &str)| !language.lacks().contains(call);
    ACTIONS.iter().filter(does).map(|(_, action)| json!(action)).collect()
}

/// Every program with a digital key: the app needs nothing but another address.
async fn through_keylend(app: &TestApp) {
    let (owner, guest) = (app.generous_owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let everything = json!({ "entitlements": EVERYTHING });
    let lent = owner.lend_with(app, &guest, everything).await.expect(201);
    let holder = guest.holder_of(&lent.text("grant_id")).await;
    let id: keylend::domain::id::VehicleId = car.parse().unwrap();
    let id = id.as_uuid().hyphenated().to_string();
    let token = holder.token.unwrap();
    for language in Language::ALL {
        let (truth, before) = (app.cloud.car_of(app, &car).await, app.cloud.journal_length().await);
        let lines = run(language, app.url(), &token).await;
        check(language, &lines, truth, &id);
        assert_eq!(
            actions_since(&app.cloud, before).await,
            expected_actions(language),
            "{language:?}"
        );
        app.advance(std::time::Duration::from_secs(20));
    }
}

fn v3_only(config: &mut Config) {
    config.smartcar.api_versions = ApiVersions::V3Only;
}

fn v2_only(config: &mut Config) {
    config.smartcar.api_versions = ApiVersions::V2Only;
}

on_both! { as v3_only;
    async fn five_sdks_work_while_keylend_speaks_v3_upstream(app) {
        through_keylend(app).await;
    }
}

on_both! { as v2_only;
    async fn five_sdks_work_while_keylend_speaks_v2_upstream(app) {
        through_keylend(app).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_programs_work_against_the_simulator_itself() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(crate::support::app::the_beginning()));
    let cloud = Cloud::start(clock, folder.path().join("journal.jsonl")).await;
    for language in Language::ALL {
        let token = cloud.access_token().await;
        let (truth, before) = (cloud.cars().await.remove(0), cloud.journal_length().await);
        let id = truth["id"].as_str().unwrap().to_owned();
        let lines = run(language, &cloud.url, &token).await;
        check(language, &lines, truth, &id);
        assert_eq!(actions_since(&cloud, before).await, expected_actions(language), "{language:?}");
    }
}
