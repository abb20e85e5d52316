//! Nothing is lost (P6) and nothing is sent twice (P4): what a crash or a silent cloud leaves open
//! is settled by checking the car, never by sending again.

use std::time::Duration;

use serde_json::json;

use crate::support::household::Household;
use crate::support::postgres::cluster;
use crate::support::{Actor, TestApp, on_both};

/// A command whose answer the cloud holds back: on its way, and executed.
async fn held_unlock(app: &TestApp) -> (Actor, String) {
    let owner = app.owner().await;
    app.cloud.script_all(&json!([{ "kind": "hold", "hold_ms": 3000 }])).await;
    let body = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
    let request = owner.request(reqwest::Method::POST, "/v1/commands");
    let request = request.header("idempotency-key", "held").header("prefer", "wait=0").json(&body);
    let reply = crate::support::Reply::read(request.send().await.unwrap()).await.expect(202);
    assert_eq!(reply.text("status"), "sending");
    while app.cloud.journal_length().await == 0 {
        tokio::task::yield_now().await;
    }
    (owner, reply.text("command_id"))
}

on_both! {
    async fn a_command_whose_sender_is_gone_is_unknown_until_the_car_was_seen(app) {
        let (owner, command_id) = held_unlock(app).await;
        let path = format!("/v1/commands/{command_id}");
        // Before anybody could be gone, nothing is taken over.
        app.run_workers().await;
        assert_eq!(owner.get(&path).await.expect(200).text("status"), "sending");
        app.advance(Duration::from_secs(2 + 5 + 5));
        app.run_workers().await;
        let seen = owner.get(&path).await.expect(200);
        assert_eq!((seen.text("status").as_str(), seen.text("evidence").as_str()), ("confirmed", "state_observed"));
        assert_eq!(app.cloud.journal_length().await, 1, "it was sent again");
        let events = app.admin().await.events_of(&owner.vehicles[0]).await;
        for event in ["command.authorized", "command.unknown", "command.confirmed"] {
            assert_eq!(events.iter().filter(|known| *known == event).count(), 1, "{event}");
        }
    }

    async fn a_client_that_asks_again_with_its_key_gets_the_one_command(app) {
        let (owner, command_id) = held_unlock(app).await;
        let body = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
        let again = owner.post_as("/v1/commands", "held", body).await.expect(200);
        assert_eq!(again.text("command_id"), command_id);
        assert_eq!(again.text("status"), "acknowledged");
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(app.cloud.journal_length().await, 1);
    }
}

/// Starts service and cloud as processes, kills the service with the answer of an unlock still on
/// its way, starts it again, and waits for what it makes of the command.
async fn kill_in_flight(database_url: Option<String>) {
    let mut house = Household::start(database_url.as_deref()).await;
    let (admin, cloud_url) = (&house.admin, &house.cloud_url);
    for vehicle in
        admin.get(&format!("{cloud_url}/_sim/vehicles")).await.body["vehicles"].as_array().unwrap()
    {
        let faults =
            format!("{cloud_url}/_sim/vehicles/{}/faults", vehicle["id"].as_str().unwrap());
        let hold = json!({ "faults": [{ "kind": "hold", "hold_ms": 600_000 }] });
        admin.request(reqwest::Method::PUT, &faults).json(&hold).send().await.unwrap();
    }
    let unlock = json!({ "vehicle_id": house.car, "action": "unlock" });
    let request =
        admin.request(reqwest::Method::POST, "/v1/commands").header("idempotency-key", "one");
    let reply = request.header("prefer", "wait=0").json(&unlock).send().await.unwrap();
    let command = crate::support::Reply::read(reply).await.expect(202).text("command_id");
    while house.executed().await != 1 {
        tokio::task::yield_now().await;
    }
    house.service.kill().await;

    house.service = house.terminal.start(&["serve"]);
    house.service.logged_after("public_url=").await;
    let settled = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let reply = house.admin.get(&format!("/v1/commands/{command}")).await.expect(200);
            if reply.text("status") == "confirmed" {
                return reply;
            }
            assert!(
                ["sending", "unknown"].contains(&reply.text("status").as_str()),
                "{}",
                reply.body
            );
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(settled.await.unwrap().text("evidence"), "state_observed");
    assert_eq!(house.executed().await, 1, "it was sent again");
    let events = house.admin.events_of(&house.car).await;
    assert_eq!(events[..3], ["command.confirmed", "command.unknown", "command.authorized"]);
    house.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_settles_what_it_left_on_sqlite() {
    kill_in_flight(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_settles_what_it_left_on_postgres() {
    let url = tokio::task::spawn_blocking(|| cluster().create_database(None)).await.unwrap();
    kill_in_flight(Some(url)).await;
}
