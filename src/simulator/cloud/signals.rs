//! A car in signals: metric, percentages from 0 to 100, units in the body. Each signal belongs to
//! a reading of API v2.0, whose permission it needs and with which a car has it or not.

use serde::Serialize;
use serde_json::{Value, json};

use super::car::Car;
use super::car_state::CarState;
use super::readings::{Readable, rounded};
use crate::domain::time::Timestamp;
use crate::smartcar::v3::signal::{
    CapacityBody, ChargeLimitsBody, Closure, ConfiguredLimit, LocationBody, Moment, NumberBody,
    OpeningBody, PlacesBody, RelatedVehicle, SignalAttributes, SignalError, SignalMeta,
    SignalRelationships, SignalStatus, ValueBody, Wheel, code,
};
use crate::smartcar::v3::{Reference, SelfLink, Signal};
use crate::smartcar::{ErrorBody, ErrorKind};

/// The places of doors, windows and wheels, as row and column.
const CORNERS: [(u32, u32); 4] = [(0, 0), (0, 1), (1, 0), (1, 1)];

/// A signal that cars have.
#[derive(Clone, Copy)]
pub(crate) struct SignalKind {
    code: &'static str,
    name: &'static str,
    group: &'static str,
    pub(crate) reading: Readable,
    body: fn(&Car, &CarState) -> Value,
}

const fn kind(
    code: &'static str,
    name: &'static str,
    group: &'static str,
    reading: Readable,
    body: fn(&Car, &CarState) -> Value,
) -> SignalKind {
    SignalKind { code, name, group, reading, body }
}

#[rustfmt::skip]
const ALL: &[SignalKind] = &[
    kind(code::IS_LOCKED, "IsLocked", "Closure", Readable::Security, |_, s| value(s.is_locked)),
    kind(code::DOORS, "Doors", "Closure", Readable::Security, |_, s| closures(Some(s.is_locked))),
    kind(code::WINDOWS, "Windows", "Closure", Readable::Security, |_, _| closures(None)),
    kind(code::SUNROOF, "Sunroof", "Closure", Readable::Security, |_, _| closed()),
    kind(code::FRONT_TRUNK, "FrontTrunk", "Closure", Readable::Security, |_, _| closed()),
    kind(code::REAR_TRUNK, "RearTrunk", "Closure", Readable::Security, |_, _| closed()),
    kind(code::CHARGE_PORT_FLAP, "IsChargingPortFlapOpen", "Charge", Readable::Security, |_, _| value(false)),
    kind(code::LOCATION, "PreciseLocation", "Location", Readable::Location, |_, s| location(s)),
    kind(code::ODOMETER, "TraveledDistance", "Odometer", Readable::Odometer, |_, s| number("km", s.odometer_km)),
    kind(code::BATTERY_LEVEL, "StateOfCharge", "TractionBattery", Readable::Battery, |_, s| percent(s.battery.level)),
    kind(code::BATTERY_RANGE, "Range", "TractionBattery", Readable::Battery, |_, s| number("km", s.battery.range_km())),
    kind(code::BATTERY_CAPACITY, "NominalCapacity", "TractionBattery", Readable::NominalCapacity, capacity),
    kind(code::CABLE_CONNECTED, "IsChargingCableConnected", "Charge", Readable::Charge, |_, s| value(s.is_plugged_in)),
    kind(code::CHARGING_STATUS, "DetailedChargingStatus", "Charge", Readable::Charge, |_, s| value(s.charge().state)),
    kind(code::CHARGE_LIMITS, "ChargeLimits", "Charge", Readable::ChargeLimit, |_, s| limits(s)),
    kind(code::FUEL_LEVEL, "FuelLevel", "InternalCombustionEngine", Readable::Fuel, |_, s| percent(s.fuel.level)),
    kind(code::FUEL_AMOUNT, "AmountRemaining", "InternalCombustionEngine", Readable::Fuel, |_, s| number("l", s.fuel.level * s.fuel.capacity)),
    kind(code::FUEL_RANGE, "Range", "InternalCombustionEngine", Readable::Fuel, |_, s| number("km", s.fuel.range_km())),
    kind(code::OIL_LIFE, "OilLife", "InternalCombustionEngine", Readable::EngineOil, |_, s| percent(s.oil_life)),
    kind(code::TIRES, "Tires", "Wheel", Readable::TirePressure, |_, s| tires(s)),
    kind(code::VIN, "VIN", "VehicleIdentification", Readable::Vin, |car, _| value(&car.vin)),
    kind(code::TROUBLE_CODES, "DTCList", "Diagnostics", Readable::TroubleCodes, trouble_codes),
    kind(code::SERVICE_RECORDS, "Records", "Service", Readable::ServiceHistory, records),
    kind("diagnostics-abs", "ABS", "Diagnostics", Readable::SystemStatus, |_, s| system(s, "SYSTEM_ABS")),
    kind("diagnostics-airbag", "Airbag", "Diagnostics", Readable::SystemStatus, |_, s| system(s, "SYSTEM_AIRBAG")),
    kind("diagnostics-mil", "MIL", "Diagnostics", Readable::SystemStatus, |_, s| system(s, "SYSTEM_MIL")),
    kind("diagnostics-tirepressuremonitoring", "TirePressureMonitoring", "Diagnostics", Readable::SystemStatus, |_, s| system(s, "SYSTEM_TPMS")),
];

/// The signal with this code.
pub(crate) fn find(code: &str) -> Option<SignalKind> {
    ALL.iter().copied().find(|kind| kind.code == code)
}

/// Every signal of a car; what cannot be read, or was not given, says why in its status.
pub(crate) fn all(
    car: &Car,
    state: &CarState,
    now: Timestamp,
    is_given: impl Fn(Option<&'static str>) -> bool,
) -> Vec<Signal> {
    let refused = |kind: &SignalKind| match is_given(kind.reading.permission()) {
        true => kind.refused(state),
        false => Some(ErrorKind::Permission),
    };
    ALL.iter().map(|kind| kind.read(car, state, now, refused(kind))).collect()
}

impl SignalKind {
    /// Why a car in this state does not have it.
    pub(crate) fn refused(&self, state: &CarState) -> Option<ErrorKind> {
        let is_had = self.reading.is_had_by(state.powertrain);
        (!is_had).then_some(ErrorKind::CompatibilityVehicleNotCapable)
    }

    /// The signal, or why there is none.
    pub(crate) fn read(
        &self,
        car: &Car,
        state: &CarState,
        now: Timestamp,
        refused: Option<ErrorKind>,
    ) -> Signal {
        let status = match refused {
            None => SignalStatus { value: SignalStatus::SUCCESS.to_owned(), error: None },
            Some(kind) => {
                SignalStatus { value: SignalStatus::ERROR.to_owned(), error: Some(error(kind)) }
            }
        };
        let moment = |at: Timestamp| Some(Moment::Millis(at.as_unix_micros() / 1000));
        let changed_at = moment(self.reading.changed_at(state));
        let vehicle = Reference { id: car.id.to_string(), kind: "vehicle".to_owned() };
        Signal {
            id: self.code.to_owned(),
            kind: "signal".to_owned(),
            attributes: SignalAttributes {
                code: self.code.to_owned(),
                name: self.name.to_owned(),
                group: self.group.to_owned(),
                body: refused.is_none().then(|| (self.body)(car, state)),
                status: Some(status),
            },
            meta: SignalMeta {
                retrieved_at: moment(now),
                oem_updated_at: changed_at.filter(|_| refused.is_none()),
            },
            links: Some(SelfLink { itself: format!("/vehicles/{}/signals/{}", car.id, self.code) }),
            relationships: Some(SignalRelationships { vehicle: RelatedVehicle { data: vehicle } }),
        }
    }
}

fn error(kind: ErrorKind) -> SignalError {
    let ErrorBody { error_type, code, description, .. } = ErrorBody::new(kind, "");
    SignalError { kind: error_type, code, description: Some(description) }
}

fn value(value: impl Serialize) -> Value {
    json!(ValueBody { value })
}

fn number(unit: &str, number: f64) -> Value {
    json!(NumberBody { unit: Some(unit.to_owned()), value: Some(rounded(number, 2)) })
}

fn percent(level: f64) -> Value {
    number("percent", level * 100.0)
}

fn closed() -> Value {
    json!(OpeningBody { is_open: Some(false) })
}

fn places<P: Serialize>(values: Vec<P>, unit: Option<&str>) -> Value {
    let (row_count, column_count) = (Some(2), Some(2));
    json!(PlacesBody { values, row_count, column_count, unit: unit.map(str::to_owned) })
}

fn closures(is_locked: Option<bool>) -> Value {
    let closure = |(row, column)| Closure { row, column, is_open: Some(false), is_locked };
    places(CORNERS.map(closure).to_vec(), None)
}

fn tires(state: &CarState) -> Value {
    let wheels = CORNERS.into_iter().zip(state.tires_kpa);
    let wheel = |((row, column), kpa)| Wheel { row, column, tire_pressure: Some(kpa) };
    places(wheels.map(wheel).collect(), Some("kPa"))
}

fn location(state: &CarState) -> Value {
    let at = state.location();
    let is_driving = state.is_driving();
    json!(LocationBody {
        latitude: at.latitude,
        longitude: at.longitude,
        heading: is_driving.then_some(state.heading),
        location_type: Some(if is_driving { "CURRENT" } else { "LAST_PARKED" }.to_owned()),
    })
}

fn capacity(car: &Car, state: &CarState) -> Value {
    let known = car.nominal_capacity(state);
    json!(CapacityBody {
        capacity: known.capacity.as_ref().map(|rated| rated.nominal),
        source: known.capacity.map(|rated| rated.source),
        available_capacities: known.available_capacities,
        unit: Some("kWh".to_owned()),
    })
}

fn limits(state: &CarState) -> Value {
    let limit = Some(rounded(state.charge_limit * 100.0, 2));
    json!(ChargeLimitsBody {
        values: vec![ConfiguredLimit { kind: "global".to_owned(), limit, condition: None }],
        active_limit: limit.filter(|_| state.is_plugged_in),
        unit: Some("percent".to_owned()),
    })
}

fn system(state: &CarState, id: &str) -> Value {
    let system = state.system(id);
    json!({ "status": system.status, "description": system.description })
}

fn trouble_codes(car: &Car, state: &CarState) -> Value {
    json!({ "values": car.trouble_codes(state).active_codes })
}

fn records(car: &Car, _: &CarState) -> Value {
    json!({ "values": car.service_history(None, None) })
}
