//! How answers leave: every one carries the name of its request, every failure of the API
//! carries the documented envelope. Handlers say only what went wrong. It knows no car and no token.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::entropy::NoEntropy;
use crate::simulator::cloud::state::Cloud;
use crate::smartcar::v3::ErrorList;
use crate::smartcar::{ErrorBody, ErrorKind, v2};

/// The name of the present request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestId(pub(super) Uuid);

/// What an answer says went wrong.
#[derive(Debug, Clone)]
enum What {
    Documented(ErrorKind),
    /// In the envelope, with a family and a member that nobody knows.
    Undocumented(String, Option<String>),
    /// An answer from before the API, without its envelope.
    Gateway,
}

/// What went wrong with a request to the API.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    what: What,
    status: u16,
    description: Option<String>,
    retry_after_s: Option<u64>,
    /// Where the owner can do something about it.
    resolution_url: Option<String>,
}

impl Failure {
    pub(super) fn new(kind: ErrorKind) -> Self {
        let what = What::Documented(kind);
        Self {
            what,
            status: kind.status(),
            description: None,
            retry_after_s: None,
            resolution_url: None,
        }
    }

    /// An error that is in no table.
    pub(super) fn undocumented(error_type: &str, code: Option<&str>, status: u16) -> Self {
        let what = What::Undocumented(error_type.to_owned(), code.map(str::to_owned));
        Self { what, status, description: None, retry_after_s: None, resolution_url: None }
    }

    pub(super) fn describing(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    pub(super) fn resolving_at(mut self, url: String) -> Self {
        self.resolution_url = Some(url);
        self
    }

    /// The cloud takes no requests at the moment: 503. The table of errors has none, so it is
    /// answered as a gateway before the API would, without a type: `SERVER` would say that the
    /// request had reached what executes it.
    pub(super) fn unavailable() -> Self {
        Self {
            what: What::Gateway,
            status: StatusCode::SERVICE_UNAVAILABLE.as_u16(),
            description: None,
            retry_after_s: None,
            resolution_url: None,
        }
    }

    /// The status, and the envelope of API v2.0.
    pub(super) fn enveloped(self, request_id: &str) -> (u16, ErrorBody) {
        let kind = match &self.what {
            What::Documented(kind) => *kind,
            What::Undocumented(..) | What::Gateway => ErrorKind::ServerInternal,
        };
        let mut body = ErrorBody::new(kind, request_id);
        body.status_code = Some(self.status);
        if let What::Undocumented(error_type, code) = self.what {
            body.error_type = error_type;
            body.code = code;
            body.doc_url = None;
        }
        if let Some(description) = self.description {
            body.description = description;
        }
        body.resolution.url = self.resolution_url.or(body.resolution.url);
        (self.status, body)
    }

    /// The list of errors of API v3.
    pub(super) fn listed(self, request_id: &str) -> ErrorList {
        let mut list = match &self.what {
            What::Documented(kind) => ErrorList::of(*kind, request_id),
            What::Undocumented(..) | What::Gateway => {
                ErrorList::of(ErrorKind::ServerInternal, request_id)
            }
        };
        if let Some(first) = list.errors.first_mut() {
            first.status = self.status.to_string();
            first.resolution.url = self.resolution_url.or(first.resolution.url.take());
            if let What::Undocumented(error_type, code) = self.what {
                first.title = Some(error_type.clone());
                first.kind = error_type;
                first.code = code;
                first.links = None;
            }
        }
        match self.description {
            Some(description) => list.detailing(description),
            None => list,
        }
    }

    fn into_body(self, status: StatusCode, is_v3: bool, request_id: &str) -> Response {
        match (&self.what, is_v3) {
            (What::Gateway, _) => {
                (status, Json(json!({ "message": "Service Unavailable" }))).into_response()
            }
            (_, true) => (status, Json(self.listed(request_id))).into_response(),
            (_, false) => {
                let (_, body) = self.enveloped(request_id);
                (status, Json(body)).into_response()
            }
        }
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
    let is_v3 = request.uri().path().starts_with("/v3/");
    request.extensions_mut().insert(RequestId(id));
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let (head, _) = response.into_parts();
        response = failure.into_body(head.status, is_v3, &text);
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
        version.starts_with(|c: char| c.is_ascii_digit()) && !matches!(version, "2.0" | "3");
    Failure::new(match other_version {
        true => ErrorKind::ResourceNotFoundVersion,
        false => ErrorKind::ResourceNotFoundPath,
    })
}

/// A body as JSON.
pub(super) fn as_json(body: impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(body).map_err(|_| Failure::new(ErrorKind::ServerInternal))
}
