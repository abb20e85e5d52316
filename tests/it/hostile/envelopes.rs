//! Addresses, methods, queries and headers that are not what they should be.

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{expect_refusal, rows};
use crate::support::{Actor, Reply, TestApp, on_both};

/// Sends bytes as they are and reads whatever comes back until the connection ends.
async fn raw(app: &TestApp, request: &[u8]) -> String {
    let address = app.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // A server that refuses may also cut the connection.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn status_of(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}

on_both! {
    async fn what_is_not_there_is_told_as_a_problem(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        owner.lend(app, &guest).await;
        for path in ["/", "/v1", "/v1/", "/v1/nonsense", "/v2", "/v1/users/", "//v1/users",
            "/v1/users/me/more", "/V1/users", "/.well-known/openid-configuration", "/problems/nonsense"] {
            let reply = owner.get(path).await;
            expect_refusal(&reply, path);
            reply.expect_problem(404, "not_found");
        }
        for (method, path) in [
            (Method::GET, "/v1/sessions"), (Method::PUT, "/v1/users"), (Method::DELETE, "/v1/grants"),
            (Method::PATCH, "/v1/commands"), (Method::GET, "/oauth/token"), (Method::POST, "/healthz"),
            (Method::POST, "/v1/audit-entries"), (Method::DELETE, "/v1/audit-entries"),
            (Method::from_bytes(b"BREW").unwrap(), "/v1/users"),
        ] {
            let what = format!("{method} {path}");
            let request = owner.request(method, path);
            let reply = Reply::read(request.send().await.unwrap()).await;
            expect_refusal(&reply, &what);
            let reply = reply.expect_problem(405, "method_not_allowed");
            assert!(reply.headers.contains_key("allow"), "{what}");
        }
    }

    async fn what_is_no_id_names_nothing(app) {
        let (owner, guest, admin) = (app.owner().await, app.guest().await, app.admin().await);
        let grant_id = owner.lend(app, &guest).await;
        let long = "g".repeat(5000);
        let upper = grant_id.to_uppercase();
        for id in ["0", "grt_", "grt_0", "%00", "grt_%00", "%ff%fe", "..%2f..%2fetc", "'%20OR%201=1--",
            "grt_zzzzzzzzzzzzzzzzzzzzzzzzzz", "usr_00000000000000000000000001", &upper, &long,
            &format!("{grant_id}0"), &format!("%20{grant_id}")] {
            for path in ["/v1/users/{}", "/v1/vehicles/{}", "/v1/commands/{}", "/v1/connections/{}",
                "/v1/grants/{}", "/v1/vehicles/{}/commands"] {
                let path = path.replace("{}", id);
                let reply = admin.get(&path).await;
                if !path.contains("/users/usr_") {
                    expect_refusal(&reply, &path);
                }
                assert_eq!(reply.status, 404, "{path}: {}", reply.body);
            }
            for path in ["/v1/users/{}/disable", "/v1/grants/{}/revoke", "/v1/grants/{}/token",
                "/v1/grants/{}/relinquish", "/v1/api-clients/{}/revoke"] {
                let path = path.replace("{}", id);
                let reply = admin.post(&path, json!({})).await;
                expect_refusal(&reply, &path);
                assert_eq!(reply.status, 404, "{path}: {}", reply.body);
            }
        }
        let path = format!("/v1/grants/{grant_id}");
        assert_eq!(owner.get(&path).await.expect(200).text("status"), "active");
    }

    async fn queries_are_read_strictly(app) {
        let (owner, admin) = (app.owner().await, app.admin().await);
        let before = rows(app).await;
        let car = format!("/v1/vehicles/{}/commands", owner.vehicles[0]);
        let lists = ["/v1/users", "/v1/grants", "/v1/vehicles", "/v1/api-clients", "/v1/audit-entries", &car];
        for path in lists {
            for query in ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=", "limit=1&limit=2",
                "limit=99999999999999999999", "limit=1.0", "cursor=", "cursor=nonsense", "cursor=%00",
                "cursor=AA", "cursor=%ff", "cursor=AQ&cursor=AQ", "surprise=1", "%00=1"] {
                let path = format!("{path}?{query}");
                let reply = admin.get(&path).await;
                expect_refusal(&reply, &path);
                let reply = reply.expect_problem(422, "validation_failed");
                assert!(reply.body["errors"][0]["pointer"].as_str().unwrap().starts_with('?'), "{path}");
            }
        }
        for query in ["event=%00", "event=Command", "event='", "from=2026-07-01T12:00:00", "from=now",
            "until=2026-07-01", "vehicle_id=1", "grant_id=%00", "user_id=veh_00000000000000000000000001",
            "from=10000-01-01T00:00:00Z"] {
            let path = format!("/v1/audit-entries?{query}");
            let reply = admin.get(&path).await;
            expect_refusal(&reply, &path);
            reply.expect_problem(422, "validation_failed");
        }
        for query in ["from=0001-01-01T00:00:00Z", "until=9999-12-30T00:00:00Z",
            "from=2026-07-02T00:00:00Z&until=2026-07-01T00:00:00Z"] {
            admin.get(&format!("/v1/audit-entries?{query}")).await.expect(200);
        }
        for query in ["state=%00&code=%00", "state=a&code=b&error=%00", "state=%ff&code=%ff",
            &format!("state=a&code={}", "c".repeat(600)), &format!("state={}&code=c", "s".repeat(9000))] {
            let path = format!("/v1/connections/callback?{query}");
            expect_refusal(&Actor::nobody(app).get(&path).await, &path);
        }
        assert_eq!(rows(app).await, before);
    }

    async fn a_name_of_a_request_is_echoed_only_if_it_is_harmless(app) {
        let url = format!("{}/v1/users/me", app.url());
        let echoed = async |value: &[u8]| {
            let value = HeaderValue::from_bytes(value).unwrap();
            let answer = app.http.get(&url).header("x-request-id", value).send().await.unwrap();
            let reply = Reply::read(answer).await;
            expect_refusal(&reply, "no credentials");
            reply.text("request_id")
        };
        assert_eq!(echoed(b"Trip-7.a_b").await, "Trip-7.a_b");
        let long = "a".repeat(10_000);
        for odd in [long.as_bytes(), b"", b"a b", b"a\"b", b"\xff", "ä".as_bytes(), b"a\tb", b"<b>", b"${x}"] {
            assert_eq!(echoed(odd).await.len(), 36, "{:?}", String::from_utf8_lossy(odd));
        }
        for odd in ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\r\n X-Evil: 1", "a\0b"] {
            let request = format!(
                "GET /healthz HTTP/1.1\r\nHost: k\r\nX-Request-Id: {odd}\r\nConnection: close\r\n\r\n"
            );
            let answer = raw(app, request.as_bytes()).await;
            assert!([200, 400].contains(&status_of(&answer)), "{odd:?}: {answer}");
            assert!(!answer.to_lowercase().contains("x-evil"), "{odd:?}: {answer}");
        }
    }

    async fn a_broken_conversation_breaks_nothing_else(app) {
        let before = rows(app).await;
        let head = "POST /v1/sessions HTTP/1.1\r\nHost: k\r\nContent-Type: application/json\r\n\
                    Connection: close\r\n";
        let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000)).repeat(3);
        for (rest, statuses) in [
            // More than is accepted, of a length that is not said in advance.
            (format!("Transfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n"), vec![413]),
            ("Transfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(), vec![400]),
            ("Content-Length: 99999999\r\n\r\n{}".to_owned(), vec![413]),
            ("Content-Length: -1\r\n\r\n{}".to_owned(), vec![400]),
            ("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x".to_owned(), vec![400]),
            ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), vec![400, 422]),
        ] {
            let answer = raw(app, format!("{head}{rest}").as_bytes()).await;
            assert!(statuses.contains(&status_of(&answer)), "{rest:.40}: {answer}");
        }
        for nonsense in [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"\xff\xff\r\n\r\n"] {
            let answer = raw(app, nonsense).await;
            assert!([0, 400].contains(&status_of(&answer)), "{answer}");
        }
        assert_eq!(rows(app).await, before);
        app.admin().await.get("/v1/users").await.expect(200);
    }

    async fn acting_for_takes_one_id(app) {
        let guest = app.guest().await;
        let machine = app.api_client(&["users:read"]).await;
        guest.allow(&machine).await;
        for odd in [&b"nobody"[..], b"", b"\xff", b"usr_0", b"veh_00000000000000000000000001",
            b"usr_00000000000000000000000001"] {
            let value = HeaderValue::from_bytes(odd).unwrap();
            let request = machine.request(Method::GET, "/v1/users/me").header("keylend-acting-for", value);
            let reply = Reply::read(request.send().await.unwrap()).await;
            expect_refusal(&reply, &String::from_utf8_lossy(odd));
            let reply = reply.expect_problem(422, "validation_failed");
            assert_eq!(reply.body["errors"][0]["pointer"], "Keylend-Acting-For");
        }
        let request = machine.acting_for(&guest).request(Method::GET, "/v1/users/me");
        let twice = request.header("keylend-acting-for", "usr_00000000000000000000000001");
        let reply = Reply::read(twice.send().await.unwrap()).await;
        expect_refusal(&reply, "two people");
    }
}
