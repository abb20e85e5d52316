//! Somebody takes a name that the organization's programs go by, or describes what is not theirs.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, on_both};

async fn change(actor: &Actor, path: &str, changes: Value) -> Reply {
    let request = actor.request(Method::PATCH, path).header("if-match", "*").json(&changes);
    Reply::read(request.send().await.unwrap()).await
}

on_both! {
    async fn nobody_describes_what_is_not_theirs_or_names_for_the_organization(app) {
        let (owner, guest, stranger) = (app.owner().await, app.guest().await, app.stranger().await);
        let (support, foreigner) = (app.officer("support").await, app.foreigner().await);
        owner.lend(app, &guest).await;
        let car = format!("/v1/vehicles/{}", owner.vehicles[0]);
        let label = || json!({ "label": "Mine" });
        let name = || json!({ "external_ref": "car-17" });
        let both = || json!({ "label": "Mine", "external_ref": "car-17" });
        for actor in [&guest, &support] {
            change(actor, &car, label()).await.expect_problem(403, "not_the_owner");
        }
        for actor in [&stranger, &foreigner] {
            for changes in [label(), name(), both()] {
                change(actor, &car, changes).await.expect_problem(404, "not_found");
            }
        }
        // Who owns a car has no say in what the organization's programs call it.
        for changes in [name(), both()] {
            change(&owner, &car, changes).await.expect_problem(403, "admin_only");
        }
        let client = app.api_client(&["vehicles:write"]).await;
        owner.allow(&client).await;
        change(&client.acting_for(&owner), &car, name()).await.expect_problem(403, "admin_only");
        change(&client.acting_for(&owner), &car, label()).await.expect(200);
        let reader = app.api_client(&["vehicles:read"]).await;
        change(&reader, &car, label()).await.expect_problem(403, "scope_missing");
        change(&client, &car, both()).await.expect(200);
        let person = format!("/v1/users/{}", guest.id);
        for actor in [&guest, &owner, &support] {
            change(actor, &person, json!({ "external_ref": "customer-1" })).await.expect_problem(403, "admin_only");
        }
        change(&foreigner, &person, json!({ "external_ref": "customer-1" })).await.expect_problem(404, "not_found");
        // Nor does a program name another one's customers: it could put its own in their place.
        let (theirs, other) = (app.api_client(&["users:write"]).await, app.api_client(&["users:write"]).await);
        let new = json!({ "email": "kim@story.example", "display_name": "Kim", "external_ref": "customer-2" });
        let kim = theirs.post("/v1/users", new).await.expect(201);
        let kim = format!("/v1/users/{}", kim.text("user_id"));
        for path in [&kim, &person] {
            change(&other, path, json!({ "external_ref": null })).await.expect_problem(403, "admin_only");
        }
        change(&theirs, &kim, json!({ "external_ref": "customer-3" })).await.expect(200);
        // The names of another organization are its own.
        let theirs = json!({ "email": "kim@elsewhere.example", "display_name": "Kim", "external_ref": "customer-1" });
        foreigner.post("/v1/users", theirs).await.expect(201);
        change(&app.admin().await, &person, json!({ "external_ref": "customer-1" })).await.expect(200);
    }

    async fn one_name_is_one_cars_whoever_asks_at_the_same_time(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        let name = |car: &String| {
            let (admin, path) = (admin.clone(), format!("/v1/vehicles/{car}"));
            async move { change(&admin, &path, json!({ "external_ref": "car-17" })).await }
        };
        let answers = join_all(owner.vehicles.iter().map(name)).await;
        let taken = answers.iter().filter(|answer| answer.text("code") == "external_ref_taken").count();
        let given = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!((given, taken), (1, owner.vehicles.len() - 1), "{answers:?}");
    }
}
