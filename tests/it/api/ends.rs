//! Ends by scope: what they end and what they leave, however many grants are ended at a time.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde_json::{Value, json};

use super::again;
use crate::support::{Actor, Reply, TestApp, on_both};

async fn end_all(actor: &Actor, scope: Value, more: Value) -> Reply {
    let mut body = json!({ "scope": scope, "reason": "The car was sold." });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    actor.post("/v1/ends", body).await
}

/// Grants for each of the first two cars to each of two guests, and who holds them.
async fn lent(app: &TestApp, owner: &Actor) -> (Vec<Actor>, Vec<(String, String, usize)>) {
    let guests = vec![app.guest().await, app.member("second").await];
    let mut grants = Vec::new();
    for car in &owner.vehicles[..2] {
        for (place, guest) in guests.iter().enumerate() {
            let external_ref = format!("booking-{}", grants.len());
            let changes = json!({ "vehicle_id": car, "external_ref": external_ref });
            let grant = owner.lend_with(app, guest, changes).await.expect(201);
            grants.push((grant.text("grant_id"), car.clone(), place));
        }
    }
    (guests, grants)
}

/// Which of the grants still open their car.
async fn open(guests: &[Actor], grants: &[(String, String, usize)]) -> Vec<usize> {
    let mut open = Vec::new();
    for (number, (grant_id, car, guest)) in grants.iter().enumerate() {
        let body = json!({ "vehicle_id": car, "grant_id": grant_id, "action": "unlock" });
        let reply = guests[*guest].post("/v1/commands", body).await;
        match reply.status {
            200 => open.push(number),
            _ => drop(reply.expect_problem(403, "grant_revoked")),
        }
    }
    open
}

/// Ends of each kind, one after the other.
async fn end_by_all_scopes(app: &TestApp) {
    let (owner, admin) = (app.owner().await, app.admin().await);
    let (guests, grants) = lent(app, &owner).await;
    assert_eq!(open(&guests, &grants).await, [0, 1, 2, 3]);
    let ended = end_all(&owner, json!({ "grant_id": grants[0].0 }), json!({})).await.expect(201);
    assert_eq!((&ended.body["grants"], &ended.body["in_flight"]), (&json!(1), &json!([])));
    assert_eq!(open(&guests, &grants).await, [1, 2, 3]);
    let booking = json!({ "external_ref": "booking-1" });
    end_all(&owner, json!({ "vehicle_id": owner.vehicles[0] }), booking).await.expect(201);
    assert_eq!(open(&guests, &grants).await, [2, 3]);
    let ended = end_all(&admin, json!({ "user_id": guests[0].id }), json!({})).await.expect(201);
    assert_eq!(ended.body["grants"], json!(1));
    assert_eq!(open(&guests, &grants).await, [3]);
    // What was issued before some time, and not since.
    app.advance(Duration::from_secs(1));
    let later =
        owner.lend_with(app, &guests[0], json!({ "vehicle_id": grants[3].1 })).await.expect(201);
    let before = json!({ "issued_before": later.text("issued_at") });
    let ended = end_all(&admin, json!({ "organization": true }), before).await.expect(201);
    assert_eq!(ended.body["grants"], json!(1));
    assert!(open(&guests, &grants).await.is_empty());
    let still = [(later.text("grant_id"), grants[3].1.clone(), 0)];
    assert_eq!(open(&guests, &still).await, [0]);
    let shown = guests[0].get(&format!("/v1/grants/{}", grants[0].0)).await.expect(200);
    assert_eq!(
        (shown.text("status"), shown.text("end_reason")),
        ("ended".into(), "revoked".into())
    );
    let path = format!("/v1/audit-entries?grant_id={}&event=grant.ended", grants[2].0);
    let entry = admin.get(&path).await.expect(200).body["data"][0].clone();
    assert_eq!(entry["details"]["end_reason"], "revoked");
    assert!(entry["details"]["end_id"].as_str().unwrap().starts_with("end_"));
    assert_eq!(app.count("SELECT COUNT(*) FROM scope_ends WHERE completed_at IS NULL").await, 0);
    assert_eq!(
        app.count("SELECT COUNT(*) FROM scope_ends WHERE external_ref IS NOT NULL").await,
        0
    );
}

on_both! {
    as |config| config.limits.grants_per_step = NonZeroUsize::MIN;

    async fn an_end_of_one_grant_at_a_time_ends_what_is_in_it_and_nothing_else(app) {
        end_by_all_scopes(app).await;
    }
}

on_both! {
    as |config| config.limits.grants_per_step = NonZeroUsize::new(64).unwrap();

    async fn an_end_of_many_grants_at_a_time_ends_what_is_in_it_and_nothing_else(app) {
        end_by_all_scopes(app).await;
    }
}

on_both! {
    async fn a_dry_run_names_who_is_on_the_way_and_ends_nothing(app) {
        let owner = app.owner().await;
        let (guests, grants) = lent(app, &owner).await;
        let holder = guests[1].holder_of(&grants[1].0).await;
        holder.command(&grants[1].1, "unlock").await.expect(200);
        let scope = || json!({ "vehicle_id": owner.vehicles[0] });
        let preview = end_all(&owner, scope(), json!({ "dry_run": true })).await.expect(200);
        assert_eq!((&preview.body["grants"], &preview.body["end_id"]), (&json!(2), &Value::Null));
        let trip = json!([{ "grant_id": grants[1].0, "grantee_id": guests[1].id, "vehicle_id": grants[1].1 }]);
        assert_eq!(preview.body["mid_trip"], trip);
        assert_eq!(app.count("SELECT COUNT(*) FROM scope_ends").await, 0);
        assert_eq!(open(&guests, &grants).await, [0, 1, 2, 3]);
        let ended = end_all(&owner, scope(), json!({})).await.expect(201);
        assert_eq!(ended.body["grants"], preview.body["grants"]);
    }

    async fn an_end_takes_the_grace_of_what_has_expired(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let holder = guest.holder_of(&owner.lend(app, &guest).await).await;
        app.advance(Duration::from_secs(2 * 60 * 60));
        let car = owner.vehicles[0].clone();
        holder.command(&car, "lock").await.expect(200);
        let owner = again(app, &owner, "owner").await;
        end_all(&owner, json!({ "vehicle_id": car }), json!({})).await.expect(201);
        holder.command(&car, "lock").await.expect_problem(403, "grant_revoked");
    }

    async fn a_closed_account_has_lost_what_it_was_lent(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        let (guests, grants) = lent(app, &owner).await;
        let account = format!("/v1/users/{}", guests[0].id);
        admin.post(&format!("{account}/disable"), json!({})).await.expect(200);
        admin.post(&format!("{account}/enable"), json!({})).await.expect(200);
        let guests = [again(app, &guests[0], "guest").await, guests[1].clone()];
        assert_eq!(open(&guests, &grants).await, [1, 3]);
    }

    async fn one_car_leaves_and_its_siblings_stay(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        let (guests, grants) = lent(app, &owner).await;
        let (sold, kept) = (&owner.vehicles[0], &owner.vehicles[1]);
        let consented = app.cloud.consented_cars().await;
        let removed = owner.delete(&format!("/v1/vehicles/{sold}")).await.expect(200);
        assert_eq!((&removed.body["grants"], &removed.body["ended_upstream"]), (&json!(2), &json!(true)));
        assert!(removed.body["removed_at"].is_string());
        assert_eq!(app.cloud.consented_cars().await, consented - 1);
        let refused = guests[0].command(sold, "unlock").await.expect_problem(403, "vehicle_removed");
        assert_eq!(refused.body["reasons"][0], "vehicle_removed");
        owner.command(sold, "unlock").await.expect_problem(403, "vehicle_removed");
        owner.command(kept, "unlock").await.expect(200);
        assert_eq!(open(&guests, &grants[2..]).await, [0, 1]);
        // A second time it says what the vehicle cloud says.
        let again = owner.delete(&format!("/v1/vehicles/{sold}")).await.expect(200);
        assert_eq!((&again.body["grants"], &again.body["ended_upstream"]), (&json!(0), &json!(true)));
        let events = admin.events_of(sold).await;
        assert_eq!(events.iter().filter(|event| *event == "vehicle.removed").count(), 1);
        assert_eq!(events.iter().filter(|event| *event == "grant.ended").count(), 2);
    }

    async fn what_is_no_end_is_refused(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        for scope in [json!({}), json!({ "organization": false }), json!({ "user_id": owner.id, "organization": true })] {
            let refused = end_all(&admin, scope, json!({})).await.expect_problem(422, "validation_failed");
            assert_eq!(refused.body["errors"][0]["pointer"], "/scope");
        }
        let car = || json!({ "vehicle_id": owner.vehicles[0] });
        for (more, pointer) in [
            (json!({ "reason": "" }), "/reason"),
            (json!({ "external_ref": "" }), "/external_ref"),
            (json!({ "external_ref": "x".repeat(10_000) }), "/external_ref"),
            (json!({ "issued_before": "yesterday" }), "/issued_before"),
        ] {
            let refused = end_all(&owner, car(), more).await.expect_problem(422, "validation_failed");
            assert_eq!(refused.body["errors"][0]["pointer"], pointer);
        }
        let unknown = json!({ "vehicle_id": "veh_01k0a6v8w5e3tb3q6m1x9r7yzn" });
        end_all(&owner, unknown, json!({})).await.expect_problem(404, "not_found");
        let body = json!({ "scope": car(), "reason": "Sold." });
        let first = owner.post_as("/v1/ends", "once", body.clone()).await.expect(201);
        let second = owner.post_as("/v1/ends", "once", body).await.expect(201);
        assert_eq!(first.body, second.body);
        assert_eq!(second.headers["idempotency-replayed"], "true");
        assert_eq!(app.count("SELECT COUNT(*) FROM scope_ends").await, 1);
        let completed = app.count("SELECT COUNT(*) FROM audit_entries WHERE event = 'end.completed'").await;
        assert_eq!(completed, 1);
    }
}
