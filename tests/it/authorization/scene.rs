//! The people and things of the authorization table, and the request of one of its cells.

use reqwest::Method;
use serde_json::{Value, json};

use super::Row;
use crate::support::people::{PASSWORD, all_scopes};
use crate::support::{Actor, Reply, TestApp};

/// Everything that paths and bodies name, made afresh for each row.
pub(super) struct Scene {
    pub(super) actors: [Actor; 9],
    guest_id: String,
    vehicle_id: String,
    vehicle_uuid: String,
    grant_id: String,
    pub(super) connection_id: String,
    entry_id: String,
    command_id: String,
    api_client_id: String,
    bystander_id: String,
    /// Another session of the administrator.
    pub(super) session_id: String,
    /// A hold over the grant.
    hold_id: String,
    webhook_endpoint_id: String,
    /// A token of the grant.
    token_id: String,
}

/// The people of the stories; they stay the same for all rows.
pub(super) struct People {
    admin: Actor,
    pub(super) owner: Actor,
    guest: Actor,
    stranger: Actor,
    foreigner: Actor,
    api_client: Actor,
    powerless: Actor,
    pub(super) connection_id: String,
    /// Of a grant to the guest.
    entry_id: String,
    webhook_endpoint_id: String,
}

pub(super) async fn people(app: &TestApp) -> People {
    let mut owner = app.member("owner").await;
    let connection_id = connect(app, &owner).await;
    owner.vehicles = owner.get("/v1/vehicles").await.expect(200).list("vehicle_id");
    let (admin, guest) = (app.admin().await, app.guest().await);
    let grant_id = owner.lend(app, &guest).await;
    let entries = admin.get(&format!("/v1/audit-entries?grant_id={grant_id}")).await.expect(200);
    let (api_client, powerless) = (app.api_client(&all_scopes()).await, app.api_client(&[]).await);
    for person in [&owner, &guest] {
        person.allow(&api_client).await;
    }
    let body = json!({ "url": "https://localhost:8443/" });
    let endpoint = admin.post("/v1/webhook-endpoints", body).await.expect(201);
    People {
        owner,
        admin,
        guest,
        stranger: app.stranger().await,
        foreigner: app.foreigner().await,
        api_client,
        powerless,
        connection_id,
        entry_id: entries.list("entry_id")[0].clone(),
        webhook_endpoint_id: endpoint.text("webhook_endpoint_id"),
    }
}

/// A consent of this owner.
pub(super) async fn connect(app: &TestApp, owner: &Actor) -> String {
    let started = owner.post("/v1/connections", json!({})).await.expect(201);
    app.consent(owner, &started).await;
    started.text("connection_id")
}

/// A scene of its own for one cell: a fresh grant, command, API client and bystander, and sessions
/// that no other cell can end.
pub(super) async fn scene(app: &TestApp, people: &People, cell: usize) -> Scene {
    let (owner, guest) = (&people.owner, &people.guest);
    let grant_id = owner.lend(app, guest).await;
    let holder = guest.holder_of(&grant_id).await;
    let tokens = guest.get(&format!("/v1/grants/{grant_id}/tokens")).await.expect(200);
    let token_id = tokens.list("token_id")[0].clone();
    let vehicle_id = owner.vehicles[0].clone();
    let command = holder.command(&vehicle_id, "lock").await.expect(200);
    let made =
        people.admin.post("/v1/api-clients", json!({ "name": "Doomed", "scopes": [] })).await;
    let email = format!("bystander{cell}@story.example");
    let bystander = json!({ "email": email, "display_name": "Bystander" });
    let bystander = people.admin.post("/v1/users", bystander).await.expect(201);
    let uuid = vehicle_id.parse::<keylend::domain::id::VehicleId>().unwrap().as_uuid();
    Scene {
        actors: [
            people.admin.clone(),
            people.owner.clone(),
            people.guest.clone(),
            people.stranger.clone(),
            people.foreigner.clone(),
            people.api_client.clone(),
            people.powerless.clone(),
            holder,
            Actor::nobody(app),
        ],
        guest_id: guest.id.clone(),
        vehicle_id,
        vehicle_uuid: uuid.hyphenated().to_string(),
        grant_id,
        connection_id: people.connection_id.clone(),
        entry_id: people.entry_id.clone(),
        command_id: command.text("command_id"),
        api_client_id: made.expect(201).text("api_client_id"),
        bystander_id: bystander.text("user_id"),
        session_id: String::new(),
        hold_id: String::new(),
        webhook_endpoint_id: people.webhook_endpoint_id.clone(),
        token_id,
    }
}

impl Scene {
    /// Has the owner pause the grant.
    pub(super) async fn hold(&mut self, owner: &Actor) {
        let placed = owner.post("/v1/holds", self.body("/v1/holds", 0)).await.expect(201);
        self.hold_id = placed.text("hold_id");
    }

    fn path(&self, method: &str, path: &str) -> String {
        // What would end the sessions of the others is done to somebody else.
        let verbs = ["/disable", "/enable", "/personal-data", "{user_id}/sessions", "/claims"];
        let closes = verbs.iter().any(|verb| path.ends_with(verb));
        let user_id = if closes { &self.bystander_id } else { &self.guest_id };
        let query = match (method, path) {
            ("GET", "/v1/connections/callback") => "?state=kl_state_foreign&code=any",
            _ => "",
        };
        let path = path
            .replace("/signals/{code}", "/signals/closure-islocked")
            .replace("{code}", "not_found")
            .replace("{user_id}", user_id)
            .replace("{device_key}", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
            .replace("{token_id}", &self.token_id)
            .replace("{session_id}", &self.session_id)
            .replace("{hold_id}", &self.hold_id)
            .replace("{webhook_endpoint_id}", &self.webhook_endpoint_id)
            .replace("{extension_request_id}", "ext_00000000000000000000000001")
            .replace("{api_client_id}", &self.api_client_id)
            .replace("{connection_id}", &self.connection_id)
            .replace("{observable}", "lock-status")
            .replace("{part}/{reading}", "tires/pressure")
            .replace("{reading}", "odometer")
            .replace("{vehicle_id}", &self.vehicle_id)
            .replace("{grant_id}", &self.grant_id)
            .replace("{entry_id}", &self.entry_id)
            .replace("{command_id}", &self.command_id)
            .replace("{id}", &self.vehicle_uuid);
        format!("{path}{query}")
    }

    fn body(&self, path: &str, cell: usize) -> Value {
        match path {
            "/v1/sessions" => {
                json!({ "email": "nobody@story.example", "password": "not a known password" })
            }
            "/v1/sessions/refresh" => json!({ "refresh_token": "kl_refresh_unknown" }),
            "/v1/connections/{connection_id}/complete" => json!({ "completion_code": "00000000" }),
            "/v1/claims/redeem" => {
                json!({ "claim_token": "kl_claim_unknown", "password": PASSWORD })
            }
            "/v1/users/me/password" => {
                json!({ "current_password": "another one than theirs", "new_password": PASSWORD })
            }
            "/v1/users" => {
                json!({ "email": format!("new{cell}@story.example"), "display_name": "New" })
            }
            "/v1/organization/allowed-origins" => json!({ "allowed_origins": [] }),
            "/v1/organization/return-urls" => json!({ "return_urls": [] }),
            "/v1/api-clients" => json!({ "name": "New", "scopes": [] }),
            "/v1/api-clients/{api_client_id}/replace" => {
                json!({ "successor_id": self.actors[5].id })
            }
            "/v1/vehicles/{vehicle_id}/transfer" => json!({ "to_user_id": self.guest_id }),
            "/v1/grants" => json!({
                "vehicle_id": self.vehicle_id,
                "grantee_id": self.guest_id,
                "entitlements": ["lock"],
                "not_before": "2026-07-01T12:00:00Z",
                "not_after": "2026-07-01T13:00:00Z",
            }),
            "/v1/ends" => json!({
                "scope": { "vehicle_id": self.vehicle_id },
                "reason": "Because.",
                "dry_run": true,
            }),
            "/v1/holds" => json!({ "scope": { "grant_id": self.grant_id }, "reason": "Because." }),
            "/v1/webhook-endpoints" => json!({ "url": "https://localhost:8443/" }),
            "/v1/webhook-endpoints/{webhook_endpoint_id}/redeliver" => {
                json!({ "event_id": self.entry_id })
            }
            "/v1/vehicles/{vehicle_id}" => json!({ "label": "Ours" }),
            "/v1/grants/{grant_id}/extension-requests" => {
                json!({ "not_after": "2026-07-01T12:00:00Z" })
            }
            "/v1/grants/{grant_id}/switch-vehicle" => json!({ "vehicle_id": self.vehicle_id }),
            "/v1/users/{user_id}" => json!({ "external_ref": null }),
            "/v1/grants/{grant_id}" => json!({ "not_after": "2026-07-01T13:00:00Z" }),
            "/v1/commands" | "/v1/access-checks" => {
                json!({ "vehicle_id": self.vehicle_id, "action": "lock" })
            }
            "/v1/access-checks/who" => json!({
                "vehicle_id": self.vehicle_id,
                "action": "lock",
                "from": "2026-07-01T12:00:00Z",
                "until": "2026-07-02T12:00:00Z",
            }),
            "/v2.0/vehicles/{id}/security" => json!({ "action": "LOCK" }),
            "/v2.0/vehicles/{id}/batch" => json!({ "requests": [{ "path": "/security" }] }),
            "/v2.0/vehicles/{id}/charge" => json!({ "action": "START" }),
            "/v2.0/vehicles/{id}/charge/limit" => json!({ "limit": 0.8 }),
            "/v2.0/vehicles/{id}/navigation/destination" => {
                json!({ "latitude": 47.6, "longitude": -122.3 })
            }
            _ => json!({}),
        }
    }

    pub(super) async fn ask(&self, row: &Row, column: usize, cell: usize) -> Reply {
        let (method, path, _) = *row;
        // Where an API client must say for whom it acts, it acts for the owner or the guest.
        let needs_grantee = [
            "/v1/grants/{grant_id}/token",
            "/v1/grants/{grant_id}/relinquish",
            "POST /v1/grants/{grant_id}/extension-requests",
            "/v1/users/{user_id}/device-keys/{device_key}",
        ];
        let needs_owner = [
            "/v1/connections/{connection_id}/complete",
            "/v1/connections/{connection_id}/reauthenticate",
            "/v1/vehicles/{vehicle_id}/transfer",
            "/v1/grants/{grant_id}/confirm",
            "/v1/grants/{grant_id}/end-check",
            "/v1/grants/{grant_id}/statement",
            "/v1/grants/{grant_id}/revoke",
            "/v1/grants/{grant_id}/tokens/{token_id}",
            "/v1/grants/{grant_id}/switch-vehicle",
            "/v1/grants/{grant_id}/extension-requests/{extension_request_id}/approve",
            "/v1/grants/{grant_id}/extension-requests/{extension_request_id}/decline",
            "PATCH /v1/grants/{grant_id}",
            "POST /v1/holds",
            "POST /v1/ends",
            "DELETE /v1/vehicles/{vehicle_id}",
            "/v1/holds/{hold_id}",
            "/v1/connections",
            "/v1/users/me",
            "/v1/commands",
            "/v1/access-checks",
            "/v1/vehicles/{vehicle_id}/{observable}",
        ];
        let mut actor = self.actors[column].clone();
        let ends_consent = (method, path) == ("DELETE", "/v1/connections/{connection_id}");
        let issues = (method, path) == ("POST", "/v1/grants");
        let is_owners = needs_owner.contains(&format!("{method} {path}").as_str());
        if column == 5 && (needs_owner.contains(&path) || is_owners || ends_consent || issues) {
            actor = actor.acting_for(&self.actors[1]);
        }
        let is_grantees = needs_grantee.contains(&format!("{method} {path}").as_str());
        if column == 5 && (needs_grantee.contains(&path) || is_grantees) {
            actor = actor.acting_for(&self.actors[2]);
        }
        let key = format!("authorization-{cell}");
        let mut request =
            actor.request(Method::from_bytes(method.as_bytes()).unwrap(), &self.path(method, path));
        if method == "PUT" {
            request = request.json(&self.body(path, cell));
        }
        if method == "PATCH" {
            request = request.header("if-match", "*").json(&self.body(path, cell));
        }
        if method == "POST" {
            request = request.header("idempotency-key", key);
            request = if path == "/oauth/token" {
                request.form(&[
                    ("grant_type", "client_credentials"),
                    ("client_id", "key_x"),
                    ("client_secret", "s"),
                ])
            } else {
                request.json(&self.body(path, cell))
            };
        }
        Reply::read(request.send().await.unwrap()).await
    }
}
