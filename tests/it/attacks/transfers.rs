//! A car whose owner consents to it and lets it go: to the person whom they named, for a day, and to nobody else.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::api::again;
use crate::support::{Actor, Reply, TestApp, on_both};

async fn connect(app: &TestApp, person: &Actor) -> Reply {
    let started = person.post("/v1/connections", json!({})).await.expect(201);
    app.consent(person, &started).await
}

async fn offer(owner: &Actor, car: &str, to: &Actor) -> Reply {
    let path = format!("/v1/vehicles/{car}/transfer");
    owner.post(&path, json!({ "to_user_id": to.id })).await
}

fn count(reply: &Reply, member: &str) -> usize {
    reply.body[member].as_array().unwrap().len()
}

async fn details(app: &TestApp, event: &str) -> Vec<Value> {
    let path = format!("/v1/audit-entries?event={event}");
    let entries = app.admin().await.get(&path).await.expect(200);
    entries.body["data"].as_array().unwrap().clone()
}

on_both! {
    async fn a_car_goes_to_the_person_whom_its_owner_named_and_to_nobody_else(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (heir, mallory) = (app.member("heir").await, app.member("mallory").await);
        let (car, grant_id) = (&owner.vehicles[0], owner.lend(app, &guest).await);
        let offered = offer(&owner, car, &heir).await.expect(200);
        assert_eq!((offered.text("to_user_id"), offered.text("vehicle_id")), (heir.id.clone(), car.clone()));
        // Until it is taken nothing changes.
        guest.command(car, "unlock").await.expect(200);
        assert_eq!(count(&connect(app, &mallory).await, "not_connected"), 3);
        owner.command(car, "lock").await.expect(200);

        let taken = connect(app, &heir).await;
        assert_eq!((count(&taken, "vehicle_ids"), count(&taken, "not_connected")), (1, 2));
        let new = taken.body["vehicle_ids"][0].as_str().unwrap();
        heir.command(new, "unlock").await.expect(200);
        owner.command(car, "unlock").await.expect_problem(403, "vehicle_removed");
        guest.command(car, "unlock").await.expect_problem(403, "vehicle_removed");
        let grant = owner.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        assert_eq!((grant.text("status"), grant.text("end_reason")), ("ended".into(), "vehicle_removed".into()));
        owner.command(&owner.vehicles[1], "unlock").await.expect(200);

        let moved = details(app, "vehicle.transferred").await;
        assert_eq!(moved.len(), 1);
        assert_eq!(moved[0]["details"], json!({ "to": heir.id }));
        assert_eq!((&moved[0]["user_id"], &moved[0]["actor"]["id"]), (&json!(owner.id), &json!(heir.id)));
        // It is used up: the owner does not get the car back by it, nor does anybody else.
        assert_eq!(count(&connect(app, &owner).await, "not_connected"), 1);
    }

    async fn only_the_owner_lets_a_car_go(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (car, heir) = (&owner.vehicles[0], app.member("heir").await);
        owner.lend(app, &guest).await;
        offer(&guest, car, &heir).await.expect_problem(403, "not_the_owner");
        offer(&app.admin().await, car, &heir).await.expect_problem(403, "not_the_owner");
        offer(&heir, car, &heir).await.expect_problem(404, "not_found");
        let client = app.api_client(&["connections:write"]).await;
        offer(&client, car, &heir).await.expect_problem(403, "acting_for_missing");
        let refused = offer(&client.acting_for(&owner), car, &heir).await;
        refused.expect_problem(403, "acting_for_not_allowed");
        // To nobody who is not there, of another organization, or the owner already.
        offer(&owner, car, &app.foreigner().await).await.expect_problem(404, "not_found");
        offer(&owner, car, &owner).await.expect_problem(422, "validation_failed");
        let closed = format!("/v1/users/{}/disable", guest.id);
        app.admin().await.post(&closed, json!({})).await.expect(200);
        offer(&owner, car, &guest).await.expect_problem(404, "not_found");
        // Who came to the owner's account by its recovery waits.
        let claim = format!("/v1/users/{}/claims", owner.id);
        let claim = app.admin().await.post(&claim, json!({})).await.expect(201);
        let robber = app.admin().await.redeem(&claim.text("claim_token")).await;
        offer(&robber, car, &heir).await.expect_problem(409, "account_recovered");
        assert_eq!(count(&connect(app, &heir).await, "not_connected"), 3);
        assert!(details(app, "vehicle.transfer_offered").await.is_empty());
    }

    async fn an_offer_ends_with_a_day_another_offer_or_the_owners_word(app) {
        let (owner, first) = (app.owner().await, app.member("first").await);
        let (car, second) = (&owner.vehicles[0], app.member("second").await);
        offer(&owner, car, &first).await.expect(200);
        offer(&owner, car, &second).await.expect(200);
        assert_eq!(count(&connect(app, &first).await, "not_connected"), 3);
        let path = format!("/v1/vehicles/{car}/transfer");
        for _ in 0..2 {
            owner.delete(&path).await.expect(204);
        }
        assert_eq!(details(app, "vehicle.transfer_withdrawn").await.len(), 1);
        assert_eq!(count(&connect(app, &second).await, "not_connected"), 3);
        // An owner who consents once more keeps the car.
        offer(&owner, car, &second).await.expect(200);
        assert_eq!(count(&connect(app, &owner).await, "vehicle_ids"), 3);
        assert_eq!(count(&connect(app, &second).await, "not_connected"), 3);
        offer(&owner, car, &second).await.expect(200);
        app.advance(Duration::from_secs(24 * 60 * 60));
        let (owner, second) = (again(app, &owner, "owner").await, again(app, &second, "second").await);
        assert_eq!(count(&connect(app, &second).await, "not_connected"), 3);
        owner.command(car, "unlock").await.expect(200);
    }

    async fn a_car_that_the_organization_holds_goes_to_no_other_account(app) {
        let (owner, heir) = (app.owner().await, app.member("heir").await);
        let (support, car) = (app.officer("support").await, &owner.vehicles[0]);
        let hold = async |actor: &Actor, car: &str| {
            let body = json!({ "scope": { "vehicle_id": car }, "reason": "Stolen." });
            actor.post("/v1/holds", body).await.expect(201).text("hold_id")
        };
        let held = hold(&support, car).await;
        // What the owner paused is the owner's to give away.
        hold(&owner, &owner.vehicles[1]).await;
        for car in &owner.vehicles[..2] {
            offer(&owner, car, &heir).await.expect(200);
        }
        let taken = connect(app, &heir).await;
        assert_eq!((count(&taken, "vehicle_ids"), count(&taken, "not_connected")), (1, 2));
        owner.command(car, "unlock").await.expect_problem(403, "grant_held");
        // Nor does it when its owner takes it out of the service, until the hold is lifted.
        owner.delete(&format!("/v1/vehicles/{car}")).await.expect(200);
        assert_eq!(count(&connect(app, &heir).await, "vehicle_ids"), 1);
        // Nor when its owner has themself forgotten, which would take the car's name from it.
        let forgotten = format!("/v1/users/{}/personal-data", owner.id);
        owner.delete(&forgotten).await.expect_problem(409, "vehicle_held");
        support.delete(&format!("/v1/holds/{held}")).await.expect(204);
        assert_eq!(count(&connect(app, &heir).await, "vehicle_ids"), 2);
        owner.delete(&forgotten).await.expect(200);
    }
}
