//! API v2.0, several reads in one request. Each of them passes what a read alone would pass, and
//! fails alone; the whole is a success all the same.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;

use super::reads;
use crate::simulator::cloud::consents::Consent;
use crate::simulator::cloud::readings::Readable;
use crate::simulator::cloud::state::Cloud;
use crate::simulator::doors::answer::{Failure, as_json};
use crate::simulator::doors::call::{self, Call, Shared};
use crate::simulator::doors::fault_injection::{self, Right, mistaken};
use crate::simulator::doors::query::pairs;
use crate::simulator::faults::car_faults::{FaultKind, Occasion};
use crate::smartcar::v2::batch::{BatchAnswer, BatchHeaders, BatchItemAnswer, BatchRequest};
use crate::smartcar::{ErrorKind, v2::UnitSystem};

/// Reads in one batch.
const ITEMS_MAX: usize = 50;

/// `POST /vehicles/{id}/batch`.
pub(super) async fn batch(
    State(cloud): Shared,
    call: Call,
    body: Bytes,
) -> Result<Response, Failure> {
    call.allowed(&cloud, None)?;
    let consent = call::consent(&cloud, &call.headers)?;
    let wrong = || {
        Failure::new(ErrorKind::ValidationParameter)
            .describing(format!("`requests` must be between 1 and {ITEMS_MAX} paths."))
    };
    let asked: BatchRequest = serde_json::from_slice(&body).map_err(|_| wrong())?;
    if asked.requests.is_empty() || asked.requests.len() > ITEMS_MAX {
        return Err(wrong());
    }
    // A fault that is a documented error befalls its item, any other the whole answer.
    let mut spoiling = None;
    let mut responses = Vec::new();
    for item in asked.requests {
        responses.push(answered(&cloud, &call, &consent, item.path, &mut spoiling)?);
    }
    if let Some(instead) = fault_injection::before(&cloud, spoiling.as_ref()).await? {
        return Ok(instead);
    }
    let body = as_json(BatchAnswer { responses })?;
    let right = Right { body, headers: HeaderMap::new() };
    fault_injection::after(&cloud, &call.peer, spoiling, right).await
}

fn answered(
    cloud: &Cloud,
    call: &Call,
    consent: &Consent,
    path: String,
    spoiling: &mut Option<FaultKind>,
) -> Result<BatchItemAnswer, Failure> {
    match item(cloud, call, consent, &path, spoiling) {
        Ok((headers, body)) => Ok(BatchItemAnswer { path, code: 200, headers, body }),
        Err(failure) => {
            let (code, body) = failure.enveloped(&call.request_id.to_string());
            let body = as_json(body)?;
            Ok(BatchItemAnswer { path, code, headers: BatchHeaders::default(), body })
        }
    }
}

fn item(
    cloud: &Cloud,
    call: &Call,
    consent: &Consent,
    path: &str,
    spoiling: &mut Option<FaultKind>,
) -> Result<(BatchHeaders, serde_json::Value), Failure> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let absolute = path.starts_with('/').then_some(path);
    let reading = absolute
        .and_then(Readable::find)
        .ok_or_else(|| Failure::new(ErrorKind::ResourceNotFoundPath))?;
    let forbidden = || Failure::new(ErrorKind::Permission);
    let (connection, car) = call::shared(cloud, consent, &call.vehicle_id, reading.permission())
        .ok_or_else(forbidden)?;
    let terms = connection.terms().ok_or_else(forbidden)?;
    let fault = car.next_fault(Occasion::Read);
    let car = mistaken(cloud, &car, fault.as_ref());
    match fault {
        Some(FaultKind::RateLimited { .. }) => {
            return Err(Failure::new(ErrorKind::RateLimitVehicle));
        }
        Some(fault) => match fault.documented() {
            Some(kind) => return Err(Failure::new(kind)),
            None => *spoiling = Some(fault),
        },
        None => {}
    }
    let now = cloud.clock.now();
    let state = car.state_at(now);
    let own = Call { query: pairs(query.as_bytes()), ..call.clone() };
    let body = reads::body(reading, &car, &state, &terms, &own)?;
    let units: UnitSystem = call.units();
    let headers = BatchHeaders {
        sc_data_age: Some(reading.changed_at(&state).to_string()),
        sc_fetched_at: Some(now.to_string()),
        sc_unit_system: Some(units.as_str().to_owned()),
    };
    Ok((headers, body))
}
