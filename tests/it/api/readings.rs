//! What a car says about itself, for its owner and for guests; and the commands beyond the doors.

use std::time::Duration;

use keylend::config::{Allowance, Config};
use keylend::storage::db::query;
use serde_json::{Value, json};

use crate::support::{Database, EVERYTHING, TestApp, on_both};

/// The words in the path, each with a member of its answer and where the simulator shows the same.
const READINGS: &[(&str, &str, &str)] = &[
    ("vin", "/vin", "/vin"),
    ("location", "/latitude", "/location/latitude"),
    ("location", "/longitude", "/location/longitude"),
    ("odometer", "/distance_km", "/odometer/distance"),
    ("battery", "/level", "/battery/percentRemaining"),
    ("battery", "/range_km", "/battery/range"),
    ("battery-capacity", "/capacity_kwh", "/battery_capacity/capacity"),
    ("charge", "/is_plugged_in", "/charge/isPluggedIn"),
    ("charge-limit", "/limit", "/charge_limit/limit"),
    ("fuel", "/amount_l", "/fuel/amountRemaining"),
    ("fuel", "/level", "/fuel/percentRemaining"),
    ("tire-pressure", "/back_left_kpa", "/tire_pressure/backLeft"),
    ("engine-oil", "/life_remaining", "/engine_oil/lifeRemaining"),
    ("lock-status", "/is_locked", "/is_locked"),
    ("attributes", "/model", "/model"),
];

/// Whether two values are the same, but for the rounding of a number on its way.
fn alike(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= 0.01 * other.abs().max(0.01),
        _ => one == other,
    }
}

fn tight(config: &mut Config) {
    config.limits.vehicle_requests = Allowance { burst: 20, per_minute: 1 };
}

async fn read_everything(app: &TestApp) {
    let (owner, guest) = (app.generous_owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let truth = app.cloud.car_of(app, &car).await;
    let changes = json!({ "entitlements": EVERYTHING });
    let lent = owner.lend_with(app, &guest, changes).await.expect(201);
    let holder = guest.holder_of(&lent.text("grant_id")).await;
    for reader in [&owner, &guest, &holder] {
        for (word, member, truth_at) in READINGS {
            let read = reader.get(&format!("/v1/vehicles/{car}/{word}")).await.expect(200);
            let (told, expected) = (read.body.pointer(member), truth.pointer(truth_at));
            let same = told.zip(expected).is_some_and(|(told, expected)| alike(told, expected));
            assert!(same, "{word}{member}: {told:?}, not {expected:?}");
            assert_eq!(read.body["observable"], word.replace('-', "_"));
            assert!(read.body["fetched_at"].is_string(), "{}", read.body);
        }
    }
    for word in ["nominal-capacity", "system-status", "trouble-codes", "service-history"] {
        owner.get(&format!("/v1/vehicles/{car}/{word}")).await.expect(200);
    }
    for wrong in ["lock_status", "nonsense", "Location"] {
        owner.get(&format!("/v1/vehicles/{car}/{wrong}")).await.expect_problem(404, "not_found");
    }
}

/// The decision is made; the way to the car is looked up in a database that no longer answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_after_the_decision_is_not_told_as_a_lost_consent() {
    let app = TestApp::start(Database::Sqlite).await;
    let (owner, guest) = (app.generous_owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let changes = json!({ "entitlements": EVERYTHING });
    let lent = owner.lend_with(&app, &guest, changes).await.expect(201);
    let holder = guest.holder_of(&lent.text("grant_id")).await;
    let service = app.service();
    let mut reader = service.base.store.read().await.unwrap();
    let consents = query("SELECT connection_id FROM connections").fetch_all(&mut reader).await;
    for connection_id in consents.unwrap() {
        service.access_tokens.forget(connection_id);
    }
    let mut readers = vec![reader];
    while let Ok(reader) = service.base.store.read_urgent().await {
        readers.push(reader);
    }
    let read = holder.get(&format!("/v1/vehicles/{car}/odometer")).await;
    drop(readers);
    assert_eq!(read.status, 503, "{}", read.body);
    holder.get(&format!("/v1/vehicles/{car}/odometer")).await.expect(200);
    app.finish().await;
}

on_both! {
    async fn owner_guest_and_holder_read_what_the_car_says(app) {
        read_everything(app).await;
    }

    async fn a_guest_reads_what_the_grant_names_and_every_try_is_in_the_record(app) {
        let (owner, guest, admin) = (app.generous_owner().await, app.guest().await, app.admin().await);
        let car = owner.vehicles[0].clone();
        let changes = json!({ "entitlements": ["read_location"] });
        let lent = owner.lend_with(app, &guest, changes).await.expect(201);
        guest.get(&format!("/v1/vehicles/{car}/location")).await.expect(200);
        let refused = guest.get(&format!("/v1/vehicles/{car}/odometer")).await;
        refused.expect_problem(403, "entitlement_missing");
        let path = format!("/v1/audit-entries?grant_id={}", lent.text("grant_id"));
        let entries = admin.get(&path).await.expect(200);
        assert_eq!(entries.list("event")[..2], ["vehicle.read_refused", "vehicle.read"]);
        assert_eq!(entries.body["data"][1]["details"]["observable"], "location");
        assert_eq!(entries.body["data"][1]["user_id"], guest.id);

        let revoke = format!("/v1/grants/{}/revoke", lent.text("grant_id"));
        owner.post(&revoke, json!({})).await.expect(200);
        // What was read a moment ago is not given again: no decision rests on it.
        let refused = guest.get(&format!("/v1/vehicles/{car}/location")).await;
        refused.expect_problem(403, "grant_revoked");
    }

    async fn equal_reads_are_answered_from_one_and_a_command_makes_them_old(app) {
        let owner = app.generous_owner().await;
        let car = owner.vehicles[0].clone();
        let path = format!("/v1/vehicles/{car}/lock-status");
        let id = app.cloud.car_of(app, &car).await["id"].as_str().unwrap().to_owned();
        assert_eq!(owner.get(&path).await.expect(200).body["is_locked"], true);
        // The next read of the cloud would fail; this one does not get there.
        app.cloud.script(&id, json!([{ "kind": "vehicle_state", "code": "ASLEEP", "on": "read" }])).await;
        owner.get(&path).await.expect(200);
        app.advance(Duration::from_secs(16));
        owner.get(&path).await.expect_problem(409, "vehicle_unreachable");
        assert_eq!(owner.get(&path).await.expect(200).body["is_locked"], true);
        owner.command(&car, "unlock").await.expect(200);
        assert_eq!(owner.get(&path).await.expect(200).body["is_locked"], false);
    }

    async fn a_car_is_told_to_charge_and_where_to_go(app) {
        let (owner, guest) = (app.generous_owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let everything = json!({ "entitlements": EVERYTHING });
        let lent = owner.lend_with(app, &guest, everything).await.expect(201);
        let holder = guest.holder_of(&lent.text("grant_id")).await;
        let command = async |action: &str, more: Value| {
            let mut body = json!({ "vehicle_id": car, "action": action });
            for (member, value) in more.as_object().unwrap() {
                body[member] = value.clone();
            }
            holder.post("/v1/commands", body).await
        };
        for (action, more, confirmed) in [
            ("set_charge_limit", json!({ "limit": 0.9 }), "confirmed"),
            ("start_charge", json!({}), "confirmed"),
            ("stop_charge", json!({}), "confirmed"),
            ("set_destination", json!({ "latitude": 47.62, "longitude": -122.35 }), "unconfirmed"),
        ] {
            let sent = command(action, more).await.expect(200);
            assert_eq!((sent.text("status"), sent.text("action")), ("acknowledged".into(), action.into()));
            app.settle().await;
            let path = format!("/v1/commands/{}", sent.text("command_id"));
            let settled = holder.get(&path).await.expect(200);
            assert_eq!(settled.text("status"), confirmed, "{action}: {}", settled.body);
        }
        let journal = app.cloud.journal().await;
        assert_eq!((&journal[0]["action"], &journal[0]["limit"]), (&json!("SET_CHARGE_LIMIT"), &json!(0.9)));
        assert_eq!(journal[3]["longitude"], json!(-122.35));

        for (action, more) in [
            ("set_charge_limit", json!({})),
            ("set_charge_limit", json!({ "limit": 0.4 })),
            ("set_charge_limit", json!({ "limit": 0.855 })),
            ("set_destination", json!({ "latitude": 91, "longitude": 0 })),
            ("set_destination", json!({ "latitude": 1 })),
            ("unlock", json!({ "limit": 0.8 })),
        ] {
            command(action, more).await.expect_problem(422, "validation_failed");
        }
        assert_eq!(app.cloud.journal().await.len(), 4);
    }
}

on_both! { as tight;
    async fn a_guest_who_hammers_reads_leaves_enough_for_the_owner_to_lock(app) {
        let (owner, guest) = (app.generous_owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let everything = json!({ "entitlements": EVERYTHING });
        owner.lend_with(app, &guest, everything).await.expect(201);
        let mut limited = 0;
        for _ in 0..5 {
            for word in ["location", "odometer", "battery", "fuel", "tire-pressure", "vin",
                "lock-status", "charge", "engine-oil", "battery-capacity", "charge-limit",
                "nominal-capacity", "service-history"] {
                let read = guest.get(&format!("/v1/vehicles/{car}/{word}")).await;
                if read.status != 200 {
                    assert!(read.headers.contains_key("retry-after"), "{}", read.body);
                    read.expect_problem(429, "rate_limited");
                    limited += 1;
                }
            }
        }
        assert!(limited > 0, "the budget was never used up");
        for _ in 0..4 {
            let sent = guest.command(&car, "unlock").await;
            if sent.status != 200 {
                assert!(sent.headers.contains_key("retry-after"), "{}", sent.body);
                sent.expect_problem(429, "rate_limited");
            }
        }
        let locked = owner.command(&car, "lock").await.expect(200);
        assert_eq!(locked.text("status"), "acknowledged");
        assert_eq!(app.cloud.car_of(app, &car).await["is_locked"], true);
        // There is enough left to see what became of it.
        app.settle().await;
        let path = format!("/v1/commands/{}", locked.text("command_id"));
        assert_eq!(owner.get(&path).await.expect(200).text("status"), "confirmed");
    }
}
