//! Somebody pauses what is not theirs, or lifts what others placed.

use serde_json::{Value, json};

use crate::support::{Actor, Reply, on_both};

async fn place(actor: &Actor, scope: Value) -> Reply {
    actor.post("/v1/holds", json!({ "scope": scope, "reason": "Because." })).await
}

async fn lift(actor: &Actor, hold: &Reply) -> Reply {
    actor.delete(&format!("/v1/holds/{}", hold.text("hold_id"))).await
}

on_both! {
    async fn nobody_pauses_what_is_not_theirs(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let foreigner = app.foreigner().await;
        let grant_id = owner.lend(app, &guest).await;
        let over_grant = || json!({ "grant_id": grant_id });
        let over_car = || json!({ "vehicle_id": owner.vehicles[0] });
        let over = |actor: &Actor| json!({ "user_id": actor.id });
        let fleet = || json!({ "organization": true });
        place(&guest, over_car()).await.expect_problem(403, "not_the_owner");
        place(&guest, over(&owner)).await.expect_problem(403, "admin_only");
        place(&owner, over(&guest)).await.expect_problem(403, "admin_only");
        for actor in [&owner, &guest, &stranger] {
            place(actor, fleet()).await.expect_problem(403, "admin_only");
        }
        for actor in [&stranger, &foreigner] {
            place(actor, over_grant()).await.expect_problem(404, "not_found");
            place(actor, over_car()).await.expect_problem(404, "not_found");
        }
        place(&foreigner, over(&guest)).await.expect_problem(404, "not_found");
        let holder = guest.holder_of(&grant_id).await;
        place(&holder, over_grant()).await.expect_problem(401, "token_invalid");
        // Another organization's freeze is its own.
        place(&foreigner, fleet()).await.expect(201);
        holder.command(&owner.vehicles[0], "unlock").await.expect(200);
        assert_eq!(app.count("SELECT COUNT(*) FROM holds").await, 1);
    }

    async fn nobody_lifts_or_sees_what_does_not_concern_them(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let (foreigner, admin) = (app.foreigner().await, app.admin().await);
        let grant_id = owner.lend(app, &guest).await;
        let grant = place(&owner, json!({ "grant_id": grant_id })).await.expect(201);
        let car = place(&owner, json!({ "vehicle_id": owner.vehicles[0] })).await.expect(201);
        let person = place(&admin, json!({ "user_id": guest.id })).await.expect(201);
        let fleet = place(&admin, json!({ "organization": true })).await.expect(201);
        for hold in [&grant, &car, &person, &fleet] {
            for actor in [&stranger, &foreigner] {
                lift(actor, hold).await.expect_problem(404, "not_found");
            }
        }
        lift(&guest, &grant).await.expect_problem(403, "hold_of_another");
        lift(&guest, &person).await.expect_problem(403, "hold_of_another");
        // No office takes back the word of an owner: the key would open their car again.
        for actor in [&app.officer("support").await, &admin] {
            lift(actor, &grant).await.expect_problem(403, "hold_of_another");
            lift(actor, &car).await.expect_problem(403, "hold_of_another");
        }
        for (actor, hold) in [(&guest, &car), (&guest, &fleet), (&owner, &person), (&owner, &fleet)] {
            lift(actor, hold).await.expect_problem(404, "not_found");
        }
        let seen = async |actor: &Actor| actor.get("/v1/holds").await.expect(200).list("hold_id");
        let ids = |holds: &[&Reply]| holds.iter().map(|hold| hold.text("hold_id")).collect::<Vec<_>>();
        assert_eq!(seen(&admin).await, ids(&[&fleet, &person, &car, &grant]));
        assert_eq!(seen(&owner).await, ids(&[&fleet, &car, &grant]));
        assert_eq!(seen(&guest).await, ids(&[&fleet, &person, &grant]));
        assert_eq!(seen(&stranger).await, ids(&[&fleet]));
        assert_eq!(seen(&foreigner).await, ids(&[]));
    }

    async fn a_program_pauses_for_those_alone_who_allowed_it(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        let over_grant = || json!({ "grant_id": grant_id });
        let client = app.api_client(&["grants:write", "grants:read"]).await;
        place(&client, over_grant()).await.expect_problem(403, "acting_for_missing");
        place(&client, json!({ "organization": true })).await.expect_problem(403, "admin_only");
        place(&client.acting_for(&owner), over_grant()).await.expect_problem(403, "acting_for_not_allowed");
        guest.allow(&client).await;
        let hold = place(&client.acting_for(&guest), over_grant()).await.expect(201);
        assert_eq!(hold.text("rank"), "guest");
        owner.allow(&client).await;
        let above = place(&client.acting_for(&owner), over_grant()).await.expect(201);
        assert_eq!(above.text("rank"), "owner");
        lift(&client.acting_for(&guest), &above).await.expect_problem(403, "hold_of_another");
        let unable = app.api_client(&["grants:read"]).await;
        place(&unable, over_grant()).await.expect_problem(403, "scope_missing");
        lift(&unable, &hold).await.expect_problem(403, "scope_missing");
        lift(&client.acting_for(&guest), &hold).await.expect(204);
    }
}
