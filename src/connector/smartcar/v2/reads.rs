//! What successful answers of API v2.0 prove: refuses those that are not about what was asked for.
//! The bodies themselves are in [`readings`].

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::super::unambiguous::Unambiguous;
use super::super::{api_answer, classify, decode};
use super::readings;
use crate::connector::transport::Answer;
use crate::connector::{Acknowledgement, ConnectorError, age};
use crate::domain::reading::{Observable, Reading};
use crate::domain::time::Timestamp;
use crate::smartcar::v2::batch::{BatchAnswer, BatchItemAnswer};
use crate::smartcar::v2::{self as wire, units::UnitSystem};

/// The cloud took a command only if it says so in its body.
pub(super) fn acknowledgement(answer: &Answer) -> Result<Acknowledgement, ConnectorError> {
    let body: wire::StatusAnswer = decode(answer)?;
    if !body.status.eq_ignore_ascii_case(wire::ACTION_STATUS) {
        return Err(classify::garbled(answer, "a status other than success"));
    }
    Ok(Acknowledgement { provider_request_id: classify::request_id(&answer.headers) })
}

/// What was read, if it is about `vehicle`.
pub(super) fn reading(
    answer: &Answer,
    vehicle: &str,
    observable: Observable,
    now: Timestamp,
) -> Result<Reading, ConnectorError> {
    let units = unit_system(answer)?;
    let Unambiguous(body) = decode(answer)?;
    let is_of = |id: &Value| id.as_str() == Some(vehicle);
    if observable == Observable::Attributes && !body.get("id").is_some_and(is_of) {
        return Err(classify::garbled(answer, "an answer about another car"));
    }
    let observation = readings::read(observable, &body, units);
    let observation = observation.map_err(|why| classify::garbled(answer, why))?;
    let at = |name| time(&answer.headers, name);
    let (reported_at, fetched_at) = (at(wire::HEADER_DATA_AGE), at(wire::HEADER_FETCHED_AT));
    Ok(age::reading(observation, reported_at, fetched_at, now))
}

/// The answers of a batch, in the order of what was asked for. Each item is judged as the answer
/// that it would have been alone.
pub(super) fn batch(
    answer: &Answer,
    batch: BatchAnswer,
    vehicle: &str,
    observables: &[Observable],
    now: Timestamp,
) -> Result<Vec<Result<Reading, ConnectorError>>, ConnectorError> {
    let in_order = batch.responses.len() == observables.len()
        && batch.responses.iter().zip(observables).all(|(item, &observable)| {
            item.path.trim_end_matches('/') == readings::path(observable)
        });
    if !in_order {
        return Err(classify::garbled(answer, "not the items asked for"));
    }
    let judge = |(item, &observable): (BatchItemAnswer, &Observable)| {
        let alone = api_answer(alone(answer, item)?)?;
        reading(&alone, vehicle, observable, now)
    };
    Ok(batch.responses.into_iter().zip(observables).map(judge).collect())
}

/// An item as an answer of its own.
fn alone(answer: &Answer, item: BatchItemAnswer) -> Result<Answer, ConnectorError> {
    let status = StatusCode::from_u16(item.code)
        .map_err(|_| classify::garbled(answer, "an item with a status that does not exist"))?;
    let mut headers = HeaderMap::new();
    let told = [
        (wire::HEADER_DATA_AGE, item.headers.sc_data_age),
        (wire::HEADER_FETCHED_AT, item.headers.sc_fetched_at),
        (wire::HEADER_UNIT_SYSTEM, item.headers.sc_unit_system),
    ];
    for (name, value) in told {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if let Some(id) = answer.headers.get(wire::HEADER_REQUEST_ID) {
        headers.insert(HeaderName::from_static(wire::HEADER_REQUEST_ID), id.clone());
    }
    let body = serde_json::to_vec(&item.body)
        .map_err(|_| classify::garbled(answer, "an item that cannot be read"))?;
    Ok(Answer { status, headers, body: body.into() })
}

/// The unit system of an answer; without a word about it the one that was asked for.
fn unit_system(answer: &Answer) -> Result<UnitSystem, ConnectorError> {
    let Some(word) = answer.headers.get(wire::HEADER_UNIT_SYSTEM) else {
        return Ok(UnitSystem::Metric);
    };
    let known = word.to_str().ok().and_then(|word| UnitSystem::parse(word.trim()));
    known.ok_or_else(|| classify::garbled(answer, "an unknown unit system"))
}

fn time(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
#[path = "reads_test.rs"]
mod tests;
