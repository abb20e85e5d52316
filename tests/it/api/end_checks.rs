//! Ending well: a grant says how the car is to be given back, and it is checked.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

/// Where the simulator has the car, what it says of it, and what is asked of the guest.
struct Lent {
    owner: Actor,
    guest: Actor,
    car: String,
    at_cloud: String,
    path: String,
}

async fn lend(app: &TestApp, return_terms: Value) -> Lent {
    let (owner, guest) = (app.generous_owner().await, app.guest().await);
    let car = owner.vehicles[0].clone();
    let at_cloud = app.cloud.car_of(app, &car).await["id"].as_str().unwrap().to_owned();
    let lent = owner.lend_with(app, &guest, json!({ "return_terms": return_terms })).await;
    let path = format!("/v1/grants/{}", lent.expect(201).text("grant_id"));
    Lent { owner, guest, car, at_cloud, path }
}

impl Lent {
    async fn check(&self, actor: &Actor) -> Vec<(String, String)> {
        let checked = actor.get(&format!("{}/end-check", self.path)).await.expect(200);
        criteria(&checked)
    }

    async fn give_back(&self) -> Reply {
        self.guest.post(&format!("{}/relinquish", self.path), json!({})).await
    }
}

fn criteria(reply: &Reply) -> Vec<(String, String)> {
    let told = reply.body["criteria"].as_array().unwrap().iter();
    let word = |criterion: &Value, name: &str| criterion[name].as_str().unwrap().to_owned();
    told.map(|criterion| (word(criterion, "code"), word(criterion, "met"))).collect()
}

fn words(criteria: &[(String, String)]) -> Vec<(&str, &str)> {
    criteria.iter().map(|(code, met)| (code.as_str(), met.as_str())).collect()
}

/// What was read of a car is told again for so long.
const READ_AGAIN: Duration = Duration::from_secs(16);

on_both! {
    async fn a_car_is_given_back_as_it_was_asked_for(app) {
        let place = json!({ "latitude": 48.0, "longitude": 11.0, "radius_m": 200 });
        let terms = json!({ "locked": true, "place": place, "charge_min": 0.5, "plugged_in": true });
        let lent = lend(app, terms).await;
        let there = json!({ "latitude": 48.001, "longitude": 11.001, "battery_level": 0.4, "is_plugged_in": true });
        app.cloud.adjust(&lent.at_cloud, there).await;
        lent.guest.command(&lent.car, "unlock").await.expect(200);
        app.settle().await;
        let told = lent.check(&lent.guest).await;
        let all = [("locked", "false"), ("place", "true"), ("charge_min", "false"), ("plugged_in", "true")];
        assert_eq!(words(&told), all);
        for actor in [&lent.owner, &app.admin().await] {
            assert_eq!(lent.check(actor).await, told);
        }
        let refused = lent.give_back().await.expect_problem(409, "end_criteria_unmet");
        assert!(refused.body["detail"].as_str().unwrap().starts_with("Not met: locked, charge_min."));
        lent.guest.command(&lent.car, "lock").await.expect(200);
        app.cloud.adjust(&lent.at_cloud, json!({ "battery_level": 0.6 })).await;
        app.advance(READ_AGAIN);
        app.settle().await;
        let given = lent.give_back().await.expect(200);
        assert_eq!(given.text("end_reason"), "relinquished");
        assert!(criteria(&given).iter().all(|(_, met)| met == "true"), "{}", given.body);
        // Once more is the same, and asks nothing of the car.
        assert!(criteria(&lent.give_back().await.expect(200)).is_empty());
        let path = format!("/v1/audit-entries?vehicle_id={}&event=grant.relinquished", lent.car);
        let entry = app.admin().await.get(&path).await.expect(200).body["data"][0].clone();
        let recorded = json!({ "locked": "true", "place": "true", "charge_min": "true", "plugged_in": "true" });
        assert_eq!(entry["details"]["criteria"], recorded);
    }

    async fn what_the_car_does_not_say_is_unknown_and_stands_in_nobodys_way(app) {
        let lent = lend(app, json!({ "locked": true, "parked": true, "fuel_min": 0.5 })).await;
        lent.guest.command(&lent.car, "unlock").await.expect(200);
        app.settle().await;
        let silent = vec![json!({ "kind": "refuse", "on": "read" }); 100];
        app.cloud.script(&lent.at_cloud, json!(silent)).await;
        app.advance(READ_AGAIN);
        let unknown = [("locked", "unknown"), ("parked", "unknown"), ("fuel_min", "unknown")];
        let checked = lent.guest.get(&format!("{}/end-check", lent.path)).await.expect(200);
        assert_eq!(words(&criteria(&checked)), unknown);
        assert_eq!(checked.body["criteria"][0]["observed_at"], Value::Null);
        assert_eq!(words(&criteria(&lent.give_back().await.expect(200))), unknown);
    }

    async fn a_key_that_opened_nothing_and_one_that_asks_nothing_is_given_back_at_once(app) {
        let lent = lend(app, json!({ "locked": true })).await;
        app.cloud.adjust(&lent.at_cloud, json!({ "is_locked": false })).await;
        assert_eq!(words(&lent.check(&lent.guest).await), [("locked", "false")]);
        assert!(criteria(&lent.give_back().await.expect(200)).is_empty());
        let nothing = json!({ "return_terms": {} });
        let grant = lent.owner.lend_with(app, &lent.guest, nothing).await.expect(201);
        assert_eq!(grant.body["return_terms"], Value::Null);
        let holder = lent.guest.holder_of(&grant.text("grant_id")).await;
        holder.command(&lent.car, "unlock").await.expect(200);
        let path = format!("/v1/grants/{}", grant.text("grant_id"));
        assert!(criteria(&lent.guest.get(&format!("{path}/end-check")).await.expect(200)).is_empty());
        lent.guest.post(&format!("{path}/relinquish"), json!({})).await.expect(200);
    }

    async fn the_owner_changes_the_terms_and_ends_the_key_in_any_case(app) {
        let lent = lend(app, json!({ "locked": true })).await;
        lent.guest.command(&lent.car, "unlock").await.expect(200);
        app.settle().await;
        lent.give_back().await.expect_problem(409, "end_criteria_unmet");
        let seen = lent.owner.get(&lent.path).await.expect(200);
        assert_eq!(seen.body["return_terms"], json!({ "locked": true }));
        let more = json!({ "return_terms": { "locked": true, "fuel_min": 0.25 } });
        let changed = lent.owner.patch(&lent.path, &seen, more).await.expect(200);
        assert_eq!((&changed.body["effect"], changed.body["return_terms"]["fuel_min"].as_f64()), (&json!("none"), Some(0.25)));
        lent.guest.patch(&lent.path, &changed, json!({ "return_terms": null })).await.expect_problem(403, "not_the_owner");
        let none = lent.owner.patch(&lent.path, &changed, json!({ "return_terms": null })).await.expect(200);
        assert_eq!(none.body["return_terms"], Value::Null);
        let back = lent.owner.patch(&lent.path, &none, json!({ "return_terms": { "locked": true } })).await;
        back.expect(200);
        lent.owner.post(&format!("{}/revoke", lent.path), json!({})).await.expect(200);
    }

    async fn terms_that_cannot_be_met_are_refused(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let place = |latitude: f64, radius_m: i64| {
            json!({ "place": { "latitude": latitude, "longitude": 0, "radius_m": radius_m } })
        };
        for terms in [
            json!({ "fuel_min": 1.01 }),
            json!({ "charge_min": -0.1 }),
            place(90.5, 10),
            place(0.0, 0),
            place(0.0, 100_001),
        ] {
            let refused = owner.lend_with(app, &guest, json!({ "return_terms": terms })).await;
            refused.expect_problem(422, "validation_failed");
        }
        for terms in [json!({ "washed": true }), json!({ "place": {} }), json!({ "locked": "yes" })] {
            let refused = owner.lend_with(app, &guest, json!({ "return_terms": terms })).await;
            assert!((400..=422).contains(&refused.status), "{}", refused.body);
        }
    }
}
