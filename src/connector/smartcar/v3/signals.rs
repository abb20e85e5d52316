//! What signals prove: one observation may need several, of which one is essential. A signal
//! without a value never becomes one, and a number without a unit that is known is refused.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::{bounds, classify, decode};
use super::observations;
use crate::connector::transport::Answer;
use crate::connector::{ConnectorError, Fault, Happened};
use crate::domain::reading::{Observable, Reading};
use crate::domain::time::Timestamp;
use crate::smartcar::v3::signal::{Moment, Signal, SignalList, SignalStatus, code};
use crate::smartcar::v3::{Document, SelfLink};

/// A time that a car reports may be so far ahead of ours; beyond it nothing is known of the age.
const AHEAD_MAX: std::time::Duration = std::time::Duration::from_secs(5);
/// More signals than a car has.
const SIGNALS_MAX: usize = 1_000;

/// The signal without which there is no observation.
pub(super) const fn essential(observable: Observable) -> &'static str {
    match observable {
        // Answered from the car itself, not from its signals.
        Observable::Attributes | Observable::Vin => code::VIN,
        Observable::Location => code::LOCATION,
        Observable::Odometer => code::ODOMETER,
        Observable::Battery => code::BATTERY_LEVEL,
        Observable::BatteryCapacity | Observable::NominalCapacity => code::BATTERY_CAPACITY,
        Observable::Charge => code::CHARGING_STATUS,
        Observable::ChargeLimit => code::CHARGE_LIMITS,
        Observable::Fuel => code::FUEL_LEVEL,
        Observable::TirePressure => code::TIRES,
        Observable::EngineOil => code::OIL_LIFE,
        Observable::LockStatus => code::IS_LOCKED,
        Observable::SystemStatus => code::DIAGNOSTICS_PREFIX,
        Observable::TroubleCodes => code::TROUBLE_CODES,
        Observable::ServiceHistory => code::SERVICE_RECORDS,
    }
}

/// The one signal that is enough; `None` if it takes several.
pub(super) const fn only_signal(observable: Observable) -> Option<&'static str> {
    match observable {
        Observable::Attributes
        | Observable::Battery
        | Observable::Charge
        | Observable::Fuel
        | Observable::LockStatus
        | Observable::SystemStatus => None,
        Observable::Vin
        | Observable::Location
        | Observable::Odometer
        | Observable::BatteryCapacity
        | Observable::NominalCapacity
        | Observable::ChargeLimit
        | Observable::TirePressure
        | Observable::EngineOil
        | Observable::TroubleCodes
        | Observable::ServiceHistory => Some(essential(observable)),
    }
}

/// The observation in the answer about a single signal.
pub(super) fn one(
    answer: &Answer,
    vehicle: &str,
    observable: Observable,
    now: Timestamp,
) -> Result<Reading, ConnectorError> {
    let signal = match decode::<Document<Signal>>(answer) {
        Ok(document) => document.data,
        // One page shows the signal without a document around it.
        Err(error) => decode::<Signal>(answer).map_err(|_| error)?,
    };
    let seen = Seen::of(answer, vehicle, vec![signal])?;
    seen.reading(observable, now)
}

/// The signals of one answer, by their code.
pub(super) struct Seen<'a> {
    answer: &'a Answer,
    signals: HashMap<String, Signal>,
}

impl<'a> Seen<'a> {
    /// The signals of a list, if they are about `vehicle`.
    pub(super) fn read(answer: &'a Answer, vehicle: &str) -> Result<Self, ConnectorError> {
        let list: SignalList = decode(answer)?;
        let linked = list.links.is_some_and(|link| leads_elsewhere(&link, vehicle));
        if linked || list.included.is_some_and(|included| included.vehicle.id != vehicle) {
            return Err(classify::garbled(answer, "an answer about another car"));
        }
        Self::of(answer, vehicle, list.data)
    }

    fn of(answer: &'a Answer, vehicle: &str, list: Vec<Signal>) -> Result<Self, ConnectorError> {
        let elsewhere = |signal: &Signal| {
            let related = signal.relationships.as_ref();
            let named = related.is_some_and(|related| related.vehicle.data.id != vehicle);
            let linked = signal.links.as_ref().is_some_and(|link| leads_elsewhere(link, vehicle));
            named || linked
        };
        if list.len() > SIGNALS_MAX || list.iter().any(elsewhere) {
            return Err(classify::garbled(answer, "an answer about another car"));
        }
        let mut signals = HashMap::new();
        for signal in list {
            if signals.insert(signal.attributes.code.clone(), signal).is_some() {
                return Err(classify::garbled(answer, "a signal for the second time"));
            }
        }
        Ok(Self { answer, signals })
    }

    /// What the signals say about this.
    pub(super) fn reading(
        &self,
        observable: Observable,
        now: Timestamp,
    ) -> Result<Reading, ConnectorError> {
        let observation = observations::observation(self, observable)?;
        let meta = self.signals.get(essential(observable)).map(|signal| &signal.meta);
        let at = |moment: Option<&Moment>| moment.and_then(time);
        let data_age = at(meta.and_then(|meta| meta.oem_updated_at.as_ref()));
        let fetched_at = at(meta.and_then(|meta| meta.retrieved_at.as_ref()));
        Ok(Reading {
            observation,
            data_age: data_age.filter(|at| *at <= now.plus(AHEAD_MAX)),
            fetched_at: fetched_at.unwrap_or(now).min(now),
        })
    }

    /// The body of a signal that there must be. Without it the error is the one it names.
    pub(super) fn body<T: DeserializeOwned>(&self, code: &str) -> Result<T, ConnectorError> {
        let signal = self.signals.get(code).ok_or_else(|| self.absent(code))?;
        let status = signal.attributes.status.as_ref();
        if let Some(status) = status.filter(|status| status.value != SignalStatus::SUCCESS) {
            return Err(match &status.error {
                Some(error) => {
                    classify::signal_error(self.answer, &error.kind, error.code.as_deref())
                }
                None => self.absent(code),
            });
        }
        let body = signal.attributes.body.clone().ok_or_else(|| self.absent(code))?;
        serde_json::from_value(body).map_err(|_| self.garbled("a signal of another shape"))
    }

    /// The body of a signal that need not be there.
    pub(super) fn optional<T: DeserializeOwned>(
        &self,
        code: &str,
    ) -> Result<Option<T>, ConnectorError> {
        let Some(signal) = self.signals.get(code) else { return Ok(None) };
        let status = signal.attributes.status.as_ref();
        if status.is_some_and(|status| status.value != SignalStatus::SUCCESS) {
            return Ok(None);
        }
        let Some(body) = signal.attributes.body.clone().filter(|body| !body.is_null()) else {
            return Ok(None);
        };
        let read = serde_json::from_value(body);
        read.map(Some).map_err(|_| self.garbled("a signal of another shape"))
    }

    /// The bodies of all signals whose code begins like this, by the rest of their code.
    pub(super) fn beginning_with(&self, prefix: &str) -> Vec<(&str, &Value)> {
        let mut found: Vec<(&str, &Value)> = self
            .signals
            .values()
            .filter_map(|signal| {
                let rest = signal.attributes.code.strip_prefix(prefix)?;
                Some((rest, signal.attributes.body.as_ref()?))
            })
            .take(bounds::ENTRIES_MAX)
            .collect();
        found.sort_unstable_by_key(|(rest, _)| *rest);
        found
    }

    pub(super) fn garbled(&self, why: &str) -> ConnectorError {
        classify::garbled(self.answer, why)
    }

    /// The cloud keeps signals only of cars that it listens to, and may not have this one yet.
    fn absent(&self, code: &str) -> ConnectorError {
        let mut error = ConnectorError::bare(
            Happened::Refused,
            Fault::Upstream,
            format!("the cloud has no value of {code}"),
        );
        error.provider_code = Some("UPSTREAM/NO_RESPONSE".to_owned());
        error.provider_request_id = classify::request_id(&self.answer.headers);
        error
    }
}

/// Whether a link names another car.
fn leads_elsewhere(link: &SelfLink, vehicle: &str) -> bool {
    let path = link.itself.split_once("/vehicles/").map(|(_, path)| path);
    path.and_then(|path| path.split('/').next()).is_some_and(|id| id != vehicle)
}

fn time(moment: &Moment) -> Option<Timestamp> {
    match moment {
        Moment::Millis(millis) => Timestamp::from_unix_micros(millis.checked_mul(1000)?),
        Moment::Text(text) => text.parse().ok(),
    }
}

#[cfg(test)]
#[path = "signals_test.rs"]
mod tests;
