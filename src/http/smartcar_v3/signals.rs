//! Readings as signals of API v3, with their age (protocol page, section 5.4).

#[cfg(test)]
#[path = "signals_test.rs"]
mod tests;

use serde_json::Value;

use super::Failure;
use crate::connector::smartcar::{Kind, Said, v3_readings as readings};
use crate::domain::reading::{Observable, Reading};
use crate::domain::time::Timestamp;
use crate::smartcar::v3::SelfLink;
use crate::smartcar::v3::signal::{
    Moment, Signal, SignalAttributes, SignalError, SignalMeta, SignalStatus,
};

/// The signals of a reading that have a value.
pub(super) fn of(reading: &Reading, vehicle: &str) -> Vec<Signal> {
    let meta = SignalMeta {
        retrieved_at: Some(moment(reading.fetched_at)),
        oem_updated_at: reading.reported_at.map(moment),
    };
    let said = readings::signals(&reading.observation).into_iter();
    said.map(|Said { code, name, group, body }| {
        let kind = Kind { code: &code, name: &name, group };
        signal(kind, vehicle, success(), Some(body), meta.clone())
    })
    .collect()
}

/// The signals of a reading that failed at `now`. Which systems a car would report is not known.
pub(super) fn failed(
    observable: Observable,
    failure: &Failure,
    vehicle: &str,
    now: Timestamp,
) -> Vec<Signal> {
    let error = failure.list().errors.into_iter().next();
    let error = error.map(|error| SignalError {
        kind: error.kind,
        code: error.code,
        description: error.detail,
    });
    let status = SignalStatus { value: SignalStatus::ERROR.to_owned(), error };
    let meta = SignalMeta { retrieved_at: Some(moment(now)), oem_updated_at: None };
    let kinds = readings::kinds(observable).into_iter();
    kinds.map(|kind| signal(kind, vehicle, status.clone(), None, meta.clone())).collect()
}

fn moment(at: Timestamp) -> Moment {
    Moment::Millis(at.as_unix_micros() / 1000)
}

fn success() -> SignalStatus {
    SignalStatus { value: SignalStatus::SUCCESS.to_owned(), error: None }
}

fn signal(
    Kind { code, name, group }: Kind<'_>,
    vehicle: &str,
    status: SignalStatus,
    body: Option<Value>,
    meta: SignalMeta,
) -> Signal {
    Signal {
        id: code.to_owned(),
        kind: "signal".to_owned(),
        attributes: SignalAttributes {
            code: code.to_owned(),
            name: name.to_owned(),
            group: group.to_owned(),
            status: Some(status),
            body,
        },
        meta,
        links: Some(SelfLink { itself: format!("/vehicles/{vehicle}/signals/{code}") }),
        relationships: None,
    }
}
