//! Bodies that are not what they should be, for every route that takes one.

use reqwest::Method;
use serde_json::{Value, json};

use super::{expect_refusal, rows};
use crate::support::people::PASSWORD;
use crate::support::{Actor, Reply, TestApp, on_both};

/// A route, somebody who may use it, and a body that would be accepted.
struct Door {
    who: Actor,
    method: Method,
    path: String,
    body: Value,
    /// Whether the body may be left out.
    optional: bool,
}

/// Every route with a body.
async fn doors(app: &TestApp) -> Vec<Door> {
    let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
    let nobody = Actor::nobody(app);
    let grant_id = owner.lend(app, &guest).await;
    let car = owner.vehicles[0].clone();
    let door = |who: &Actor, path: &str, body: Value| Door {
        who: who.clone(),
        method: Method::POST,
        path: path.to_owned(),
        body,
        optional: false,
    };
    let mut doors = vec![
        door(
            &nobody,
            "/v1/sessions",
            json!({ "email": "guest@story.example", "password": PASSWORD, "organization_id": null }),
        ),
        door(&nobody, "/v1/sessions/refresh", json!({ "refresh_token": "unknown" })),
        door(
            &admin,
            "/v1/users",
            json!({ "email": "kim@story.example", "display_name": "Kim",
            "role": "member" }),
        ),
        door(
            &nobody,
            "/v1/claims/redeem",
            json!({ "claim_token": "unknown", "password": PASSWORD, "pin": null }),
        ),
        Door {
            method: Method::PUT,
            ..door(
                &guest,
                "/v1/users/me/password",
                json!({ "current_password": PASSWORD, "new_password": PASSWORD }),
            )
        },
        door(
            &owner,
            "/v1/connections/con_00000000000000000000000001/complete",
            json!({ "completion_code": "00000000" }),
        ),
        Door {
            method: Method::PUT,
            ..door(
                &admin,
                "/v1/organization/return-urls",
                json!({ "return_urls": ["https://app.example/back"] }),
            )
        },
        Door {
            method: Method::PUT,
            ..door(
                &admin,
                "/v1/organization/allowed-origins",
                json!({ "allowed_origins": ["https://app.example"] }),
            )
        },
        door(&admin, "/v1/api-clients", json!({ "name": "Backend", "scopes": ["users:read"] })),
        door(
            &admin,
            "/v1/api-clients/key_00000000000000000000000001/replace",
            json!({ "successor_id": "key_00000000000000000000000002" }),
        ),
        door(
            &owner,
            "/v1/grants",
            json!({ "vehicle_id": car, "grantee_id": guest.id,
            "entitlements": ["unlock", "lock"], "not_before": "2026-07-01T12:00:00Z",
            "not_after": "2026-07-01T14:00:00Z", "max_uses": 2, "label": "Label", "metadata": {} }),
        ),
        door(&owner, &format!("/v1/vehicles/{car}/transfer"), json!({ "to_user_id": guest.id })),
        door(
            &guest,
            "/v1/commands",
            json!({ "vehicle_id": car, "action": "unlock", "grant_id": grant_id }),
        ),
        door(
            &guest,
            "/v1/access-checks",
            json!({ "vehicle_id": car, "action": "unlock",
            "grant_id": grant_id, "at": "2026-07-01T12:00:00Z" }),
        ),
    ];
    let optional = [
        door(
            &owner,
            "/v1/connections",
            json!({ "mode": "live", "return_url": "https://app.example/back" }),
        ),
        door(&owner, &format!("/v1/grants/{grant_id}/revoke"), json!({ "reason": "Reason" })),
        door(&guest, &format!("/v1/grants/{grant_id}/token"), json!({})),
    ];
    doors.extend(optional.into_iter().map(|door| Door { optional: true, ..door }));
    doors
}

impl Door {
    async fn send(&self, media_type: Option<&str>, body: impl Into<reqwest::Body>) -> Reply {
        let request =
            self.who.request(self.method.clone(), &self.path).header("idempotency-key", "k");
        let request = match media_type {
            Some(media_type) => request.header("content-type", media_type),
            None => request,
        };
        Reply::read(request.body(body).send().await.unwrap()).await
    }

    async fn refuses(&self, body: impl Into<Vec<u8>>, status: u16, code: &str) -> Reply {
        let body = body.into();
        let shown: String = String::from_utf8_lossy(&body).chars().take(120).collect();
        let what = format!("{} {shown}", self.path);
        let reply = self.send(Some("application/json"), body).await;
        expect_refusal(&reply, &what);
        assert_eq!(
            (reply.status, reply.text("code").as_str()),
            (status, code),
            "{what}: {}",
            reply.body
        );
        reply
    }

    /// The same body with another value for one member.
    fn with(&self, member: &str, value: Value) -> String {
        let mut body = self.body.clone();
        body[member] = value;
        body.to_string()
    }

    fn members(&self) -> Vec<String> {
        self.body.as_object().unwrap().keys().cloned().collect()
    }
}

on_both! {
    async fn what_is_no_json_object_is_refused(app) {
        let doors = doors(app).await;
        let before = rows(app).await;
        for door in &doors {
            let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
            let deep_inside = format!(r#"{{"email":{deep}}}"#);
            let mut malformed: Vec<Vec<u8>> = ["{", "}", "{]", "nonsense", "{\"a\":}", "{'a':1}", "\u{0}",
                "{\"a\u{0}\":1", "{} {}", "\u{feff}{}", "{\"a\":01}", "{\"a\":NaN}", "[1,", " "]
                .into_iter().map(|text| text.as_bytes().to_vec()).collect();
            malformed.extend([deep.into_bytes(), b"{\"a\":\"\xff\"}".to_vec(), b"\xff\xfe".to_vec()]);
            if !door.optional {
                malformed.push(Vec::new());
            }
            for body in malformed {
                let reply = door.send(Some("application/json"), body.clone()).await;
                let what = format!("{} {:?}", door.path, String::from_utf8_lossy(&body).get(..20));
                expect_refusal(&reply, &what);
                // An unknown member may be met before the text turns out to be broken.
                assert!([400, 422].contains(&reply.status), "{what}: {}", reply.body);
            }
            let reply = door.send(Some("application/json"), deep_inside).await;
            expect_refusal(&reply, &door.path);
            for other in ["[]", "null", "7", "\"text\"", "true", &format!("[{}]", door.body)] {
                let reply = door.refuses(other, 422, "validation_failed").await;
                assert_eq!(reply.body["errors"][0]["pointer"], "", "{other}");
            }
        }
        assert_eq!(rows(app).await, before, "something was done");
    }

    async fn unknown_duplicate_and_mistyped_members_are_refused_by_name(app) {
        let doors = doors(app).await;
        let before = rows(app).await;
        for door in &doors {
            let reply = door.refuses(door.with("surprise", json!(1)), 422, "validation_failed").await;
            assert_eq!(reply.body["errors"][0]["pointer"], "/surprise", "{}", door.path);
            assert_eq!(reply.body["errors"][0]["code"], "unknown_field", "{}", door.path);
            for member in door.members() {
                let text = door.body.to_string();
                let twice = format!("{{{}:{},{}", json!(member), door.body[&member], &text[1..]);
                let reply = door.refuses(twice, 422, "validation_failed").await;
                assert_eq!(reply.body["errors"][0]["code"], "duplicate_field", "{}", door.path);
                assert_eq!(reply.body["errors"][0]["pointer"], format!("/{member}"), "{}", door.path);
                for wrong in [json!(true), json!([[]]), json!(-1.5)] {
                    let body = door.with(&member, wrong);
                    let reply = door.refuses(body, 422, "validation_failed").await;
                    let pointer = reply.body["errors"][0]["pointer"].as_str().unwrap();
                    assert!(pointer.starts_with(&format!("/{member}")), "{}: {pointer}", door.path);
                }
                let lone = door.with(&member, json!("S")).replace("\"S\"", r#""\ud800""#);
                door.refuses(lone, 400, "malformed_json").await;
            }
        }
        assert_eq!(rows(app).await, before, "something was done");
    }

    async fn a_nul_in_any_text_is_the_clients_fault(app) {
        for door in &doors(app).await {
            for member in door.members() {
                // In these a NUL is harmless: they are hashed, or stored escaped.
                let harmless = ["password", "current_password", "new_password", "refresh_token",
                    "claim_token", "pin", "completion_code", "metadata"];
                if harmless.contains(&member.as_str()) {
                    continue;
                }
                for text in ["a\0b", "\0", "a@b.example\0", "usr_00000000000000000000000001\0"] {
                    let value = match member.as_str() {
                        "entitlements" | "scopes" | "return_urls" => json!([text]),
                        _ => json!(text),
                    };
                    let reply = door.refuses(door.with(&member, value), 422, "validation_failed").await;
                    let pointer = reply.body["errors"][0]["pointer"].as_str().unwrap();
                    assert!(pointer.starts_with(&format!("/{member}")), "{}: {pointer}", door.path);
                }
            }
        }
        let nobody = Actor::nobody(app);
        let reply = nobody.post("/v1/sessions/refresh", json!({ "refresh_token": "a\0b" })).await;
        reply.expect_problem(401, "token_invalid");
        let body = json!({ "email": "guest@story.example", "password": "a\0b" });
        nobody.post("/v1/sessions", body).await.expect_problem(401, "credentials_invalid");
        let (owner, guest) = (app.sign_in("owner@story.example").await, app.sign_in("guest@story.example").await);
        let mut owner = owner;
        owner.vehicles = owner.get("/v1/vehicles").await.expect(200).list("vehicle_id");
        let metadata = json!({ "metadata": { "a\0b": "\0" } });
        let lent = owner.lend_with(app, &guest, metadata.clone()).await.expect(201);
        assert_eq!(lent.body["metadata"], metadata["metadata"]);
    }

    async fn a_body_of_another_kind_or_size_is_refused(app) {
        let doors = doors(app).await;
        let before = rows(app).await;
        for door in &doors {
            let text = door.body.to_string();
            for media_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"),
                Some("application/jsonx"), Some("multipart/form-data; boundary=b"), Some(";")] {
                let reply = door.send(media_type, text.clone()).await;
                expect_refusal(&reply, &format!("{} {media_type:?}", door.path));
                reply.expect_problem(415, "unsupported_media_type");
            }
            let large = format!("{text}{}", " ".repeat(64 * 1024));
            door.refuses(large, 413, "body_too_large").await;
        }
        assert_eq!(rows(app).await, before, "something was done");
    }

    async fn numbers_and_times_out_of_reach_are_refused(app) {
        let doors = doors(app).await;
        let before = rows(app).await;
        let lending = doors.iter().find(|door| door.path == "/v1/grants").unwrap();
        for number in ["1e400", "-1e400", "99999999999999999999999", "-9223372036854775809", "1.5",
            "1e3", "0", "-1", "9223372036854775807"] {
            let body = lending.with("max_uses", json!("N")).replace("\"N\"", number);
            let reply = lending.send(Some("application/json"), body).await;
            expect_refusal(&reply, number);
        }
        for time in ["2026-07-01T12:00:00", "2026-07-01", "12:00", "", "now", "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z", "2026-07-01T24:00:01Z", "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z", "+012026-07-01T12:00:00Z", "-000001-01-01T00:00:00Z",
            "1782907200", "2026-07-01T12:00:00+99:00", "２０２６-07-01T12:00:00Z"] {
            for member in ["not_before", "not_after"] {
                let body = lending.with(member, json!(time));
                let reply = lending.refuses(body, 422, "validation_failed").await;
                assert_eq!(reply.body["errors"][0]["pointer"], format!("/{member}"), "{time}");
            }
        }
        let ends_first = lending.with("not_after", json!("2026-07-01T11:00:00Z"));
        lending.refuses(ends_first, 422, "validation_failed").await;
        assert_eq!(rows(app).await, before, "something was done");
    }

    async fn the_ends_of_time_are_times(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        for (not_before, not_after, status) in [
            ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", "ended"),
            ("9999-12-29T00:00:00Z", "9999-12-30T00:00:00Z", "upcoming"),
        ] {
            let times = json!({ "not_before": not_before, "not_after": not_after });
            let lent = owner.lend_with(app, &guest, times).await.expect(201);
            assert_eq!(lent.text("not_before"), not_before);
            let path = format!("/v1/grants/{}", lent.text("grant_id"));
            assert_eq!(guest.get(&path).await.expect(200).text("status"), status);
            let token = guest.post(&format!("{path}/token"), json!({})).await;
            assert!(token.status < 500, "{}", token.body);
            let body = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock",
                "grant_id": lent.text("grant_id") });
            let refused = guest.post("/v1/commands", body).await;
            assert_eq!(refused.status, 403, "{}", refused.body);
        }
        assert!(app.cloud.journal().await.is_empty());
    }
}
