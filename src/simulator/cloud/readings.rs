//! What can be read of a car by API v2.0: which path, which permission, and what the car says. All
//! of it is metric; whoever answers converts it.

use super::car::Car;
use super::car_state::{CarState, Motion, Powertrain};
use crate::domain::time::Timestamp;
use crate::smartcar::permission;
use crate::smartcar::v2::reads::{
    Battery, BatteryCapacity, Charge, ChargeLimit, EngineOil, Fuel, Location, Odometer,
    TirePressure,
};
use crate::smartcar::v2::{Attributes, Part, Security, Vin};

/// A kind of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Attributes,
    Permissions,
    Vin,
    Location,
    Odometer,
    Battery,
    BatteryCapacity,
    NominalCapacity,
    Charge,
    ChargeLimit,
    Fuel,
    TirePressure,
    EngineOil,
    Security,
    SystemStatus,
    TroubleCodes,
    ServiceHistory,
}

impl Reading {
    pub(crate) const ALL: &'static [Self] = &[
        Self::Attributes,
        Self::Permissions,
        Self::Vin,
        Self::Location,
        Self::Odometer,
        Self::Battery,
        Self::BatteryCapacity,
        Self::NominalCapacity,
        Self::Charge,
        Self::ChargeLimit,
        Self::Fuel,
        Self::TirePressure,
        Self::EngineOil,
        Self::Security,
        Self::SystemStatus,
        Self::TroubleCodes,
        Self::ServiceHistory,
    ];

    /// The path below the car.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Attributes => "",
            Self::Permissions => "/permissions",
            Self::Vin => "/vin",
            Self::Location => "/location",
            Self::Odometer => "/odometer",
            Self::Battery => "/battery",
            Self::BatteryCapacity => "/battery/capacity",
            Self::NominalCapacity => "/battery/nominal_capacity",
            Self::Charge => "/charge",
            Self::ChargeLimit => "/charge/limit",
            Self::Fuel => "/fuel",
            Self::TirePressure => "/tires/pressure",
            Self::EngineOil => "/engine/oil",
            Self::Security => "/security",
            Self::SystemStatus => "/diagnostics/system_status",
            Self::TroubleCodes => "/diagnostics/dtcs",
            Self::ServiceHistory => "/service/history",
        }
    }

    /// The reading at a path, with or without a slash at its end.
    pub(crate) fn find(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Self::ALL.iter().copied().find(|reading| reading.path() == path)
    }

    /// The permission it needs; `None`: the consent for the car is enough.
    pub(crate) const fn permission(self) -> Option<&'static str> {
        Some(match self {
            Self::Permissions => return None,
            Self::Attributes => permission::READ_VEHICLE_INFO,
            Self::Vin => permission::READ_VIN,
            Self::Location => permission::READ_LOCATION,
            Self::Odometer => permission::READ_ODOMETER,
            Self::Battery | Self::BatteryCapacity | Self::NominalCapacity => "read_battery",
            Self::Charge | Self::ChargeLimit => "read_charge",
            Self::Fuel => "read_fuel",
            Self::TirePressure => "read_tires",
            Self::EngineOil => "read_engine_oil",
            Self::Security => permission::READ_SECURITY,
            Self::SystemStatus | Self::TroubleCodes => "read_diagnostics",
            Self::ServiceHistory => "read_service_history",
        })
    }

    /// Whether a car with this powertrain has what is read.
    pub(crate) const fn is_had_by(self, powertrain: Powertrain) -> bool {
        match self {
            Self::Battery
            | Self::BatteryCapacity
            | Self::NominalCapacity
            | Self::Charge
            | Self::ChargeLimit => powertrain.has_battery(),
            Self::Fuel | Self::EngineOil => powertrain.has_engine(),
            _ => true,
        }
    }

    /// When what is read was last changed, as the car tells.
    pub(crate) fn changed_at(self, state: &CarState) -> Timestamp {
        match self {
            Self::Security => state.lock_changed_at,
            _ => state.changed_at,
        }
    }
}

/// Numbers as a maker's cloud rounds them.
pub(super) fn rounded(number: f64, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    (number * factor).round() / factor
}

impl Car {
    pub(crate) fn attributes(&self) -> Attributes {
        Attributes {
            id: self.id.to_string(),
            make: self.make.clone(),
            model: self.model.clone(),
            year: self.year,
        }
    }

    pub(crate) fn vin(&self) -> Vin {
        Vin { vin: self.vin.clone() }
    }
}

impl CarState {
    pub(crate) fn location(&self) -> Location {
        Location { latitude: rounded(self.latitude, 6), longitude: rounded(self.longitude, 6) }
    }

    pub(crate) fn odometer(&self) -> Odometer {
        Odometer { distance: rounded(self.odometer_km, 2) }
    }

    pub(crate) fn battery(&self) -> Battery {
        Battery {
            percent_remaining: Some(rounded(self.battery.level, 4)),
            range: Some(rounded(self.battery.range_km(), 2)),
        }
    }

    pub(crate) const fn battery_capacity(&self) -> BatteryCapacity {
        BatteryCapacity { capacity: Some(self.battery.capacity) }
    }

    pub(crate) fn charge(&self) -> Charge {
        let state = match (self.is_charging, self.is_full()) {
            (true, _) => "CHARGING",
            (false, true) => "FULLY_CHARGED",
            (false, false) => "NOT_CHARGING",
        };
        Charge { is_plugged_in: Some(self.is_plugged_in), state: state.to_owned() }
    }

    pub(crate) const fn limit(&self) -> ChargeLimit {
        ChargeLimit { limit: self.charge_limit }
    }

    pub(crate) fn fuel(&self) -> Fuel {
        Fuel {
            amount_remaining: Some(rounded(self.fuel.level * self.fuel.capacity, 2)),
            percent_remaining: Some(rounded(self.fuel.level, 4)),
            range: Some(rounded(self.fuel.range_km(), 2)),
        }
    }

    pub(crate) const fn tire_pressure(&self) -> TirePressure {
        let [front_left, front_right, back_left, back_right] = self.tires_kpa;
        TirePressure {
            front_left: Some(front_left),
            front_right: Some(front_right),
            back_left: Some(back_left),
            back_right: Some(back_right),
        }
    }

    pub(crate) fn engine_oil(&self) -> EngineOil {
        EngineOil { life_remaining: Some(rounded(self.oil_life, 4)) }
    }

    /// Everything that opens is closed; only the lock ever changes.
    pub(crate) fn security(&self) -> Security {
        let corners = ["frontLeft", "frontRight", "backLeft", "backRight"].map(Part::closed);
        Security {
            is_locked: self.is_locked,
            doors: corners.to_vec(),
            windows: corners.to_vec(),
            sunroof: vec![Part::closed("sunroof")],
            storage: ["front", "rear"].map(Part::closed).to_vec(),
            charging_port: vec![Part::closed("chargingPort")],
        }
    }

    pub(crate) fn is_driving(&self) -> bool {
        self.motion == Motion::Driving
    }
}
