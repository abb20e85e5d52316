//! What surrounds every request.

use std::pin::pin;

use axum::body::Body;
use axum::routing::{get, post};
use tower::ServiceExt;

use super::*;
use crate::http::test_requests::{edge, get as ask, problem_of, send, status_and_code, text};

fn app() -> Router {
    Router::new()
        .route("/name", get(async |id: RequestId| id.as_str().to_owned()))
        .route("/post", post(async || "posted"))
        .route("/plain", get(async |_: axum::extract::Query<(u8, u8)>| "never"))
        .route("/panic", get(panics))
        .route("/slow", get(std::future::pending::<()>))
        .route("/often", get(async || Problem::of(Code::RateLimited)))
}

async fn panics() {
    panic!("secret words")
}

fn request(method: &str, path: &str) -> Request {
    let request = axum::http::Request::builder().method(method).uri(path);
    request.header("x-request-id", "trip-7").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_request_id_goes_through_to_handler_header_and_problem() {
    let response = send(app(), request("GET", "/name")).await;
    assert_eq!(response.headers()["x-request-id"], "trip-7");
    assert_eq!(text(response).await, "trip-7");
    let response = send(app(), request("GET", "/nowhere")).await;
    assert_eq!(response.headers()["x-request-id"], "trip-7");
    assert_eq!(problem_of(response).await["request_id"], "trip-7");
    let made = ask(app(), "/name").await;
    assert_eq!(made.headers()["x-request-id"].len(), 36);
}

#[tokio::test]
async fn what_no_handler_answers_is_a_problem() {
    let nowhere = ask(app(), "/nowhere").await;
    assert_eq!(status_and_code(nowhere).await, (404, "not_found".into()));
    let wrong_method = send(app(), request("DELETE", "/post")).await;
    assert_eq!(wrong_method.headers()["allow"], "POST");
    let wrong_method = status_and_code(wrong_method).await;
    assert_eq!(wrong_method, (405, "method_not_allowed".into()));
}

#[tokio::test]
async fn what_a_library_refuses_in_its_own_words_is_a_problem_too() {
    let plain = ask(app(), "/plain?x=1").await;
    assert_eq!(status_and_code(plain).await, (400, "bad_request".into()));
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let response = ask(app(), "/panic").await;
    assert_eq!(response.status(), 500);
    let problem = problem_of(response).await;
    assert_eq!(problem["code"], "internal");
    assert!(!problem.to_string().contains("secret"));
}

#[tokio::test]
async fn a_request_without_end_is_given_up() {
    let impatient = Edge { request_time_max: Duration::ZERO, ..edge() };
    let app = layered(app(), impatient);
    let response = app.oneshot(request("GET", "/slow")).await.unwrap();
    assert_eq!(status_and_code(response).await, (504, "request_timed_out".into()));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_too_often_waits_for_the_refusal_and_nobody_else_does() {
    let patient = Edge { refusal_held_back: Duration::from_secs(1), ..edge() };
    for (path, status, is_held_back) in
        [("/often", 429, true), ("/name", 200, false), ("/nowhere", 404, false)]
    {
        let mut asked = pin!(layered(app(), patient.clone()).oneshot(request("GET", path)));
        let soon = tokio::time::timeout(Duration::from_millis(999), &mut asked).await;
        assert_eq!(soon.is_err(), is_held_back, "{path}");
        let response = match soon {
            Ok(response) => response.unwrap(),
            Err(_) => asked.await.unwrap(),
        };
        assert_eq!(response.status().as_u16(), status);
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_of_a_careful_service() {
    for path in ["/name", "/nowhere", "/panic", "/post"] {
        let response = layered(app(), edge()).oneshot(request("GET", path)).await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert!(headers.contains_key("content-security-policy"), "{path}");
    }
}

#[test]
fn a_trace_is_taken_only_if_it_is_one() {
    let of = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", axum::http::HeaderValue::from_static(value));
        traceparent(&headers).map(str::to_owned)
    };
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(of(good).as_deref(), Some(good));
    assert_eq!(of("00-x"), None);
}
