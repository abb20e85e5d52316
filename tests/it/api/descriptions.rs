//! What people call a car and how they find it in the street.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, on_both};

fn path(car: &str) -> String {
    format!("/v1/vehicles/{car}")
}

async fn describe(actor: &Actor, car: &str, changes: Value) -> Reply {
    let seen = actor.get(&path(car)).await.expect(200);
    actor.patch(&path(car), &seen, changes).await
}

on_both! {
    async fn a_car_is_described_by_its_owner_and_found_by_its_plate(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        owner.lend(app, &guest).await;
        let car = &owner.vehicles[0];
        let all = json!({ "label": "The red one", "plate": " B-KL 4711 ", "colour": "red", "vin": "5yjsa1cn5dfp00101", "metadata": { "seats": 5 } });
        let described = describe(&owner, car, all).await.expect(200);
        assert_eq!((described.headers["etag"].to_str().unwrap(), &described.body["version"]), ("\"2\"", &json!(2)));
        for actor in [&owner, &admin] {
            let seen = actor.get(&path(car)).await.expect(200);
            assert_eq!(seen.body, described.body);
            assert_eq!((seen.text("plate"), seen.text("vin")), ("B-KL 4711".into(), "5YJSA1CN5DFP00101".into()));
            assert_eq!(seen.body["metadata"], json!({ "seats": 5 }));
        }
        // The guest finds the car by it, and learns nothing beyond that.
        let named = admin.patch(&path(car), &described, json!({ "external_ref": "car-17" })).await.expect(200);
        assert_eq!(named.text("external_ref"), "car-17");
        let seen = guest.get(&path(car)).await.expect(200);
        let shown = ["label", "plate", "colour", "vin", "metadata", "external_ref"].map(|member| seen.body[member].clone());
        assert_eq!(json!(shown), json!(["The red one", "B-KL 4711", "red", null, null, null]));
        assert_eq!(guest.get("/v1/vehicles").await.expect(200).body["data"][0], seen.body);
        for (actor, query, count) in [
            (&owner, "plate=B-KL%204711", 1),
            (&guest, "plate=B-KL%204711", 1),
            (&owner, "plate=B-KL", 0),
            (&owner, "external_ref=car-17", 1),
            (&admin, "external_ref=car-17", 1),
            (&guest, "external_ref=car-17", 0),
            (&admin, "external_ref=car-1", 0),
            (&admin, &format!("owner_id={}", owner.id), 3),
            (&admin, &format!("owner_id={}", guest.id), 0),
        ] {
            let found = actor.get(&format!("/v1/vehicles?{query}")).await.expect(200);
            assert_eq!(found.list("vehicle_id").len(), count, "{query}");
        }
        // What it says already is no change; null takes it away.
        let same = describe(&owner, car, json!({ "colour": "red" })).await.expect(200);
        assert_eq!(same.body["version"], json!(3));
        let less = describe(&owner, car, json!({ "colour": null, "metadata": null, "vin": null })).await.expect(200);
        assert_eq!((&less.body["colour"], &less.body["label"]), (&Value::Null, &json!("The red one")));
        let entries = admin.get(&format!("/v1/audit-entries?vehicle_id={car}&event=vehicle.described")).await.expect(200);
        let changed: Vec<&Value> = entries.body["data"].as_array().unwrap().iter().map(|entry| &entry["details"]["changed"]).collect();
        assert_eq!(json!(changed), json!([["colour", "vin", "metadata"], ["external_ref"], ["label", "plate", "colour", "vin", "metadata"]]));
        // Connecting the car again leaves it as it is described; a person who is forgotten takes it along.
        let started = owner.post("/v1/connections", json!({})).await.expect(201);
        app.consent(&owner, &started).await;
        assert_eq!(owner.get(&path(car)).await.expect(200).text("plate"), "B-KL 4711");
        admin.delete(&format!("/v1/users/{}/personal-data", owner.id)).await.expect(200);
        let left = "SELECT COUNT(*) FROM vehicles WHERE label IS NOT NULL OR plate IS NOT NULL OR external_ref IS NOT NULL";
        assert_eq!(app.count(left).await, 0);
    }

    async fn nobody_changes_what_they_have_not_seen(app) {
        let owner = app.owner().await;
        let car = &owner.vehicles[0];
        let seen = owner.get(&path(car)).await.expect(200);
        let without = owner.request(Method::PATCH, &path(car)).json(&json!({ "label": "A" }));
        Reply::read(without.send().await.unwrap()).await.expect_problem(428, "precondition_required");
        owner.patch(&path(car), &seen, json!({ "label": "A" })).await.expect(200);
        owner.patch(&path(car), &seen, json!({ "label": "B" })).await.expect_problem(412, "precondition_failed");
        assert_eq!(owner.get(&path(car)).await.expect(200).text("label"), "A");
    }

    async fn what_is_no_description_is_refused(app) {
        let owner = app.owner().await;
        let car = &owner.vehicles[0];
        for (changes, pointer, code) in [
            (json!({}), "", "empty"),
            (json!({ "label": "" }), "/label", "invalid"),
            (json!({ "plate": "x".repeat(10_000) }), "/plate", "invalid"),
            (json!({ "colour": "r\u{0}d" }), "/colour", "invalid"),
            (json!({ "vin": "5YJSA1CN5DFP0010O" }), "/vin", "invalid"),
            (json!({ "metadata": { "text": "x".repeat(5000) } }), "/metadata", "too_long"),
            (json!({ "make": "TESLA" }), "/make", "unknown_field"),
        ] {
            let refused = describe(&owner, car, changes).await.expect_problem(422, "validation_failed");
            let error = &refused.body["errors"][0];
            assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!(code)), "{}", refused.body);
        }
        assert_eq!(owner.get(&path(car)).await.expect(200).body["version"], json!(1));
    }
}
