//! The facade: an app that speaks Smartcar's API v2.0 works with a grant token in the place of
//! the access token, in Smartcar's words for success and for failure.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Actor, Reply, TestApp, on_both};

/// The car's id as the facade shows it.
async fn uuid_of_car(holder: &Actor) -> String {
    let list = holder.get("/v2.0/vehicles").await.expect(200);
    list.body["vehicles"][0].as_str().unwrap().to_owned()
}

/// Posts as the SDKs do: without an idempotency key.
async fn security(holder: &Actor, id: &str, body: &str) -> Reply {
    let request = holder.request(Method::POST, &format!("/v2.0/vehicles/{id}/security"));
    let request = request.header("content-type", "application/json").body(body.to_owned());
    Reply::read(request.send().await.unwrap()).await
}

const LOCK: &str = r#"{"action":"LOCK"}"#;
const UNLOCK: &str = r#"{"action":"UNLOCK"}"#;

/// An error in Smartcar's envelope.
#[track_caller]
fn expect_error(reply: &Reply, error_type: &str, code: Option<&str>) {
    let body = &reply.body;
    assert!(reply.status >= 400, "{}: {body}", reply.status);
    assert_eq!(body["type"], error_type, "{body}");
    assert_eq!(body["code"], json!(code), "{body}");
    assert_eq!(body["statusCode"], reply.status, "{body}");
    assert!(body["description"].is_string(), "{body}");
    assert!(body["docURL"].is_string(), "{body}");
    assert!(body.get("resolution").is_some(), "{body}");
    assert_eq!(reply.headers["content-type"], "application/json");
    let named = reply.headers["sc-request-id"].to_str().unwrap();
    assert_eq!(body["requestId"], named, "{body}");
    assert_eq!(named.len(), 36);
}

async fn holder_and_car(app: &TestApp, owner: &Actor, guest: &Actor) -> (String, Actor, String) {
    let grant_id = owner.lend(app, guest).await;
    let holder = guest.holder_of(&grant_id).await;
    let id = uuid_of_car(&holder).await;
    (grant_id, holder, id)
}

on_both! {
    async fn an_app_reads_and_commands_the_car_of_its_grant(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (_, holder, id) = holder_and_car(app, &owner, &guest).await;
        let car = owner.get(&format!("/v1/vehicles/{}", owner.vehicles[0])).await.expect(200);
        for slash in ["", "/"] {
            let list = holder.get(&format!("/v2.0/vehicles{slash}")).await.expect(200);
            assert_eq!(list.body, json!({ "vehicles": [id], "paging": { "count": 1, "offset": 0 } }));
            let attributes = holder.get(&format!("/v2.0/vehicles/{id}{slash}")).await.expect(200);
            assert_eq!(attributes.body, json!({ "id": id, "make": car.body["make"],
                "model": car.body["model"], "year": car.body["year"] }));
            let path = format!("/v2.0/vehicles/{id}/permissions{slash}");
            let permissions = holder.get(&path).await.expect(200);
            let words = json!(["control_security", "read_security", "read_vehicle_info"]);
            assert_eq!(permissions.body["permissions"], words);
            assert_eq!(permissions.body["paging"], json!({ "count": 3, "offset": 0 }));

            let path = format!("/v2.0/vehicles/{id}/security{slash}");
            for (action, is_locked) in [("UNLOCK", false), ("LOCK", true)] {
                let request = holder.request(Method::POST, &path).json(&json!({ "action": action }));
                let done = Reply::read(request.send().await.unwrap()).await.expect(200);
                assert_eq!(done.text("status"), "success");
                assert_eq!(done.headers["sc-request-id"].len(), 36);
                let seen = holder.get(&path).await.expect(200);
                assert_eq!(seen.body["isLocked"], is_locked);
                assert!(seen.headers.contains_key("sc-data-age"));
                assert_eq!(seen.headers["sc-unit-system"], "metric");
                for reply in [&list, &attributes, &permissions, &seen] {
                    assert_eq!(reply.headers["sc-request-id"].len(), 36);
                }
            }
        }
        assert_eq!(app.cloud.journal().await.len(), 4);
        let events = owner.events_of(&owner.vehicles[0]).await;
        assert_eq!(events.iter().filter(|event| *event == "command.authorized").count(), 4);
        assert!(events.contains(&"vehicle.read".to_owned()));
    }

    async fn no_token_and_a_wrong_token_are_authentication_errors(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (_, holder, id) = holder_and_car(app, &owner, &guest).await;
        for wrong in [Actor::nobody(app), guest.with_token("garbage"), guest.clone(), owner.clone()] {
            expect_error(&wrong.get("/v2.0/vehicles").await, "AUTHENTICATION", None);
            expect_error(&security(&wrong, &id, UNLOCK).await, "AUTHENTICATION", None);
        }
        let basic = app.http.get(format!("{}/v2.0/vehicles", app.url())).basic_auth("a", Some("b"));
        let basic = Reply::read(basic.send().await.unwrap()).await;
        expect_error(&basic, "AUTHENTICATION", None);
        // A grant whose time is over has ended; its token is still one of this service.
        app.advance(std::time::Duration::from_secs(2 * 60 * 60));
        expect_error(&holder.get("/v2.0/vehicles").await, "PERMISSION", None);
        expect_error(&security(&holder, &id, UNLOCK).await, "PERMISSION", None);
        assert!(app.cloud.journal().await.is_empty());
    }

    async fn what_was_not_lent_is_a_permission_error(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (grant_id, holder, id) = holder_and_car(app, &owner, &guest).await;
        let other = json!({ "vehicle_id": owner.vehicles[1], "entitlements": ["lock"] });
        let other = owner.lend_with(app, &guest, other).await.expect(201).text("grant_id");
        let other = guest.holder_of(&other).await;
        let other_id = uuid_of_car(&other).await;
        expect_error(&security(&other, &other_id, UNLOCK).await, "PERMISSION", None);
        let attributes = other.get(&format!("/v2.0/vehicles/{other_id}")).await;
        expect_error(&attributes, "PERMISSION", None);
        let seen = other.get(&format!("/v2.0/vehicles/{other_id}/security")).await;
        expect_error(&seen, "PERMISSION", None);
        security(&other, &other_id, LOCK).await.expect(200);

        for wrong in [other_id.as_str(), "nonsense", "00000000-0000-7000-8000-000000000000"] {
            expect_error(&security(&holder, wrong, UNLOCK).await, "PERMISSION", None);
            let path = format!("/v2.0/vehicles/{wrong}/permissions");
            expect_error(&holder.get(&path).await, "PERMISSION", None);
        }
        owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
        for path in ["", &format!("/{id}"), &format!("/{id}/permissions"), &format!("/{id}/security")] {
            let refused = holder.get(&format!("/v2.0/vehicles{path}")).await;
            expect_error(&refused, "PERMISSION", None);
        }
        let refused = security(&holder, &id, UNLOCK).await;
        expect_error(&refused, "PERMISSION", None);
        assert!(refused.text("description").contains("grant_revoked"), "{}", refused.body);
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn a_body_that_is_no_action_is_a_validation_error(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (_, holder, id) = holder_and_car(app, &owner, &guest).await;
        let large = format!(r#"{{"action":"{}"}}"#, "x".repeat(1000));
        for body in ["", "{}", "{", "[]", "null", r#"{"action":"FLY"}"#, r#"{"action":"unlock"}"#,
            r#"{"action":7}"#, r#"["UNLOCK"]"#, r#"{"action":"UNLOCK","action":"LOCK"}"#, &large] {
            expect_error(&security(&holder, &id, body).await, "VALIDATION", None);
        }
        assert!(app.cloud.journal().await.is_empty());
    }

    async fn what_the_cloud_says_passes_through(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (_, holder, id) = holder_and_car(app, &owner, &guest).await;
        let cases: [(Value, &str, Option<&str>); 4] = [
            (json!({ "kind": "vehicle_state", "code": "ASLEEP" }), "VEHICLE_STATE", Some("ASLEEP")),
            (json!({ "kind": "rate_limited", "retry_after_s": 7 }), "RATE_LIMIT", Some("VEHICLE")),
            (json!({ "kind": "error", "type": "UPSTREAM", "code": "NO_RESPONSE" }),
                "UPSTREAM", Some("NO_RESPONSE")),
            (json!({ "kind": "executed_then_no_answer" }), "UPSTREAM", Some("NO_RESPONSE")),
        ];
        for (fault, error_type, code) in cases {
            app.cloud.script_all(&json!([fault])).await;
            let failed = security(&holder, &id, UNLOCK).await;
            expect_error(&failed, error_type, code);
            if error_type == "RATE_LIMIT" {
                assert_eq!(failed.headers["retry-after"], "7");
            }
        }
        app.cloud.script_all(&json!([{ "kind": "vehicle_state", "code": "ASLEEP", "on": "read" }])).await;
        let asleep = holder.get(&format!("/v2.0/vehicles/{id}/security")).await;
        expect_error(&asleep, "VEHICLE_STATE", Some("ASLEEP"));
        assert_eq!(app.cloud.journal().await.len(), 1);
    }

    async fn what_is_not_there_is_not_found_in_smartcars_words(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (_, holder, id) = holder_and_car(app, &owner, &guest).await;
        for path in ["/v2.0/nonsense", "/v2.0/vehicles/a/b/c", &format!("/v2.0/vehicles/{id}/tires")] {
            let missing = holder.get(path).await;
            expect_error(&missing, "RESOURCE_NOT_FOUND", Some("PATH"));
            assert_eq!(missing.status, 404);
        }
    }

    async fn a_repeated_request_with_a_key_acts_once(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (_, holder, id) = holder_and_car(app, &owner, &guest).await;
        let path = format!("/v2.0/vehicles/{id}/security");
        for _ in 0..3 {
            holder.post_as(&path, "once", json!({ "action": "UNLOCK" })).await.expect(200);
        }
        let other = holder.post_as(&path, "once", json!({ "action": "LOCK" })).await;
        expect_error(&other, "VALIDATION", None);
        // The same with the token of another grant is another request.
        let (_, other_holder, _) = holder_and_car(app, &owner, &guest).await;
        let other = other_holder.post_as(&path, "once", json!({ "action": "UNLOCK" })).await;
        expect_error(&other, "VALIDATION", None);
        assert_eq!(app.cloud.journal().await.len(), 1);
        // Without a key each request is a new one.
        security(&holder, &id, UNLOCK).await.expect(200);
        security(&holder, &id, UNLOCK).await.expect(200);
        assert_eq!(app.cloud.journal().await.len(), 3);
    }

    async fn an_app_manages_the_one_connection_of_its_grant(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let (grant_id, holder, id) = holder_and_car(app, &owner, &guest).await;
        let token = holder.token.clone().unwrap();
        let manage = async |method: Method, query: &str| {
            let path = format!("{}/v2.0/management/connections{query}", app.url());
            let sent = app.http.request(method, path).basic_auth("default", Some(&token));
            Reply::read(sent.send().await.unwrap()).await
        };
        let list = manage(Method::GET, "/?limit=10").await.expect(200);
        let entry = &list.body["connections"][0];
        assert_eq!(entry["vehicleId"], id, "{list:?}");
        assert!(entry["connectedAt"].is_string(), "{list:?}");
        assert_eq!(list.body["paging"], json!({ "cursor": null }));
        let user_id = entry["userId"].as_str().unwrap();
        let other = "?vehicle_id=00000000-0000-7000-8000-000000000000";
        let none = json!([]);
        assert_eq!(manage(Method::GET, other).await.expect(200).body["connections"], none);
        assert_eq!(manage(Method::DELETE, other).await.expect(200).body["connections"], none);
        expect_error(&manage(Method::DELETE, "").await, "VALIDATION", None);
        holder.get("/v2.0/user").await.expect(200);

        let ended = manage(Method::DELETE, &format!("?user_id={user_id}")).await.expect(200);
        assert_eq!(ended.body, json!({ "connections": [{ "userId": user_id, "vehicleId": id }] }));
        let grant = guest.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
        assert_eq!(grant.body["end_reason"], "relinquished", "{grant:?}");
        expect_error(&manage(Method::GET, "").await, "PERMISSION", None);
    }
}
