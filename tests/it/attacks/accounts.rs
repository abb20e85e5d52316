//! An administrator, and what a program of theirs can do, against the people of the organization: nobody
//! comes to somebody else's car by coming to their account (P13).

use serde_json::json;

use crate::support::{Actor, TestApp, on_both};

/// Makes a claim for somebody's account, and redeems it in their place.
async fn take_over(robber: &Actor, victim: &Actor) -> Actor {
    let path = format!("/v1/users/{}/claims", victim.id);
    let claim = robber.post(&path, json!({})).await.expect(201);
    let mut robbed = robber.redeem(&claim.text("claim_token")).await;
    (robbed.id, robbed.vehicles) = (victim.id.clone(), victim.vehicles.clone());
    robbed
}

async fn assert_no_car(app: &TestApp, robber: &Actor, vehicle_id: &str) {
    for action in ["unlock", "lock"] {
        let refused = robber.command(vehicle_id, action).await;
        refused.expect_problem(403, "account_recovered");
    }
    let path = format!("/v1/vehicles/{vehicle_id}/lock-status");
    robber.get(&path).await.expect_problem(403, "account_recovered");
    assert!(app.cloud.journal().await.is_empty());
}

on_both! {
    async fn an_administrator_who_recovers_an_owners_account_gets_no_car(app) {
        let (admin, owner, guest) = (app.admin().await, app.owner().await, app.guest().await);
        let (car, grant_id) = (&owner.vehicles[0], owner.lend(app, &guest).await);
        let robber = take_over(&admin, &owner).await;
        owner.get("/v1/users/me").await.expect_problem(401, "token_invalid");
        assert_no_car(app, &robber, car).await;
        let lent = robber.lend_with(app, &admin, json!({})).await;
        lent.expect_problem(409, "account_recovered");
        let path = format!("/v1/grants/{grant_id}/confirm");
        robber.post(&path, json!({})).await.expect_problem(409, "account_recovered");
        let check = json!({ "vehicle_id": car, "action": "unlock" });
        let check = robber.post("/v1/access-checks", check).await.expect(200);
        assert_eq!(check.body["reasons"], json!(["account_recovered"]));

        // What the owner lent before goes on opening the car, and can be ended.
        guest.command(car, "unlock").await.expect(200);
        robber.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);

        // The owner comes back the same way, sees who it was, and shows at the car's maker that it is theirs.
        let mut owner = take_over(&admin, &owner).await;
        assert_eq!(owner.get("/v1/users/me").await.expect(200).text("recovered_by"), admin.id);
        app.connect(&mut owner).await;
        owner.command(&owner.vehicles[0], "lock").await.expect(200);
        assert_eq!(app.cloud.journal().await.len(), 2);
    }

    async fn an_administrator_who_recovers_a_guests_account_gets_no_key(app) {
        let (admin, owner, guest) = (app.admin().await, app.owner().await, app.guest().await);
        let (car, grant_id) = (&owner.vehicles[0], owner.lend(app, &guest).await);
        let old_token = guest.holder_of(&grant_id).await;
        let robber = take_over(&admin, &guest).await;
        assert_no_car(app, &robber, car).await;
        let new_token = robber.holder_of(&grant_id).await;
        for holder in [old_token, new_token] {
            assert_no_car(app, &holder, car).await;
        }
        // The guest shows the owner who they are, and the owner stands by the key.
        let path = format!("/v1/grants/{grant_id}/confirm");
        robber.post(&path, json!({})).await.expect_problem(403, "not_the_owner");
        admin.post(&path, json!({})).await.expect_problem(403, "not_the_owner");
        for _ in 0..2 {
            owner.post(&path, json!({})).await.expect(200);
        }
        robber.command(car, "unlock").await.expect(200);
        let events = owner.events_of(car).await;
        assert_eq!(events.iter().filter(|event| *event == "grant.confirmed").count(), 1);
        // A key from afterwards needs no word.
        let later = owner.lend_with(app, &guest, json!({ "label": "Later" })).await.expect(201);
        let body = json!({ "vehicle_id": car, "action": "unlock", "grant_id": later.text("grant_id") });
        robber.post("/v1/commands", body).await.expect(200);
    }

    async fn who_recovers_an_owner_cannot_stand_by_keys_as_that_owner(app) {
        let admin = app.admin().await;
        let body = json!({ "email": "olga@story.example", "display_name": "Olga", "role": "admin" });
        let made = admin.post("/v1/users", body).await.expect(201);
        let mut olga = admin.redeem(&made.text("claim_token")).await;
        olga.id = made.text("user_id");
        app.connect(&mut olga).await;
        let (guest, car) = (app.guest().await, olga.vehicles[0].clone());
        let grant_id = olga.lend(app, &guest).await;

        // Olga gives her guest new credentials herself: her keys need no other word.
        let again = take_over(&olga, &guest).await;
        again.command(&car, "unlock").await.expect(200);
        let opened = app.cloud.journal().await.len();

        // Somebody who has come to Olga's account does the same.
        let robber = take_over(&admin, &olga).await;
        let robbed_guest = take_over(&robber, &guest).await;
        let refused = robbed_guest.command(&car, "unlock").await;
        refused.expect_problem(403, "account_recovered");
        let path = format!("/v1/grants/{grant_id}/confirm");
        robber.post(&path, json!({})).await.expect_problem(409, "account_recovered");
        assert_eq!(app.cloud.journal().await.len(), opened);
    }

    async fn a_program_takes_over_nobodys_account(app) {
        let (admin, guest) = (app.admin().await, app.guest().await);
        let client = app.api_client(&["users:write", "users:read"]).await;
        let boss = json!({ "email": "boss@story.example", "display_name": "Boss", "role": "admin" });
        let boss = admin.post("/v1/users", boss).await.expect(201);
        for user_id in [&guest.id, &admin.id, &boss.text("user_id")] {
            let refused = client.post(&format!("/v1/users/{user_id}/claims"), json!({})).await;
            refused.expect_problem(403, "admin_only");
        }
        guest.get("/v1/users/me").await.expect(200);
        // Nor the customers of another program, or whom an administrator invited.
        let other = app.api_client(&["users:write"]).await;
        for maker in [&admin, &other] {
            let email = format!("kim-{}@story.example", maker.id);
            let kim = json!({ "email": email, "display_name": "Kim" });
            let made = maker.post("/v1/users", kim).await.expect(201);
            let path = format!("/v1/users/{}/claims", made.text("user_id"));
            client.post(&path, json!({})).await.expect_problem(403, "admin_only");
            maker.redeem(&made.text("claim_token")).await;
        }
    }

    async fn an_administrator_who_claims_a_programs_customer_gets_no_key(app) {
        let (admin, owner) = (app.admin().await, app.owner().await);
        let client = app.api_client(&["users:write"]).await;
        let kim = json!({ "email": "kim@story.example", "display_name": "Kim" });
        let made = client.post("/v1/users", kim).await.expect(201);
        let lent = json!({ "grantee_id": made.text("user_id") });
        owner.lend_with(app, &owner, lent).await.expect(201);
        let path = format!("/v1/users/{}/claims", made.text("user_id"));
        let claim = admin.post(&path, json!({})).await.expect(201);
        let robber = admin.redeem(&claim.text("claim_token")).await;
        assert_no_car(app, &robber, &owner.vehicles[0]).await;
        assert_eq!(robber.get("/v1/users/me").await.expect(200).text("recovered_by"), admin.id);
    }

    async fn somebody_who_can_sign_in_remains_an_administrator(app) {
        let admin = app.admin().await;
        let close = |who: &str| format!("/v1/users/{who}/disable");
        admin.post(&close(&admin.id), json!({})).await.expect_problem(409, "last_admin");
        let erase = format!("/v1/users/{}/personal-data", admin.id);
        admin.delete(&erase).await.expect_problem(409, "last_admin");
        let body = json!({ "email": "bo@story.example", "display_name": "Bo", "role": "admin" });
        let bo = admin.post("/v1/users", body).await.expect(201);
        // Nobody has come to this account yet.
        admin.post(&close(&admin.id), json!({})).await.expect_problem(409, "last_admin");
        let mut second = admin.redeem(&bo.text("claim_token")).await;
        second.id = bo.text("user_id");
        // Two who close each other at the same time: one remains.
        let (one, other) = futures_util::future::join(
            admin.post(&close(&second.id), json!({})),
            second.post(&close(&admin.id), json!({})),
        )
        .await;
        let closed = [&one, &other].iter().filter(|reply| reply.status == 200).count();
        assert_eq!(closed, 1, "{} {}", one.body, other.body);
    }

    async fn an_account_that_opens_again_does_not_bring_its_sessions_back(app) {
        let (admin, guest) = (app.admin().await, app.guest().await);
        let own = format!("/v1/users/{}", guest.id);
        admin.post(&format!("{own}/disable"), json!({})).await.expect(200);
        let opened = admin.post(&format!("{own}/enable"), json!({})).await.expect(200);
        assert!(opened.body["disabled_at"].is_null(), "{}", opened.body);
        guest.get("/v1/users/me").await.expect_problem(401, "token_invalid");
        app.sign_in("guest@story.example").await;
        admin.delete(&format!("{own}/personal-data")).await.expect(200);
        let gone = admin.post(&format!("{own}/enable"), json!({})).await;
        gone.expect_problem(409, "account_erased");
    }
}
