//! What an answer other than success means: may it have happened, and what went wrong.
//!
//! Pure functions of status, headers and body. They know nothing of connections, tokens or
//! requests. When in doubt they say `Maybe`: a key that may have turned is the dearer mistake.
//!
//! The rules (protocol page, sections 1.3 and 3):
//!
//! - 4xx: the cloud did not do it, except 408, which intermediaries also send when they gave up
//!   waiting, and types that speak of what happened behind the cloud.
//! - 503: the cloud says that it takes no requests; nothing was done. A gateway that answers 503
//!   after it passed the request on would make this wrong; whether Smartcar has one is not known.
//! - 501 with the type `COMPATIBILITY`: the car never supports it; nothing was done.
//! - Everything else, and a success that cannot be read: perhaps.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::connector::transport::{Answer, DETAIL_CHARS_MAX, printable};
use crate::connector::{ConnectorError, Happened};
use crate::domain::fault::{Fault, ProviderCode};
use crate::smartcar::v2::HEADER_REQUEST_ID;

/// The longest sentence passed on to a person.
const USER_MESSAGE_CHARS_MAX: usize = 300;
/// The longest name of a request kept.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// No cloud has reason to ask for a longer wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The fields of [`crate::smartcar::ErrorBody`] that matter here. Each is read by itself: a field
/// of a foreign shape, or `error` beside `type`, must not hide a type that says "perhaps".
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    #[serde(rename = "type")]
    kind: serde_json::Value,
    error: serde_json::Value,
    code: serde_json::Value,
    description: serde_json::Value,
    error_description: serde_json::Value,
    #[serde(rename = "suggestedUserMessage")]
    suggested_user_message: serde_json::Value,
    #[serde(rename = "requestId")]
    request_id: serde_json::Value,
}

/// The fields of [`crate::smartcar::v3::ErrorObject`] that differ.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorList {
    errors: Vec<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorObject {
    id: serde_json::Value,
    status: serde_json::Value,
    detail: serde_json::Value,
    #[serde(flatten)]
    same: ErrorBody,
}

impl ErrorObject {
    /// The status inside the document: a text or a number.
    fn status(&self) -> Option<StatusCode> {
        let number = self.status.as_u64().and_then(|number| u16::try_from(number).ok());
        let text = self.status.as_str().and_then(|text| text.trim().parse().ok());
        StatusCode::from_u16(number.or(text)?).ok()
    }
}

impl ErrorBody {
    /// In the envelope of either version; of a list the first entry counts.
    fn of(answer: &Answer) -> Self {
        match first_of_list(answer) {
            Some(first) => Self { description: first.detail, request_id: first.id, ..first.same },
            None => serde_json::from_slice(&answer.body).unwrap_or_default(),
        }
    }

    fn description(&self) -> &str {
        self.description.as_str().or_else(|| self.error_description.as_str()).unwrap_or_default()
    }
}

/// What an answer of the vehicle API other than 200 means.
pub(super) fn api_error(answer: &Answer) -> ConnectorError {
    let body = ErrorBody::of(answer);
    let kind = body.kind.as_str().or_else(|| body.error.as_str());
    let happened = api_happened(answer.status, kind);
    let fault = match kind.and_then(fault_of_type) {
        // API v3: a token that is accepted and an owner who does not allow it.
        Some(Fault::Authentication) if answer.status == StatusCode::FORBIDDEN => Fault::Permission,
        Some(fault) => fault,
        None => fault_of_status(answer.status),
    };
    let code = ProviderCode::new(kind.unwrap_or_default(), body.code.as_str());
    told(answer, &body, happened, fault, code)
}

fn first_of_list(answer: &Answer) -> Option<ErrorObject> {
    serde_json::from_value(first_entry(answer)?).ok()
}

fn first_entry(answer: &Answer) -> Option<serde_json::Value> {
    let list: ErrorList = serde_json::from_slice(&answer.body).ok()?;
    list.errors.into_iter().next()
}

/// The error inside an answer whose status is none: API v3 sends the head of a 202 before it knows
/// what became of a command.
pub(super) fn error_inside(answer: &Answer) -> Option<ConnectorError> {
    // An entry of a foreign shape is an error too.
    let first: ErrorObject = serde_json::from_value(first_entry(answer)?).unwrap_or_default();
    // Without a status of its own it may have happened, and so it may with 503: the cloud has
    // taken this request.
    let refuses =
        |status: &StatusCode| !status.is_success() && *status != StatusCode::SERVICE_UNAVAILABLE;
    let status = first.status().filter(refuses);
    let inside = Answer {
        status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        headers: answer.headers.clone(),
        body: answer.body.clone(),
    };
    Some(api_error(&inside))
}

/// An execution that did not succeed. Only what is known to keep a car from moving counts as
/// refused.
pub(super) fn failed_execution(
    answer: &Answer,
    cause: Option<&serde_json::Value>,
) -> ConnectorError {
    let text = |name: &str| cause.and_then(|cause| cause.get(name)?.as_str());
    let kind = text("type");
    let mut error = garbled(answer, "a command that did not succeed");
    error.fault = kind.and_then(fault_of_type).unwrap_or(Fault::Upstream);
    error.happened = match error.fault {
        Fault::VehicleState
        | Fault::Permission
        | Fault::NotCapable
        | Fault::Account
        | Fault::RateLimited
        | Fault::Billing
        | Fault::Rejected => Happened::Refused,
        Fault::Unavailable
        | Fault::TimedOut
        | Fault::Garbled
        | Fault::Authentication
        | Fault::ConsentLost
        | Fault::Upstream => Happened::Maybe,
    };
    error.provider_code = ProviderCode::new(kind.unwrap_or_default(), text("code"));
    error
}

/// A signal that has an error in the place of a value. Reading changes nothing.
pub(super) fn signal_error(answer: &Answer, kind: &str, code: Option<&str>) -> ConnectorError {
    let mut error = garbled(answer, "a signal without a value");
    error.happened = Happened::Refused;
    error.fault = fault_of_type(kind).unwrap_or(Fault::Upstream);
    error.provider_code = ProviderCode::new(kind, code);
    error
}

/// What an answer of the token endpoint other than 200 means.
pub(super) fn token_error(answer: &Answer) -> ConnectorError {
    let body = ErrorBody::of(answer);
    let kind = body.error.as_str().or_else(|| body.kind.as_str());
    let happened = happened_of_status(answer.status);
    let fault = match kind {
        Some("invalid_grant") if answer.status.is_client_error() => Fault::ConsentLost,
        _ => match fault_of_status(answer.status) {
            Fault::Authentication => Fault::Rejected,
            fault => fault,
        },
    };
    let code = ProviderCode::new(kind.unwrap_or_default(), None);
    told(answer, &body, happened, fault, code)
}

/// A success that cannot be trusted: unreadable, or not about what was asked.
pub(super) fn garbled(answer: &Answer, detail: &str) -> ConnectorError {
    let mut error = ConnectorError::bare(
        Happened::Maybe,
        Fault::Garbled,
        format!("HTTP {}: {detail}", answer.status.as_u16()),
    );
    error.provider_request_id = request_id(&answer.headers);
    error
}

/// The cloud's own name of the request, if it is fit to be kept.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    safe_request_id(headers.get(HEADER_REQUEST_ID)?.to_str().ok()?)
}

fn told(
    answer: &Answer,
    body: &ErrorBody,
    happened: Happened,
    fault: Fault,
    provider_code: Option<ProviderCode>,
) -> ConnectorError {
    let code = provider_code.as_ref().map_or("no code", ProviderCode::as_str);
    let detail = format!("HTTP {} {code}: {}", answer.status.as_u16(), body.description());
    ConnectorError {
        happened,
        fault,
        retry_after: retry_after(answer),
        user_message: body
            .suggested_user_message
            .as_str()
            .map(|text| printable(text.trim(), USER_MESSAGE_CHARS_MAX))
            .filter(|text| !text.is_empty()),
        provider_request_id: request_id(&answer.headers)
            .or_else(|| safe_request_id(body.request_id.as_str()?)),
        detail: printable(&detail, DETAIL_CHARS_MAX),
        provider_code,
    }
}

fn api_happened(status: StatusCode, kind: Option<&str>) -> Happened {
    match kind {
        Some("UPSTREAM" | "SERVER") => Happened::Maybe,
        Some("COMPATIBILITY") if status == StatusCode::NOT_IMPLEMENTED => Happened::Refused,
        _ => happened_of_status(status),
    }
}

fn happened_of_status(status: StatusCode) -> Happened {
    match status.as_u16() {
        408 => Happened::Maybe,
        400..=499 | 503 => Happened::Refused,
        _ => Happened::Maybe,
    }
}

fn fault_of_type(kind: &str) -> Option<Fault> {
    Some(match kind {
        "AUTHENTICATION" => Fault::Authentication,
        "PERMISSION" => Fault::Permission,
        "VALIDATION" | "RESOURCE_NOT_FOUND" => Fault::Rejected,
        "VEHICLE_STATE" => Fault::VehicleState,
        "RATE_LIMIT" => Fault::RateLimited,
        "BILLING" => Fault::Billing,
        "SERVER" => Fault::Unavailable,
        "COMPATIBILITY" => Fault::NotCapable,
        "UPSTREAM" => Fault::Upstream,
        "CONNECTED_SERVICES_ACCOUNT" => Fault::Account,
        _ => return None,
    })
}

/// For an answer without a known type, which may come from an intermediary: what the status alone
/// says. 403 alone is not read as the owner's will.
fn fault_of_status(status: StatusCode) -> Fault {
    match status.as_u16() {
        401 => Fault::Authentication,
        408 | 504 => Fault::TimedOut,
        429 => Fault::RateLimited,
        430 => Fault::Billing,
        400..=499 => Fault::Rejected,
        502 => Fault::Upstream,
        500..=599 => Fault::Unavailable,
        _ => Fault::Garbled,
    }
}

fn safe_request_id(text: &str) -> Option<String> {
    let safe = !text.is_empty()
        && text.len() <= REQUEST_ID_CHARS_MAX
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    safe.then(|| text.to_owned())
}

/// Whole seconds from `Retry-After`, where waiting is what the status asks for.
fn retry_after(answer: &Answer) -> Option<Duration> {
    if !matches!(answer.status.as_u16(), 429 | 503) {
        return None;
    }
    let text = answer.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: u32 = text.trim().parse().ok()?;
    Some(Duration::from_secs(u64::from(seconds)).min(RETRY_AFTER_MAX))
}

#[cfg(test)]
#[path = "classify_test.rs"]
mod tests;
