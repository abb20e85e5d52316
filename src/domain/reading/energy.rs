//! Battery, charging and fuel.

/// The level and range of the battery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Battery {
    /// From 0 to 1.
    pub level: Option<f64>,
    /// Kilometers.
    pub range_km: Option<f64>,
}

/// The capacity of the battery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatteryCapacity {
    /// Kilowatt-hours.
    pub capacity_kwh: Option<f64>,
}

/// The capacities that cars of a kind were sold with, and the one of this car if it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct NominalCapacity {
    /// All of them.
    pub available_capacities: Vec<AvailableCapacity>,
    /// The one of this car.
    pub capacity: Option<RatedCapacity>,
    /// The page on which the owner can choose one.
    pub url: Option<String>,
}

/// A capacity that cars of a kind were sold with.
#[derive(Debug, Clone, PartialEq)]
pub struct AvailableCapacity {
    /// Kilowatt-hours.
    pub capacity_kwh: f64,
    /// The variant's name.
    pub description: Option<String>,
}

/// The capacity of one car.
#[derive(Debug, Clone, PartialEq)]
pub struct RatedCapacity {
    /// Kilowatt-hours.
    pub nominal_kwh: f64,
    /// `USER_SELECTED` or `SMARTCAR`.
    pub source: String,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Whether a cable is connected.
    pub is_plugged_in: Option<bool>,
    /// What the battery is doing.
    pub state: ChargeState,
}

/// The level at which charging ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObservedLimit {
    /// From 0 to 1.
    pub limit: f64,
}

/// What is in the tank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fuel {
    /// Liters.
    pub amount_l: Option<f64>,
    /// From 0 to 1.
    pub level: Option<f64>,
    /// Kilometers.
    pub range_km: Option<f64>,
}
