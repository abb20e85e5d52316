//! A wall clock that jumps, in one process: seen by itself on a file, and beside an instance whose
//! clock is right on one server.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::stage::{Instance, Stage, assert_wait, until_ready, until_status};
use crate::support::people::PASSWORD;
use crate::support::postgres::own::OwnServer;
use crate::support::{Actor, preloaded};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 60 * 60 * SECOND;
const DAY: i64 = 24 * HOUR;

/// The clock of one process.
struct Hands(PathBuf);

impl Hands {
    fn new(folder: &Path) -> Self {
        let hands = Self(folder.join("clock"));
        hands.set(0);
        hands
    }

    /// Sets the process's clock: so many microseconds from the machine's.
    fn set(&self, offset_us: i64) {
        use std::io::Write as _;
        // In place: the process looks at this very file.
        let file = std::fs::File::options().write(true).create(true).truncate(false).open(&self.0);
        file.unwrap().write_all(&offset_us.to_ne_bytes()).unwrap();
    }

    fn settings(&self) -> [(&str, &str); 2] {
        let library = preloaded::clock().to_str().unwrap();
        [("LD_PRELOAD", library), ("KEYLEND_TEST_CLOCK", self.0.to_str().unwrap())]
    }
}

/// A guest with a key for two hours from now, and one with a key from tomorrow on.
async fn keys(owner: &Actor) -> (String, String) {
    let guest = owner.invite("g@example.com").await.id;
    let now = keylend::clock::Clock::now(&keylend::clock::SystemClock::start());
    let hours = |hours| std::time::Duration::from_secs(hours * 60 * 60);
    let lend = async |from: u64, to: u64| {
        let body = json!({
            "vehicle_id": owner.vehicles[0], "grantee_id": guest, "entitlements": ["unlock", "lock"],
            "not_before": now.minus(hours(1)).plus(hours(from)), "not_after": now.plus(hours(to)),
        });
        owner.post("/v1/grants", body).await.expect(201).text("grant_id")
    };
    (lend(0, 2).await, lend(25, 9000).await)
}

async fn guest_at(service: &Instance) -> Actor {
    let visitor = Actor::visiting(&service.url);
    let body = json!({ "email": "g@example.com", "password": PASSWORD });
    visitor.with_token(visitor.post("/v1/sessions", body).await.expect(201).text("access_token"))
}

async fn unlock_with(guest: &Actor, car: &str, grant_id: &str) -> crate::support::Reply {
    let body = json!({ "vehicle_id": car, "action": "unlock", "grant_id": grant_id });
    guest.post("/v1/commands", body).await
}

/// After a jump nothing is authorized, whichever window the clock has moved into.
async fn refuses(
    stage: &Stage,
    service: &Instance,
    guest: &Actor,
    car: &str,
    grants: &(String, String),
) {
    let executed = stage.executed().await;
    let (valid, later) = grants;
    for grant_id in [valid, later] {
        let refused = unlock_with(guest, car, grant_id).await;
        assert_wait(&refused);
        assert_eq!(refused.text("code"), "clock_disagrees");
    }
    let checked = json!({ "vehicle_id": car, "action": "unlock" });
    assert_wait(&guest.post("/v1/access-checks", checked).await);
    assert_wait(&guest.get(&format!("/v1/vehicles/{car}/lock-status")).await);
    assert_wait(&guest.post(&format!("/v1/grants/{valid}/token"), json!({})).await);
    assert_eq!(stage.executed().await, executed, "sent by a wrong clock");
    let not_ready = until_ready(&service.url, false).await;
    let failing = not_ready.body["errors"].as_array().unwrap();
    assert!(failing.iter().any(|check| check["pointer"] == "clock"), "{}", not_ready.body);
}

/// A jump that is small enough changes nothing; a key that is not valid yet stays so.
async fn decides(service: &Instance, guest: &Actor, car: &str, grants: &(String, String)) {
    until_status(200, || unlock_with(guest, car, &grants.0)).await;
    unlock_with(guest, car, &grants.1).await.expect_problem(403, "grant_not_yet_valid");
    until_ready(&service.url, true).await;
}

async fn jumps(stage: &Stage, service: &Instance, hands: &Hands, owner: &Actor) {
    let grants = keys(owner).await;
    let guest = guest_at(service).await;
    let car = &owner.vehicles[0];
    decides(service, &guest, car, &grants).await;
    for jump in [SECOND, 3 * SECOND, HOUR, 26 * HOUR, 400 * DAY] {
        for jump in [jump, -jump] {
            hands.set(jump);
            if jump.abs() > 2 * SECOND {
                refuses(stage, service, &guest, car, &grants).await;
                let lock = json!({ "vehicle_id": car, "action": "lock", "grant_id": grants.0 });
                guest.post("/v1/commands", lock).await.expect(200);
                hands.set(0);
            }
            decides(service, &guest, car, &grants).await;
            hands.set(0);
        }
    }
    // What was recorded meanwhile has the time at which it happened.
    let path = format!("/v1/audit-entries?limit=100&vehicle_id={car}");
    let times = owner.get(&path).await.expect(200).list("occurred_at");
    let now = keylend::clock::Clock::now(&keylend::clock::SystemClock::start());
    for time in times {
        let at: keylend::domain::time::Timestamp = time.parse().unwrap();
        assert!(at.since(now) < std::time::Duration::from_secs(2), "{time} is to come");
        assert!(now.since(at) < std::time::Duration::from_secs(600), "{time} is long ago");
    }
    ends_what_it_takes_for_over(service, hands, owner, &grants).await;
}

/// An end of all leaves out no grant that a wrong clock takes for long over.
async fn ends_what_it_takes_for_over(
    service: &Instance,
    hands: &Hands,
    owner: &Actor,
    grants: &(String, String),
) {
    let guest = guest_at(service).await;
    hands.set(400 * DAY);
    until_ready(&service.url, false).await;
    let scope = json!({ "vehicle_id": owner.vehicles[0] });
    let ended = owner.post("/v1/ends", json!({ "scope": scope, "reason": "Stolen." })).await;
    assert_eq!(ended.expect(201).body["grants"], 2);
    hands.set(0);
    until_ready(&service.url, true).await;
    for grant_id in [&grants.0, &grants.1] {
        let refused = unlock_with(&guest, &owner.vehicles[0], grant_id).await;
        refused.expect_problem(403, "grant_revoked");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_opens_nothing_on_a_file() {
    let stage = Stage::open(None).await;
    let hands = Hands::new(stage.terminal.folder());
    let service = stage.serve(&hands.settings()).await;
    let owner = stage.owner(&service).await;
    jumps(&stage, &service, &hands, &owner).await;
    stage.close(vec![service]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_opens_nothing_and_stops_no_other_instance() {
    let server = tokio::task::spawn_blocking(OwnServer::start).await.unwrap();
    let stage = Stage::open(Some(&server.url())).await;
    let hands = Hands::new(stage.terminal.folder());
    let service = stage.serve(&hands.settings()).await;
    let keys = stage.terminal.folder().join("keylend.keys");
    let copy = stage.terminal.folder().join("other.keys");
    std::fs::copy(keys, &copy).unwrap();
    let other = stage.serve(&[("KEYLEND_KEY_FILE", copy.to_str().unwrap())]).await;
    let owner = stage.owner(&service).await;
    jumps(&stage, &service, &hands, &owner).await;
    // While one is wrong, the other goes on.
    hands.set(HOUR);
    until_ready(&service.url, false).await;
    owner.at(&other.url).command(&owner.vehicles[0], "unlock").await.expect(200);
    until_ready(&other.url, true).await;
    stage.close(vec![service, other]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_wrong_from_the_start_opens_nothing_until_it_is_right() {
    let server = tokio::task::spawn_blocking(OwnServer::start).await.unwrap();
    let stage = Stage::open(Some(&server.url())).await;
    let hands = Hands::new(stage.terminal.folder());
    let right = stage.serve(&[]).await;
    let owner = stage.owner(&right).await;
    stage.close_one(right).await;
    for wrong in [3 * SECOND, -3 * SECOND, 400 * DAY, -400 * DAY] {
        hands.set(wrong);
        let service = stage.serve(&hands.settings()).await;
        until_ready(&service.url, false).await;
        hands.set(0);
        until_ready(&service.url, true).await;
        owner.at(&service.url).command(&owner.vehicles[0], "unlock").await.expect(200);
        stage.close_one(service).await;
    }
    stage.close(Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_behind_the_record_opens_nothing_unless_somebody_accepts_it() {
    let stage = Stage::open(None).await;
    let hands = Hands::new(stage.terminal.folder());
    hands.set(HOUR);
    let ahead = stage.serve(&hands.settings()).await;
    let owner = stage.owner(&ahead).await;
    stage.close_one(ahead).await;
    hands.set(0);
    let behind = stage.serve(&hands.settings()).await;
    until_ready(&behind.url, false).await;
    stage.close_one(behind).await;
    let accepted = stage.serve_with(&["serve", "--accept-clock"], &hands.settings()).await;
    until_ready(&accepted.url, true).await;
    let cars = owner.vehicles;
    let owner = stage.sign_in(&accepted).await;
    owner.command(&cars[0], "unlock").await.expect(200);
    stage.close(vec![accepted]).await;
}
