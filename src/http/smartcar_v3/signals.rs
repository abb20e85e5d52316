//! Readings as signals of API v3: their codes, names and groups, and how old they are (protocol
//! page, section 5.4).

mod bodies;

#[cfg(test)]
#[path = "signals_test.rs"]
mod tests;

use serde_json::Value;

use super::Failure;
use crate::domain::reading::{Observable, Observation, Reading, SystemStatus};
use crate::domain::time::Timestamp;
use crate::smartcar::v3::SelfLink;
use crate::smartcar::v3::signal::{
    Moment, Signal, SignalAttributes, SignalError, SignalMeta, SignalStatus, code,
};

/// What a signal is called.
#[derive(Clone, Copy)]
struct Kind<'a> {
    code: &'a str,
    name: &'a str,
    group: &'a str,
}

/// The signals that every car may have, and what each is read from.
#[rustfmt::skip]
const ROWS: &[(Kind<'static>, Observable)] = &[
    (Kind { code: code::IS_LOCKED, name: "IsLocked", group: "Closure" }, Observable::LockStatus),
    (Kind { code: code::DOORS, name: "Doors", group: "Closure" }, Observable::LockStatus),
    (Kind { code: code::WINDOWS, name: "Windows", group: "Closure" }, Observable::LockStatus),
    (Kind { code: code::SUNROOF, name: "Sunroof", group: "Closure" }, Observable::LockStatus),
    (Kind { code: code::FRONT_TRUNK, name: "FrontTrunk", group: "Closure" }, Observable::LockStatus),
    (Kind { code: code::REAR_TRUNK, name: "RearTrunk", group: "Closure" }, Observable::LockStatus),
    (Kind { code: code::CHARGE_PORT_FLAP, name: "IsChargingPortFlapOpen", group: "Charge" }, Observable::LockStatus),
    (Kind { code: code::LOCATION, name: "PreciseLocation", group: "Location" }, Observable::Location),
    (Kind { code: code::ODOMETER, name: "TraveledDistance", group: "Odometer" }, Observable::Odometer),
    (Kind { code: code::BATTERY_LEVEL, name: "StateOfCharge", group: "TractionBattery" }, Observable::Battery),
    (Kind { code: code::BATTERY_RANGE, name: "Range", group: "TractionBattery" }, Observable::Battery),
    (Kind { code: code::BATTERY_CAPACITY, name: "NominalCapacity", group: "TractionBattery" }, Observable::NominalCapacity),
    (Kind { code: code::CHARGING_STATUS, name: "DetailedChargingStatus", group: "Charge" }, Observable::Charge),
    (Kind { code: code::CABLE_CONNECTED, name: "IsChargingCableConnected", group: "Charge" }, Observable::Charge),
    (Kind { code: code::CHARGE_LIMITS, name: "ChargeLimits", group: "Charge" }, Observable::ChargeLimit),
    (Kind { code: code::FUEL_LEVEL, name: "FuelLevel", group: "InternalCombustionEngine" }, Observable::Fuel),
    (Kind { code: code::FUEL_AMOUNT, name: "AmountRemaining", group: "InternalCombustionEngine" }, Observable::Fuel),
    (Kind { code: code::FUEL_RANGE, name: "Range", group: "InternalCombustionEngine" }, Observable::Fuel),
    (Kind { code: code::OIL_LIFE, name: "OilLife", group: "InternalCombustionEngine" }, Observable::EngineOil),
    (Kind { code: code::TIRES, name: "Tires", group: "Wheel" }, Observable::TirePressure),
    (Kind { code: code::VIN, name: "VIN", group: "VehicleIdentification" }, Observable::Vin),
    (Kind { code: code::TROUBLE_CODES, name: "DTCList", group: "Diagnostics" }, Observable::TroubleCodes),
    (Kind { code: code::SERVICE_RECORDS, name: "Records", group: "Service" }, Observable::ServiceHistory),
];

/// What a system's name is in the code of its signal, where that is another word.
const SYSTEMS: &[(&str, &str)] = &[("SYSTEM_TPMS", "tirepressuremonitoring")];

/// What a signal is read from.
pub(super) fn observable(code: &str) -> Option<Observable> {
    let listed = ROWS.iter().find(|(kind, _)| kind.code == code).map(|row| row.1);
    let of_system =
        || code.starts_with(code::DIAGNOSTICS_PREFIX).then_some(Observable::SystemStatus);
    listed.or_else(of_system)
}

/// Whether a list of signals says anything of it.
pub(super) fn shows(observable: Observable) -> bool {
    observable != Observable::BatteryCapacity
}

/// The signals of a reading that have a value.
pub(super) fn of(reading: &Reading, vehicle: &str) -> Vec<Signal> {
    let meta = SignalMeta {
        retrieved_at: Some(moment(reading.fetched_at)),
        oem_updated_at: reading.data_age.map(moment),
    };
    if let Observation::SystemStatus(status) = &reading.observation {
        return systems(status, vehicle, &meta);
    }
    let told = ROWS.iter().filter_map(|(kind, _)| {
        let body = bodies::body(kind.code, &reading.observation)?;
        Some(signal(*kind, vehicle, success(), Some(body), meta.clone()))
    });
    told.collect()
}

fn systems(status: &SystemStatus, vehicle: &str, meta: &SignalMeta) -> Vec<Signal> {
    let told = status.systems.iter().map(|system| {
        let id = system.system_id.as_str();
        let name = id.strip_prefix("SYSTEM_").unwrap_or(id);
        let word = SYSTEMS.iter().find(|row| row.0 == id).map(|row| row.1.to_owned());
        let word = word.unwrap_or_else(|| name.to_ascii_lowercase());
        let code = format!("{}{word}", code::DIAGNOSTICS_PREFIX);
        let kind = Kind { code: &code, name, group: "Diagnostics" };
        signal(kind, vehicle, success(), Some(bodies::system(system)), meta.clone())
    });
    told.collect()
}

/// The signals of a reading that failed at `now`. Which systems a car would report is not known.
pub(super) fn failed(
    observable: Observable,
    failure: &Failure,
    vehicle: &str,
    now: Timestamp,
) -> Vec<Signal> {
    let error = failure.list().errors.into_iter().next();
    let error = error.map(|error| SignalError {
        kind: error.kind,
        code: error.code,
        description: error.detail,
    });
    let status = SignalStatus { value: SignalStatus::ERROR.to_owned(), error };
    let meta = SignalMeta { retrieved_at: Some(moment(now)), oem_updated_at: None };
    let rows = ROWS.iter().filter(|row| row.1 == observable);
    rows.map(|(kind, _)| signal(*kind, vehicle, status.clone(), None, meta.clone())).collect()
}

fn moment(at: Timestamp) -> Moment {
    Moment::Millis(at.as_unix_micros() / 1000)
}

fn success() -> SignalStatus {
    SignalStatus { value: SignalStatus::SUCCESS.to_owned(), error: None }
}

fn signal(
    Kind { code, name, group }: Kind<'_>,
    vehicle: &str,
    status: SignalStatus,
    body: Option<Value>,
    meta: SignalMeta,
) -> Signal {
    Signal {
        id: code.to_owned(),
        kind: "signal".to_owned(),
        attributes: SignalAttributes {
            code: code.to_owned(),
            name: name.to_owned(),
            group: group.to_owned(),
            status: Some(status),
            body,
        },
        meta,
        links: Some(SelfLink { itself: format!("/vehicles/{vehicle}/signals/{code}") }),
        relationships: None,
    }
}
