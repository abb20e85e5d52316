//! For the tests of this module: requests without a socket.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use tower::ServiceExt;

use super::layers::{Edge, layered};
use super::problem;
use crate::clock::ManualClock;
use crate::domain::time::Timestamp;
use crate::entropy::SeededEntropy;

/// What surrounds requests, with a clock that stands.
pub(crate) fn edge() -> Edge {
    let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    Edge {
        clock: Arc::new(ManualClock::at(now)),
        entropy: Arc::new(SeededEntropy::from_seed(1)),
        request_time_max: Duration::from_secs(70),
        refusal_held_back: Duration::ZERO,
        cors: None,
    }
}

/// The answer to a request, with everything around it.
pub(crate) async fn send(app: Router, request: Request<Body>) -> Response {
    layered(app, edge()).oneshot(request).await.unwrap()
}

/// The answer to a GET.
pub(crate) async fn get(app: Router, path: &str) -> Response {
    send(app, Request::get(path).body(Body::empty()).unwrap()).await
}

/// The body as text.
pub(crate) async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 10_000_000).await;
    String::from_utf8(bytes.unwrap().to_vec()).unwrap()
}

/// The body of an answer that must be a problem which tells its own status.
pub(crate) async fn problem_of(response: Response) -> serde_json::Value {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], problem::MEDIA_TYPE);
    let body: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body["status"], status);
    body
}

/// Status and code of an answer that must be a problem.
pub(crate) async fn status_and_code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let problem = problem_of(response).await;
    (status, problem["code"].as_str().unwrap().to_owned())
}
