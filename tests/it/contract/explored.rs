//! Schemathesis thinks of requests to everything that is described; each caller has a turn, and between them they reach every
//! operation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use keylend::clock::Clock as _;
use serde_json::json;
use tokio::process::Command;

use super::reached::Reached;
use super::{said, tool};
use crate::support::{Actor, TestApp, on_both};

/// What is there for requests to name: for all operations, and for those that would use it up.
#[derive(Default)]
struct Things {
    common: BTreeMap<&'static str, String>,
    own: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
}

impl Things {
    fn common(&mut self, parameter: &'static str, id: &str) {
        self.common.insert(parameter, id.to_owned());
    }

    fn own(&mut self, operation: &'static str, parameter: &'static str, id: &str) {
        self.own.entry(operation).or_default().insert(parameter, id.to_owned());
    }

    /// As Schemathesis reads it.
    fn config(&self) -> String {
        let members = |named: &BTreeMap<&str, String>| {
            let each = named.iter().map(|(name, id)| format!("\"path.{name}\" = \"{id}\""));
            each.collect::<Vec<_>>().join(", ")
        };
        let mut config = format!("parameters = {{ {} }}\n", members(&self.common));
        for (operation, named) in &self.own {
            let named = self.common.clone().into_iter().chain(named.clone()).collect();
            let named = members(&named);
            writeln!(config, "\n[[operations]]\ninclude-name = \"{operation}\"").unwrap();
            writeln!(config, "parameters = {{ {named} }}").unwrap();
        }
        config
    }
}

/// How much is tried.
#[derive(Clone, Copy)]
struct Effort {
    phases: &'static str,
    examples: u32,
}

const MUCH: Effort = Effort { phases: "examples,coverage,fuzzing", examples: 20 };
const SOME: Effort = Effort { phases: "examples,coverage,fuzzing", examples: 5 };
const LITTLE: Effort = Effort { phases: "examples,coverage", examples: 1 };

/// Lets one caller try everything, or what the others have not reached; what was reached is added.
async fn explore(app: &TestApp, authorization: &str, effort: Effort, reached: &mut Reached) {
    let har = app.folder().join("explored.har");
    let mut schemathesis = Command::new(tool("venv/bin/schemathesis"));
    schemathesis
        .args(["--config-file", "schemathesis.toml", "run"])
        .arg(format!("{}/openapi.yaml", app.url()))
        .args(["--header", &format!("Authorization: {authorization}")])
        // One worker: the parser of Python 3.11 that it uses is not safe in several threads.
        .args(["--phases", effort.phases, "--workers", "1", "--seed", "1"])
        .args(["--max-examples", &effort.examples.to_string(), "--generation-database", "none"])
        .args(["--checks", "all", "--report", "har", "--report-har-path"])
        .arg(&har)
        // A request of the right shape may still be refused: addresses, passwords and cursors
        // have rules beyond JSON Schema, and ids must name something that is there.
        .args(["--exclude-checks", "positive_data_acceptance"])
        // These would end the session that all other requests rest on, or its account.
        .args(["--exclude-path", "/v1/sessions/current", "--exclude-path", "/v1/users/me/password"])
        .arg("--no-color");
    for operation in reached.only() {
        schemathesis.args(["--include-operation-id", operation]);
    }
    let explored = schemathesis.current_dir(app.folder()).kill_on_drop(true).output();
    let explored = explored.await.unwrap();
    assert!(explored.status.success(), "{}", said(&explored));
    reached.add(&std::fs::read(&har).unwrap());
}

/// Somebody without credentials, who was made an account for.
async fn bystander(admin: &Actor, name: &str) -> String {
    let body = json!({ "email": format!("{name}@story.example"), "display_name": name });
    admin.post("/v1/users", body).await.expect(201).text("user_id")
}

/// Everything that requests name, and the holder of a grant.
async fn things(app: &TestApp, owner: &Actor, guest: &Actor) -> (Things, Actor) {
    let admin = app.admin().await;
    let mut things = Things::default();
    let lend = async || owner.lend(app, guest).await;
    let (grant_id, car) = (lend().await, &owner.vehicles[0]);
    let holder = guest.holder_of(&grant_id).await;
    let command_id = holder.command(car, "unlock").await.expect(200).text("command_id");
    things.common("grant_id", &grant_id);
    things.common("vehicle_id", car);
    things.common("command_id", &command_id);
    let uuid = car.parse::<keylend::domain::id::VehicleId>().unwrap().as_uuid();
    things.common("id", &uuid.hyphenated().to_string());
    let car_now = owner.get(&format!("/v1/vehicles/{car}")).await.expect(200);
    things.common("connection_id", &car_now.text("connection_id"));
    let entries = admin.get(&format!("/v1/audit-entries?grant_id={grant_id}")).await.expect(200);
    things.common("entry_id", entries.list("entry_id").last().unwrap());
    things.common("user_id", &bystander(&admin, "bystander").await);
    let body = json!({ "name": "Doomed", "scopes": [] });
    let api_client = admin.post("/v1/api-clients", body.clone()).await.expect(201);
    things.common("api_client_id", &api_client.text("api_client_id"));
    let sessions = admin.get("/v1/users/me/sessions").await.expect(200).list("session_id");
    things.common("session_id", &sessions[0]);
    let hold = json!({ "scope": { "grant_id": lend().await }, "reason": "a test" });
    things.common("hold_id", &owner.post("/v1/holds", hold).await.expect(201).text("hold_id"));
    let asked = json!({ "not_after": app.clock.now().plus(Duration::from_secs(9000)) });
    let request = format!("/v1/grants/{grant_id}/extension-requests");
    let request = guest.post(&request, asked).await.expect(201);
    things.common("extension_request_id", &request.text("extension_request_id"));
    let endpoint = json!({ "url": "https://localhost:8443/" });
    let endpoint = admin.post("/v1/webhook-endpoints", endpoint).await.expect(201);
    things.common("webhook_endpoint_id", &endpoint.text("webhook_endpoint_id"));
    things.common("code", "grant_expired");
    things.common("part", "tires");
    things.common("reading", "odometer");
    things.own("GET /v2.0/vehicles/{id}/{part}/{reading}", "reading", "pressure");
    things.own("GET /v3/vehicles/{id}/signals/{code}", "code", "closure-islocked");
    // Each of these uses up what it is about.
    for operation in ["revoke", "relinquish", "switch-vehicle"] {
        let operation = format!("POST /v1/grants/{{grant_id}}/{operation}");
        things.own(operation.leak(), "grant_id", &lend().await);
    }
    for (operation, name) in [
        ("POST /v1/users/{user_id}/disable", "disabled"),
        ("DELETE /v1/users/{user_id}/personal-data", "erased"),
    ] {
        things.own(operation, "user_id", &bystander(&admin, name).await);
    }
    things.own("DELETE /v1/vehicles/{vehicle_id}", "vehicle_id", &owner.vehicles[1]);
    let started = owner.post("/v1/connections", json!({})).await.expect(201);
    let operation = "DELETE /v1/connections/{connection_id}";
    things.own(operation, "connection_id", &started.text("connection_id"));
    let api_client = admin.post("/v1/api-clients", body).await.expect(201);
    let operation = "POST /v1/api-clients/{api_client_id}/revoke";
    things.own(operation, "api_client_id", &api_client.text("api_client_id"));
    (things, holder)
}

on_both! {
    async fn no_request_brings_an_answer_that_is_not_described(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let (things, holder) = things(app, &owner, &guest).await;
        std::fs::write(app.folder().join("schemathesis.toml"), things.config()).unwrap();
        let bearer = |actor: &Actor| format!("Bearer {}", actor.token.as_ref().unwrap());
        let mut reached = Reached::nothing();
        explore(app, &bearer(&admin), MUCH, &mut reached).await;
        explore(app, &bearer(&holder), SOME, &mut reached).await;
        for actor in [&owner, &guest] {
            reached.only_what_is_missed();
            explore(app, &bearer(actor), LITTLE, &mut reached).await;
        }
        println!("MISSED {:#?}", reached.missed());
        // What was tried has broken nothing.
        holder.command(&owner.vehicles[0], "unlock").await.expect(200);
        owner.get("/readyz").await.expect(200);
        assert_eq!(app.http.post(format!("{}/v1/users", app.url())).json(&json!({})).send().await.unwrap().status(), 401);
        assert!(reached.missed().is_empty());
    }
}
