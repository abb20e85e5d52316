//! Who may do what: every operation of the description, for everybody who might try. A missing or
//! a surplus row fails the run, so a new operation cannot forget to say whom it is for.

mod scene;

use std::collections::BTreeSet;

use self::scene::{Scene, connect, people, scene};
use crate::support::{TestApp, on_both};

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
    ("GET",    "/v1/users/{user_id}/device-keys",          [200, 403, 200, 403, 404, 200, 403, 401, 401]),
    // The person has no such device.
    ("DELETE", "/v1/users/{user_id}/device-keys/{device_key}",
                                                           [404, 403, 404, 403, 404, 404, 403, 401, 401]),
    // The account was made by the administrator.
    ("POST",   "/v1/users/{user_id}/claims",               [201, 403, 403, 403, 404, 403, 403, 401, 401]),
    ("GET",    "/v1/users/{user_id}",                      [200, 403, 200, 403, 404, 200, 403, 401, 401]),
    // The account was made by the administrator.
    ("PATCH",  "/v1/users/{user_id}",                      [200, 403, 403, 403, 404, 403, 403, 401, 401]),
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
    ("GET",    "/v1/organization/allowed-origins",         [200, 403, 403, 403, 200, 403, 403, 401, 401]),
    ("PUT",    "/v1/organization/allowed-origins",         [200, 403, 403, 403, 200, 403, 403, 401, 401]),
    ("POST",   "/v1/connections",                          [201, 201, 201, 201, 201, 201, 403, 401, 401]),
    ("GET",    "/v1/connections/callback",                 [409, 409, 409, 409, 409, 409, 409, 409, 409]),
    ("GET",    "/v1/connections",                          [200, 200, 200, 200, 200, 200, 403, 401, 401]),
    ("GET",    "/v1/connections/{connection_id}",          [200, 200, 404, 404, 404, 200, 403, 401, 401]),
    // It is complete already, and the code another one.
    ("POST",   "/v1/connections/{connection_id}/complete", [404, 409, 404, 404, 404, 409, 403, 401, 401]),
    ("POST",   "/v1/connections/{connection_id}/reauthenticate",
                                                           [200, 200, 404, 404, 404, 200, 403, 401, 401]),
    ("GET",    "/v1/vehicles",                             [200, 200, 200, 200, 200, 200, 403, 401, 401]),
    ("GET",    "/v1/vehicles/{vehicle_id}",                [200, 200, 200, 404, 404, 200, 403, 401, 401]),
    ("PATCH",  "/v1/vehicles/{vehicle_id}",                [200, 200, 403, 404, 404, 200, 403, 401, 401]),
    ("GET",    "/v1/vehicles/{vehicle_id}/holders",        [200, 200, 403, 403, 404, 200, 403, 401, 401]),
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
    ("GET",    "/v1/grants/{grant_id}/tokens",             [200, 200, 200, 404, 404, 200, 403, 401, 401]),
    ("DELETE", "/v1/grants/{grant_id}/tokens/{token_id}",  [204, 204, 204, 404, 404, 204, 403, 401, 401]),
    ("POST",   "/v1/grants/{grant_id}/revoke",             [200, 200, 403, 404, 404, 200, 403, 401, 401]),
    // Not for longer than it is.
    ("POST",   "/v1/grants/{grant_id}/extension-requests", [403, 403, 422, 404, 404, 422, 403, 401, 401]),
    ("GET",    "/v1/grants/{grant_id}/extension-requests", [200, 200, 200, 404, 404, 200, 403, 401, 401]),
    // No request: who may decide learns that it is not there.
    ("POST",   "/v1/grants/{grant_id}/extension-requests/{extension_request_id}/approve",
                                                           [403, 404, 403, 404, 404, 404, 403, 401, 401]),
    ("POST",   "/v1/grants/{grant_id}/extension-requests/{extension_request_id}/decline",
                                                           [403, 404, 403, 404, 404, 404, 403, 401, 401]),
    // To the car that it is for.
    ("POST",   "/v1/grants/{grant_id}/switch-vehicle",     [403, 422, 403, 404, 404, 422, 403, 401, 401]),
    ("GET",    "/v1/grants/{grant_id}/end-check",          [200, 200, 200, 404, 404, 200, 403, 401, 401]),
    ("GET",    "/v1/grants/{grant_id}/statement",          [200, 200, 200, 404, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/grants/{grant_id}/relinquish",         [403, 403, 200, 404, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/grants/{grant_id}/confirm",            [403, 200, 403, 404, 404, 200, 403, 401, 401]),
    // Over the grant.
    ("POST",   "/v1/holds",                                [201, 201, 201, 404, 404, 201, 403, 401, 401]),
    ("GET",    "/v1/holds",                                [200, 200, 200, 200, 200, 200, 403, 401, 401]),
    // Placed by the owner over the grant.
    ("DELETE", "/v1/holds/{hold_id}",                      [403, 204, 403, 404, 404, 204, 403, 401, 401]),
    // All of the car: it ends what other rows lend, so only what would end is asked for.
    ("POST",   "/v1/ends",                                 [200, 200, 403, 404, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/commands",                             [404, 200, 200, 404, 404, 200, 403, 200, 401]),
    ("GET",    "/v1/commands/{command_id}",                [200, 200, 200, 404, 404, 200, 403, 200, 401]),
    ("POST",   "/v1/access-checks",                        [404, 200, 200, 404, 404, 200, 403, 200, 401]),
    ("POST",   "/v1/access-checks/who",                    [200, 200, 403, 404, 404, 200, 403, 401, 401]),
    ("GET",    "/v1/events",                               [200, 200, 200, 200, 200, 200, 403, 401, 401]),
    ("GET",    "/v1/audit-entries",                        [200, 403, 403, 403, 200, 200, 403, 401, 401]),
    ("GET",    "/v1/audit-entries/{entry_id}/proof",       [200, 200, 200, 404, 404, 200, 403, 401, 401]),
    // After the proofs, which have the record signed.
    ("GET",    "/log/checkpoint",                          [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/log/checkpoint/newest",                   [200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("POST",   "/v1/webhook-endpoints",                    [201, 403, 403, 403, 201, 201, 403, 401, 401]),
    ("GET",    "/v1/webhook-endpoints",                    [200, 403, 403, 403, 200, 200, 403, 401, 401]),
    ("GET",    "/v1/webhook-endpoints/{webhook_endpoint_id}",
                                                           [200, 403, 403, 403, 404, 200, 403, 401, 401]),
    ("GET",    "/v1/webhook-endpoints/{webhook_endpoint_id}/deliveries",
                                                           [200, 403, 403, 403, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/webhook-endpoints/{webhook_endpoint_id}/redeliver",
                                                           [202, 403, 403, 403, 404, 202, 403, 401, 401]),
    ("POST",   "/v1/webhook-endpoints/{webhook_endpoint_id}/test",
                                                           [200, 403, 403, 403, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/webhook-endpoints/{webhook_endpoint_id}/rotate-secret",
                                                           [201, 403, 403, 403, 404, 201, 403, 401, 401]),
    ("POST",   "/v1/webhook-endpoints/{webhook_endpoint_id}/pause",
                                                           [200, 403, 403, 403, 404, 200, 403, 401, 401]),
    ("POST",   "/v1/webhook-endpoints/{webhook_endpoint_id}/resume",
                                                           [200, 403, 403, 403, 404, 200, 403, 401, 401]),
    // Once it is gone it is gone for the API client too.
    ("DELETE", "/v1/webhook-endpoints/{webhook_endpoint_id}",
                                                           [204, 403, 403, 403, 404, 404, 403, 401, 401]),
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
    // The last, because they take the cars of all other rows out of the service.
    ("DELETE", "/v1/vehicles/{vehicle_id}",                [200, 200, 403, 404, 404, 200, 403, 401, 401]),
    ("DELETE", "/v1/connections/{connection_id}",          [200, 200, 404, 404, 404, 200, 403, 401, 401]),
];

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
                let takes_away = ["/v1/connections/{connection_id}", "/v1/vehicles/{vehicle_id}"];
                let connection_id = match row.0 == "DELETE" && takes_away.contains(&row.1) {
                    true => connect(app, &people.owner).await,
                    false => people.connection_id.clone(),
                };
                let mut scene = scene(app, &people, cell).await;
                scene.connection_id = connection_id;
                if row.1.contains("{hold_id}") {
                    scene.hold(&people.owner).await;
                }
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
