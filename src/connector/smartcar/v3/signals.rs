//! What successful answers of API v3 prove: refuses those that are not about the car that was
//! asked for. The bodies themselves are in [`readings`].

use super::super::unambiguous::Unambiguous;
use super::super::{classify, decode};
use super::parts::{Signals, Told, Unread};
use super::readings;
use crate::connector::transport::Answer;
use crate::connector::{ConnectorError, Happened, age};
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::reading::{Observable, Reading};
use crate::domain::time::Timestamp;
use crate::smartcar::v3::signal::{Moment, Signal, SignalList, SignalMeta};
use crate::smartcar::v3::{Document, SelfLink};

/// More signals than a car has.
const SIGNALS_MAX: usize = 1_000;

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

/// The signals of one answer.
pub(super) struct Seen<'a> {
    answer: &'a Answer,
    signals: Signals,
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
        // The body of a signal is a value, in which nobody would see a member that was there twice.
        decode::<Unambiguous>(answer)?;
        let elsewhere = |signal: &Signal| {
            let related = signal.relationships.as_ref();
            let named = related.is_some_and(|related| related.vehicle.data.id != vehicle);
            let linked = signal.links.as_ref().is_some_and(|link| leads_elsewhere(link, vehicle));
            named || linked
        };
        if list.len() > SIGNALS_MAX || list.iter().any(elsewhere) {
            return Err(classify::garbled(answer, "an answer about another car"));
        }
        let mut signals = Signals::default();
        for Signal { attributes, meta, .. } in list {
            let told = Told { status: attributes.status, body: attributes.body, meta };
            if signals.0.insert(attributes.code, told).is_some() {
                return Err(classify::garbled(answer, "a signal for the second time"));
            }
        }
        Ok(Self { answer, signals })
    }

    /// What the signals say about this. It is as old as its essential signal.
    pub(super) fn reading(
        &self,
        observable: Observable,
        now: Timestamp,
    ) -> Result<Reading, ConnectorError> {
        let observation = readings::read(observable, &self.signals);
        let observation = observation.map_err(|unread| self.error(unread))?;
        let kinds = readings::kinds(observable);
        let essential = kinds.first().and_then(|kind| self.signals.0.get(kind.code));
        let at = |moment: fn(&SignalMeta) -> Option<&Moment>| {
            essential.and_then(|told| moment(&told.meta)).and_then(age::time)
        };
        let reported_at = at(|meta| meta.oem_updated_at.as_ref());
        let fetched_at = at(|meta| meta.retrieved_at.as_ref());
        Ok(age::reading(observation, reported_at, fetched_at, now))
    }

    fn error(&self, unread: Unread) -> ConnectorError {
        match unread {
            Unread::Garbled(why) => classify::garbled(self.answer, why),
            Unread::Failed(error) => {
                classify::signal_error(self.answer, &error.kind, error.code.as_deref())
            }
            Unread::Absent(code) => self.absent(&code),
        }
    }

    /// The cloud keeps signals only of cars that it listens to, and may not have this one yet.
    fn absent(&self, code: &str) -> ConnectorError {
        let mut error = ConnectorError::bare(
            Happened::Refused,
            Fault::Upstream,
            format!("the cloud has no value of {code}"),
        );
        error.provider_code = ProviderCode::new("UPSTREAM", Some("NO_RESPONSE"));
        error.provider_request_id = classify::request_id(&self.answer.headers);
        error
    }
}

/// Whether a link names another car.
fn leads_elsewhere(link: &SelfLink, vehicle: &str) -> bool {
    let path = link.itself.split_once("/vehicles/").map(|(_, path)| path);
    path.and_then(|path| path.split('/').next()).is_some_and(|id| id != vehicle)
}

#[cfg(test)]
#[path = "signals_test.rs"]
mod tests;
