//! Whatever a client sends, it gets the right problem document, never a 5xx, and nothing is half
//! done.

mod bodies;
mod envelopes;
mod tokens;

use crate::support::{Reply, TestApp};

/// A refusal that follows RFC 9457 and blames the client.
#[track_caller]
fn expect_refusal(reply: &Reply, what: &str) {
    let body = &reply.body;
    assert!((400..500).contains(&reply.status), "{what}: {} {body}", reply.status);
    assert_eq!(reply.headers["content-type"], "application/problem+json", "{what}");
    assert_eq!(body["status"], reply.status, "{what}: {body}");
    let code = reply.text("code");
    assert_eq!(body["type"], format!("/problems/{code}"), "{what}: {body}");
    for member in ["title", "detail", "resolution", "user_message"] {
        assert!(body[member].is_string(), "{what}: {member} of {body}");
    }
    assert!(body["retryable"].is_boolean(), "{what}: {body}");
    assert_eq!(reply.headers["x-request-id"], reply.text("request_id"), "{what}");
}

/// How many rows there are of everything that a request can make.
async fn rows(app: &TestApp) -> i64 {
    app.count(
        "SELECT CAST((SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM api_clients) \
        + (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM connections) \
        + (SELECT COUNT(*) FROM grants) + (SELECT COUNT(*) FROM commands) \
        + (SELECT COUNT(*) FROM idempotency_keys) + (SELECT COUNT(*) FROM audit_entries) AS BIGINT)",
    )
    .await
}
