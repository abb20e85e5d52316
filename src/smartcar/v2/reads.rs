//! What API v2.0 answers when a car is read (protocol page, section 2.3). Distances, volumes and
//! pressures are in the unit system of the answer; [`super::units`] converts them. A number that
//! the maker does not report is `null`.

use serde::{Deserialize, Serialize};

/// Answer of `GET /vehicles/{id}/vin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vin {
    /// Seventeen characters.
    pub vin: String,
}

/// Answer of `GET /vehicles/{id}/location`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees, positive to the north.
    pub latitude: f64,
    /// Degrees, positive to the east.
    pub longitude: f64,
}

/// Answer of `GET /vehicles/{id}/odometer`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Odometer {
    /// Kilometers or miles.
    pub distance: f64,
}

/// Answer of `GET /vehicles/{id}/battery`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Battery {
    /// From 0 to 1.
    pub percent_remaining: Option<f64>,
    /// Kilometers or miles.
    pub range: Option<f64>,
}

/// Answer of `GET /vehicles/{id}/battery/capacity`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BatteryCapacity {
    /// Kilowatt-hours.
    pub capacity: Option<f64>,
}

/// Answer of `GET /vehicles/{id}/battery/nominal_capacity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NominalCapacity {
    /// The capacities that cars of this kind were sold with.
    #[serde(default)]
    pub available_capacities: Vec<AvailableCapacity>,
    /// The one of this car, if it is known.
    pub capacity: Option<RatedCapacity>,
    /// The page on which the owner can choose one.
    pub url: Option<String>,
}

/// A capacity that cars of a kind were sold with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AvailableCapacity {
    /// Kilowatt-hours.
    pub capacity: f64,
    /// The variant's name.
    pub description: Option<String>,
}

/// The capacity of one car.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatedCapacity {
    /// Kilowatt-hours.
    pub nominal: f64,
    /// `USER_SELECTED` or `SMARTCAR`.
    pub source: String,
}

/// Answer of `GET /vehicles/{id}/charge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// Whether a cable is connected.
    pub is_plugged_in: Option<bool>,
    /// `CHARGING`, `FULLY_CHARGED` or `NOT_CHARGING`.
    pub state: String,
}

/// Answer of `GET /vehicles/{id}/charge/limit`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChargeLimit {
    /// From 0 to 1.
    pub limit: f64,
}

/// Answer of `GET /vehicles/{id}/fuel`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fuel {
    /// Liters or gallons.
    pub amount_remaining: Option<f64>,
    /// From 0 to 1.
    pub percent_remaining: Option<f64>,
    /// Kilometers or miles.
    pub range: Option<f64>,
}

/// Answer of `GET /vehicles/{id}/tires/pressure`: kilopascals or pounds per square inch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are the places of the tires")]
pub struct TirePressure {
    pub front_left: Option<f64>,
    pub front_right: Option<f64>,
    pub back_left: Option<f64>,
    pub back_right: Option<f64>,
}

/// Answer of `GET /vehicles/{id}/engine/oil`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineOil {
    /// From 0 to 1.
    pub life_remaining: Option<f64>,
}

/// Answer of `GET /vehicles/{id}/diagnostics/system_status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemStatus {
    /// The systems that the car watches.
    pub systems: Vec<System>,
}

/// One system of a car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct System {
    /// Such as `SYSTEM_TPMS`.
    pub system_id: String,
    /// `OK` or `ALERT`.
    pub status: String,
    /// What the maker says about it.
    pub description: Option<String>,
}

/// Answer of `GET /vehicles/{id}/diagnostics/dtcs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TroubleCodes {
    /// The codes that are active.
    pub active_codes: Vec<TroubleCode>,
}

/// A diagnostic trouble code (SAE J2012).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleCode {
    /// Such as `P302D`.
    pub code: String,
    /// When it was set, ISO 8601.
    pub timestamp: Option<String>,
}

/// One entry of the answer of `GET /vehicles/{id}/service/history`, which is an array.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRecord {
    /// The maker's name of the visit.
    pub service_id: Option<String>,
    /// Kilometers or miles at the time.
    pub odometer_distance: Option<f64>,
    /// ISO 8601.
    pub service_date: Option<String>,
    /// What was done.
    #[serde(default)]
    pub service_tasks: Vec<ServiceTask>,
    /// What else is known.
    #[serde(default)]
    pub service_details: Vec<ServiceDetail>,
    /// What it cost.
    pub service_cost: Option<ServiceCost>,
}

/// A task of a visit to the workshop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceTask {
    /// The maker's name of the task.
    pub task_id: Option<String>,
    /// In words.
    pub task_description: Option<String>,
}

/// A detail of a visit to the workshop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceDetail {
    /// Which one.
    #[serde(rename = "type")]
    pub kind: String,
    /// In words.
    pub value: Option<String>,
}

/// What a visit to the workshop cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceCost {
    /// In units of the currency.
    pub total_cost: Option<f64>,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// Answer of `GET /vehicles/{id}/security`. A maker that reports only the lock leaves the lists
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Security {
    /// `true` if all doors are locked.
    pub is_locked: bool,
    /// Doors: `frontLeft`, `frontRight`, `backLeft`, `backRight`.
    #[serde(default)]
    pub doors: Vec<Part>,
    /// Windows, named as the doors.
    #[serde(default)]
    pub windows: Vec<Part>,
    /// The sunroof.
    #[serde(default)]
    pub sunroof: Vec<Part>,
    /// `front` and `rear`.
    #[serde(default)]
    pub storage: Vec<Part>,
    /// The charging port.
    #[serde(default)]
    pub charging_port: Vec<Part>,
}

/// Something that opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which one.
    #[serde(rename = "type")]
    pub kind: String,
    /// `OPEN`, `CLOSED` or `UNKNOWN`.
    pub status: String,
}

impl Part {
    /// A part that is closed.
    #[must_use]
    pub fn closed(kind: &str) -> Self {
        Self { kind: kind.to_owned(), status: "CLOSED".to_owned() }
    }
}
