//! How long requests took, by route. Labels never hold ids.

use std::time::Duration;

use axum::http::{Method, StatusCode};

use crate::measures;

/// Stands for requests that matched no route.
pub(super) const NO_ROUTE: &str = "none";

/// Counts one request.
pub(super) fn count(route: &str, method: &Method, status: StatusCode, took: Duration) {
    metrics::histogram!(
        measures::HTTP_SERVER_REQUEST_DURATION,
        "route" => route.to_owned(),
        "method" => method_label(method),
        "status_class" => class(status),
    )
    .record(took.as_secs_f64());
}

/// Clients may invent methods without end; labels may not grow with them.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
