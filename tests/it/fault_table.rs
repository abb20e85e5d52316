//! Everything that can go wrong upstream, and the outcome that each must give for lock, for unlock
//! and for a read, in both versions of the API. What the service says is held against the journal
//! of the cars: nothing is called failed that was executed, nothing confirmed that was not, and no
//! command is executed twice.

use std::time::Duration;

use keylend::config::{ApiVersions, Config};
use serde_json::{Value, json};

use crate::support::{Actor, TestApp, on_both};

/// What a command must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The cloud took it.
    Acknowledged,
    /// It provably did not happen.
    Failed,
    /// It may have happened.
    Unknown,
}
use Outcome::{Acknowledged, Failed, Unknown};

/// A fault of the cloud, the outcome of a command, and whether a read succeeds.
type Row = (&'static str, Value, Outcome, bool);

fn error(name: &'static str, outcome: Outcome) -> Row {
    let (kind, code) = name.split_once('/').map_or((name, None), |(kind, code)| (kind, Some(code)));
    (name, json!({ "kind": "error", "type": kind, "code": code }), outcome, false)
}

fn status(name: &'static str, code: u16, body: Value, outcome: Outcome) -> Row {
    (name, json!({ "kind": "status", "code": code, "body": body }), outcome, false)
}

/// Answers that the cloud's documentation lists (protocol page, section 3).
fn documented() -> Vec<Row> {
    let mut rows: Vec<Row> = [
        "PERMISSION",
        "VALIDATION",
        "RESOURCE_NOT_FOUND/PATH",
        "RESOURCE_NOT_FOUND/VERSION",
        "VEHICLE_STATE/ASLEEP",
        "VEHICLE_STATE/UNREACHABLE",
        "VEHICLE_STATE/IN_MOTION",
        "VEHICLE_STATE/IGNITION_ON",
        "VEHICLE_STATE/CHARGING_IN_PROGRESS",
        "VEHICLE_STATE/DOOR_OPEN",
        "VEHICLE_STATE/REMOTE_ACCESS_DISABLED",
        "VEHICLE_STATE/LOW_BATTERY",
        "VEHICLE_STATE/UNKNOWN",
        "RATE_LIMIT/SMARTCAR_API",
        "RATE_LIMIT/VEHICLE",
        "BILLING/VEHICLE_LIMIT",
        "BILLING/ACCOUNT_SUSPENDED",
        "COMPATIBILITY/MAKE_NOT_COMPATIBLE",
        "COMPATIBILITY/SMARTCAR_NOT_CAPABLE",
        "COMPATIBILITY/VEHICLE_NOT_CAPABLE",
        "COMPATIBILITY/PLATFORM_NOT_CAPABLE",
        "CONNECTED_SERVICES_ACCOUNT/ACCOUNT_ISSUE",
        "CONNECTED_SERVICES_ACCOUNT/AUTHENTICATION_FAILED",
        "CONNECTED_SERVICES_ACCOUNT/SUBSCRIPTION",
        "CONNECTED_SERVICES_ACCOUNT/VIRTUAL_KEY_REQUIRED",
    ]
    .map(|name| error(name, Failed))
    .to_vec();
    rows.extend(
        [
            "SERVER/INTERNAL",
            "SERVER/MULTIPLE_RECORDS_FOUND",
            "SERVER/RECORD_NOT_FOUND",
            "UPSTREAM/INVALID_DATA",
            "UPSTREAM/KNOWN_ISSUE",
            "UPSTREAM/NO_RESPONSE",
            "UPSTREAM/RATE_LIMIT",
            "UPSTREAM/UNKNOWN_ISSUE",
        ]
        .map(|name| error(name, Unknown)),
    );
    rows
}

/// What no documentation lists.
fn undocumented() -> Vec<Row> {
    let plain = |name: &'static str, outcome, read| (name, json!({ "kind": name }), outcome, read);
    let html = json!("<html>Bad gateway</html>");
    vec![
        ("slow", json!({ "kind": "delay", "delay_ms": 20 }), Acknowledged, true),
        ("slow answer", json!({ "kind": "hold", "hold_ms": 20 }), Acknowledged, true),
        ("no answer in time", json!({ "kind": "hold" }), Unknown, false),
        plain("refuse", Failed, false),
        // A token that is not accepted is replaced once.
        plain("unauthorized", Acknowledged, true),
        plain("executed_then_no_answer", Unknown, false),
        plain("executed_then_500", Unknown, false),
        plain("garbage", Unknown, false),
        plain("truncated", Unknown, false),
        plain("oversized", Unknown, false),
        plain("html", Unknown, false),
        plain("no_content", Unknown, false),
        plain("wrong_type", Unknown, false),
        plain("missing_field", Unknown, false),
        plain("duplicate_keys", Unknown, false),
        plain("redirect", Unknown, false),
        // The cloud lies: nothing in its answer tells.
        plain("acknowledged_not_executed", Acknowledged, true),
        (
            "an unknown error",
            json!({ "kind": "unknown_error", "type": "NEW", "status": 409 }),
            Failed,
            false,
        ),
        (
            "an unknown failure",
            json!({ "kind": "unknown_error", "type": "NEW", "status": 500 }),
            Unknown,
            false,
        ),
        status("400 in html", 400, html.clone(), Failed),
        status("404 without a body", 404, json!(""), Failed),
        status("408", 408, html.clone(), Unknown),
        status("429 without a type", 429, json!({}), Failed),
        status("418", 418, json!(null), Failed),
        status("500 in html", 500, html.clone(), Unknown),
        status("502 in html", 502, html.clone(), Unknown),
        status("503 in html", 503, html.clone(), Failed),
        status("504 in html", 504, html, Unknown),
        status("201", 201, json!({ "status": "success" }), Unknown),
        status("200 that is an error", 200, json!({ "type": "UPSTREAM" }), Unknown),
        status("200 that is a list", 200, json!([]), Unknown),
        status("200 that is null", 200, json!(null), Unknown),
        (
            "executed, then 409",
            json!({ "kind": "executed_then_status", "code": 500, "body": { "type": "SERVER" } }),
            Unknown,
            false,
        ),
    ]
}

/// Answers whose head is sent before the outcome is known: API v3 alone.
fn accepted_late() -> Vec<Row> {
    let late = |name, outcome: Value, expected| {
        (
            name,
            json!({ "kind": "accepted_late", "after_ms": 20, "outcome": outcome }),
            expected,
            true,
        )
    };
    vec![
        late("202, then success", json!("success"), Acknowledged),
        late("202, then asleep", json!({ "type": "VEHICLE_STATE", "code": "ASLEEP" }), Failed),
        late(
            "202, then no response",
            json!({ "type": "UPSTREAM", "code": "NO_RESPONSE" }),
            Unknown,
        ),
        late("202, then failure", json!("failure"), Unknown),
    ]
}

struct Scene<'a> {
    app: &'a TestApp,
    owner: Actor,
    car: String,
    id: String,
    wrong: Vec<String>,
}

impl Scene<'_> {
    /// One command under one fault.
    async fn command(&mut self, row: &Row, action: &str) {
        let (name, fault, expected, _) = row;
        let is_locked = action == "unlock";
        self.app.cloud.script(&self.id, json!([])).await;
        self.app.cloud.adjust(&self.id, json!({ "is_locked": is_locked })).await;
        self.app.cloud.script(&self.id, json!([fault])).await;
        let before = self.app.cloud.journal_length().await;
        let said = self.owner.command(&self.car, action).await;
        let executed = self.app.cloud.journal_length().await - before;
        let (expected, is_told) = match expected {
            Acknowledged => ("acknowledged", said.status == 200),
            Failed => ("failed", said.status >= 400),
            Unknown => ("unknown", said.status == 202),
        };
        let said = said.command();
        let status = said.text("status");
        let mut complain = |what: String| self.wrong.push(format!("{name}, {action}: {what}"));
        if status != expected || !is_told {
            complain(format!("{} {status}, not {expected}: {}", said.status, said.body));
        }
        if executed > 1 || (status == "failed" && executed > 0) {
            complain(format!("{status}, and executed {executed} times"));
        }
        if status != "acknowledged" && said.body["user_message"].is_null() {
            complain("nothing for the person at the car".to_owned());
        }
        self.app.idle().await;
        self.mend().await;
        self.app.cloud.script(&self.id, json!([])).await;
        self.app.settle().await;
        let path = format!("/v1/commands/{}", said.text("command_id"));
        let settled = self.owner.get(&path).await.expect(200).text("status");
        let after = self.app.cloud.journal_length().await - before;
        if after != executed {
            self.wrong.push(format!("{name}, {action}: sent again"));
        }
        if settled == "confirmed" && executed == 0 {
            self.wrong.push(format!("{name}, {action}: confirmed and never executed"));
        }
    }

    /// One read under one fault, which strikes every attempt.
    async fn read(&mut self, row: &Row) {
        let (name, fault, _, succeeds) = row;
        let mut fault = fault.clone();
        fault["on"] = json!("read");
        self.app.advance(Duration::from_secs(20));
        let times = if *name == "unauthorized" { 1 } else { 3 };
        self.app.cloud.script(&self.id, json!(vec![fault; times])).await;
        let read = self.owner.get(&format!("/v1/vehicles/{}/lock-status", self.car)).await;
        if (read.status == 200) != *succeeds {
            self.wrong.push(format!("{name}, read: {} {}", read.status, read.body));
        }
        if read.status == 500 {
            self.wrong.push(format!("{name}, read: {}", read.body));
        }
        self.app.idle().await;
        self.app.cloud.script(&self.id, json!([])).await;
        self.mend().await;
    }

    /// Brings a suspended car back, as its owner would.
    async fn mend(&self) {
        let shown = self.owner.get(&format!("/v1/vehicles/{}", self.car)).await.expect(200);
        if shown.body["permissions"] == json!([]) {
            // The cloud said it twice: the consent is gone.
            self.app.connect(&mut self.owner.clone()).await;
            return;
        }
        if shown.body["suspended_reason"].is_null() {
            return;
        }
        let path = format!("/v1/connections/{}/reauthenticate", shown.text("connection_id"));
        let started = self.owner.post(&path, json!({})).await.expect(200);
        self.app.pass_consent(&started.text("reauthenticate_url")).await.expect(200);
    }
}

async fn hold(app: &TestApp, more: Vec<Row>) {
    let owner = app.owner().await;
    let car = owner.vehicles[0].clone();
    let id = app.cloud.car_of(app, &car).await["id"].as_str().unwrap().to_owned();
    let mut scene = Scene { app, owner, car, id, wrong: Vec::new() };
    let rows: Vec<Row> = documented().into_iter().chain(undocumented()).chain(more).collect();
    assert!(rows.len() >= 40);
    for row in &rows {
        scene.owner = crate::api::again(app, &scene.owner, "owner").await;
        scene.command(row, "unlock").await;
        scene.command(row, "lock").await;
        scene.read(row).await;
    }
    assert!(scene.wrong.is_empty(), "{}", scene.wrong.join("\n"));
}

fn v3(config: &mut Config) {
    config.smartcar.api_versions = ApiVersions::V3Only;
    config.smartcar.timeout = Duration::from_millis(500);
}

fn v2(config: &mut Config) {
    config.smartcar.api_versions = ApiVersions::V2Only;
    config.smartcar.timeout = Duration::from_millis(500);
}

on_both! { as v3;
    async fn every_fault_has_its_outcome_in_v3(app) {
        hold(app, accepted_late()).await;
    }
}

on_both! { as v2;
    async fn every_fault_has_its_outcome_in_v2(app) {
        hold(app, Vec::new()).await;
    }
}
