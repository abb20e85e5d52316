//! Who may do what: every operation of the description, for everybody who might try. A missing or
//! a surplus row fails the run, so a new operation cannot forget to say whom it is for.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::PASSWORD;
use crate::support::{Actor, Reply, TestApp, on_both};

/// The columns: an administrator, the owner, the guest with a grant, a member who has nothing to
/// do with it, the administrator of another organization, an API client with the scope (acting for
/// the person concerned where it must), an API client without any, the holder of the grant token,
/// nobody.
const COLUMNS: [&str; 9] = [
    "admin",
    "owner",
    "guest",
    "stranger",
    "foreigner",
    "API client",
    "API client without scope",
    "holder",
    "nobody",
];

type Row = (&'static str, &'static str, [u16; 9]);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // method, path,                                        adm  own  gst  str  for  mac  mwo  hld  nob
    ("GET",    "/healthz",                                 [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/readyz",                                  [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/metrics",                                 [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/problems/{code}",                         [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/c",                                       [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/c/claim.js",                              [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/.well-known/jwks.json",                   [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("POST",   "/oauth/token",                             [401, 401, 401, 401, 401, 401, 401, 401, 401]),
    ("POST",   "/v1/sessions",                             [401, 401, 401, 401, 401, 401, 401, 401, 401]),
    ("POST",   "/v1/sessions/refresh",                     [401, 401, 401, 401, 401, 401, 401, 401, 401]),
    ("POST",   "/v1/claims/redeem",                        [404, 404, 404, 404, 404, 403, 403, 404, 404]),
    ("DELETE", "/v1/sessions/current",                     [204, 204, 204, 204, 204, 401, 401, 401, 401]),
    ("POST",   "/v1/users",                                [201, 403, 403, 403, 201, 201, 403, 401, 401]),
    ("GET",    "/v1/users",                                [200, 403, 403, 403, 200, 200, 403, 401, 401]),
    ("GET",    "/v1/users/me",                             [200, 200, 200, 200, 200, 200, 403, 401, 401]),
    // The password of today is wrong.
    ("PUT",    "/v1/users/me/password",                    [422, 422, 422, 422, 422, 401, 401, 401, 401]),
    ("GET",    "/v1/users/me/sessions",                    [200, 200, 200, 200, 200, 401, 401, 401, 401]),
    ("GET",    "/v1/users/me/allowed-clients",             [200, 200, 200, 200, 200, 401, 401, 401, 401]),
    ("PUT",    "/v1/users/me/allowed-clients/{api_client_id}",
                                                           [200, 200, 200, 200, 404, 401, 401, 401, 401]),
    ("DELETE", "/v1/users/me/allowed-clients/{api_client_id}",
                                                           [204, 204, 204, 204, 204, 401, 401, 401, 401]),
    // The session is the administrator's.
    ("DELETE", "/v1/users/me/sessions/{session_id}",       [204, 403, 403, 403, 403, 401, 401, 401, 401]),
    ("DELETE", "/v1/users/{user_id}/sessions",             [204, 403, 403, 403, 404, 403, 403, 401, 401]),
    // The account was made by the administrator.
    ("POST",   "/v1/users/{user_id}/claims",               [201, 403, 403, 403, 404, 403, 403, 401, 401]),
    ("GET",    "/v1/users/{user_id}",                      [200, 403, 200, 403, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/users/{user_id}/disable",              [200, 403, 403, 403, 404, 403, 403, 401, 401]),
    ("POST",   "/v1/users/{user_id}/enable",               [200, 403, 403, 403, 404, 403, 403, 401, 401]),
    ("DELETE", "/v1/users/{user_id}/personal-data",        [200, 403, 403, 403, 404, 403, 403, 401, 401]),
    ("POST",   "/v1/api-clients",                          [201, 403, 403, 403, 201, 403, 403, 401, 401]),
    ("GET",    "/v1/api-clients",                          [200, 403, 403, 403, 200, 403, 403, 401, 401]),
    ("POST",   "/v1/api-clients/{api_client_id}/revoke",   [200, 403, 403, 403, 404, 403, 403, 401, 401]),
    ("POST",   "/v1/api-clients/{api_client_id}/rotate-secret",
                                                           [201, 403, 403, 403, 404, 403, 403, 401, 401]),
    ("POST",   "/v1/api-clients/{api_client_id}/replace",  [200, 403, 403, 403, 404, 403, 403, 401, 401]),
    ("GET",    "/v1/organization/return-urls",             [200, 403, 403, 403, 200, 403, 403, 401, 401]),
    ("PUT",    "/v1/organization/return-urls",             [200, 403, 403, 403, 200, 403, 403, 401, 401]),
    ("POST",   "/v1/connections",                          [201, 201, 201, 201, 201, 201, 403, 401, 401]),
    ("GET",    "/v1/connections/callback",                 [409, 409, 409, 409, 409, 409, 409, 409, 409]),
    ("GET",    "/v1/connections/{connection_id}",          [200, 200, 404, 404, 404, 200, 403, 401, 401]),
    // It is complete already, and the code another one.
    ("POST",   "/v1/connections/{connection_id}/complete", [404, 409, 404, 404, 404, 409, 403, 401, 401]),
    ("POST",   "/v1/connections/{connection_id}/reauthenticate",
                                                           [200, 200, 404, 404, 404, 200, 403, 401, 401]),
    ("GET",    "/v1/vehicles",                             [200, 200, 200, 200, 200, 200, 403, 401, 401]),
    ("GET",    "/v1/vehicles/{vehicle_id}",                [200, 200, 200, 404, 404, 200, 403, 401, 401]),
    ("GET",    "/v1/vehicles/{vehicle_id}/commands",       [200, 200, 403, 404, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/vehicles/{vehicle_id}/transfer",       [403, 200, 403, 404, 404, 200, 403, 401, 401]),
    ("DELETE", "/v1/vehicles/{vehicle_id}/transfer",       [403, 204, 403, 404, 404, 204, 403, 401, 401]),
    ("GET",    "/v1/vehicles/{vehicle_id}/{observable}",   [404, 200, 200, 404, 404, 200, 403, 200, 401]),
    ("POST",   "/v1/grants",                               [403, 201, 403, 404, 404, 201, 403, 401, 401]),
    ("GET",    "/v1/grants",                               [200, 200, 200, 200, 200, 200, 403, 401, 401]),
    ("GET",    "/v1/grants/{grant_id}",                    [200, 200, 200, 404, 404, 200, 403, 401, 401]),
    // What it says there already: it allows neither more nor less.
    ("PATCH",  "/v1/grants/{grant_id}",                    [200, 200, 403, 404, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/grants/{grant_id}/token",              [403, 403, 200, 404, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/grants/{grant_id}/revoke",             [200, 200, 403, 404, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/grants/{grant_id}/relinquish",         [403, 403, 200, 404, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/grants/{grant_id}/confirm",            [403, 200, 403, 404, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/commands",                             [404, 200, 200, 404, 404, 200, 403, 200, 401]),
    ("GET",    "/v1/commands/{command_id}",                [200, 200, 200, 404, 404, 200, 403, 200, 401]),
    ("POST",   "/v1/access-checks",                        [404, 200, 200, 404, 404, 200, 403, 200, 401]),
    ("GET",    "/v1/audit-entries",                        [200, 403, 403, 403, 200, 200, 403, 401, 401]),
    ("GET",    "/v1/audit-entries/{entry_id}/proof",       [200, 200, 200, 404, 404, 200, 403, 401, 401]),
    // After the proofs, which have the record signed.
    ("GET",    "/log/checkpoint",                          [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/log/checkpoint/newest",                   [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("POST",   "/v1/smartcar/webhooks",                    [422, 422, 422, 422, 422, 422, 422, 422, 422]),
    ("GET",    "/v2.0/management/connections",             [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("DELETE", "/v2.0/management/connections",             [401, 401, 401, 401, 401, 401, 401, 400, 401]),
    ("GET",    "/v2.0/user",                               [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("GET",    "/v2.0/vehicles",                           [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("GET",    "/v2.0/vehicles/{id}",                      [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("GET",    "/v2.0/vehicles/{id}/permissions",          [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("GET",    "/v2.0/vehicles/{id}/security",             [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("GET",    "/v2.0/vehicles/{id}/charge",               [401, 401, 401, 401, 401, 401, 401, 403, 401]),
    ("GET",    "/v2.0/vehicles/{id}/charge/limit",         [401, 401, 401, 401, 401, 401, 401, 403, 401]),
    ("GET",    "/v2.0/vehicles/{id}/{reading}",            [401, 401, 401, 401, 401, 401, 401, 403, 401]),
    // The grant is for doors alone.
    ("GET",    "/v2.0/vehicles/{id}/{part}/{reading}",     [401, 401, 401, 401, 401, 401, 401, 403, 401]),
    ("POST",   "/v2.0/vehicles/{id}/batch",                [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("POST",   "/v2.0/vehicles/{id}/security",             [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("POST",   "/v2.0/vehicles/{id}/charge",               [401, 401, 401, 401, 401, 401, 401, 403, 401]),
    ("POST",   "/v2.0/vehicles/{id}/charge/limit",         [401, 401, 401, 401, 401, 401, 401, 403, 401]),
    ("POST",   "/v2.0/vehicles/{id}/navigation/destination",
                                                           [401, 401, 401, 401, 401, 401, 401, 403, 401]),
    ("DELETE", "/v2.0/vehicles/{id}/application",          [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("GET",    "/v3/vehicles/{id}",                        [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("GET",    "/v3/vehicles/{id}/signals",                [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    ("GET",    "/v3/vehicles/{id}/signals/{code}",       [401, 401, 401, 401, 401, 401, 401, 200, 401]),
    // The last, because it takes the cars of all other rows out of the service.
    ("DELETE", "/v1/connections/{connection_id}",          [200, 200, 404, 404, 404, 200, 403, 401, 401]),
];

/// Everything that paths and bodies name, made afresh for each row.
struct Scene {
    actors: [Actor; 9],
    guest_id: String,
    vehicle_id: String,
    vehicle_uuid: String,
    grant_id: String,
    connection_id: String,
    entry_id: String,
    command_id: String,
    api_client_id: String,
    bystander_id: String,
    /// Another session of the administrator.
    session_id: String,
}

const SCOPES: &[&str] = &[
    "users:write",
    "users:read",
    "connections:write",
    "vehicles:read",
    "grants:write",
    "grants:read",
    "commands:write",
    "commands:read",
    "audit:read",
];

/// The people of the stories; they stay the same for all rows.
struct People {
    admin: Actor,
    owner: Actor,
    guest: Actor,
    stranger: Actor,
    foreigner: Actor,
    api_client: Actor,
    powerless: Actor,
    connection_id: String,
    /// Of a grant to the guest.
    entry_id: String,
}

async fn people(app: &TestApp) -> People {
    let mut owner = app.member("owner").await;
    let connection_id = connect(app, &owner).await;
    owner.vehicles = owner.get("/v1/vehicles").await.expect(200).list("vehicle_id");
    let (admin, guest) = (app.admin().await, app.guest().await);
    let grant_id = owner.lend(app, &guest).await;
    let entries = admin.get(&format!("/v1/audit-entries?grant_id={grant_id}")).await.expect(200);
    let (api_client, powerless) = (app.api_client(SCOPES).await, app.api_client(&[]).await);
    for person in [&owner, &guest] {
        person.allow(&api_client).await;
    }
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
    }
}

/// A consent of this owner.
async fn connect(app: &TestApp, owner: &Actor) -> String {
    let started = owner.post("/v1/connections", json!({})).await.expect(201);
    app.consent(owner, &started).await;
    started.text("connection_id")
}

/// A scene of its own for one cell: a fresh grant, command, API client and bystander, and sessions
/// that no other cell can end.
async fn scene(app: &TestApp, people: &People, cell: usize) -> Scene {
    let (owner, guest) = (&people.owner, &people.guest);
    let grant_id = owner.lend(app, guest).await;
    let holder = guest.holder_of(&grant_id).await;
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
    }
}

impl Scene {
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
            .replace("{session_id}", &self.session_id)
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
            "/v1/grants/{grant_id}" => json!({ "not_after": "2026-07-01T13:00:00Z" }),
            "/v1/commands" | "/v1/access-checks" => {
                json!({ "vehicle_id": self.vehicle_id, "action": "lock" })
            }
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

    async fn ask(&self, row: &Row, column: usize, cell: usize) -> Reply {
        let (method, path, _) = *row;
        // Where an API client must say for whom it acts, it acts for the owner or the guest.
        let needs_grantee = ["/v1/grants/{grant_id}/token", "/v1/grants/{grant_id}/relinquish"];
        let needs_owner = [
            "/v1/connections/{connection_id}/complete",
            "/v1/connections/{connection_id}/reauthenticate",
            "/v1/vehicles/{vehicle_id}/transfer",
            "/v1/grants/{grant_id}/confirm",
            "/v1/grants/{grant_id}/revoke",
            "PATCH /v1/grants/{grant_id}",
            "/v1/connections",
            "/v1/users/me",
            "/v1/commands",
            "/v1/access-checks",
            "/v1/vehicles/{vehicle_id}/{observable}",
        ];
        let mut actor = self.actors[column].clone();
        let ends_consent = (method, path) == ("DELETE", "/v1/connections/{connection_id}");
        let issues = (method, path) == ("POST", "/v1/grants");
        let amends = needs_owner.contains(&format!("{method} {path}").as_str());
        if column == 5 && (needs_owner.contains(&path) || amends || ends_consent || issues) {
            actor = actor.acting_for(&self.actors[1]);
        }
        if column == 5 && needs_grantee.contains(&path) {
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

/// Signing out ends the session that everything else rests on, so it gets one of its own.
async fn own_session(app: &TestApp, scene: &mut Scene) {
    for (column, email) in [
        "admin@story.example",
        "owner@story.example",
        "guest@story.example",
        "stranger@story.example",
        "admin@elsewhere.example",
    ]
    .into_iter()
    .enumerate()
    {
        scene.actors[column] = app.sign_in(email).await;
    }
}

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let described = serde_json::to_value(keylend::http::api()).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if ["get", "put", "post", "delete", "patch"].contains(&method.as_str()) {
                operations.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    let rows: BTreeSet<_> =
        TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(rows, operations);
    assert_eq!(rows.len(), TABLE.len());
}

on_both! {
    async fn everybody_may_do_what_the_table_says_and_nothing_else(app) {
        let people = people(app).await;
        let mut wrong = Vec::new();
        let mut cell = 0;
        for row in TABLE {
            for (column, name) in COLUMNS.iter().enumerate() {
                cell += 1;
                // Only what changes something needs a scene of its own.
                let ends_consent = (row.0, row.1) == ("DELETE", "/v1/connections/{connection_id}");
                let connection_id = match ends_consent {
                    true => connect(app, &people.owner).await,
                    false => people.connection_id.clone(),
                };
                let mut scene = scene(app, &people, cell).await;
                scene.connection_id = connection_id;
                if row.1.contains("{session_id}") {
                    let session = app.sign_in("admin@story.example").await;
                    let open = session.get("/v1/users/me/sessions").await.expect(200);
                    scene.session_id = open.list("session_id").remove(0);
                }
                if row.1 == "/v1/sessions/current" {
                    own_session(app, &mut scene).await;
                }
                let reply = scene.ask(row, column, cell).await;
                if reply.status != row.2[column] {
                    wrong.push(format!("{} {} {name}: {} {}", row.0, row.1, reply.status, reply.body));
                }
                app.advance(std::time::Duration::from_millis(1));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
