//! What a webhook is sent, word for word: the state of a car in signals, what is wrong with it,
//! and the challenge. Version 4 as documented; version 2 as far as it is known. It knows who gave
//! what, and sends nothing itself.

use std::sync::Arc;

use serde_json::{Value, json};

use super::car::Car;
use super::consents::Connection;
use super::readings::Readable;
use super::signals;
use super::webhook_endpoint::{EventVersion, WebhookEndpoint};
use crate::domain::time::Timestamp;
use crate::smartcar::v2::batch::{BatchHeaders, BatchItemAnswer};
use crate::smartcar::v3::signal::{Moment, SignalStatus};
use crate::smartcar::webhook::{
    Event, EventData, EventError, EventMeta, EventSignal, EventType, EventUser, EventVehicle,
    LegacyEvent, LegacySchedule, LegacyVehicle, Trigger, VERSION,
};
use crate::smartcar::{ErrorBody, ErrorKind, v2};

/// A car of an owner, at a time.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) car: &'a Arc<Car>,
    pub(crate) connection: &'a Connection,
    pub(crate) now: Timestamp,
}

/// What a webhook is sent to find out whether it knows the secret.
pub(crate) fn challenge(endpoint: &WebhookEndpoint, challenge: String) -> Value {
    match endpoint.version {
        EventVersion::V4 => {
            let data = EventData { challenge: Some(challenge), ..EventData::default() };
            event(endpoint, EventType::Verify, None, data, "live")
        }
        EventVersion::V2 => json!(LegacyEvent {
            version: "2.0".to_owned(),
            webhook_id: Some(endpoint.id.clone()),
            event_name: "verify".to_owned(),
            mode: None,
            payload: json!({ "challenge": challenge }),
        }),
    }
}

impl Subject<'_> {
    /// The signals that a webhook asked for; those that were not given say so.
    pub(crate) fn signals(&self, endpoint: &WebhookEndpoint) -> Vec<EventSignal> {
        let state = self.car.state_at(self.now);
        let all = signals::all(self.car, &state, self.now, |needed| self.connection.gives(needed));
        let wanted = all.into_iter().filter(|signal| endpoint.wants(&signal.attributes.code));
        wanted
            .map(|signal| EventSignal {
                code: signal.attributes.code,
                name: signal.attributes.name,
                group: signal.attributes.group,
                body: signal.attributes.body,
                status: signal.attributes.status.filter(|is| is.value != SignalStatus::SUCCESS),
                meta: signal.meta,
            })
            .collect()
    }

    /// The state of the car.
    pub(crate) fn state(
        &self,
        endpoint: &WebhookEndpoint,
        triggers: Vec<Trigger>,
        signals: Vec<EventSignal>,
    ) -> Value {
        match endpoint.version {
            EventVersion::V4 => {
                let data = EventData { triggers, signals, ..self.data() };
                let mode = self.connection.mode;
                event(endpoint, EventType::VehicleState, Some(self.id()), data, mode)
            }
            EventVersion::V2 => self.schedule(endpoint, self.read()),
        }
    }

    /// Something that is wrong, or no longer is.
    pub(crate) fn error(&self, endpoint: &WebhookEndpoint, kind: ErrorKind, state: &str) -> Value {
        let body = ErrorBody::new(kind, "");
        if endpoint.version == EventVersion::V2 {
            let (path, code) = ("/security".to_owned(), kind.status());
            let (headers, body) = (BatchHeaders::default(), json!(body));
            return self.schedule(endpoint, vec![BatchItemAnswer { path, code, headers, body }]);
        }
        let error = EventError {
            kind: body.error_type,
            code: body.code,
            state: state.to_owned(),
            description: Some(body.description),
            suggested_user_message: body.suggested_user_message,
        };
        let data = EventData { errors: vec![error], ..self.data() };
        let mode = self.connection.mode;
        let mut event = event(endpoint, EventType::VehicleError, Some(self.id()), data, mode);
        let error = event.pointer_mut("/data/errors/0").and_then(Value::as_object_mut);
        if let Some(error) = error {
            error.insert("docURL".to_owned(), json!(body.doc_url));
            error.insert("resolution".to_owned(), json!(body.resolution));
        }
        event
    }

    fn id(&self) -> String {
        self.car.id.to_string()
    }

    fn data(&self) -> EventData {
        EventData {
            user: Some(EventUser { id: self.connection.user.id.clone() }),
            vehicle: Some(EventVehicle {
                id: self.id(),
                make: Some(self.car.make.clone()),
                model: Some(self.car.model.clone()),
                year: Some(self.car.year),
            }),
            ..EventData::default()
        }
    }

    /// The readings of version 2 that were given and that the car has.
    fn read(&self) -> Vec<BatchItemAnswer> {
        let state = self.car.state_at(self.now);
        let readings = [
            (Readable::Security, json!(state.security())),
            (Readable::Charge, json!(state.charge())),
            (Readable::ChargeLimit, json!(state.limit())),
        ];
        let had = readings.into_iter().filter(|(reading, _)| {
            self.connection.gives(reading.permission()) && reading.is_had_by(state.powertrain)
        });
        had.map(|(reading, body)| BatchItemAnswer {
            path: reading.path().to_owned(),
            code: 200,
            headers: BatchHeaders {
                sc_data_age: Some(reading.changed_at(&state).to_string()),
                sc_fetched_at: Some(self.now.to_string()),
                sc_unit_system: Some(v2::UnitSystem::Metric.as_str().to_owned()),
            },
            body,
        })
        .collect()
    }

    fn schedule(&self, endpoint: &WebhookEndpoint, data: Vec<BatchItemAnswer>) -> Value {
        let vehicle = LegacyVehicle { vehicle_id: self.id(), request_id: None, data };
        json!(LegacyEvent {
            version: "2.0".to_owned(),
            webhook_id: Some(endpoint.id.clone()),
            event_name: "schedule".to_owned(),
            mode: Some(self.connection.mode.to_owned()),
            payload: json!(LegacySchedule { vehicles: vec![vehicle] }),
        })
    }
}

/// An event of version 4; its own name and those of its deliveries are not known yet.
fn event(
    endpoint: &WebhookEndpoint,
    event_type: EventType,
    vehicle_id: Option<String>,
    data: EventData,
    mode: &str,
) -> Value {
    let count = u32::try_from(data.signals.len()).unwrap_or(u32::MAX);
    let is_state = event_type == EventType::VehicleState;
    json!(Event {
        event_id: String::new(),
        event_type,
        vehicle_id,
        data,
        triggers: Vec::new(),
        meta: EventMeta {
            version: VERSION.to_owned(),
            webhook_id: Some(endpoint.id.clone()),
            webhook_name: Some(endpoint.name.clone()),
            signal_count: is_state.then_some(count),
            mode: (event_type != EventType::Verify).then(|| mode.to_uppercase()),
            ..EventMeta::default()
        },
    })
}

/// Names an event; version 2 has no names.
pub(crate) fn name(event: &mut Value, event_id: &str) {
    if let Some(id) = event.get_mut("eventId") {
        *id = json!(event_id);
    }
}

/// Marks one delivery of an event; version 2 knows no deliveries.
pub(super) fn mark(event: &mut Value, delivery_id: &str, at: Timestamp) {
    if let Some(meta) = event.get_mut("meta").and_then(Value::as_object_mut) {
        meta.insert("deliveryId".to_owned(), json!(delivery_id));
        meta.insert("deliveredAt".to_owned(), json!(millis(at)));
    }
}

/// Lets every signal say that it was updated at another time.
pub(crate) fn date(event: &mut Value, at: Timestamp) {
    let signals = event.pointer_mut("/data/signals").and_then(Value::as_array_mut);
    for signal in signals.into_iter().flatten() {
        if let Some(updated_at) = signal.pointer_mut("/meta/oemUpdatedAt") {
            *updated_at = json!(millis(at));
        }
    }
}

fn millis(at: Timestamp) -> Moment {
    Moment::Millis(at.as_unix_micros() / 1000)
}

/// Compact JSON that JavaScript reproduces, because one SDK checks the signature of what it has
/// parsed and written again: there a whole number never has a fraction.
pub(super) fn compact(event: &Value) -> Vec<u8> {
    fn whole(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(whole).collect(),
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.clone(), whole(value)));
                Value::Object(members.collect())
            }
            Value::Number(number) => as_whole(number).map_or_else(|| value.clone(), Value::from),
            Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
        }
    }
    whole(event).to_string().into_bytes()
}

/// A number without a fraction, as a whole number.
fn as_whole(number: &serde_json::Number) -> Option<i64> {
    let exact = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15)?;
    format!("{exact:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_written_as_javascript_writes_them() {
        let text = compact(&json!({"a": [80.0, -0.0, 80.5, 1_761_896_351_529_i64], "b": "80.0"}));
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, r#"{"a":[80,0,80.5,1761896351529],"b":"80.0"}"#);
    }
}
