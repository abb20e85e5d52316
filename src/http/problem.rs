//! What a client is told when something cannot be done: `application/problem+json` (RFC 9457).
//!
//! A [`Problem`] travels as an extension of an answer without a body; the outermost layer knows
//! the request id and writes the body. Internal text goes to the log and never into a problem.

mod catalog;
mod refusal;

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::Ref;

pub use catalog::{Code, Entry};
pub(in crate::http) use refusal::challenge;

use crate::domain::calendar::FreeWindow;
use crate::domain::fault::Resolution;
use crate::domain::policy::Reason;
use crate::service::Violation;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not carried out, as the client is told.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    status: StatusCode,
    retryable: bool,
    resolution: Resolution,
    detail: Cow<'static, str>,
    user_message: Cow<'static, str>,
    errors: Vec<Violation>,
    reasons: Vec<Reason>,
    command: Option<serde_json::Value>,
    free_windows: Vec<FreeWindowBody>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem as the catalog has it.
    #[must_use]
    pub fn of(code: Code) -> Self {
        let entry = code.entry();
        Self(Box::new(Parts {
            code,
            status: entry.status,
            retryable: entry.retryable,
            resolution: entry.resolution,
            detail: Cow::Borrowed(entry.title),
            user_message: Cow::Borrowed(entry.user_message),
            errors: Vec::new(),
            reasons: Vec::new(),
            command: None,
            free_windows: Vec::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// A request that breaks rules.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let mut problem = Self::of(Code::ValidationFailed);
        if let [only] = violations.as_slice() {
            problem.0.detail = Cow::Owned(format!("{}: {}", only.pointer, only.detail));
        }
        problem.0.errors = violations;
        problem
    }

    /// The same with a sentence about this occurrence, for developers.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// The same with the command that it is about, and what is told of it.
    #[must_use]
    pub fn of_command(mut self, command: &impl Serialize, sentence: Option<&str>) -> Self {
        self.0.command = serde_json::to_value(command).ok();
        if let Some(sentence) = sentence {
            self.0.user_message = Cow::Owned(sentence.to_owned());
        }
        self
    }

    /// The same with when a car is free.
    #[must_use]
    pub fn free_windows(mut self, free: &[FreeWindow]) -> Self {
        self.0.free_windows = free.iter().map(FreeWindowBody::of).collect();
        self
    }

    /// The same with another status than the catalog's.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The same with the time after which trying again makes sense, in whole seconds, at least 1.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The same with what is wrong, part by part.
    #[must_use]
    pub fn errors(mut self, errors: Vec<Violation>) -> Self {
        self.0.errors = errors;
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.0.code
    }

    /// The status.
    #[must_use]
    pub const fn status_code(&self) -> StatusCode {
        self.0.status
    }

    /// What is wrong with the request, field by field.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.errors
    }

    /// The body of an answer, which never had another one, with the request's name.
    pub(super) fn write_into(&self, response: &mut Response, request_id: &str) {
        let parts = &self.0;
        let entry = parts.code.entry();
        let document = Document {
            r#type: format!("/problems/{}", entry.code),
            title: entry.title,
            status: parts.status.as_u16(),
            detail: &parts.detail,
            code: entry.code,
            request_id,
            retryable: parts.retryable,
            resolution: parts.resolution,
            user_message: &parts.user_message,
            errors: parts.errors.iter().map(FieldError::of).collect(),
            reasons: parts.reasons.iter().map(|reason| reason.as_str()).collect(),
            command: parts.command.as_ref(),
            free_windows: &parts.free_windows,
        };
        *response.status_mut() = parts.status;
        *response.body_mut() = Body::from(serde_json::to_vec(&document).unwrap_or_default());
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    }

    /// The problem of an answer that some library gave in words of its own.
    pub(super) fn of_plain(response: &Response) -> Option<Self> {
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return None;
        }
        let media_type = response.headers().get(header::CONTENT_TYPE);
        let is_plain = media_type.is_none_or(|value| value.as_bytes().starts_with(b"text/plain"));
        is_plain.then(|| {
            let code = match status {
                StatusCode::NOT_FOUND => Code::NotFound,
                StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
                StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
                StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
                StatusCode::UNPROCESSABLE_ENTITY => Code::ValidationFailed,
                _ if status.is_client_error() => Code::BadRequest,
                _ => Code::Internal,
            };
            Self::of(code).status(status)
        })
    }
}

impl IntoResponse for Problem {
    /// An answer without a body that carries the problem as an extension.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.status;
        *response.headers_mut() = self.0.headers.clone();
        response.extensions_mut().insert(self);
        response
    }
}

/// The body of every answer with a status of 400 and above (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct Document<'a> {
    /// A page about this kind of problem.
    #[schema(example = "/problems/grant_expired")]
    r#type: String,
    /// What the kind means.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What happened this time.
    detail: &'a str,
    /// The kind, as a word for programs.
    #[schema(value_type = Code)]
    code: &'a str,
    /// The request's name in the log.
    request_id: &'a str,
    /// Whether the same request may work later.
    retryable: bool,
    /// What would help.
    resolution: Resolution,
    /// What the person in front of the app may be shown.
    user_message: &'a str,
    /// What is wrong with the request, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError<'a>>,
    /// Why the policy refused, most important first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    reasons: Vec<&'a str>,
    /// The command that did not happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, schema_with = of_command)]
    command: Option<&'a serde_json::Value>,
    /// When an exclusive car is free, soonest first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    free_windows: &'a [FreeWindowBody],
}

fn of_command() -> Ref {
    Ref::builder()
        .ref_location_from_schema_name("CommandBody")
        .description(Some("The command that did not happen."))
        .build()
}

/// A time in which a car can be lent.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FreeWindowBody {
    /// The first moment at which a grant can begin.
    #[schema(format = DateTime)]
    not_before: String,
    /// When it must be over at the latest; `null` if nothing follows.
    #[schema(format = DateTime)]
    not_after: Option<String>,
}

impl FreeWindowBody {
    fn of(free: &FreeWindow) -> Self {
        Self {
            not_before: free.not_before.to_string(),
            not_after: free.not_after.map(|at| at.to_string()),
        }
    }
}

/// One thing that is wrong with a request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FieldError<'a> {
    /// A JSON pointer into the body (RFC 6901), `?name` for a query parameter, or the name of a
    /// header.
    pointer: &'a str,
    /// A word for programs.
    code: &'a str,
    /// A sentence for developers.
    detail: &'a str,
}

impl<'a> FieldError<'a> {
    fn of(violation: &'a Violation) -> Self {
        Self { pointer: &violation.pointer, code: violation.code, detail: &violation.detail }
    }
}

#[cfg(test)]
#[path = "problem_test.rs"]
mod tests;
