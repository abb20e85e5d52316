//! What the cloud sends by itself (protocol page, section 4): version 4, in the forms that two
//! pages disagree on, and the older version 2. Readers accept all of them; writers emit the
//! documented version 4.

use serde::{Deserialize, Serialize};

use super::v3::signal::{Moment, SignalMeta, SignalStatus};

/// Header: HMAC-SHA256 of the raw body, keyed with the application management token, in
/// lower-case hexadecimal digits.
pub const HEADER_SIGNATURE: &str = "sc-signature";
/// The version of the events that are written here.
pub const VERSION: &str = "4.0";
/// The code of the trigger of the first delivery after a subscription.
pub const FIRST_DELIVERY: &str = "FIRST_DELIVERY";

/// The kinds of events of version 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// The receiver must prove that it knows the token.
    Verify,
    /// What a car says about itself changed.
    VehicleState,
    /// Something is wrong with a car, or is no longer.
    VehicleError,
}

/// An event of version 4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The same in every delivery of one event.
    pub event_id: String,
    /// What it is about.
    pub event_type: EventType,
    /// The cloud's id of the car; an older page has it in the data only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle_id: Option<String>,
    /// What happened.
    pub data: EventData,
    /// At the top on an older page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// About the delivery.
    #[serde(default)]
    pub meta: EventMeta,
}

/// What happened; which fields there are depends on the kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventData {
    /// [`EventType::Verify`]: the text to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// The owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<EventUser>,
    /// The car.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<EventVehicle>,
    /// Why it was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// [`EventType::VehicleState`]: all signals of the subscription.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<EventSignal>,
    /// [`EventType::VehicleError`]: what is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<EventError>,
}

/// The owner of the car of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventUser {
    /// The cloud's id.
    pub id: String,
}

/// The car of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventVehicle {
    /// The cloud's id.
    pub id: String,
    /// The maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// The model's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The model year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<i32>,
}

/// Why an event was sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// The signal's code, or [`FIRST_DELIVERY`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The signal's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The signal's group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// `SIGNAL_UPDATED` or [`FIRST_DELIVERY`], on an older page.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The signal, on an older page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<Box<Trigger>>,
}

/// A signal of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventSignal {
    /// Such as `closure-islocked`.
    pub code: String,
    /// Such as `IsLocked`.
    #[serde(default)]
    pub name: String,
    /// Such as `Closure`.
    #[serde(default)]
    pub group: String,
    /// The value; missing if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
    /// Missing means that there is a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SignalStatus>,
    /// How old it is.
    #[serde(default)]
    pub meta: SignalMeta,
}

/// Something that is wrong with a car, or no longer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventError {
    /// The family, such as `CONNECTED_SERVICES_ACCOUNT`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The member of the family.
    #[serde(default)]
    pub code: Option<String>,
    /// [`EventError::ERROR`] or [`EventError::RESOLVED`].
    pub state: String,
    /// A sentence for the developer.
    #[serde(default)]
    pub description: Option<String>,
    /// A sentence for the owner.
    #[serde(default)]
    pub suggested_user_message: Option<String>,
}

impl EventError {
    /// It is wrong.
    pub const ERROR: &'static str = "ERROR";
    /// It is no longer wrong.
    pub const RESOLVED: &'static str = "RESOLVED";
}

/// About the delivery of an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMeta {
    /// [`VERSION`].
    #[serde(default)]
    pub version: String,
    /// New in every delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_id: Option<String>,
    /// When it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Moment>,
    /// The webhook it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<String>,
    /// The name of the webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_name: Option<String>,
    /// How many signals there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_count: Option<u32>,
    /// `LIVE`, `SIMULATED` or `TEST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// An event of version 2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LegacyEvent {
    /// Begins with `2`.
    pub version: String,
    /// The webhook it belongs to.
    #[serde(default)]
    pub webhook_id: Option<String>,
    /// `verify`, `schedule` (or `scheduled`), `dynamic` or `eventBased`.
    pub event_name: String,
    /// `live`, `test` or `simulated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// What happened.
    pub payload: serde_json::Value,
}

/// The payload of `schedule`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LegacySchedule {
    /// One for each car.
    pub vehicles: Vec<LegacyVehicle>,
}

/// What was read from one car.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LegacyVehicle {
    /// The cloud's id of the car.
    pub vehicle_id: String,
    /// The cloud's own name of the request.
    #[serde(default)]
    pub request_id: Option<String>,
    /// As the items of a batch.
    #[serde(default)]
    pub data: Vec<super::v2::batch::BatchItemAnswer>,
}

/// The answer to a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// HMAC-SHA256 of the challenge, as in [`HEADER_SIGNATURE`].
    pub challenge: String,
}
