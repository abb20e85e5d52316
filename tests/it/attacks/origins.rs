//! Pages that want to read the answers meant for somebody else's web app, and strangers who ask about origins without
//! end.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::{Actor, Database, TestApp, on_both};

const PATH: &str = "/v1/organization/allowed-origins";
const APP: &str = "https://app.example";
const MANY: usize = 10_000;

async fn list(admin: &Actor, origin: &str) -> u16 {
    admin.put(PATH, json!({ "allowed_origins": [origin] })).await.status
}

fn preflight(nobody: &Actor) -> RequestBuilder {
    let request = nobody.request(Method::OPTIONS, "/v1/commands");
    request.header("access-control-request-method", "POST")
}

/// Whether the browser would show the answer to the script.
async fn is_allowed(request: RequestBuilder) -> bool {
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    response.headers().contains_key("access-control-allow-origin")
}

on_both! {
    async fn what_is_not_one_origin_is_not_listed(app) {
        let admin = app.admin().await;
        for bad in [
            "null",
            "",
            "*",
            "https://*",
            "https://*.app.example",
            "https://%2a.app.example",
            "https://app.example/",
            "https://app.example/path",
            "https://app.example?query",
            "https://app.example#fragment",
            "https://user@app.example",
            "https://APP.example",
            "https://app.example:443",
            "https://bücher.example",
            "http://app.example",
            "http://localhost.app.example",
            "http://127.0.0.1.app.example",
            "http://0.0.0.0:3000",
            "file://",
            "app.example",
            "https://app.example https://evil.example",
            "https://app.example\r\nx-evil: 1",
        ] {
            assert_eq!(list(&admin, bad).await, 422, "{bad:?}");
        }
        let kept = admin.get(PATH).await.expect(200);
        assert_eq!(kept.body, json!({ "allowed_origins": [] }));
    }

    async fn an_origin_that_looks_like_a_listed_one_reads_nothing(app) {
        let (admin, nobody) = (app.admin().await, Actor::nobody(app));
        assert_eq!(list(&admin, APP).await, 200);
        let origin = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
        let me = || admin.request(Method::GET, "/v1/users/me");
        for request in [preflight(&nobody), me()] {
            assert!(is_allowed(request.header("origin", APP)).await);
        }
        for near in [
            "null",
            "*",
            "",
            "https://app.example.evil.example",
            "https://evil-app.example",
            "https://evilapp.example",
            "https://sub.app.example",
            "https://app.example.",
            "https://app.exampl",
            "https://app.example:443",
            "https://app.example:8443",
            "http://app.example",
            "https://APP.example",
            "HTTPS://app.example",
            "https://app.example/",
            "https://app.example@evil.example",
            "https://app.example, https://evil.example",
            "https://app.example https://evil.example",
            "https://\u{430}pp.example",
            "https://xn--pp-7kc.example",
        ] {
            for request in [preflight(&nobody), me()] {
                assert!(!is_allowed(request.header("origin", origin(near))).await, "{near:?}");
            }
        }
        for request in [preflight(&nobody), me()] {
            let request = request.header("origin", "https://evil.example").header("origin", APP);
            assert!(!is_allowed(request).await, "of two origins one was chosen");
        }
    }
}

/// Another instance was told of an origin. This one would know of it, had any of ten thousand questions made it read the
/// database again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_ask_about_ten_thousand_origins_do_not_reach_the_database() {
    let mut app = TestApp::start(Database::Sqlite).await;
    app.add_instance().await;
    let (admin, nobody) = (app.admin().await, Actor::nobody(&app));
    assert!(!is_allowed(preflight(&nobody).header("origin", APP)).await);
    assert_eq!(list(&admin.at(app.url_of(1)), APP).await, 200);
    let asked = (0..MANY).map(|n| {
        let origin = format!("https://app{n}.example");
        is_allowed(preflight(&nobody).header("origin", origin))
    });
    let answers: Vec<bool> = futures_util::stream::iter(asked).buffer_unordered(32).collect().await;
    assert_eq!(answers, [false; MANY]);
    assert!(!is_allowed(preflight(&nobody).header("origin", APP)).await);
    app.advance(Duration::from_secs(5));
    assert!(is_allowed(preflight(&nobody).header("origin", APP)).await);
    app.finish().await;
}
