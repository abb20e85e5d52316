//! Carrying out what goes wrong: before the car was told anything, or after it has done it. What
//! can go wrong, and how it is asked for, is in [`crate::simulator::faults::car_faults`].

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use super::answer::Failure;
use super::listener::Peer;
use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::faults::car_faults::FaultKind;
use crate::simulator::faults::corrupt;
use crate::smartcar::ErrorKind;

/// An answer that is larger than any that makes sense.
const OVERSIZED_BYTES: usize = 1024 * 1024;
/// How long the first half of a truncated answer has to leave the machine.
const TRUNCATION: Duration = Duration::from_millis(20);

/// The answer that would be right.
#[derive(Debug)]
pub(super) struct Right {
    pub(super) body: Value,
    pub(super) headers: HeaderMap,
}

impl Right {
    fn into_response(self, body: impl Into<Body>) -> Response {
        let mut response = Response::new(body.into());
        *response.headers_mut() = self.headers;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// The faults that strike before anything is done: an answer to give instead of doing it.
pub(super) async fn before(
    cloud: &Cloud,
    fault: Option<&FaultKind>,
) -> Result<Option<Response>, Failure> {
    let Some(fault) = fault else { return Ok(None) };
    match fault {
        FaultKind::Delay { delay_ms } => match cloud.pause(*delay_ms).await {
            true => Ok(None),
            false => Err(Failure::unavailable()),
        },
        FaultKind::Refuse => Err(Failure::unavailable()),
        FaultKind::RateLimited { retry_after_s } => {
            Err(Failure::new(ErrorKind::RateLimitVehicle).retry_after(*retry_after_s))
        }
        FaultKind::VehicleState { .. } | FaultKind::Unauthorized | FaultKind::Error { .. } => {
            Err(Failure::new(fault.documented().unwrap_or(ErrorKind::ServerInternal)))
        }
        FaultKind::UnknownError { error_type, code, status } => {
            Err(Failure::undocumented(error_type, code.as_deref(), *status))
        }
        FaultKind::Redirect => {
            let moved = [(header::LOCATION, "/moved")];
            Ok(Some((StatusCode::TEMPORARY_REDIRECT, moved).into_response()))
        }
        FaultKind::Status { code, body } => Ok(Some(literal(*code, body.as_ref()))),
        FaultKind::ExecutedThenNoAnswer
        | FaultKind::ExecutedThen500
        | FaultKind::Hold { .. }
        | FaultKind::Garbage
        | FaultKind::AcknowledgedNotExecuted
        | FaultKind::Truncated
        | FaultKind::Oversized
        | FaultKind::Html
        | FaultKind::NoContent
        | FaultKind::WrongType
        | FaultKind::MissingField
        | FaultKind::DuplicateKeys
        | FaultKind::WrongVehicle
        | FaultKind::ExecutedThenStatus { .. }
        | FaultKind::AcceptedLate { .. } => Ok(None),
    }
}

/// The faults that strike when it is done: what becomes of the right answer.
pub(super) async fn after(
    cloud: &Cloud,
    peer: &Peer,
    fault: Option<FaultKind>,
    right: Right,
) -> Result<Response, Failure> {
    let whole = right.body.to_string();
    let Some(fault) = fault else { return Ok(right.into_response(whole)) };
    Ok(match fault {
        FaultKind::ExecutedThenNoAnswer => {
            peer.cut_off();
            ().into_response()
        }
        FaultKind::ExecutedThen500 => return Err(Failure::new(ErrorKind::ServerInternal)),
        FaultKind::Garbage => right.into_response("{\"status\": \"suc\u{0}"),
        FaultKind::Hold { hold_ms } => {
            cloud.pause(hold_ms).await;
            right.into_response(whole)
        }
        FaultKind::Truncated => truncated(right, whole),
        FaultKind::Oversized => {
            let padding = "0".repeat(OVERSIZED_BYTES);
            let padded = json!({ "padding": padding, "answer": right.body });
            right.into_response(padded.to_string())
        }
        FaultKind::Html => {
            let html = [(header::CONTENT_TYPE, "text/html")];
            (html, "<!doctype html><title>Welcome</title><p>Please sign in.").into_response()
        }
        FaultKind::NoContent => StatusCode::NO_CONTENT.into_response(),
        FaultKind::WrongType => {
            let text = corrupt::wrong_type(right.body.clone());
            right.into_response(text)
        }
        FaultKind::MissingField => {
            let text = corrupt::missing_field(right.body.clone());
            right.into_response(text)
        }
        FaultKind::DuplicateKeys => {
            let text = corrupt::duplicate_keys(right.body.clone());
            right.into_response(text)
        }
        FaultKind::ExecutedThenStatus { code, body } => literal(code, body.as_ref()),
        FaultKind::Delay { .. }
        | FaultKind::Refuse
        | FaultKind::AcknowledgedNotExecuted
        | FaultKind::VehicleState { .. }
        | FaultKind::RateLimited { .. }
        | FaultKind::Unauthorized
        | FaultKind::Error { .. }
        | FaultKind::UnknownError { .. }
        | FaultKind::Redirect
        | FaultKind::Status { .. }
        | FaultKind::WrongVehicle
        | FaultKind::AcceptedLate { .. } => right.into_response(whole),
    })
}

/// Half of the answer, under a length that promises all of it.
fn truncated(right: Right, whole: String) -> Response {
    let length = whole.len();
    let half = whole.get(..length / 2).unwrap_or_default().to_owned();
    let halves = stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) => Some((Ok(Bytes::from(half)), None)),
            None => {
                tokio::time::sleep(TRUNCATION).await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None))
            }
        }
    });
    let mut response = right.into_response(Body::from_stream(halves));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Literally this answer: JSON, a text as it is, or nothing at all.
pub(super) fn literal(code: u16, body: Option<&Value>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = [(header::CONTENT_TYPE, "application/json")];
    match body {
        None => status.into_response(),
        Some(Value::String(text)) => (status, json, text.clone()).into_response(),
        Some(body) => (status, json, body.to_string()).into_response(),
    }
}

/// A body that is not there yet; its length is not told.
pub(super) fn later<F>(status: StatusCode, body: F) -> Response
where
    F: Future<Output = Value> + Send + 'static,
{
    let text = async move { Ok::<_, Infallible>(Bytes::from(body.await.to_string())) };
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, Body::from_stream(stream::once(text))).into_response()
}

/// The car that is read: another one, if that is what goes wrong.
pub(super) fn mistaken(cloud: &Cloud, car: &Arc<Car>, fault: Option<&FaultKind>) -> Arc<Car> {
    if fault != Some(&FaultKind::WrongVehicle) {
        return Arc::clone(car);
    }
    let mut others = cloud.cars().iter().filter(|other| other.id != car.id);
    Arc::clone(others.next().unwrap_or(car))
}
