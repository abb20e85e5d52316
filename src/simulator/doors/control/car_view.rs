//! A car as `GET /_sim/vehicles` shows it: everything at once, in the words and metric units of API
//! v2.0. It asks nobody for permission.

use serde::Serialize;

use crate::domain::time::Timestamp;
use crate::simulator::cloud::car::Car;
use crate::simulator::cloud::car_state::Powertrain;
use crate::smartcar::v2::reads::{
    Battery, BatteryCapacity, Charge, ChargeLimit, EngineOil, Fuel, Location, Odometer,
    TirePressure,
};

/// A car; what it does not have is `null`.
#[derive(Debug, Serialize)]
pub(super) struct CarView<'a> {
    id: &'a str,
    make: &'a str,
    model: &'a str,
    year: i32,
    vin: &'a str,
    is_locked: bool,
    is_driving: bool,
    powertrain: Powertrain,
    location: Location,
    odometer: Odometer,
    battery: Option<Battery>,
    battery_capacity: Option<BatteryCapacity>,
    charge: Option<Charge>,
    charge_limit: Option<ChargeLimit>,
    fuel: Option<Fuel>,
    tire_pressure: TirePressure,
    engine_oil: Option<EngineOil>,
}

impl<'a> CarView<'a> {
    /// The car at a time.
    pub(super) fn of(car: &'a Car, at: Timestamp) -> Self {
        let state = car.state_at(at);
        let powertrain = state.powertrain;
        let (battery, engine) = (powertrain.has_battery(), powertrain.has_engine());
        Self {
            id: &car.id,
            make: &car.make,
            model: &car.model,
            year: car.year,
            vin: &car.vin,
            is_locked: state.is_locked,
            is_driving: state.is_driving(),
            powertrain,
            location: state.location(),
            odometer: state.odometer(),
            battery: battery.then(|| state.battery()),
            battery_capacity: battery.then(|| state.battery_capacity()),
            charge: battery.then(|| state.charge()),
            charge_limit: battery.then(|| state.limit()),
            fuel: engine.then(|| state.fuel()),
            tire_pressure: state.tire_pressure(),
            engine_oil: engine.then(|| state.engine_oil()),
        }
    }
}
