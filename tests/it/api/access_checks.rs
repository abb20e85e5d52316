//! Access checks: what the policy would say, with no effect at all.

use serde_json::{Value, json};

use crate::support::{Actor, on_both};

async fn check(actor: &Actor, changes: &Value, car: &str) -> (bool, Value, Value) {
    let mut body = json!({ "vehicle_id": car, "action": "unlock" });
    for (member, value) in changes.as_object().unwrap() {
        body[member] = value.clone();
    }
    let said = actor.post("/v1/access-checks", body).await.expect(200);
    let allowed = said.body["allowed"].as_bool().unwrap();
    (allowed, said.body["reasons"].clone(), said.body["basis"].clone())
}

on_both! {
    async fn asking_has_no_effect(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let grant = owner.lend_with(app, &guest, json!({ "max_uses": 1 })).await.expect(201);
        let grant_id = grant.text("grant_id");
        let holder = guest.holder_of(&grant_id).await;
        let entries = "SELECT CAST(COUNT(*) AS BIGINT) FROM audit_entries";
        let before = app.count(entries).await;
        let by_grant = json!({ "kind": "grant", "grant_id": grant_id });
        for _ in 0..3 {
            let said = check(&holder, &json!({}), &car).await;
            assert_eq!(said, (true, json!([]), by_grant.clone()));
        }
        assert_eq!(check(&guest, &json!({}), &car).await.2, by_grant);
        let ownership = json!({ "kind": "ownership", "grant_id": null });
        assert_eq!(check(&owner, &json!({}), &car).await, (true, json!([]), ownership));

        assert_eq!(app.count(entries).await, before);
        assert_eq!(app.count("SELECT CAST(COUNT(*) AS BIGINT) FROM commands").await, 0);
        assert!(app.cloud.journal().await.is_empty());
        let grant = guest.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        assert_eq!((&grant.body["uses"], &grant.body["revision"]), (&json!(0), &json!(1)));
    }

    async fn the_answer_is_about_the_time_that_was_asked_for(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = owner.vehicles[0].clone();
        let times = json!({ "not_before": "2026-07-01T13:00:00Z", "not_after": "2026-07-01T14:00:00Z" });
        owner.lend_with(app, &guest, times).await.expect(201);
        for (at, reasons) in [
            ("2026-07-01T12:59:59.999999Z", json!(["grant_not_yet_valid"])),
            ("2026-07-01T13:00:00Z", json!([])),
            ("2026-07-01T15:59:59.999999+02:00", json!([])),
            ("2026-07-01T14:00:00Z", json!(["grant_expired"])),
            ("9999-12-30T00:00:00Z", json!(["grant_expired"])),
            ("0001-01-02T00:00:00Z", json!(["grant_not_yet_valid"])),
        ] {
            let said = check(&guest, &json!({ "at": at }), &car).await;
            assert_eq!((said.0, said.1), (reasons == json!([]), reasons), "{at}");
        }
        let now = check(&guest, &json!({}), &car).await;
        assert_eq!(now.1, json!(["grant_not_yet_valid"]));
    }

    async fn the_answer_is_the_one_a_command_would_get(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let (car, other_car) = (owner.vehicles[0].clone(), owner.vehicles[1].clone());
        let lock_only = json!({ "entitlements": ["lock"], "max_uses": 1 });
        let grant_id = owner.lend_with(app, &guest, lock_only).await.expect(201).text("grant_id");
        let holder = guest.holder_of(&grant_id).await;
        assert_eq!(check(&holder, &json!({}), &car).await.1, json!(["entitlement_missing"]));
        assert!(check(&holder, &json!({ "action": "lock" }), &car).await.0);
        let mismatch = check(&holder, &json!({ "action": "lock" }), &other_car).await;
        assert_eq!(mismatch.1, json!(["vehicle_mismatch"]));
        let named = json!({ "grant_id": grant_id });
        assert_eq!(check(&stranger, &named, &car).await.1, json!(["not_the_grantee"]));
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        let both = json!(["grant_revoked", "entitlement_missing"]);
        assert_eq!(check(&holder, &json!({}), &car).await.1, both);

        let body = json!({ "vehicle_id": car, "action": "unlock" });
        for nobody in [&stranger, &app.foreigner().await] {
            let refused = nobody.post("/v1/access-checks", body.clone()).await;
            refused.expect_problem(404, "not_found");
        }
        let refused = Actor::nobody(app).post("/v1/access-checks", body.clone()).await;
        refused.expect_problem(401, "token_missing");
        let client = app.api_client(&["commands:write"]).await;
        owner.allow(&client).await;
        let refused = client.post("/v1/access-checks", body).await;
        refused.expect_problem(403, "acting_for_missing");
        assert!(check(&client.acting_for(&owner), &json!({}), &car).await.0);
    }
}
