//! A thousand events to a receiver that fails half of the time and is killed twice, from a service that is killed too: each arrives, in
//! the order of its grant, and the official libraries of Standard Webhooks verify all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use keylend::clock::{Clock as _, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::sdk::{ROOT, installed};
use crate::support::postgres::cluster;
use crate::support::receiver::{Arrival, Behaviour, Receiver};
use crate::support::{Actor, Reply};
use crate::trouble::stage::{Instance, Stage, today, tomorrow, until};

const GRANTS: usize = 50;
/// Of each grant: it is issued, changed so often but twice, and revoked.
const EVENTS_OF_EACH: usize = 20;
const NETWORKS: (&str, &str) = ("KEYLEND_WEBHOOK_NETWORKS_ALLOWED", "127.0.0.1");
const TYPES: [&str; 3] = ["grant.issued", "grant.amended", "grant.revoked"];

/// Some of the grants, from when they are issued to when they are revoked.
async fn lives(owner: &Actor, guest: &Actor, count: usize) {
    let life = async || {
        let body = json!({
            "vehicle_id": owner.vehicles[0],
            "grantee_id": guest.id,
            "entitlements": ["unlock", "lock"],
            "not_before": today(),
            "not_after": tomorrow(),
        });
        let path = format!(
            "/v1/grants/{}",
            owner.post("/v1/grants", body).await.expect(201).text("grant_id")
        );
        for uses in 0..EVENTS_OF_EACH - 2 {
            let changes = json!({ "max_uses": uses + 1 });
            let request =
                owner.request(Method::PATCH, &path).header("if-match", "*").json(&changes);
            Reply::read(request.send().await.unwrap()).await.expect(200);
        }
        owner.post(&format!("{path}/revoke"), json!({})).await.expect(200);
    };
    join_all((0..count).map(|_| life())).await;
}

async fn verified_by(command: &mut Command) -> String {
    let output = command.output().await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Has the libraries verify what arrived.
async fn verify(secret: &str, arrivals: &[Arrival], folder: &Path) {
    let line = |arrival: &Arrival| {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers: BTreeMap<&str, &str> =
            names.iter().map(|name| (*name, arrival.header(name))).collect();
        json!({ "headers": headers, "body": std::str::from_utf8(&arrival.body).unwrap() })
            .to_string()
    };
    let lines: Vec<String> = arrivals.iter().map(line).collect();
    let file = folder.join("arrivals.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let tools = Path::new(ROOT).join("target/test-tools");
    let mut node = Command::new("node");
    node.arg(Path::new(ROOT).join("tests/tools/standard_webhooks.mjs"));
    node.arg(installed(tools.join("node/node_modules"))).args([secret]).arg(&file);
    let mut python = Command::new(installed(tools.join("venv/bin/python")));
    python.arg(Path::new(ROOT).join("tests/tools/standard_webhooks.py")).arg(secret).arg(&file);
    for command in [&mut node, &mut python] {
        assert_eq!(verified_by(command).await, arrivals.len().to_string());
    }
}

/// Whether every event was taken; if not, what waits is sent now.
async fn all_taken(owner: &Actor, endpoint: &str, receiver: &Receiver) -> Option<()> {
    let taken: BTreeSet<String> = receiver
        .arrivals()
        .iter()
        .filter(|arrival| arrival.was_taken)
        .map(|arrival| arrival.header("webhook-id").to_owned())
        .collect();
    if taken.len() == GRANTS * EVENTS_OF_EACH {
        return Some(());
    }
    let path = format!("/v1/webhook-endpoints/{endpoint}");
    let mut waiting = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = format!("{path}/deliveries?status=waiting&limit=100{cursor}");
        let page = owner.get(&page).await.expect(200);
        waiting.extend(page.body["data"].as_array().unwrap().iter().cloned());
        let Some(next) = page.body["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let tried = waiting.iter().filter(|one| one["attempts"] != 0);
    let soon = SystemClock::start().now().plus(Duration::from_secs(1)).to_string();
    let waits: Vec<bool> = tried.map(|one| one["next_attempt_at"].as_str() > Some(&soon)).collect();
    // What is left waits for its time alone.
    if !waits.is_empty() && waits.iter().all(|waits| *waits) {
        for verb in ["pause", "resume"] {
            owner.post(&format!("{path}/{verb}"), json!({})).await.expect(200);
        }
    }
    None
}

/// Of each grant every event was taken first in its order.
fn check_order(arrivals: &[Arrival]) {
    let mut revisions: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for arrival in arrivals.iter().filter(|arrival| arrival.was_taken) {
        let told: Value = arrival.json();
        if known.insert(told["event_id"].as_str().unwrap().to_owned()) {
            let data = &told["data"];
            let of_grant =
                revisions.entry(data["grant_id"].as_str().unwrap().to_owned()).or_default();
            of_grant.push(data["grant_revision"].as_i64().unwrap());
        }
    }
    assert_eq!(revisions.len(), GRANTS);
    for (grant_id, revisions) in revisions {
        assert_eq!(revisions.len(), EVENTS_OF_EACH, "{grant_id}");
        assert!(revisions.is_sorted_by(|one, next| one < next), "{grant_id}: {revisions:?}");
    }
}

async fn play(stage: Stage) {
    let service = stage.serve(&[NETWORKS]).await;
    let mut owner = stage.owner(&service).await;
    let guest = owner.invite("guest@example.com").await;
    let mut receiver = Receiver::start().await;
    let dice = Mutex::new(fastrand::Rng::with_seed(15));
    receiver
        .answers(move |_| Behaviour::Status(if dice.lock().unwrap().bool() { 200 } else { 500 }));
    let body = json!({ "url": receiver.url(), "types": TYPES });
    let made = owner.post("/v1/webhook-endpoints", body).await.expect(201);
    let (endpoint, secret) = (made.text("webhook_endpoint_id"), made.text("secret"));

    lives(&owner, &guest, GRANTS / 5).await;
    receiver.kill().await;
    lives(&owner, &guest, GRANTS / 5).await;
    receiver.revive().await;
    lives(&owner, &guest, GRANTS / 5).await;
    // While something is on its way.
    until("an arrival", async || (!receiver.arrivals().is_empty()).then_some(())).await;
    service.running.kill().await;
    let service: Instance = stage.serve(&[NETWORKS]).await;
    owner = owner.at(&service.url);
    lives(&owner, &guest, GRANTS / 5).await;
    receiver.kill().await;
    receiver.revive().await;
    lives(&owner, &guest, GRANTS / 5).await;

    until("all events", async || all_taken(&owner, &endpoint, &receiver).await).await;
    let arrivals = receiver.arrivals();
    check_order(&arrivals);
    verify(&secret, &arrivals, stage.terminal.folder()).await;
    let refused = arrivals.iter().filter(|arrival| !arrival.was_taken).count();
    assert!(refused > GRANTS * EVENTS_OF_EACH / 3, "only {refused} were refused");
    stage.close(vec![service]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_events_arrive_whatever_is_killed_on_sqlite() {
    play(Stage::open(None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_events_arrive_whatever_is_killed_on_postgres() {
    let url = tokio::task::spawn_blocking(|| cluster().create_database(None)).await.unwrap();
    play(Stage::open(Some(&url)).await).await;
}
