//! Somebody ends what is not theirs to end.

use serde_json::{Value, json};

use crate::support::{Actor, Reply, on_both};

async fn end_all(actor: &Actor, scope: Value) -> Reply {
    actor.post("/v1/ends", json!({ "scope": scope, "reason": "Because." })).await
}

on_both! {
    async fn nobody_ends_what_is_not_theirs(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let (foreigner, admin) = (app.foreigner().await, app.admin().await);
        let grant_id = owner.lend(app, &guest).await;
        let over_grant = || json!({ "grant_id": grant_id });
        let over_car = || json!({ "vehicle_id": owner.vehicles[0] });
        let over_guest = || json!({ "user_id": guest.id });
        for scope in [over_grant(), over_car()] {
            end_all(&guest, scope.clone()).await.expect_problem(403, "not_the_owner");
            end_all(&stranger, scope.clone()).await.expect_problem(404, "not_found");
            end_all(&foreigner, scope).await.expect_problem(404, "not_found");
        }
        for actor in [&owner, &guest, &stranger] {
            end_all(actor, over_guest()).await.expect_problem(403, "admin_only");
            end_all(actor, json!({ "organization": true })).await.expect_problem(403, "admin_only");
        }
        end_all(&foreigner, over_guest()).await.expect_problem(404, "not_found");
        // Another organization's end is its own.
        let elsewhere = end_all(&foreigner, json!({ "organization": true })).await.expect(201);
        assert_eq!(elsewhere.body["grants"], json!(0));
        let dry = json!({ "scope": over_car(), "reason": "Curious.", "dry_run": true });
        stranger.post("/v1/ends", dry.clone()).await.expect_problem(404, "not_found");
        guest.post("/v1/ends", dry).await.expect_problem(403, "not_the_owner");
        let client = app.api_client(&["grants:write", "connections:write"]).await;
        end_all(&client, over_car()).await.expect_problem(403, "acting_for_missing");
        end_all(&client.acting_for(&owner), over_car()).await.expect_problem(403, "acting_for_not_allowed");
        let path = format!("/v1/vehicles/{}", owner.vehicles[0]);
        client.acting_for(&owner).delete(&path).await.expect_problem(403, "acting_for_not_allowed");
        guest.delete(&path).await.expect_problem(403, "not_the_owner");
        app.officer("support").await.delete(&path).await.expect_problem(403, "not_the_owner");
        for actor in [&stranger, &foreigner] {
            actor.delete(&path).await.expect_problem(404, "not_found");
        }
        guest.command(&owner.vehicles[0], "unlock").await.expect(200);
        assert_eq!(end_all(&admin, over_guest()).await.expect(201).body["grants"], json!(1));
    }
}
