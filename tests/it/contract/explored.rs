//! Schemathesis thinks of requests to everything that is described; each caller has a turn, and between them they reach every
//! operation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keylend::clock::Clock as _;
use keylend::domain::entitlement::Entitlement;
use serde_json::json;
use tokio::process::Command;

use super::reached::{BEFORE_IT_BEGINS, NOT_THEIRS, Reached};
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

/// One caller's turn.
struct Turn<'a> {
    authorization: String,
    phases: &'static str,
    examples: u32,
    /// Operations that it must not try, because they end what the others rest on.
    except: &'a [&'a str],
    /// If any is named, it tries these alone.
    only: Vec<String>,
}

impl Turn<'_> {
    /// Everything but what would end the session that all other requests rest on, or the grant.
    fn much(authorization: &str, examples: u32) -> Self {
        let except = &[
            "sessions.end",
            "users.change_password",
            "smartcar_v2.disconnect",
            "smartcar_v2.delete_connections",
        ];
        let phases = "examples,coverage,fuzzing";
        Self { authorization: authorization.to_owned(), phases, examples, except, only: Vec::new() }
    }

    /// These alone.
    fn only(authorization: &str, only: Vec<String>) -> Self {
        let authorization = authorization.to_owned();
        Self { authorization, phases: "examples,coverage", examples: 1, except: &[], only }
    }

    async fn take(self, app: &TestApp, reached: &mut Reached) {
        let har = app.folder().join("explored.har");
        let mut schemathesis = Command::new(tool("venv/bin/schemathesis"));
        schemathesis
            .args(["--config-file", "schemathesis.toml", "run"])
            .arg(format!("{}/openapi.yaml", app.url()))
            .args(["--header", &format!("Authorization: {}", self.authorization)])
            // One worker: the parser of Python 3.11 that it uses is not safe in several threads.
            .args(["--phases", self.phases, "--workers", "1", "--seed", "1"])
            .args(["--max-examples", &self.examples.to_string(), "--generation-database", "none"])
            // A request of the right shape may still be refused: addresses, passwords and cursors
            // have rules beyond JSON Schema, and ids must name something that is there.
            .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
            .args(["--report", "har", "--no-color", "--report-har-path"])
            .arg(&har);
        for id in self.except {
            schemathesis.args(["--exclude-operation-id", id]);
        }
        for id in &self.only {
            schemathesis.args(["--include-operation-id", id]);
        }
        let explored = schemathesis.current_dir(app.folder()).kill_on_drop(true).output();
        let explored = explored.await.unwrap();
        assert!(explored.status.success(), "{}", said(&explored));
        reached.add(&std::fs::read(&har).unwrap());
    }
}

/// How somebody shows who they are.
fn bearer(actor: &Actor) -> String {
    format!("Bearer {}", actor.token.as_ref().unwrap())
}

/// A grant token where Smartcar wants a management token.
fn basic(holder: &Actor) -> String {
    format!("Basic {}", STANDARD.encode(format!("default:{}", holder.token.as_ref().unwrap())))
}

/// Somebody without credentials, who was made an account for.
async fn bystander(admin: &Actor, name: &str) -> String {
    let body = json!({ "email": format!("{name}@story.example"), "display_name": name });
    admin.post("/v1/users", body).await.expect(201).text("user_id")
}

/// An owner whose consent is for everything that can be granted.
async fn lender(app: &TestApp) -> Actor {
    let mut owner = app.member("lender").await;
    let body = json!({ "entitlements": Entitlement::ALL });
    let started = owner.post("/v1/connections", body).await.expect(201);
    app.consent(&owner, &started).await;
    owner.vehicles = owner.get("/v1/vehicles").await.expect(200).list("vehicle_id");
    owner
}

/// Everything that requests name, and the holder of a grant.
async fn things(app: &TestApp, owner: &Actor, guest: &Actor) -> (Things, Actor) {
    let admin = app.admin().await;
    let mut things = Things::default();
    let lend = async || owner.lend(app, guest).await;
    let everything: Vec<&str> = Entitlement::ALL.iter().map(|one| one.as_str()).collect();
    let grant =
        owner.lend_with(app, guest, json!({ "entitlements": everything })).await.expect(201);
    let (grant_id, car) = (grant.text("grant_id"), &owner.vehicles[0]);
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
    things.own("PATCH /v1/grants/{grant_id}", "grant_id", &lend().await);
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
        let (owner, guest, admin) = (lender(app).await, app.guest().await, app.admin().await);
        let (things, holder) = things(app, &owner, &guest).await;
        std::fs::write(app.folder().join("schemathesis.toml"), things.config()).unwrap();
        let mut reached = Reached::nothing();
        Turn::much(&bearer(&admin), 20).take(app, &mut reached).await;
        Turn::much(&bearer(&holder), 5).take(app, &mut reached).await;
        let these = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        let managed = these(&["smartcar_v2.connections"]);
        Turn::only(&basic(&holder), managed).take(app, &mut reached).await;
        // Each of these ends what the caller came with.
        let leaver = bearer(&app.stranger().await);
        for (authorization, id) in [
            (leaver.clone(), "users.change_password"),
            (leaver, "sessions.end"),
            (bearer(&guest.holder_of(&owner.lend(app, &guest).await).await), "smartcar_v2.disconnect"),
            (basic(&guest.holder_of(&owner.lend(app, &guest).await).await), "smartcar_v2.delete_connections"),
        ] {
            Turn::only(&authorization, these(&[id])).take(app, &mut reached).await;
        }
        for actor in [&owner, &guest] {
            let missed = reached.missed(&BEFORE_IT_BEGINS).into_iter().map(|(id, _)| id).collect();
            Turn::only(&bearer(actor), missed).take(app, &mut reached).await;
        }
        // What was tried has broken nothing.
        holder.command(&owner.vehicles[0], "unlock").await.expect(200);
        owner.get("/readyz").await.expect(200);
        let users = format!("{}/v1/users", app.url());
        let refused = app.http.post(users).json(&json!({})).send().await.unwrap();
        assert_eq!(refused.status(), 401);
        // Of some operations no generated body is one that the rules beyond the schema let through.
        assert_eq!(reached.missed(&NOT_THEIRS), []);
    }
}
