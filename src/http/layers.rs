//! What surrounds every request: its name, its span, its time limit, a net under panics, and the
//! finish of its answer. One layer, so that a request pays for one.
//!
//! Whoever is told that they ask too often waits for it, so that a flood on few connections costs next to
//! nothing.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures_util::{FutureExt, StreamExt};
use tracing::Instrument;

use super::cors::{Cors, Readers};
use super::extract::BODY_BYTES_MAX;
use super::problem::{Code, Problem};
use super::request_id::{self, RequestId};
use super::{headers, metrics};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::telemetry;

/// So much of a body that is too large is read and thrown away.
const SWALLOWED_BYTES_MAX: usize = 1024 * 1024;
const SWALLOW_TIME_MAX: Duration = Duration::from_secs(1);

/// What the layers need.
#[derive(Clone)]
pub struct Edge {
    /// Times the requests.
    pub clock: Arc<dyn Clock>,
    /// Names the requests.
    pub entropy: Arc<dyn Entropy>,
    /// A request that takes longer is given up; it must be longer than the longest `Prefer: wait`.
    pub request_time_max: Duration,
    /// How long somebody who asks too often waits for the refusal.
    pub refusal_held_back: Duration,
    /// Which scripts of other origins may read answers; without it, none.
    pub cors: Option<Arc<Cors>>,
}

/// The router with everything around it. All its routes must be there already.
pub fn layered(router: Router, edge: Edge) -> Router {
    router
        .fallback(async || Problem::of(Code::NotFound))
        .method_not_allowed_fallback(async || Problem::of(Code::MethodNotAllowed))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(edge, surround))
}

async fn surround(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let started = edge.clock.monotonic();
    let id = RequestId::of(request.headers(), &*edge.entropy, &*edge.clock);
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(metrics::NO_ROUTE, MatchedPath::as_str);
    let span = tracing::info_span!(
        telemetry::HTTP_REQUEST,
        request_id = id.as_str(),
        recorded_as = id.recorded(),
        %method,
        route,
        traceparent = traceparent(request.headers()),
    );
    request.extensions_mut().insert(id.clone());
    let readers =
        Readers::of(edge.cors.as_ref(), matched.as_ref().map(MatchedPath::as_str), &mut request);
    let preflight = readers.preflight(&request);
    let is_preflight = preflight.is_some();
    let mut response = if let Some(answer) = preflight {
        answer
    } else if announces_too_much(request.headers()) {
        swallow(request).await;
        Problem::of(Code::BodyTooLarge).into_response()
    } else {
        carried_out(request, next, edge.request_time_max).instrument(span.clone()).await
    };
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = problem.or_else(|| Problem::of_plain(&response));
    let code = problem.as_ref().map(|problem| problem.code().as_str());
    if let Some(problem) = problem {
        problem.write_into(&mut response, id.as_str());
    }
    headers::complete(response.headers_mut());
    readers.write_into(is_preflight, response.headers_mut()).await;
    response.headers_mut().insert(request_id::HEADER, id.header_value());
    let took = edge.clock.monotonic().saturating_sub(started);
    let status = response.status();
    metrics::count(route, &method, status, took);
    span.in_scope(|| {
        let status = status.as_u16();
        if status >= 400 {
            tracing::info!(status, code, ?took, "refused");
        } else {
            tracing::debug!(status, ?took, "answered");
        }
    });
    if status == StatusCode::TOO_MANY_REQUESTS {
        tokio::time::sleep(edge.refusal_held_back).await;
    }
    response
}

async fn carried_out(request: Request, next: Next, time_max: Duration) -> Response {
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(time_max, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            tracing::error!(panic = words_of(&*panic), "a handler panicked");
            Problem::of(Code::Internal).into_response()
        }
        Err(_) => {
            tracing::error!("a request took too long");
            Problem::of(Code::RequestTimedOut).into_response()
        }
    }
}

/// Takes a body that is too large off the line, as far as that is cheap: a client that is still
/// sending when its connection closes would see a broken pipe in the place of the answer.
async fn swallow(request: Request) {
    let mut frames = request.into_body().into_data_stream();
    let swallowed = async {
        let mut left = SWALLOWED_BYTES_MAX;
        while let Some(Ok(frame)) = frames.next().await {
            match left.checked_sub(frame.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whether it ends or not, the answer is the same.
    let _ = tokio::time::timeout(SWALLOW_TIME_MAX, swallowed).await;
}

/// Whether the client says itself that its body is too large: then it is not waited for.
fn announces_too_much(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|text| text.parse::<u64>().ok()).is_some_and(|n| n > BODY_BYTES_MAX as u64)
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no words")
}

/// The caller's trace (W3C Trace Context section 3.2), if it is one.
fn traceparent(headers: &HeaderMap) -> Option<&str> {
    headers.get("traceparent")?.to_str().ok().filter(|text| {
        text.len() == 55 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
#[path = "layers_test.rs"]
mod tests;
