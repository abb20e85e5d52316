//! A program that is limited to one car, and tries what it can with the others.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::all_scopes;
use crate::support::{Actor, Reply, TestApp, on_both};

/// A program with every scope, for this car alone.
async fn limited_to(app: &TestApp, car: &str) -> Actor {
    let body = json!({ "name": "Limited", "scopes": all_scopes(), "vehicle_ids": [car] });
    let made = app.admin().await.post("/v1/api-clients", body).await.expect(201);
    assert_eq!(made.body["vehicle_ids"], json!([car]));
    let (id, secret) = (made.text("client_id"), made.text("client_secret"));
    let form =
        [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
    let answer = app.http.post(format!("{}/oauth/token", app.url())).form(&form).send().await;
    let token = Reply::read(answer.unwrap()).await.expect(200).text("access_token");
    let mut client = Actor::nobody(app).with_token(token);
    client.id = id;
    client
}

fn grant(car: &str, guest: &Actor) -> Value {
    json!({ "vehicle_id": car, "grantee_id": guest.id, "entitlements": ["unlock", "lock", "read_lock_status"],
        "not_before": "2026-07-01T12:00:00Z", "not_after": "2026-07-01T13:00:00Z" })
}

on_both! {
    async fn a_limited_program_sees_and_moves_no_other_car(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let [its, other] = [&owner.vehicles[0], &owner.vehicles[1]];
        let client = limited_to(app, its).await;
        owner.allow(&client).await;
        let (alone, for_owner) = (&client, client.acting_for(&owner));
        let others_grant = owner.post("/v1/grants", grant(other, &guest)).await.expect(201).text("grant_id");
        let others_command = owner.command(other, "lock").await.expect(200).text("command_id");
        let path = format!("/v1/audit-entries?vehicle_id={other}");
        let entry = owner.get(&path).await.expect(200).list("entry_id")[0].clone();

        // What is about its car works, for itself and for the owner.
        for path in ["", "/commands", "/lock-status"] {
            for_owner.get(&format!("/v1/vehicles/{its}{path}")).await.expect(200);
        }
        for_owner.command(its, "unlock").await.expect(200);
        for_owner.post("/v1/grants", grant(its, &guest)).await.expect(201);
        alone.get(&format!("/v1/audit-entries?vehicle_id={its}")).await.expect(200);
        alone.get(&format!("/v1/grants?vehicle_id={its}")).await.expect(200);
        alone.get("/v1/users").await.expect(200);

        // Another car is not there.
        let unlock = json!({ "vehicle_id": other, "action": "unlock" });
        for (method, path, body) in [
            (Method::GET, format!("/v1/vehicles/{other}"), json!({})),
            (Method::GET, format!("/v1/vehicles/{other}/commands"), json!({})),
            (Method::GET, format!("/v1/vehicles/{other}/lock-status"), json!({})),
            (Method::GET, format!("/v1/grants/{others_grant}"), json!({})),
            (Method::GET, format!("/v1/grants?vehicle_id={other}"), json!({})),
            (Method::GET, format!("/v1/commands/{others_command}"), json!({})),
            (Method::GET, format!("/v1/audit-entries?vehicle_id={other}"), json!({})),
            (Method::GET, format!("/v1/audit-entries?grant_id={others_grant}"), json!({})),
            (Method::GET, format!("/v1/audit-entries/{entry}/proof"), json!({})),
            (Method::POST, "/v1/commands".to_owned(), unlock.clone()),
            (Method::POST, "/v1/access-checks".to_owned(), unlock),
            (Method::POST, "/v1/grants".to_owned(), grant(other, &guest)),
            (Method::POST, format!("/v1/grants/{others_grant}/revoke"), json!({})),
        ] {
            let mut request = for_owner.request(method.clone(), &path);
            if method == Method::POST {
                request = request.header("idempotency-key", path.as_str()).json(&body);
            }
            let answer = Reply::read(request.send().await.unwrap()).await;
            assert_eq!(answer.text("code"), "not_found", "{method} {path}: {}", answer.body);
        }
        // What is about several cars at once is not for it.
        for path in ["/v1/vehicles", "/v1/grants", "/v1/audit-entries", "/v1/connections", "/v1/holds"] {
            alone.get(path).await.expect_problem(403, "vehicles_limited");
        }
        for_owner.post("/v1/connections", json!({})).await.expect_problem(403, "vehicles_limited");
        assert_eq!(app.cloud.journal().await.len(), 2, "the owner's lock and its own unlock");
    }

    async fn a_program_is_limited_to_cars_that_are_there_and_to_some(app) {
        let (owner, foreigner) = (app.owner().await, app.foreigner().await);
        let create = async |admin: &Actor, vehicle_ids: Value| {
            let body = json!({ "name": "Limited", "scopes": [], "vehicle_ids": vehicle_ids });
            admin.post("/v1/api-clients", body).await
        };
        let admin = app.admin().await;
        let many: Vec<String> = (0..65_u128).map(|n| format!("veh_{n:026}")).collect();
        for wrong in [json!([]), json!(many), json!(["veh_00000000000000000000000001"])] {
            create(&admin, wrong).await.expect_problem(422, "validation_failed");
        }
        let theirs = create(&foreigner, json!([owner.vehicles[0]])).await;
        theirs.expect_problem(422, "validation_failed");
        create(&admin, json!(owner.vehicles)).await.expect(201);
    }
}
