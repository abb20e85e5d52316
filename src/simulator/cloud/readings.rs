//! What can be read of a car by API v2.0: which path, which permission, and what the car says. What a
//! car says is metric until the table below puts it into the units of the request.

use serde::Serialize;
use serde_json::{Value, json};

use super::car::Car;
use super::car_state::{CarState, Motion, Powertrain};
use crate::domain::time::Timestamp;
use crate::smartcar::permission;
use crate::smartcar::v2::reads::{
    Battery, BatteryCapacity, Charge, ChargeLimit, EngineOil, Fuel, Location, Odometer,
    TirePressure,
};
use crate::smartcar::v2::{Attributes, InUnits, Part, Security, UnitSystem, Vin};

/// One line for each reading: its path, the permission that it needs, which cars have it, and what
/// such a car says; nothing where that depends on the request.
macro_rules! readings {
    ($($reading:ident at $path:literal needs $permission:expr, $had_by:expr => $said:expr;)*) => {
        /// A kind of reading.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Readable { $($reading,)* }

        impl Readable {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$reading,)*];

            /// The path below the car.
            pub(crate) const fn path(self) -> &'static str {
                match self { $(Self::$reading => $path,)* }
            }

            /// The permission it needs; `None`: the consent for the car is enough.
            pub(crate) const fn permission(self) -> Option<&'static str> {
                match self { $(Self::$reading => $permission,)* }
            }

            /// Whether a car with this powertrain has what is read.
            pub(crate) fn is_had_by(self, powertrain: Powertrain) -> bool {
                let had_by: fn(Powertrain) -> bool = match self { $(Self::$reading => $had_by,)* };
                had_by(powertrain)
            }

            /// What the car says, in these units; `null` where that depends on the request.
            pub(crate) fn said(self, car: &Car, state: &CarState, units: UnitSystem) -> Value {
                let said: Said = match self { $(Self::$reading => $said,)* };
                said(car, state, units)
            }
        }
    };
}

type Said = fn(&Car, &CarState, UnitSystem) -> Value;

fn body(body: impl Serialize) -> Value {
    json!(body)
}

const fn all(_: Powertrain) -> bool {
    true
}

const BATTERY: fn(Powertrain) -> bool = Powertrain::has_battery;
const ENGINE: fn(Powertrain) -> bool = Powertrain::has_engine;

#[rustfmt::skip]
readings! {
    Attributes at "" needs Some(permission::READ_VEHICLE_INFO), all => |car, _, _| body(car.attributes());
    Permissions at "/permissions" needs None, all => |_, _, _| Value::Null;
    Vin at "/vin" needs Some(permission::READ_VIN), all => |car, _, _| body(car.vin());
    Location at "/location" needs Some(permission::READ_LOCATION), all => |_, s, _| body(s.location());
    Odometer at "/odometer" needs Some(permission::READ_ODOMETER), all => |_, s, units| body(s.odometer().in_units(units));
    Battery at "/battery" needs Some("read_battery"), BATTERY => |_, s, units| body(s.battery().in_units(units));
    BatteryCapacity at "/battery/capacity" needs Some("read_battery"), BATTERY => |_, s, _| body(s.battery_capacity());
    NominalCapacity at "/battery/nominal_capacity" needs Some("read_battery"), BATTERY => |car, s, _| body(car.nominal_capacity(s));
    Charge at "/charge" needs Some("read_charge"), BATTERY => |_, s, _| body(s.charge());
    ChargeLimit at "/charge/limit" needs Some("read_charge"), BATTERY => |_, s, _| body(s.limit());
    Fuel at "/fuel" needs Some("read_fuel"), ENGINE => |_, s, units| body(s.fuel().in_units(units));
    TirePressure at "/tires/pressure" needs Some("read_tires"), all => |_, s, units| body(s.tire_pressure().in_units(units));
    EngineOil at "/engine/oil" needs Some("read_engine_oil"), ENGINE => |_, s, _| body(s.engine_oil());
    Security at "/security" needs Some(permission::READ_SECURITY), all => |_, s, _| body(s.security());
    SystemStatus at "/diagnostics/system_status" needs Some("read_diagnostics"), all => |_, s, _| body(s.system_status());
    TroubleCodes at "/diagnostics/dtcs" needs Some("read_diagnostics"), all => |car, s, _| body(car.trouble_codes(s));
    ServiceHistory at "/service/history" needs Some("read_service_history"), all => |_, _, _| Value::Null;
}

impl Readable {
    /// The reading at a path, with or without a slash at its end.
    pub(crate) fn find(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Self::ALL.iter().copied().find(|reading| reading.path() == path)
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
