//! What the client asks for is in the description of the API: paths, parameters, headers and the
//! members of bodies.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::strange_servers::{JSON, Strange, answer};

/// Command lines with all that they can say, and the operation that each asks for. `ID` stands for
/// the end of an id.
const LINES: &[(&str, &str)] = &[
    ("login --email a@example.com --organization-id org_ID --password-stdin", "sessions.create"),
    ("login --claim --pin --keep-client --password-stdin", "claims.redeem"),
    ("login --client-id key_ID --client-secret-stdin", "oauth.token"),
    ("logout", "sessions.end"),
    ("whoami --acting-for usr_ID", "users.me"),
    ("vehicles list --owner-id usr_ID --external-ref x --plate x", "vehicles.list"),
    ("vehicles get veh_ID", "vehicles.get"),
    (
        "vehicles connect --entitlements unlock --required unlock --make x --mode live \
         --return-url https://x.example --single-vehicle --vin x",
        "connections.start",
    ),
    ("vehicles read veh_ID battery --grant-id grt_ID", "vehicles.read"),
    ("vehicles holders veh_ID --at -2h", "vehicles.holders"),
    ("connections list --owner-id usr_ID --status lost", "connections.list"),
    ("connections get con_ID", "connections.get"),
    ("connections complete con_ID --keep-grants", "connections.complete"),
    (
        "grants issue --vehicle-id veh_ID --grantee-id usr_ID --entitlements unlock,lock \
         --not-before now --not-after +2h --grace-minutes 5 --max-uses 3 --label x \
         --external-ref x --instructions x --fallback-text x --statement \
         --return-terms {\"locked\":true} --metadata {}",
        "grants.issue",
    ),
    (
        "grants list --vehicle-id veh_ID --grantee-id usr_ID --owner-id usr_ID --external-ref x \
         --status active --from -1d --until now",
        "grants.list",
    ),
    ("grants get grt_ID", "grants.get"),
    (
        "grants amend grt_ID --if-match 3 --wait drain --entitlements lock --not-before now \
         --not-after +2h --grace-minutes 5 --max-uses none --label x --external-ref x \
         --instructions x --fallback-text x --statement --return-terms {} --metadata {}",
        "grants.amend",
    ),
    ("grants revoke grt_ID --reason x --leave-lock --wait drain", "grants.revoke"),
    ("grants end-check grt_ID", "grants.check_end"),
    ("grants relinquish grt_ID --wait drain", "grants.relinquish"),
    ("grants token grt_ID", "grants.token"),
    ("grants statement grt_ID", "grants.get_statement"),
    (
        "commands send unlock --vehicle-id veh_ID --grant-id grt_ID --limit 0.8 --latitude -1.5 \
         --longitude 2 --wait 5",
        "commands.create",
    ),
    ("commands get cmd_ID", "commands.get"),
    (
        "commands list --vehicle-id veh_ID --grant-id grt_ID --status failed --from -1d --until now",
        "commands.list",
    ),
    (
        "users create --email a@example.com --display-name x --role support --external-ref x \
         --with-pin",
        "users.create",
    ),
    ("users list --email a@example.com --external-ref x --status open", "users.list"),
    ("users get usr_ID", "users.get"),
    ("users disable usr_ID", "users.disable"),
    ("users enable usr_ID", "users.enable"),
    (
        "holds place --organization --reason x --until +1h --allow-lock false --wait drain",
        "holds.place",
    ),
    (
        "holds list --standing true --grant-id grt_ID --vehicle-id veh_ID --user-id usr_ID",
        "holds.list",
    ),
    ("holds lift hld_ID", "holds.lift"),
    (
        "events list --after start --type grant.issued --grant-id grt_ID --vehicle-id veh_ID \
         --user-id usr_ID",
        "events.list",
    ),
    (
        "audit-entries list --grant-id grt_ID --vehicle-id veh_ID --user-id usr_ID --event x \
         --from -1d --until now",
        "audit_entries.list",
    ),
];

/// Headers that every request may have.
const ANY: [&str; 7] = [
    "accept",
    "authorization",
    "content-length",
    "content-type",
    "host",
    // Those who do not need it pass it over.
    "idempotency-key",
    "keylend-acting-for",
];

/// An operation of the description, with its method and path.
fn operation<'a>(api: &'a Value, id: &str) -> (&'a str, &'a str, &'a Value) {
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["operationId"] == id {
                return (method, path, operation);
            }
        }
    }
    panic!("the API has no {id}");
}

/// The names of an operation's parameters of one kind, in lower case.
fn parameters(operation: &Value, kind: &str) -> BTreeSet<String> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let named = all.filter(|parameter| parameter["in"] == kind);
    named.map(|parameter| parameter["name"].as_str().unwrap().to_lowercase()).collect()
}

/// The members of the body that an operation takes.
fn members(api: &Value, operation: &Value) -> BTreeSet<String> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let schema = match schema["$ref"].as_str() {
        Some(name) => api.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// Whether a path is one of a template, whose parameters stand for one part each.
fn is_of(path: &str, template: &str) -> bool {
    let (parts, expected) = (path.split('/'), template.split('/'));
    path.matches('/').count() == template.matches('/').count()
        && parts.zip(expected).all(|(part, expected)| expected.starts_with('{') || part == expected)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_is_one_that_the_api_describes() {
    let api = serde_json::to_value(keylend::http::api()).unwrap();
    for (line, id) in LINES {
        let (method, template, operation) = operation(&api, id);
        // No profile is signed in twice: whatever comes back, the login goes on.
        let reply = answer(200, JSON, &json!({ "data": [] }).to_string());
        let strange = Strange::saying(&[&reply]).await;
        let line = line.replace("_ID", "_01k0a6v8w5e3tb3q6m1x9r7yzn");
        let input = "first-line\nsecond-line\nthird-line\n";
        let printed = strange.desk.run_with("ada", &line, input).await;
        let asked = strange.asked_in_full();
        assert_eq!(asked.len(), 1, "{line}: {printed:?}");
        let (head, body) = asked[0].split_once("\r\n\r\n").unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        assert_eq!(words[0].to_lowercase(), method, "{line}");
        let (path, query) = words[1].split_once('?').unwrap_or((words[1], ""));
        assert!(is_of(path, template), "{line}: {path} is no {template}");
        let known = parameters(operation, "query");
        for name in query.split('&').filter_map(|pair| pair.split('=').next()) {
            assert!(name.is_empty() || known.contains(name), "{line}: {id} has no ?{name}");
        }
        let known = parameters(operation, "header");
        for name in head.lines().skip(1).filter_map(|line| line.split(':').next()) {
            let name = name.to_lowercase();
            assert!(ANY.contains(&&*name) || known.contains(&name), "{line}: {id} has no {name}");
        }
        if *id == "oauth.token" {
            assert_eq!(body, "grant_type=client_credentials");
            continue;
        }
        let known = members(&api, operation);
        let sent: Value =
            if body.is_empty() { json!({}) } else { serde_json::from_str(body).unwrap() };
        for (name, _) in sent.as_object().unwrap() {
            assert!(known.contains(name), "{line}: {id} has no {name}");
        }
    }
}
