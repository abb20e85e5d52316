//! Smartcar's answers: the envelope of its errors and the headers that every answer carries
//! (protocol page, sections 2.1 and 3).

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::connector::ConnectorError;
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::policy::Reason;
use crate::domain::reading::Reading;
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::problem::challenge;
use crate::service::{Error, StateFault};
use crate::smartcar::v2::{
    HEADER_DATA_AGE, HEADER_FETCHED_AT, HEADER_REQUEST_ID, HEADER_UNIT_SYSTEM, UnitSystem,
};
use crate::smartcar::{ErrorBody, ErrorKind};

/// Stands for the request's name where there is no randomness for one.
const NAMELESS: &str = "00000000-0000-0000-0000-000000000000";

/// A failure in Smartcar's words.
#[derive(Debug, Clone)]
pub(in crate::http) struct Refusal {
    kind: ErrorKind,
    description: Option<String>,
    user_message: Option<String>,
    retry_after_s: Option<u64>,
    request_id: String,
    /// How to come with better credentials.
    challenge: Option<&'static str>,
}

/// A documented error; one that is not known is the general one of its kind.
fn documented(error_type: &str, code: Option<&str>) -> ErrorKind {
    ErrorKind::find(error_type, code)
        .or_else(|| ErrorKind::ALL.iter().copied().find(|kind| kind.error_type() == error_type))
        .unwrap_or(ErrorKind::ServerInternal)
}

impl Refusal {
    pub(in crate::http) fn new(kind: ErrorKind) -> Self {
        let request_id = NAMELESS.to_owned();
        let (description, user_message, retry_after_s, challenge) = (None, None, None, None);
        Self { kind, description, user_message, retry_after_s, request_id, challenge }
    }

    pub(in crate::http) fn of(error_type: &str, code: Option<&str>) -> Self {
        Self::new(documented(error_type, code))
    }

    pub(in crate::http) fn describing(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    pub(in crate::http) fn named(mut self, request_id: &str) -> Self {
        request_id.clone_into(&mut self.request_id);
        self
    }

    pub(in crate::http) fn no_such_path() -> Self {
        Self::of("RESOURCE_NOT_FOUND", Some("PATH"))
    }

    /// The policy said no.
    pub(in crate::http) fn denied(reasons: &[Reason]) -> Self {
        let words: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
        Self::of("PERMISSION", None)
            .describing(format!("The key does not allow this: {}.", words.join(", ")))
    }

    /// What the cloud itself called a failure, if that is documented.
    pub(in crate::http) fn of_provider_code(code: &ProviderCode) -> Option<Self> {
        ErrorKind::find(code.kind(), code.code()).map(Self::new)
    }

    pub(in crate::http) fn with_user_message(mut self, message: Option<String>) -> Self {
        self.user_message = message;
        self
    }

    pub(in crate::http) fn with_retry_after_ms(mut self, wait_ms: Option<i64>) -> Self {
        self.retry_after_s =
            wait_ms.and_then(|wait| u64::try_from(wait).ok()).map(|wait| wait.div_ceil(1000));
        self
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthenticated(fault) => {
                let challenge = Some(challenge(fault));
                Self { challenge, ..Self::of("AUTHENTICATION", None) }
            }
            Error::Refused(reasons) => Self::denied(&reasons),
            Error::NotFound(_) | Error::Forbidden(_) | Error::State(StateFault::ConsentLost) => {
                Self::of("PERMISSION", None)
            }
            Error::Invalid(_)
            | Error::KeyReused
            | Error::VersionChanged { .. }
            | Error::WindowTaken(_)
            | Error::EndCriteriaUnmet(_)
            | Error::State(_) => Self::of("VALIDATION", None),
            Error::Throttled(_, wait) => {
                let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                Self::of("RATE_LIMIT", Some("SMARTCAR_API")).with_retry_after_ms(Some(wait_ms))
            }
            Error::Connector(error) => of_connector(*error),
            Error::Overloaded => {
                Self::of("RATE_LIMIT", Some("SMARTCAR_API")).with_retry_after_ms(Some(1000))
            }
            Error::NotDurable
            | Error::MaybeDurable
            | Error::ClockDisagrees
            | Error::Storage(_)
            | Error::Internal(_) => {
                tracing::error!(error = ?error, "a facade request failed");
                Self::new(ErrorKind::ServerInternal)
            }
        }
    }
}

fn of_connector(error: ConnectorError) -> Refusal {
    let told = error.provider_code.as_ref().and_then(Refusal::of_provider_code);
    let refusal = told.unwrap_or_else(|| of_fault(error.fault));
    let wait_ms = error.retry_after.and_then(|wait| i64::try_from(wait.as_millis()).ok());
    refusal.with_user_message(error.user_message).with_retry_after_ms(wait_ms)
}

/// Smartcar's family for a failure without a documented word.
fn of_fault(fault: Fault) -> Refusal {
    match fault {
        Fault::Authentication | Fault::ConsentLost | Fault::Permission => {
            Refusal::of("PERMISSION", None)
        }
        Fault::Account => Refusal::of("CONNECTED_SERVICES_ACCOUNT", Some("ACCOUNT_ISSUE")),
        Fault::VehicleState => Refusal::of("VEHICLE_STATE", Some("UNKNOWN")),
        Fault::NotCapable => Refusal::of("COMPATIBILITY", Some("VEHICLE_NOT_CAPABLE")),
        Fault::RateLimited => Refusal::of("RATE_LIMIT", Some("SMARTCAR_API")),
        Fault::Unavailable | Fault::TimedOut | Fault::Garbled | Fault::Upstream => {
            Refusal::of("UPSTREAM", Some("NO_RESPONSE"))
        }
        Fault::Rejected | Fault::Billing => Refusal::new(ErrorKind::ServerInternal),
    }
}

impl Refusal {
    /// Which documented error it is.
    pub(in crate::http) const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The envelope.
    pub(in crate::http) fn body(&self) -> ErrorBody {
        let mut body = ErrorBody::new(self.kind, &self.request_id);
        if let Some(description) = &self.description {
            body = body.describing(description);
        }
        if self.user_message.is_some() {
            body.suggested_user_message.clone_from(&self.user_message);
        }
        body
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = self.body();
        let status =
            StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(body)).into_response();
        set(response.headers_mut(), HEADER_REQUEST_ID, &self.request_id);
        if let Some(challenge) = self.challenge {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.max(1)));
        }
        response
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// A new name for a request, which Smartcar's are UUIDs.
pub(in crate::http) fn request_id(gateway: &Gateway) -> String {
    let service = &gateway.service;
    let uuid = service.base.entropy.uuid(service.base.clock.now());
    uuid.map_or_else(|_| NAMELESS.to_owned(), |uuid| uuid.hyphenated().to_string())
}

/// A reading with the headers of section 2.1.
pub(in crate::http) fn success_in(
    request_id: &str,
    body: &impl serde::Serialize,
    units: UnitSystem,
    reading: &Reading,
) -> Response {
    let mut response = success(request_id, body, Some(reading.fetched_at), reading.reported_at);
    set(response.headers_mut(), HEADER_UNIT_SYSTEM, units.as_str());
    response
}

/// A success with the headers of section 2.1.
pub(in crate::http) fn success(
    request_id: &str,
    body: &impl serde::Serialize,
    fetched_at: Option<Timestamp>,
    reported_at: Option<Timestamp>,
) -> Response {
    let mut response = Json(body).into_response();
    let headers = response.headers_mut();
    set(headers, HEADER_REQUEST_ID, request_id);
    set(headers, HEADER_UNIT_SYSTEM, "metric");
    if let Some(fetched_at) = fetched_at {
        set(headers, HEADER_FETCHED_AT, &fetched_at.to_string());
    }
    if let Some(reported_at) = reported_at {
        set(headers, HEADER_DATA_AGE, &reported_at.to_string());
    }
    response
}
