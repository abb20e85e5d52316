//! Battery, charging and fuel.

use serde::Serialize;
use utoipa::ToSchema;

/// The level and range of the battery.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Battery {
    /// From 0 to 1.
    pub level: Option<f64>,
    /// Kilometers.
    pub range_km: Option<f64>,
}

/// The capacity of the battery.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct BatteryCapacity {
    /// Kilowatt-hours.
    pub capacity_kwh: Option<f64>,
}

/// The capacities that cars of a kind were sold with, and the one of this car if it is known:
/// `nominal_kwh` and `source` are both given or both `null`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NominalCapacity {
    /// All of them.
    pub available_capacities: Vec<AvailableCapacity>,
    /// Kilowatt-hours of this car.
    pub nominal_kwh: Option<f64>,
    /// Who says so: `user_selected` or `smartcar`.
    pub source: Option<String>,
    /// The page on which the owner can choose one.
    pub url: Option<String>,
}

/// A capacity that cars of a kind were sold with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AvailableCapacity {
    /// Kilowatt-hours.
    pub capacity_kwh: f64,
    /// The variant's name.
    pub description: Option<String>,
}

words! {
    /// What a battery is doing.
    ChargeState {
        /// It charges.
        Charging = "charging",
        /// It is full, or at its limit.
        FullyCharged = "fully_charged",
        /// It does not charge.
        NotCharging = "not_charging",
    }
}

/// Whether a car charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Charge {
    /// Whether a cable is connected.
    pub is_plugged_in: Option<bool>,
    /// What the battery is doing: `charging`, `fully_charged` or `not_charging`.
    #[schema(value_type = String)]
    pub state: ChargeState,
}

/// The level at which charging ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct ObservedLimit {
    /// From 0 to 1.
    pub limit: f64,
}

/// What is in the tank.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Fuel {
    /// Liters.
    pub amount_l: Option<f64>,
    /// From 0 to 1.
    pub level: Option<f64>,
    /// Kilometers.
    pub range_km: Option<f64>,
}
