//! What a car says about itself, signal by signal (protocol page, section 5.4). The body of a
//! signal is JSON whose shape depends on its code; the shapes that matter here have types.

use serde::{Deserialize, Serialize};

use super::{Reference, SelfLink, Vehicle};

/// The codes of the signals that Keylend reads.
pub mod code {
    #![expect(missing_docs, reason = "each constant is the code of the signal it is named after")]
    pub const IS_LOCKED: &str = "closure-islocked";
    pub const DOORS: &str = "closure-doors";
    pub const WINDOWS: &str = "closure-windows";
    pub const SUNROOF: &str = "closure-sunroof";
    pub const FRONT_TRUNK: &str = "closure-fronttrunk";
    pub const REAR_TRUNK: &str = "closure-reartrunk";
    pub const CHARGE_PORT_FLAP: &str = "charge-ischargingportflapopen";
    pub const LOCATION: &str = "location-preciselocation";
    pub const ODOMETER: &str = "odometer-traveleddistance";
    pub const BATTERY_LEVEL: &str = "tractionbattery-stateofcharge";
    pub const BATTERY_RANGE: &str = "tractionbattery-range";
    pub const BATTERY_CAPACITY: &str = "tractionbattery-nominalcapacity";
    pub const CABLE_CONNECTED: &str = "charge-ischargingcableconnected";
    pub const CHARGING_STATUS: &str = "charge-detailedchargingstatus";
    pub const CHARGE_LIMITS: &str = "charge-chargelimits";
    pub const FUEL_LEVEL: &str = "internalcombustionengine-fuellevel";
    pub const FUEL_AMOUNT: &str = "internalcombustionengine-amountremaining";
    pub const FUEL_RANGE: &str = "internalcombustionengine-range";
    pub const OIL_LIFE: &str = "internalcombustionengine-oillife";
    pub const TIRES: &str = "wheel-tires";
    pub const VIN: &str = "vehicleidentification-vin";
    pub const TROUBLE_CODES: &str = "diagnostics-dtclist";
    pub const SERVICE_RECORDS: &str = "service-records";
    /// What comes before the name of a system of the car, such as `diagnostics-abs`.
    pub const DIAGNOSTICS_PREFIX: &str = "diagnostics-";
}

/// Answer of `GET /vehicles/{id}/signals`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalList {
    /// Every signal that the cloud has of the car.
    pub data: Vec<Signal>,
    /// Where the list is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<SelfLink>,
    /// The car.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub included: Option<Included>,
}

/// What comes with a list of signals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Included {
    /// The car they are about.
    pub vehicle: Vehicle,
}

/// One signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Its code once more.
    pub id: String,
    /// Always `signal`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says.
    pub attributes: SignalAttributes,
    /// How old that is.
    #[serde(default)]
    pub meta: SignalMeta,
    /// Where it is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<SelfLink>,
    /// The car, where the cloud names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationships: Option<SignalRelationships>,
}

/// What a signal is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalRelationships {
    /// The car.
    pub vehicle: RelatedVehicle,
}

/// The car that something is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedVehicle {
    /// Its name.
    pub data: Reference,
}

/// What a signal says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalAttributes {
    /// Such as `closure-islocked`.
    pub code: String,
    /// Such as `IsLocked`.
    pub name: String,
    /// Such as `Closure`.
    pub group: String,
    /// Whether there is a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SignalStatus>,
    /// The value; missing if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}

/// Whether a signal has a value, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalStatus {
    /// `SUCCESS`, `ERROR` or `UNAVAILABLE`.
    pub value: String,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SignalError>,
}

impl SignalStatus {
    /// There is a value.
    pub const SUCCESS: &'static str = "SUCCESS";
    /// There is none.
    pub const ERROR: &'static str = "ERROR";
}

/// Why a signal has no value: a type and code of the table of errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalError {
    /// Such as `COMPATIBILITY`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Such as `VEHICLE_NOT_CAPABLE`.
    #[serde(default)]
    pub code: Option<String>,
    /// A sentence for the developer.
    #[serde(default)]
    pub description: Option<String>,
}

/// How old a signal is: milliseconds since 1970 or ISO 8601, in whichever form the cloud has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalMeta {
    /// When the cloud fetched it; called `fetchedAt` by an older page.
    #[serde(default, alias = "fetchedAt", skip_serializing_if = "Option::is_none")]
    pub retrieved_at: Option<Moment>,
    /// When the maker's cloud last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oem_updated_at: Option<Moment>,
}

/// A time in one of the two forms in which the cloud writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// Milliseconds since 1970.
    Millis(i64),
    /// ISO 8601.
    Text(String),
}

/// The body of a signal that is one number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberBody {
    /// Such as `km` or `percent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The number.
    pub value: Option<f64>,
}

/// The body of a signal that is one value without a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueBody<T> {
    /// The value.
    pub value: T,
}

/// The body of a signal about something that opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpeningBody {
    /// Whether it is open.
    #[serde(default)]
    pub is_open: Option<bool>,
}

/// The body of a signal about several places of the car.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacesBody<P> {
    /// One for each place.
    pub values: Vec<P>,
    /// Rows from front to back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u32>,
    /// Columns from left to right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_count: Option<u32>,
    /// The unit of the numbers, if they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A door or window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closure {
    /// From front to back, from 0.
    pub row: u32,
    /// From left to right, from 0.
    pub column: u32,
    /// Whether it is open.
    #[serde(default)]
    pub is_open: Option<bool>,
    /// Whether it is locked; doors only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_locked: Option<bool>,
}

/// A wheel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wheel {
    /// From front to back, from 0.
    pub row: u32,
    /// From left to right, from 0.
    pub column: u32,
    /// Kilopascals.
    pub tire_pressure: Option<f64>,
}

/// The body of [`code::LOCATION`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocationBody {
    /// Degrees.
    pub latitude: f64,
    /// Degrees.
    pub longitude: f64,
    /// Degrees from north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<f64>,
    /// `CURRENT` or `LAST_PARKED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_type: Option<String>,
}

/// The body of [`code::BATTERY_CAPACITY`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityBody {
    /// Kilowatt-hours.
    pub capacity: Option<f64>,
    /// `USER_SELECTED` or `SMARTCAR`.
    #[serde(default)]
    pub source: Option<String>,
    /// What cars of this kind were sold with.
    #[serde(default)]
    pub available_capacities: Vec<crate::smartcar::v2::reads::AvailableCapacity>,
    /// `kWh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// The body of [`code::CHARGE_LIMITS`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargeLimitsBody {
    /// One for each context.
    #[serde(default)]
    pub values: Vec<ConfiguredLimit>,
    /// The one that is applied now, from 0 to 100; `null` unless the car is plugged in.
    #[serde(default)]
    pub active_limit: Option<f64>,
    /// `percent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A charge limit for one context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfiguredLimit {
    /// `global`, `location` or `connector`, in either case.
    #[serde(rename = "type")]
    pub kind: String,
    /// From 0 to 100.
    pub limit: Option<f64>,
    /// Where it applies.
    #[serde(default)]
    pub condition: Option<serde_json::Value>,
}
