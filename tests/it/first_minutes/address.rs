//! The public address changes: a setting like any other. The record keeps its name, and tokens of the address
//! before stay valid if it is named.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keylend::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::support::app::http_client;
use crate::support::household::Household;
use crate::support::program::Running;
use crate::support::{Actor, Terminal};

const NEW: &str = "https://lend.example.com";

/// What a token says about itself.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The newest checkpoint, once it covers more than so many entries: the name of the log and the size.
async fn checkpoint_over(address: &str, entries: u64) -> (String, u64) {
    loop {
        let answer = http_client().get(format!("http://{address}/log/checkpoint")).send().await;
        let note = answer.unwrap().text().await.unwrap();
        let mut lines = note.lines();
        let name = lines.next().unwrap_or_default().to_owned();
        let size = lines.next().and_then(|line| line.parse().ok());
        if let Some(size) = size.filter(|size| *size > entries) {
            return (name, size);
        }
        tokio::task::yield_now().await;
    }
}

/// A guest with a key for the car of the house, and who holds it.
async fn lend(house: &Household) -> (Actor, String) {
    let guest = house.admin.invite("g@example.com").await;
    let now = SystemClock::start().now();
    let body = json!({
        "vehicle_id": house.car, "grantee_id": guest.id, "entitlements": ["unlock", "lock"],
        "not_before": now, "not_after": now.plus(Duration::from_secs(60 * 60)),
    });
    let grant_id = house.admin.post("/v1/grants", body).await.expect(201).text("grant_id");
    (guest, grant_id)
}

async fn serve_at_new_address(terminal: &Terminal, earlier: Option<&str>) -> Running {
    let mut settings = vec![("KEYLEND_PUBLIC_URL", NEW)];
    settings.extend(earlier.map(|earlier| ("KEYLEND_EARLIER_PUBLIC_URLS", earlier)));
    let mut service = terminal.start_with(&["serve"], &settings);
    service.logged_after("the record keeps the name with which it began").await;
    service.logged_after("public_url=").await;
    service
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_the_address_before_are_valid_if_it_is_named_and_new_ones_are_of_the_new() {
    let mut house = Household::start(None).await;
    let old = format!("http://{}", house.address);
    let (guest, grant_id) = lend(&house).await;
    let holder = guest.holder_of(&grant_id).await;
    holder.command(&house.car, "unlock").await.expect(200);
    checkpoint_over(&house.address, 0).await;

    assert!(house.service.terminate().await.success());
    house.service = serve_at_new_address(&house.terminal, None).await;
    holder.command(&house.car, "lock").await.expect(401);
    house.admin.get("/v1/vehicles").await.expect(401);

    assert!(house.service.terminate().await.success());
    let earlier = format!("https://even-earlier.example.com,{old}");
    house.service = serve_at_new_address(&house.terminal, Some(&earlier)).await;
    holder.command(&house.car, "lock").await.expect(200);
    house.admin.get("/v1/vehicles").await.expect(200);
    let minted = guest.post(&format!("/v1/grants/{grant_id}/token"), json!({})).await.expect(200);
    let claims = claims(&minted.text("grant_token"));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(NEW), &json!(NEW)));
    guest.with_token(minted.text("grant_token")).command(&house.car, "unlock").await.expect(200);
    // What is derived from the address is of the new one.
    let started = house.admin.post("/v1/connections", json!({})).await.expect(201);
    let page = started.text("authorize_url");
    assert!(page.contains("redirect_uri=https%3A%2F%2Flend.example.com%2Fv1%2F"), "{page}");
    house.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_goes_on_under_its_name_and_verifies() {
    let mut house = Household::start(None).await;
    let name = format!("{}/log", house.address);
    let key = house.terminal.run(&["keys", "show"]).await.well().trim().to_owned();
    assert!(key.starts_with(&format!("{name}+")), "{key}");
    let (begun, before) = checkpoint_over(&house.address, 0).await;
    assert_eq!(begun, name);
    house.terminal.run(&["audit", "export", "copy"]).await.well();

    assert!(house.service.terminate().await.success());
    house.terminal.export("KEYLEND_PUBLIC_URL", NEW);
    house.terminal.export("KEYLEND_EARLIER_PUBLIC_URLS", &format!("http://{}", house.address));
    house.service = serve_at_new_address(&house.terminal, None).await;
    lend(&house).await;
    let (now, after) = checkpoint_over(&house.address, before).await;
    assert_eq!(now, name);
    house.terminal.run(&["audit", "export", "copy"]).await.well();
    let verify = ["audit", "verify", "copy", "--key", &key, "-o", "json"];
    let verified = house.terminal.run(&verify).await.json();
    assert!(verified["size"].as_u64().unwrap() >= after, "{verified}");
    assert_eq!(house.terminal.run(&["keys", "show"]).await.well().trim(), key);
    let examined = house.terminal.run(&["doctor"]).await.well();
    assert!(examined.contains(&format!("✓ record: {name} continues")), "{examined}");

    // The name is also in the database, for an instance that has signed nothing yet.
    assert!(house.service.terminate().await.success());
    let kept = house.terminal.folder().join("keylend.keys.checkpoint");
    fs::rename(&kept, house.terminal.folder().join("aside")).unwrap();
    assert_eq!(house.terminal.run(&["keys", "show"]).await.well().trim(), key);
    house.service = serve_at_new_address(&house.terminal, None).await;
    house.admin.invite("h@example.com").await;
    assert_eq!(checkpoint_over(&house.address, after).await.0, name);
    house.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_name_for_a_record_that_has_begun_is_refused_with_the_one_that_it_has() {
    let mut house = Household::start(None).await;
    checkpoint_over(&house.address, 0).await;
    let name = format!("{}/log", house.address);
    house.service.start_kill();
    house.terminal.export("KEYLEND_RECORD_ORIGIN", "lend.example.com/log");
    let expected = format!(
        "KEYLEND_RECORD_ORIGIN=lend.example.com/log is not the name of the record, which began as {name}"
    );
    let remedy = format!("give {name}, or leave KEYLEND_RECORD_ORIGIN away");
    let refused = house.terminal.run(&["serve"]).await.failed();
    let examined = house.terminal.run(&["doctor"]).await.ended(1);
    let shown = house.terminal.run(&["keys", "show"]).await.failed();
    for said in [refused, examined, shown] {
        assert!(said.contains(&expected) && said.contains(&remedy), "{said}");
    }
    assert!(house.cloud.terminate().await.success());
}
