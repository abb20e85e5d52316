//! What can be read from a car, in metric units and with the age of the knowledge. Shares of a
//! whole are from 0 to 1. A number that the maker does not report is `None`.

use crate::domain::entitlement::Entitlement;
use crate::domain::time::Timestamp;

mod condition;
mod energy;

pub use condition::{
    ServiceHistory, ServiceRecord, ServiceTask, SystemCondition, SystemStatus, TroubleCode,
    TroubleCodes,
};
pub use energy::{
    AvailableCapacity, Battery, BatteryCapacity, Charge, ChargeState, Fuel, NominalCapacity,
    ObservedLimit, RatedCapacity,
};

words! {
    /// One thing that can be read from a car.
    Observable {
        /// Make, model and year.
        Attributes = "attributes",
        /// The vehicle identification number.
        Vin = "vin",
        /// Where it is.
        Location = "location",
        /// How far it was ever driven.
        Odometer = "odometer",
        /// The level and range of the battery.
        Battery = "battery",
        /// The capacity of the battery.
        BatteryCapacity = "battery_capacity",
        /// The capacities that cars of its kind were sold with.
        NominalCapacity = "nominal_capacity",
        /// Whether it charges.
        Charge = "charge",
        /// The level at which charging ends.
        ChargeLimit = "charge_limit",
        /// What is in the tank.
        Fuel = "fuel",
        /// The pressure of the tires.
        TirePressure = "tire_pressure",
        /// The life of the engine oil.
        EngineOil = "engine_oil",
        /// Whether it is locked, and what is open.
        LockStatus = "lock_status",
        /// The systems that the car watches.
        SystemStatus = "system_status",
        /// Diagnostic trouble codes.
        TroubleCodes = "trouble_codes",
        /// Visits to the workshop.
        ServiceHistory = "service_history",
    }
}

impl Observable {
    /// What a grant must allow for it.
    #[must_use]
    pub const fn entitlement(self) -> Entitlement {
        match self {
            Self::Attributes => Entitlement::ReadAttributes,
            Self::Vin => Entitlement::ReadVin,
            Self::Location => Entitlement::ReadLocation,
            Self::Odometer => Entitlement::ReadOdometer,
            Self::Battery | Self::BatteryCapacity | Self::NominalCapacity => {
                Entitlement::ReadBattery
            }
            Self::Charge | Self::ChargeLimit => Entitlement::ReadCharge,
            Self::Fuel => Entitlement::ReadFuel,
            Self::TirePressure => Entitlement::ReadTires,
            Self::EngineOil => Entitlement::ReadEngineOil,
            Self::LockStatus => Entitlement::ReadLockStatus,
            Self::SystemStatus | Self::TroubleCodes => Entitlement::ReadDiagnostics,
            Self::ServiceHistory => Entitlement::ReadServiceHistory,
        }
    }
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants are those of `Observable`")]
pub enum Observation {
    Attributes(Attributes),
    Vin(Vin),
    Location(Coordinates),
    Odometer(Odometer),
    Battery(Battery),
    BatteryCapacity(BatteryCapacity),
    NominalCapacity(NominalCapacity),
    Charge(Charge),
    ChargeLimit(ObservedLimit),
    Fuel(Fuel),
    TirePressure(TirePressure),
    EngineOil(EngineOil),
    LockStatus(LockStatus),
    SystemStatus(SystemStatus),
    TroubleCodes(TroubleCodes),
    ServiceHistory(ServiceHistory),
}

/// What was read, and how old it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What was read.
    pub observation: Observation,
    /// When the car reported it, if the cloud knows.
    pub data_age: Option<Timestamp>,
    /// When it was fetched from the car's maker, as far as the cloud tells; otherwise when the
    /// cloud answered.
    pub fetched_at: Timestamp,
}

/// What the cloud says a car is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The maker, upper case.
    pub make: String,
    /// The model's name.
    pub model: String,
    /// The model year.
    pub year: i32,
}

/// A vehicle identification number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vin {
    /// Seventeen characters.
    pub vin: String,
}

/// A place on earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
}

impl Coordinates {
    /// A place; `None` unless the latitude is from -90 to 90 and the longitude from -180 to 180.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        on_earth.then_some(Self { latitude, longitude })
    }

    /// Degrees, positive to the north.
    #[must_use]
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees, positive to the east.
    #[must_use]
    pub const fn longitude(self) -> f64 {
        self.longitude
    }
}

/// How far a car was ever driven.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Odometer {
    /// Kilometers.
    pub distance_km: f64,
}

/// The pressure of the tires, in kilopascals.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the fields are the places of the tires")]
pub struct TirePressure {
    pub front_left_kpa: Option<f64>,
    pub front_right_kpa: Option<f64>,
    pub back_left_kpa: Option<f64>,
    pub back_right_kpa: Option<f64>,
}

/// The life of the engine oil.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EngineOil {
    /// What is left of it, from 0 to 1.
    pub life_remaining: Option<f64>,
}

/// Whether a car is locked, and what of it is open. A maker that reports only the lock leaves the
/// lists empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockStatus {
    /// `true` if all doors are locked.
    pub is_locked: bool,
    /// Doors.
    pub doors: Vec<Opening>,
    /// Windows.
    pub windows: Vec<Opening>,
    /// Sunroof.
    pub sunroof: Vec<Opening>,
    /// Trunk and front trunk.
    pub storage: Vec<Opening>,
    /// Charging port.
    pub charging_port: Vec<Opening>,
}

/// One door, window or lid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its place, such as `frontLeft`.
    pub place: String,
    /// `OPEN`, `CLOSED` or `UNKNOWN`.
    pub status: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_on_earth() {
        for (latitude, longitude) in [(-90.0, -180.0), (90.0, 180.0), (48.5, 11.25)] {
            let place = Coordinates::new(latitude, longitude).unwrap();
            assert_eq!((place.latitude(), place.longitude()), (latitude, longitude));
        }
        for (latitude, longitude) in [(90.1, 0.0), (-90.1, 0.0), (0.0, 180.1), (0.0, -180.1)] {
            assert_eq!(Coordinates::new(latitude, longitude), None);
        }
        assert_eq!(Coordinates::new(f64::NAN, 0.0), None);
        assert_eq!(Coordinates::new(0.0, f64::NAN), None);
    }
}
