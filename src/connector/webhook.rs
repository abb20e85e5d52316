//! What the vehicle cloud sends by itself, in our own terms: what cars were seen as, and what is
//! wrong with their accounts. Version 4 in both of its documented forms, and version 2.
//!
//! It does not know whether an event is genuine; that is for whoever holds the secret to say.

use serde_json::Value;

use super::age;
use super::smartcar::{Signals, Told, v2_readings, v3_readings};
use crate::domain::fault::{Fault, ProviderCode};
use crate::domain::instruction::Action;
use crate::domain::reading::{Charge, ChargeState, Observable, Observation, Reading};
use crate::domain::time::Timestamp;
use crate::smartcar::v2::UnitSystem;
use crate::smartcar::v2::batch::BatchItemAnswer;
use crate::smartcar::webhook::{
    Event, EventError, EventSignal, EventType, LegacyEvent, LegacySchedule, LegacyVehicle,
};

/// The longest name of an event.
const EVENT_ID_BYTES_MAX: usize = 128;
/// More cars than one event of version 2 can be about.
const CARS_MAX: usize = 1_000;

/// What was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A text to be signed.
    Challenge(String),
    /// Something happened.
    News(News),
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// The same in every delivery; version 2 has none.
    pub event_id: Option<String>,
    /// When it was sent, as far as the cloud says.
    pub delivered_at: Option<Timestamp>,
    /// The cars that it is about.
    pub cars: Vec<CarNews>,
}

/// What happened to one car.
#[derive(Debug, Clone, PartialEq)]
pub struct CarNews {
    /// The cloud's id of the car.
    pub provider_vehicle_id: String,
    /// What it was seen as, of what can settle a command.
    pub readings: Vec<Reading>,
    /// What is wrong with its account, or no longer is.
    pub complaints: Vec<Complaint>,
}

/// Something that is wrong with a car's account, or no longer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// What it is.
    pub fault: Fault,
    /// The cloud's own type and code.
    pub provider_code: ProviderCode,
    /// Whether it is over.
    pub resolved: bool,
}

/// Reads what was sent; `None` if it is no event.
#[must_use]
pub fn read(body: &[u8], now: Timestamp) -> Option<Message> {
    if let Ok(event) = serde_json::from_slice::<Event>(body) {
        return of_event(event, now);
    }
    let legacy: LegacyEvent = serde_json::from_slice(body).ok()?;
    legacy.version.starts_with('2').then(|| of_legacy(legacy, now))?
}

fn of_event(event: Event, now: Timestamp) -> Option<Message> {
    if event.event_type == EventType::Verify {
        return Some(Message::Challenge(event.data.challenge.unwrap_or_default()));
    }
    let fits = (1..=EVENT_ID_BYTES_MAX).contains(&event.event_id.len());
    let named = event.vehicle_id.or(event.data.vehicle.map(|vehicle| vehicle.id));
    let car = CarNews {
        provider_vehicle_id: named?,
        readings: event.data.signals.iter().filter_map(|signal| reading(signal, now)).collect(),
        complaints: event.data.errors.iter().filter_map(complaint).collect(),
    };
    fits.then(|| {
        Message::News(News {
            event_id: Some(event.event_id),
            delivered_at: event.meta.delivered_at.as_ref().and_then(age::time),
            cars: vec![car],
        })
    })
}

/// Whether a command may have changed it. Nothing else is taken from events.
fn settles(observable: Observable) -> bool {
    Action::ALL.iter().any(|action| action.observable() == Some(observable))
}

/// What a signal says alone, if it can settle a command and has a value.
fn reading(signal: &EventSignal, now: Timestamp) -> Option<Reading> {
    let observable = v3_readings::observable_of(&signal.code).filter(|one| settles(*one))?;
    let told = Told {
        status: signal.status.clone(),
        body: signal.body.clone(),
        meta: signal.meta.clone(),
    };
    let signals = Signals([(signal.code.clone(), told)].into());
    let observation = v3_readings::read(observable, &signals).ok()?;
    let reported_at = signal.meta.oem_updated_at.as_ref().and_then(age::time);
    let fetched_at = signal.meta.retrieved_at.as_ref().and_then(age::time);
    Some(age::reading(observation, reported_at, fetched_at, now))
}

/// A complaint that concerns the owner's consent or account; others say nothing about grants.
fn complaint(error: &EventError) -> Option<Complaint> {
    let fault = match error.kind.as_str() {
        "PERMISSION" | "AUTHENTICATION" => Fault::Permission,
        "CONNECTED_SERVICES_ACCOUNT" => Fault::Account,
        _ => return None,
    };
    let code = ProviderCode::new(&error.kind, error.code.as_deref());
    let provider_code = code.or_else(|| ProviderCode::new(&error.kind, None))?;
    let resolved = match error.state.as_str() {
        EventError::ERROR => false,
        EventError::RESOLVED => true,
        _ => return None,
    };
    Some(Complaint { fault, provider_code, resolved })
}

fn of_legacy(event: LegacyEvent, now: Timestamp) -> Option<Message> {
    let name = event.event_name.to_ascii_lowercase();
    if name == "verify" {
        let challenge = event.payload.get("challenge").and_then(Value::as_str);
        return Some(Message::Challenge(challenge.unwrap_or_default().to_owned()));
    }
    let cars = match name.as_str() {
        "schedule" | "scheduled" | "dynamic" => {
            let schedule: LegacySchedule = serde_json::from_value(event.payload).ok()?;
            let cars = schedule.vehicles.into_iter().take(CARS_MAX);
            cars.map(|car| scheduled(car, now)).collect()
        }
        "eventbased" => vec![charging_event(&event.payload, now)?],
        _ => return None,
    };
    Some(Message::News(News { event_id: None, delivered_at: None, cars }))
}

fn scheduled(car: LegacyVehicle, now: Timestamp) -> CarNews {
    let reading = |item: BatchItemAnswer| {
        let found = v2_readings::observable_at(&item.path).filter(|_| item.code == 200);
        let observable = found.filter(|one| settles(*one))?;
        // None of these has a unit.
        let read = v2_readings::read(observable, &item.body, UnitSystem::Metric).ok()?;
        let reported_at = item.headers.sc_data_age.and_then(|text| text.parse().ok());
        Some(age::reading(read, reported_at, None, now))
    };
    CarNews {
        provider_vehicle_id: car.vehicle_id,
        readings: car.data.into_iter().filter_map(reading).collect(),
        complaints: Vec::new(),
    }
}

fn charging_event(payload: &Value, now: Timestamp) -> Option<CarNews> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let state = match text("eventType")? {
        "CHARGING_STARTED" => ChargeState::Charging,
        "CHARGING_STOPPED" => ChargeState::NotCharging,
        "CHARGING_COMPLETED" => ChargeState::FullyCharged,
        _ => return None,
    };
    let at: Option<Timestamp> = text("eventTime").and_then(|text| text.parse().ok());
    let observation = Observation::Charge(Charge { is_plugged_in: None, state });
    let reading = age::reading(observation, at, None, now);
    Some(CarNews {
        provider_vehicle_id: text("vehicleId")?.to_owned(),
        readings: vec![reading],
        complaints: Vec::new(),
    })
}

#[cfg(test)]
#[path = "webhook_test.rs"]
mod tests;
