//! Who may do something to a car in a period: as asking for each person at each time would find out.

use std::time::Duration;

use keylend::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

const FROM: &str = "2026-07-01T11:00:00Z";
const UNTIL: &str = "2026-07-01T17:00:00Z";
/// The answer is compared this often; every time below is one of these.
const STEP: Duration = Duration::from_secs(30 * 60);

fn question(car: &str, action: &str) -> Value {
    json!({ "vehicle_id": car, "action": action, "from": FROM, "until": UNTIL })
}

async fn who(actor: &Actor, car: &str, action: &str) -> Vec<Value> {
    let said: Reply = actor.post("/v1/access-checks/who", question(car, action)).await.expect(200);
    assert_eq!(said.body["complete"], true);
    said.body["data"].as_array().unwrap().clone()
}

/// Whether the answer says that this right allows it at that time.
fn is_told(said: &[Value], grant_id: Option<&str>, at: Timestamp) -> bool {
    let time = |period: &Value, name: &str| -> Timestamp {
        period[name].as_str().unwrap().parse().unwrap()
    };
    let of = said.iter().filter(|entry| entry["basis"]["grant_id"].as_str() == grant_id);
    let mut times = of.flat_map(|entry| entry["times"].as_array().unwrap());
    times.any(|period| (time(period, "from")..time(period, "until")).contains(&at))
}

async fn lend(app: &TestApp, owner: &Actor, to: &Actor, changes: Value) -> String {
    owner.lend_with(app, to, changes).await.expect(201).text("grant_id")
}

on_both! {
    async fn it_is_what_asking_for_everybody_at_each_time_finds_out(app) {
        let (owner, guest, friend) = (app.owner().await, app.guest().await, app.stranger().await);
        let (car, other) = (owner.vehicles[0].clone(), owner.vehicles[1].clone());
        let window = |from: &str, until: &str| json!({
            "not_before": format!("2026-07-01T{from}:00Z"),
            "not_after": format!("2026-07-01T{until}:00Z"),
            "grace_minutes": 60,
        });
        let mut rights = vec![(owner.clone(), None)];
        let mut lent = |to: &Actor, grant_id: String| {
            rights.push((to.clone(), Some(grant_id.clone())));
            grant_id
        };
        lent(&guest, lend(app, &owner, &guest, window("13:00", "14:00")).await);
        let held = lent(&guest, lend(app, &owner, &guest, window("12:00", "16:00")).await);
        let until = json!({ "scope": { "grant_id": held }, "reason": "Washed.", "until": "2026-07-01T13:30:00Z" });
        owner.post("/v1/holds", until).await.expect(201);
        let revoked = lent(&friend, lend(app, &owner, &friend, window("12:00", "16:00")).await);
        let leaving = json!({ "leave_lock": true });
        owner.post(&format!("/v1/grants/{revoked}/revoke"), leaving).await.expect(200);
        let once = json!({ "max_uses": 1, "not_before": "2026-07-01T12:00:00Z", "not_after": "2026-07-01T13:00:00Z" });
        let used = lent(&friend, lend(app, &owner, &friend, once).await);
        friend.holder_of(&used).await.command(&car, "unlock").await.expect(200);
        let lock_only = json!({ "entitlements": ["lock"], "not_after": "2026-07-01T12:30:00Z" });
        lent(&guest, lend(app, &owner, &guest, lock_only).await);
        let elsewhere = json!({ "vehicle_id": other });
        lend(app, &owner, &guest, elsewhere).await;

        let mut counts = [0, 0];
        for action in ["unlock", "lock"] {
            let said = who(&owner, &car, action).await;
            let mut at: Timestamp = FROM.parse().unwrap();
            while at < UNTIL.parse().unwrap() {
                for (person, grant_id) in &rights {
                    let asked = json!({ "vehicle_id": car, "action": action, "grant_id": grant_id, "at": at });
                    let checked = person.post("/v1/access-checks", asked).await.expect(200);
                    let allowed = checked.body["allowed"].as_bool().unwrap();
                    let told = is_told(&said, grant_id.as_deref(), at);
                    assert_eq!(told, allowed, "{action} at {at}: {}, {said:?}", checked.body);
                    counts[usize::from(allowed)] += 1;
                }
                // It is not that many people who ask, and what they may is asked for by time.
                app.advance(Duration::from_secs(20));
                at = at.plus(STEP);
            }
        }
        assert!(counts.iter().all(|&count| count > 40), "{counts:?}");
    }

    async fn who_may_not_read_it_is_told_so_and_a_wrong_period_is_refused(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let car = owner.vehicles[0].clone();
        owner.lend(app, &guest).await;
        let asked = question(&car, "unlock");
        guest.post("/v1/access-checks/who", asked.clone()).await.expect_problem(403, "not_the_owner");
        for other in [&stranger, &app.foreigner().await] {
            other.post("/v1/access-checks/who", asked.clone()).await.expect_problem(404, "not_found");
        }
        let client = app.api_client(&["commands:write"]).await;
        client.post("/v1/access-checks/who", asked).await.expect_problem(403, "scope_missing");
        for (from, until) in [(UNTIL, FROM), (FROM, FROM), (FROM, "2028-07-01T12:00:00Z")] {
            let asked = json!({ "vehicle_id": car, "action": "unlock", "from": from, "until": until });
            let refused = owner.post("/v1/access-checks/who", asked).await;
            refused.expect_problem(422, "validation_failed");
        }
        let unknown = json!({ "vehicle_id": car, "action": "fly", "from": FROM, "until": UNTIL });
        owner.post("/v1/access-checks/who", unknown).await.expect_problem(422, "validation_failed");
    }
}
