//! Events are sent to the addresses of an organization: signed, in the order of each grant, again until they are taken, and not for
//! ever to an address that takes nothing.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use keylend::signing::standard_webhook::WebhookSecret;
use serde_json::{Value, json};

use crate::support::receiver::{Arrival, Behaviour, Receiver};
use crate::support::{Actor, Reply, TestApp, on_both};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// An endpoint at a receiver, and its secret.
pub(crate) async fn subscribe(
    admin: &Actor,
    receiver: &Receiver,
    types: &[&str],
) -> (String, String) {
    let mut body = json!({ "url": receiver.url(), "description": "Backend" });
    if !types.is_empty() {
        body["types"] = json!(types);
    }
    let made = admin.post("/v1/webhook-endpoints", body).await.expect(201);
    (made.text("webhook_endpoint_id"), made.text("secret"))
}

/// Has everything sent that is to be sent now.
pub(crate) async fn deliver(app: &TestApp) {
    // What was found to be more is sent in the next round.
    for _ in 0..4 {
        app.run_workers().await;
        app.idle().await;
    }
}

async fn shown(admin: &Actor, id: &str) -> Reply {
    admin.get(&format!("/v1/webhook-endpoints/{id}")).await.expect(200)
}

async fn deliveries(admin: &Actor, id: &str, query: &str) -> Vec<Value> {
    let path = format!("/v1/webhook-endpoints/{id}/deliveries?{query}");
    admin.get(&path).await.expect(200).body["data"].as_array().unwrap().clone()
}

/// The signatures with which a message should come.
fn signed_with(secret: &str, arrival: &Arrival) -> String {
    use base64::Engine as _;
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(&secret["whsec_".len()..]).unwrap();
    let timestamp = arrival.header("webhook-timestamp").parse().unwrap();
    let secret = WebhookSecret::of_bytes(&bytes).unwrap();
    secret.sign(arrival.header("webhook-id"), timestamp, &arrival.body)
}

on_both! {
    async fn what_happens_is_sent_signed_and_once(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let (id, secret) = subscribe(&admin, &receiver, &["grant.issued", "grant.revoked"]).await;
        let grant_id = owner.lend(app, &guest).await;
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        deliver(app).await;
        assert_eq!(receiver.taken(), ["grant.issued", "grant.revoked"]);
        let [issued, revoked] = receiver.arrivals().try_into().unwrap();
        assert_eq!(issued.header("content-type"), "application/json");
        for arrival in [&issued, &revoked] {
            assert_eq!(arrival.header("webhook-signature"), signed_with(&secret, arrival));
            assert_eq!(arrival.header("webhook-id"), arrival.json()["event_id"]);
            assert!(arrival.body.len() < 20_000);
        }
        // It is the same as what is read.
        let read = admin.get("/v1/events?type=grant.issued").await.expect(200);
        assert_eq!(read.body["data"][0], issued.json());
        let listed = deliveries(&admin, &id, "").await;
        assert_eq!(listed.len(), 2);
        assert_eq!((&listed[0]["status"], &listed[0]["answer_status"], &listed[0]["attempts"]), (&json!("delivered"), &json!(204), &json!(1)));
        assert!(deliveries(&admin, &id, "status=waiting").await.is_empty());
        let endpoint = shown(&admin, &id).await;
        assert_eq!((&endpoint.body["status"], &endpoint.body["types"]), (&json!("active"), &json!(["grant.issued", "grant.revoked"])));
        // The secret is nowhere to be read, and not in the database as it is.
        let all = admin.get("/v1/webhook-endpoints").await.expect(200).body.to_string();
        assert!(!all.contains("whsec_"), "{all}");
        assert!(!String::from_utf8_lossy(&app.dump().await).contains(&secret["whsec_".len()..]));
    }

    async fn what_was_not_taken_comes_again_and_later_events_of_the_grant_wait_for_it(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let (id, _) = subscribe(&admin, &receiver, &["grant.issued", "grant.revoked"]).await;
        let (one, other) = (owner.lend(app, &guest).await, owner.lend(app, &guest).await);
        let refused = one.clone();
        receiver.answers(move |arrival| Behaviour::Status(if arrival.json()["data"]["grant_id"] == json!(refused) { 500 } else { 200 }));
        deliver(app).await;
        owner.post(&format!("/v1/grants/{one}/revoke"), json!({})).await.expect(200);
        owner.post(&format!("/v1/grants/{other}/revoke"), json!({})).await.expect(200);
        deliver(app).await;
        // The other grant goes on; of the one, nothing overtakes.
        assert_eq!(receiver.taken(), ["grant.issued", "grant.revoked"]);
        assert_eq!(receiver.arrivals().iter().filter(|arrival| !arrival.was_taken).count(), 1);
        let waiting = deliveries(&admin, &id, "status=waiting").await;
        assert_eq!(waiting.len(), 2);
        assert_eq!((&waiting[1]["type"], &waiting[1]["attempts"], &waiting[1]["answer_status"], &waiting[1]["fault"], &waiting[1]["answer"]),
            (&json!("grant.issued"), &json!(1), &json!(500), &json!("status"), &json!("as told")));
        assert_eq!((&waiting[0]["attempts"], &waiting[0]["answer_status"]), (&json!(0), &Value::Null));
        // Not before its time, and with the same id and another time then.
        app.advance(Duration::from_secs(4));
        deliver(app).await;
        assert_eq!(receiver.arrivals().len(), 3);
        app.advance(Duration::from_secs(2));
        deliver(app).await;
        let arrivals = receiver.arrivals();
        let tries: Vec<&Arrival> = arrivals.iter().filter(|arrival| !arrival.was_taken).collect();
        assert_eq!(tries.len(), 2);
        assert_eq!(tries[0].header("webhook-id"), tries[1].header("webhook-id"));
        assert_ne!(tries[0].header("webhook-timestamp"), tries[1].header("webhook-timestamp"));
        receiver.answers(|_| Behaviour::Status(200));
        app.advance(Duration::from_secs(6 * 60));
        deliver(app).await;
        assert_eq!(receiver.taken(), ["grant.issued", "grant.revoked", "grant.issued", "grant.revoked"]);
        assert!(deliveries(&admin, &id, "status=waiting").await.is_empty());
    }

    async fn one_event_that_is_never_taken_neither_stops_others_nor_is_given_up_early(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let (id, _) = subscribe(&admin, &receiver, &["grant.issued"]).await;
        let poison = owner.lend(app, &guest).await;
        receiver.answers(move |arrival| Behaviour::Status(if arrival.json()["data"]["grant_id"] == json!(poison) { 500 } else { 200 }));
        deliver(app).await;
        // Others are taken meanwhile; that uses up none of its attempts.
        for number in 1..13 {
            owner.lend(app, &guest).await;
            app.advance(Duration::from_millis(100));
            deliver(app).await;
            app.advance(Duration::from_millis(100));
            assert!(receiver.taken().len() <= number);
        }
        app.advance(Duration::from_secs(2));
        deliver(app).await;
        let waiting = deliveries(&admin, &id, "status=waiting").await;
        assert_eq!((waiting.len(), &waiting[0]["attempts"]), (1, &json!(1)), "{waiting:?}");
        // When it is alone for hours, the next one still goes out within minutes.
        for _ in 0..5 {
            app.advance(Duration::from_secs(45 * 60));
            deliver(app).await;
        }
        let before = receiver.taken().len();
        let owner = crate::api::again(app, &owner, "owner").await;
        owner.lend(app, &guest).await;
        for _ in 0..2 {
            deliver(app).await;
            app.advance(Duration::from_secs(5 * 60 + 1));
        }
        deliver(app).await;
        assert_eq!(receiver.taken().len(), before + 1);
    }

    async fn after_an_hour_nothing_waits_for_an_event_that_is_never_taken(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let (id, _) = subscribe(&admin, &receiver, &["grant.issued", "grant.revoked"]).await;
        receiver.answers(|arrival| Behaviour::Status(if arrival.event_type() == "grant.issued" { 500 } else { 200 }));
        let grant_id = owner.lend(app, &guest).await;
        deliver(app).await;
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        deliver(app).await;
        assert!(receiver.taken().is_empty());
        app.advance(HOUR);
        // While it takes nothing it is tried with one event at a time, the oldest first.
        for _ in 0..2 {
            app.advance(Duration::from_secs(10));
            deliver(app).await;
        }
        assert_eq!(receiver.taken(), ["grant.revoked"]);
        // It is tried ten times over three days, and then given up.
        let admin = crate::api::again(app, &admin, "admin").await;
        for _ in 0..35 {
            app.advance(3 * HOUR);
            deliver(app).await;
        }
        let admin = crate::api::again(app, &admin, "admin").await;
        let given_up = deliveries(&admin, &id, "status=failed").await;
        assert_eq!((&given_up[0]["type"], &given_up[0]["attempts"]), (&json!("grant.issued"), &json!(10)));
        assert_eq!(given_up.len(), 1);
    }

    async fn an_endpoint_that_takes_nothing_is_paused_and_its_administrator_told(app) {
        let (owner, guest, mut admin) = (app.owner().await, app.guest().await, app.admin().await);
        let (receiver, witness) = (Receiver::start().await, Receiver::start().await);
        let (id, _) = subscribe(&admin, &receiver, &["grant.issued"]).await;
        subscribe(&admin, &witness, &["webhook_endpoint.paused"]).await;
        receiver.answers(|_| Behaviour::Status(503));
        for _ in 0..3 {
            owner.lend(app, &guest).await;
        }
        deliver(app).await;
        assert!(shown(&admin, &id).await.body["failing_since"].is_string());
        // While it takes nothing it is tried with one event at a time.
        let before = receiver.arrivals().len();
        app.advance(Duration::from_secs(6));
        deliver(app).await;
        assert_eq!(receiver.arrivals().len(), before + 1);
        for _ in 0..21 {
            app.advance(6 * HOUR);
            deliver(app).await;
        }
        admin = crate::api::again(app, &admin, "admin").await;
        let endpoint = shown(&admin, &id).await;
        assert_eq!((&endpoint.body["status"], &endpoint.body["paused_reason"]), (&json!("paused"), &json!("unreachable")));
        deliver(app).await;
        assert_eq!(witness.taken(), ["webhook_endpoint.paused"]);
        assert_eq!(witness.arrivals()[0].json()["data"]["webhook_endpoint_id"], json!(id));
        assert_eq!(witness.arrivals()[0].json()["data"]["reason"], "unreachable");
        let entries = admin.get("/v1/audit-entries?event=webhook_endpoint.paused").await.expect(200);
        assert_eq!(entries.body["data"][0]["actor"]["kind"], "system");
        // Nothing more is sent, until somebody resumes it.
        let before = receiver.arrivals().len();
        app.advance(24 * HOUR);
        deliver(app).await;
        assert_eq!(receiver.arrivals().len(), before);
        receiver.answers(|_| Behaviour::Status(200));
        admin = crate::api::again(app, &admin, "admin").await;
        admin.post(&format!("/v1/webhook-endpoints/{id}/resume"), json!({})).await.expect(200);
        deliver(app).await;
        let mut events: Vec<String> = receiver.arrivals().iter().map(|arrival| arrival.header("webhook-id").to_owned()).collect();
        events.sort();
        events.dedup();
        assert_eq!(events.len(), 3);
        assert_eq!(receiver.taken().len(), 3 - deliveries(&admin, &id, "status=failed").await.len());
    }

    async fn an_endpoint_that_says_it_is_gone_is_paused_at_once(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let (id, _) = subscribe(&admin, &receiver, &[]).await;
        receiver.answers(|_| Behaviour::Status(410));
        owner.lend(app, &guest).await;
        deliver(app).await;
        assert_eq!(shown(&admin, &id).await.body["paused_reason"], "gone");
    }

    async fn who_pauses_an_endpoint_is_sent_everything_afterwards(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let (id, _) = subscribe(&admin, &receiver, &["grant.issued"]).await;
        let path = |verb: &str| format!("/v1/webhook-endpoints/{id}/{verb}");
        for _ in 0..2 {
            let paused = admin.post(&path("pause"), json!({})).await.expect(200);
            assert_eq!((&paused.body["status"], &paused.body["paused_reason"]), (&json!("paused"), &json!("requested")));
        }
        owner.lend(app, &guest).await;
        deliver(app).await;
        assert!(receiver.arrivals().is_empty());
        for _ in 0..2 {
            let resumed = admin.post(&path("resume"), json!({})).await.expect(200);
            assert_eq!((&resumed.body["status"], &resumed.body["paused_reason"]), (&json!("active"), &Value::Null));
        }
        deliver(app).await;
        assert_eq!(receiver.taken(), ["grant.issued"]);
        let recorded: Vec<String> = admin.get("/v1/audit-entries?limit=100").await.expect(200).list("event");
        for event in ["webhook_endpoint.created", "webhook_endpoint.paused", "webhook_endpoint.resumed"] {
            assert_eq!(recorded.iter().filter(|one| *one == event).count(), 1, "{event}");
        }
        admin.delete(&format!("/v1/webhook-endpoints/{id}")).await.expect(204);
        admin.delete(&format!("/v1/webhook-endpoints/{id}")).await.expect_problem(404, "not_found");
        owner.lend(app, &guest).await;
        deliver(app).await;
        assert_eq!(receiver.arrivals().len(), 1);
        assert_eq!(app.count("SELECT COUNT(*) FROM webhook_deliveries").await, 0);
    }

    async fn a_secret_is_replaced_while_messages_have_both_signatures(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let (id, first) = subscribe(&admin, &receiver, &["grant.issued"]).await;
        let path = format!("/v1/webhook-endpoints/{id}/rotate-secret");
        let rotated = admin.post_as(&path, "rotate", json!({ "overlap_s": 3600 })).await.expect(201);
        let again = admin.post_as(&path, "rotate", json!({ "overlap_s": 3600 })).await.expect(201);
        assert_eq!(rotated.text("secret"), again.text("secret"));
        let second = rotated.text("secret");
        owner.lend(app, &guest).await;
        deliver(app).await;
        app.advance(HOUR);
        let owner = crate::api::again(app, &owner, "owner").await;
        owner.lend(app, &guest).await;
        deliver(app).await;
        let [both, alone] = receiver.arrivals().try_into().unwrap();
        assert_eq!(both.header("webhook-signature"), format!("{} {}", signed_with(&second, &both), signed_with(&first, &both)));
        assert_eq!(alone.header("webhook-signature"), signed_with(&second, &alone));
        let admin = crate::api::again(app, &admin, "admin").await;
        admin.post(&path, json!({ "overlap_s": 604_801 })).await.expect_problem(422, "validation_failed");
    }

    async fn a_test_tells_what_came_back_and_an_event_can_be_sent_again(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let (id, secret) = subscribe(&admin, &receiver, &["grant.issued"]).await;
        let path = |verb: &str| format!("/v1/webhook-endpoints/{id}/{verb}");
        let tried = admin.post(&path("test"), json!({})).await.expect(200);
        assert_eq!((&tried.body["status"], &tried.body["answer_status"], &tried.body["type"]), (&json!("delivered"), &json!(204), &json!("webhook_endpoint.test")));
        let arrival = receiver.arrivals().remove(0);
        assert_eq!(arrival.header("webhook-signature"), signed_with(&secret, &arrival));
        assert_eq!(arrival.json()["data"], json!({ "webhook_endpoint_id": id }));
        receiver.answers(|_| Behaviour::Status(404));
        let tried = admin.post(&path("test"), json!({})).await.expect(200);
        assert_eq!((&tried.body["status"], &tried.body["fault"], &tried.body["answer"]), (&json!("failed"), &json!("status"), &json!("as told")));
        receiver.answers(|_| Behaviour::Status(200));
        owner.lend(app, &guest).await;
        deliver(app).await;
        let event_id = deliveries(&admin, &id, "").await[0]["event_id"].clone();
        let again = admin.post(&path("redeliver"), json!({ "event_id": event_id })).await.expect(202);
        assert_eq!(again.body["status"], "waiting");
        deliver(app).await;
        let ids: Vec<String> = receiver.arrivals().iter().skip(2).map(|arrival| arrival.header("webhook-id").to_owned()).collect();
        assert_eq!(ids, [event_id.as_str().unwrap(), event_id.as_str().unwrap()]);
        // What is not told, and what is not there.
        let entries = admin.get("/v1/audit-entries?event=session.created").await.expect(200);
        for unknown in [entries.list("entry_id").remove(0), "evt_00000000000000000000000001".to_owned()] {
            admin.post(&path("redeliver"), json!({ "event_id": unknown })).await.expect_problem(404, "not_found");
        }
    }

    async fn a_commands_events_and_each_grants_arrive_in_order_however_often_the_receiver_fails(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let receiver = Receiver::start().await;
        let (id, _) = subscribe(&admin, &receiver, &[]).await;
        let dice = Mutex::new(fastrand::Rng::with_seed(7));
        receiver.answers(move |_| Behaviour::Status(if dice.lock().unwrap().bool() { 200 } else { 500 }));
        for _ in 0..4 {
            let issued = owner.lend_with(app, &guest, json!({})).await.expect(201);
            let path = format!("/v1/grants/{}", issued.text("grant_id"));
            for uses in 1..4 {
                let seen = owner.get(&path).await.expect(200);
                owner.patch(&path, &seen, json!({ "max_uses": uses })).await.expect(200);
            }
            owner.post(&format!("{path}/revoke"), json!({})).await.expect(200);
        }
        let mut total = 0;
        let expected = app.count("SELECT COUNT(*) FROM audit_entries WHERE event LIKE 'grant.%'").await;
        for _ in 0..200 {
            deliver(app).await;
            let taken = receiver.taken();
            total = taken.iter().filter(|event| event.starts_with("grant.")).count();
            if total as i64 >= expected {
                break;
            }
            // Whoever mended their receiver does not wait for the next attempt.
            for verb in ["pause", "resume"] {
                admin.post(&format!("/v1/webhook-endpoints/{id}/{verb}"), json!({})).await.expect(200);
            }
        }
        assert_eq!(total as i64, expected);
        let mut seen: BTreeMap<String, i64> = BTreeMap::new();
        for arrival in receiver.arrivals().iter().filter(|arrival| arrival.was_taken) {
            let told = arrival.json();
            if let (Some(grant_id), Some(revision)) = (told["data"]["grant_id"].as_str(), told["data"]["grant_revision"].as_i64()) {
                let before = seen.insert(grant_id.to_owned(), revision);
                assert!(before.is_none_or(|before| before < revision), "{grant_id} went back");
            }
        }
        assert_eq!(seen.len(), 4);
    }
}
