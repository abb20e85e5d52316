//! What a guest can do with the check of a return: ask as often as the grant may, and learn nothing but what was asked for.

use keylend::config::{Config, Limits};
use serde_json::json;

use crate::support::{Actor, TestApp, on_both};

async fn lent(app: &TestApp) -> (Actor, Actor, String, String) {
    let (owner, guest) = (app.generous_owner().await, app.guest().await);
    let place = json!({ "latitude": 48.0, "longitude": 11.0, "radius_m": 10 });
    let terms = json!({ "return_terms": { "locked": true, "place": place } });
    let grant_id = owner.lend_with(app, &guest, terms).await.expect(201).text("grant_id");
    let car = owner.vehicles[0].clone();
    (owner, guest, car, format!("/v1/grants/{grant_id}"))
}

on_both! {
    async fn the_check_tells_neither_place_nor_strangers_anything(app) {
        let (owner, guest, car, path) = lent(app).await;
        let checked = guest.get(&format!("{path}/end-check")).await.expect(200);
        assert_eq!(checked.body["criteria"].as_array().unwrap().len(), 2);
        for criterion in checked.body["criteria"].as_array().unwrap() {
            let members: Vec<&str> = criterion.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(members, ["code", "met", "observed_at"]);
        }
        // The guest may not read the place, and the check does not change that.
        let place = format!("/v1/vehicles/{car}/location");
        guest.get(&place).await.expect_problem(403, "entitlement_missing");
        for other in [app.stranger().await, app.foreigner().await] {
            other.get(&format!("{path}/end-check")).await.expect_problem(404, "not_found");
        }
        // Who really asked is in the record, and by whose right.
        let entries = format!("/v1/audit-entries?vehicle_id={car}&event=vehicle.read");
        let entries = app.admin().await.get(&entries).await.expect(200);
        let entries = entries.body["data"].as_array().unwrap();
        assert_eq!(entries.len(), 2);
        for entry in entries {
            assert_eq!((&entry["actor"]["id"], &entry["user_id"]), (&json!(guest.id), &json!(owner.id)));
        }
    }

    async fn a_key_that_may_not_lock_tells_nothing_of_the_car(app) {
        let (owner, guest, car, path) = lent(app).await;
        let unknown = async |actor: &Actor| {
            let checked = actor.get(&format!("{path}/end-check")).await.expect(200);
            let criteria = checked.body["criteria"].as_array().unwrap();
            assert_eq!(criteria.len(), 2);
            criteria.iter().all(|criterion| criterion["met"] == "unknown" && criterion["observed_at"].is_null())
        };
        assert!(!unknown(&guest).await);
        let hold = json!({ "scope": { "vehicle_id": car }, "reason": "Stolen.", "allow_lock": false });
        let hold_id = owner.post("/v1/holds", hold).await.expect(201).text("hold_id");
        assert!(unknown(&guest).await && unknown(&owner).await);
        owner.delete(&format!("/v1/holds/{hold_id}")).await.expect(204);
        assert!(!unknown(&guest).await);
        owner.post(&format!("{path}/revoke"), json!({})).await.expect(200);
        assert!(unknown(&guest).await && unknown(&owner).await);
        let later = json!({ "not_before": "2026-07-01T13:00:00Z", "return_terms": { "locked": true, "plugged_in": true } });
        let later = owner.lend_with(app, &guest, later).await.expect(201).text("grant_id");
        let checked = guest.get(&format!("/v1/grants/{later}/end-check")).await.expect(200);
        assert_eq!(checked.body["criteria"][0]["met"], "unknown");
    }

    async fn the_facade_gives_no_way_around_it(app) {
        let (_, guest, car, path) = lent(app).await;
        let holder = guest.holder_of(path.rsplit('/').next().unwrap()).await;
        holder.command(&car, "unlock").await.expect(200);
        app.settle().await;
        let id: keylend::domain::id::VehicleId = car.parse().unwrap();
        let refused = holder.delete(&format!("/v2.0/vehicles/{}/application", id.as_uuid())).await;
        assert_eq!((refused.status, &refused.body["type"]), (400, &json!("VALIDATION")));
        let grant = guest.get(&path).await.expect(200);
        assert_eq!(grant.text("status"), "active");
    }
}

fn as_installed(config: &mut Config) {
    config.limits = Limits { ..Limits::default() };
}

on_both! { as as_installed;
    async fn a_guest_who_checks_without_end_takes_nothing_from_the_owner(app) {
        let (owner, guest, car, path) = lent(app).await;
        let mut unknown = 0;
        for _ in 0..40 {
            let checked = guest.get(&format!("{path}/end-check")).await;
            assert!([200, 429].contains(&checked.status), "{}", checked.body);
            // What the grant may ask of the car is used up, and the check says that it does not know.
            unknown += usize::from(checked.status == 429 || checked.body["criteria"][0]["met"] == "unknown");
            // What was read is read again.
            app.service().readings.forget(car.parse().unwrap());
        }
        assert!(unknown > 0);
        owner.get(&format!("/v1/vehicles/{car}/lock-status")).await.expect(200);
        owner.command(&car, "lock").await.expect(200);
    }

    async fn a_guest_who_gives_back_without_end_fills_no_record(app) {
        let (owner, guest, car, path) = lent(app).await;
        guest.command(&car, "unlock").await.expect(200);
        app.settle().await;
        let mut last = 0;
        for _ in 0..400 {
            last = guest.post(&format!("{path}/relinquish"), json!({})).await.status;
            assert!([409, 429].contains(&last));
            if last == 429 {
                break;
            }
        }
        assert_eq!(last, 429);
        let lock = owner.command(&car, "lock").await.expect(200);
        assert_eq!(lock.text("status"), "acknowledged");
    }
}
