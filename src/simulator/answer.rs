//! How answers leave: every one carries the name of its request, every failure carries the
//! documented envelope. Handlers say only what went wrong. It knows no car and no token.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::state::Cloud;
use crate::entropy::NoEntropy;
use crate::smartcar::{ErrorBody, ErrorKind, v2};

/// The name of the present request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestId(pub(super) Uuid);

/// What went wrong with a request to API v2.0.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    kind: ErrorKind,
    status: u16,
    description: Option<String>,
    retry_after_s: Option<u64>,
}

impl Failure {
    pub(super) fn new(kind: ErrorKind) -> Self {
        Self { kind, status: kind.status(), description: None, retry_after_s: None }
    }

    pub(super) fn describing(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The cloud takes no requests at the moment: 503, which the table of errors does not have.
    pub(super) fn unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE.as_u16(),
            ..Self::new(ErrorKind::ServerInternal)
        }
        .describing("The service is not available. The request was not executed.")
    }

    fn body(self, request_id: &str) -> ErrorBody {
        let mut body = ErrorBody::new(self.kind, request_id);
        body.status_code = Some(self.status);
        if let Some(description) = self.description {
            body.description = description;
        }
        body
    }
}

impl From<NoEntropy> for Failure {
    fn from(_: NoEntropy) -> Self {
        Self::new(ErrorKind::ServerInternal)
    }
}

/// The body follows in [`finish`], which knows the name of the request.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after_s {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Names the request, and finishes its answer.
pub(super) async fn finish(
    State(cloud): State<Arc<Cloud>>,
    mut request: Request,
    next: Next,
) -> Response {
    let Ok(id) = cloud.request_id() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let text = id.to_string();
    request.extensions_mut().insert(RequestId(id));
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let (head, _) = response.into_parts();
        response = (head.status, Json(failure.body(&text))).into_response();
        if let Some(seconds) = head.headers.get(header::RETRY_AFTER) {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, seconds.clone());
        }
    }
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert(v2::HEADER_REQUEST_ID, value);
    }
    response
}

/// Whatever the cloud does not have.
pub(super) async fn no_such_path(uri: Uri) -> Failure {
    let first = uri.path().split('/').nth(1).unwrap_or_default();
    let version = first.strip_prefix('v').unwrap_or_default();
    let other_version =
        version.starts_with(|c: char| c.is_ascii_digit()) && !matches!(version, "2.0");
    Failure::new(match other_version {
        true => ErrorKind::ResourceNotFoundVersion,
        false => ErrorKind::ResourceNotFoundPath,
    })
}
