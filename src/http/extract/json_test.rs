//! JSON bodies, good and bad.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;

use super::super::BODY_BYTES_MAX;
use super::*;
use crate::domain::entitlement::Entitlement;
use crate::domain::id::VehicleId;
use crate::http::test_requests::{problem_of, send, status_and_code, text};

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Body1 {
    name: String,
    #[serde(default)]
    vehicle_id: Option<VehicleId>,
    #[serde(default)]
    inner: Vec<Inner>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Inner {
    #[serde(rename = "a/b~c")]
    number: u8,
    #[serde(default)]
    word: Option<Entitlement>,
}

fn app() -> Router {
    Router::new()
        .route("/required", post(async |body: ApiJson<Body1>| show(&body.value, body.hash)))
        .route("/optional", post(async |body: OptionalJson<Body1>| show(&body.value, body.hash)))
}

fn show(body: &Body1, hash: [u8; 32]) -> String {
    let numbers: Vec<u8> = body.inner.iter().map(|inner| inner.number).collect();
    let words = body.inner.iter().filter_map(|inner| inner.word).count();
    format!("{} {:?} {numbers:?} {words} {}", body.name, body.vehicle_id, hash[0])
}

async fn sent(path: &str, body: impl Into<Body>) -> Response {
    let request = Request::post(path)
        .header("content-type", "application/json; charset=utf-8")
        .body(body.into())
        .unwrap();
    send(app(), request).await
}

/// Pointer and code of the only violation in a 422.
async fn violation_in(body: &'static str) -> (String, String) {
    let response = sent("/required", body).await;
    assert_eq!(response.status(), 422, "{body}");
    let problem = problem_of(response).await;
    assert_eq!(problem["code"], "validation_failed");
    let [only] = problem["errors"].as_array().unwrap().as_slice() else {
        panic!("one error: {problem}")
    };
    let word = |name: &str| only[name].as_str().unwrap().to_owned();
    (word("pointer"), word("code"))
}

#[tokio::test]
async fn a_body_comes_with_its_digest() {
    let response = sent("/required", r#"{"name":"x"}"#).await;
    let hash = sha256(br#"{"name":"x"}"#);
    assert_eq!(text(response).await, format!("x None [] 0 {}", hash[0]));
}

#[tokio::test]
async fn what_is_wrong_is_pointed_at() {
    let cases = [
        ("{}", "/name", "required"),
        (r#"{"name":7}"#, "/name", "invalid"),
        (r#"{"name":"x","colour":1}"#, "/colour", "unknown_field"),
        (r#"{"name":"x","na/me":1}"#, "/na~1me", "unknown_field"),
        (r#"{"name":"x","name":"y"}"#, "/name", "duplicate_field"),
        (r#"{"name":"x","vehicle_id":"grt_1"}"#, "/vehicle_id", "invalid"),
        (r#"{"name":"x","inner":[{"a/b~c":1},{"a/b~c":256}]}"#, "/inner/1/a~1b~0c", "invalid"),
        (r#"{"name":"x","inner":[{}]}"#, "/inner/0/a~1b~0c", "required"),
        (r#"{"name":"x","inner":[{"a/b~c":1,"word":"fly"}]}"#, "/inner/0/word", "invalid"),
        (r#"["x"]"#, "", "invalid"),
        (r#"{"name":"x","inner":[{"inner":1}]}"#, "/inner/0/inner", "unknown_field"),
        ("null", "", "invalid"),
    ];
    for (body, pointer, code) in cases {
        let expected = (pointer.to_owned(), code.to_owned());
        assert_eq!(violation_in(body).await, expected, "{body}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let body = r#"{"vehicle_id":7,"colour":1,"inner":[{"a/b~c":1},{}],"vehicle":{}}"#;
    let problem = problem_of(sent("/required", body).await).await;
    let told: std::collections::BTreeSet<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    let expected = [
        ("/colour", "unknown_field"),
        ("/inner/1/a~1b~0c", "required"),
        ("/name", "required"),
        ("/vehicle", "unknown_field"),
        ("/vehicle_id", "invalid"),
    ];
    assert_eq!(told.into_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_is_told_at_once_has_a_bound() {
    let many: Vec<String> = (0..5000).map(|number| format!("\"{number}\":0")).collect();
    let problem = problem_of(sent("/required", format!("{{{}}}", many.join(","))).await).await;
    assert_eq!(problem["errors"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let deep = "[".repeat(50_000);
    let deep_inside = format!(r#"{{"name":"x","other":{}"#, "[".repeat(50_000));
    let malformed: [&[u8]; 8] = [
        b"",
        b"{",
        b"{\"name\":\"x\"} x",
        b"{\"name\":\"\xff\"}",
        b"{'name':1}",
        b"{\"name\":\"\\ud800\"}",
        deep.as_bytes(),
        b"\xef\xbb\xbf{}",
    ];
    for body in malformed {
        let answer = status_and_code(sent("/required", body.to_vec()).await).await;
        assert_eq!(answer, (400, "malformed_json".into()), "{:?}", body.get(..20));
    }
    let answer = sent("/required", deep_inside).await.status().as_u16();
    assert!(matches!(answer, 400 | 422), "{answer}");
}

#[tokio::test]
async fn other_media_types_and_large_bodies_are_refused() {
    for media_type in ["text/plain", "application/json-patch+json", "application/jsonp"] {
        let request = Request::post("/required").header("content-type", media_type);
        let response = send(app(), request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(status_and_code(response).await, (415, "unsupported_media_type".into()));
    }
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(BODY_BYTES_MAX));
    let response = sent("/required", large).await;
    assert_eq!(status_and_code(response).await, (413, "body_too_large".into()));
    let fits = format!(r#"{{"name":"{}"}}"#, "x".repeat(BODY_BYTES_MAX - 11));
    assert_eq!(sent("/required", fits).await.status(), 200);
}

#[tokio::test]
async fn an_optional_body_may_be_left_out_but_not_be_wrong() {
    let bare = send(app(), Request::post("/optional").body(Body::empty()).unwrap()).await;
    assert_eq!(bare.status(), 200);
    assert_eq!(sent("/optional", r#"{"name":"x"}"#).await.status(), 200);
    assert_eq!(sent("/optional", "{").await.status(), 400);
    let untyped = Request::post("/optional").body(Body::from("{}")).unwrap();
    assert_eq!(send(app(), untyped).await.status(), 415);
}
