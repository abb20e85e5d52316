//! Observations as signals of API v3: percentages from 0 to 100, metric units in the body, places as
//! rows and columns (protocol page, section 5.4).

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::reading::{LockStatus, Observable, Observation, Opening, Reading, TirePressure};
use crate::domain::time::Timestamp;
use crate::http::smartcar_v2::service_record;
use crate::smartcar::ErrorKind;
use crate::smartcar::v3::SelfLink;
use crate::smartcar::v3::signal::{
    Moment, Signal, SignalAttributes, SignalError, SignalMeta, SignalStatus, code,
};

/// A signal's code, its name and group, and what it is read from.
type Row = (&'static str, &'static str, &'static str, Observable);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (code::IS_LOCKED, "IsLocked", "Closure", Observable::LockStatus),
    (code::DOORS, "Doors", "Closure", Observable::LockStatus),
    (code::WINDOWS, "Windows", "Closure", Observable::LockStatus),
    (code::SUNROOF, "Sunroof", "Closure", Observable::LockStatus),
    (code::FRONT_TRUNK, "FrontTrunk", "Closure", Observable::LockStatus),
    (code::REAR_TRUNK, "RearTrunk", "Closure", Observable::LockStatus),
    (code::LOCATION, "PreciseLocation", "Location", Observable::Location),
    (code::ODOMETER, "TraveledDistance", "Odometer", Observable::Odometer),
    (code::BATTERY_LEVEL, "StateOfCharge", "TractionBattery", Observable::Battery),
    (code::BATTERY_RANGE, "Range", "TractionBattery", Observable::Battery),
    (code::BATTERY_CAPACITY, "NominalCapacity", "TractionBattery", Observable::NominalCapacity),
    (code::CHARGING_STATUS, "DetailedChargingStatus", "Charge", Observable::Charge),
    (code::CABLE_CONNECTED, "IsChargingCableConnected", "Charge", Observable::Charge),
    (code::CHARGE_LIMITS, "ChargeLimits", "Charge", Observable::ChargeLimit),
    (code::FUEL_LEVEL, "FuelLevel", "InternalCombustionEngine", Observable::Fuel),
    (code::FUEL_AMOUNT, "AmountRemaining", "InternalCombustionEngine", Observable::Fuel),
    (code::FUEL_RANGE, "Range", "InternalCombustionEngine", Observable::Fuel),
    (code::OIL_LIFE, "OilLife", "InternalCombustionEngine", Observable::EngineOil),
    (code::TIRES, "Tires", "Wheel", Observable::TirePressure),
    (code::VIN, "VIN", "VehicleIdentification", Observable::Vin),
    (code::TROUBLE_CODES, "DTCList", "Diagnostics", Observable::TroubleCodes),
    (code::SERVICE_RECORDS, "Records", "Service", Observable::ServiceHistory),
];

/// What a signal is read from.
pub(super) fn observable(code: &str) -> Option<Observable> {
    ROWS.iter().find(|row| row.0 == code).map(|row| row.3)
}

/// The signals of a reading that have a value.
pub(super) fn of(reading: &Reading, vehicle: &str) -> Vec<Signal> {
    let moment = |at: Timestamp| Moment::Millis(at.as_unix_micros() / 1000);
    let meta = SignalMeta {
        retrieved_at: Some(moment(reading.fetched_at)),
        oem_updated_at: reading.data_age.map(moment),
    };
    ROWS.iter()
        .filter_map(|row| {
            let body = body(row.0, &reading.observation)?;
            let status = SignalStatus { value: SignalStatus::SUCCESS.to_owned(), error: None };
            Some(signal(row, vehicle, status, Some(body), meta.clone()))
        })
        .collect()
}

/// The signals of a reading that failed.
pub(super) fn failed(observable: Observable, kind: ErrorKind, vehicle: &str) -> Vec<Signal> {
    let error = SignalError {
        kind: kind.error_type().to_owned(),
        code: kind.code().map(str::to_owned),
        description: Some(kind.description().to_owned()),
    };
    let status = SignalStatus { value: SignalStatus::ERROR.to_owned(), error: Some(error) };
    let rows = ROWS.iter().filter(|row| row.3 == observable);
    rows.map(|row| signal(row, vehicle, status.clone(), None, SignalMeta::default())).collect()
}

fn signal(
    &(code, name, group, _): &Row,
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
        links: Some(SelfLink { itself: format!("/v3/vehicles/{vehicle}/signals/{code}") }),
        relationships: None,
    }
}

/// The body of a signal; `None` if the observation is about something else, or has no such value.
fn body(signal: &str, observation: &Observation) -> Option<Value> {
    match observation {
        Observation::Attributes(_) | Observation::BatteryCapacity(_) => None,
        Observation::SystemStatus(_) => None,
        Observation::Vin(vin) => (signal == code::VIN).then(|| value(&vin.vin)),
        Observation::Location(place) => (signal == code::LOCATION)
            .then(|| json!({ "latitude": place.latitude(), "longitude": place.longitude() })),
        Observation::Odometer(odometer) => {
            (signal == code::ODOMETER).then(|| number("km", odometer.distance_km))
        }
        Observation::Battery(battery) => match signal {
            code::BATTERY_LEVEL => battery.level.map(percent),
            code::BATTERY_RANGE => battery.range_km.map(|range| number("km", range)),
            _ => None,
        },
        Observation::NominalCapacity(capacity) => (signal == code::BATTERY_CAPACITY).then(|| {
            let available = capacity
                .available_capacities
                .iter()
                .map(|one| json!({ "capacity": one.capacity_kwh, "description": one.description }));
            let rated = capacity.capacity.as_ref();
            json!({
                "capacity": rated.map(|rated| rated.nominal_kwh),
                "source": rated.map(|rated| &rated.source),
                "availableCapacities": available.collect::<Vec<_>>(),
                "unit": "kWh",
            })
        }),
        Observation::Charge(charge) => match signal {
            code::CHARGING_STATUS => Some(value(charge.state.as_str().to_ascii_uppercase())),
            code::CABLE_CONNECTED => charge.is_plugged_in.map(value),
            _ => None,
        },
        Observation::ChargeLimit(seen) => (signal == code::CHARGE_LIMITS).then(|| {
            let limit = seen.limit * 100.0;
            json!({ "values": [{ "type": "global", "limit": limit, "condition": null }],
                "activeLimit": limit, "unit": "percent" })
        }),
        Observation::Fuel(fuel) => match signal {
            code::FUEL_LEVEL => fuel.level.map(percent),
            code::FUEL_AMOUNT => fuel.amount_l.map(|amount| number("l", amount)),
            code::FUEL_RANGE => fuel.range_km.map(|range| number("km", range)),
            _ => None,
        },
        Observation::TirePressure(pressure) => (signal == code::TIRES).then(|| tires(pressure)),
        Observation::EngineOil(oil) => {
            oil.life_remaining.filter(|_| signal == code::OIL_LIFE).map(percent)
        }
        Observation::LockStatus(status) => closure(signal, status),
        Observation::TroubleCodes(codes) => (signal == code::TROUBLE_CODES).then(|| {
            let codes = codes.active_codes.iter();
            let told = codes.map(|one| json!({ "code": one.code, "timestamp": one.set_at }));
            json!({ "values": told.collect::<Vec<_>>() })
        }),
        Observation::ServiceHistory(history) => (signal == code::SERVICE_RECORDS).then(|| {
            let records = history.records.iter().map(service_record);
            json!({ "values": records.collect::<Vec<_>>() })
        }),
    }
}

fn value(value: impl Serialize) -> Value {
    json!({ "value": value })
}

fn number(unit: &str, number: f64) -> Value {
    json!({ "unit": unit, "value": number })
}

fn percent(share: f64) -> Value {
    number("percent", share * 100.0)
}

fn tires(pressure: &TirePressure) -> Value {
    let wheels = [
        (0, 0, pressure.front_left_kpa),
        (0, 1, pressure.front_right_kpa),
        (1, 0, pressure.back_left_kpa),
        (1, 1, pressure.back_right_kpa),
    ];
    let told = wheels
        .map(|(row, column, kpa)| json!({ "row": row, "column": column, "tirePressure": kpa }));
    json!({ "values": told, "rowCount": 2, "columnCount": 2, "unit": "kPa" })
}

fn closure(signal: &str, status: &LockStatus) -> Option<Value> {
    let lid = |place: &str| status.storage.iter().find(|lid| lid.place == place);
    match signal {
        code::IS_LOCKED => Some(value(status.is_locked)),
        code::DOORS => Some(places(&status.doors)),
        code::WINDOWS => Some(places(&status.windows)),
        code::SUNROOF => status.sunroof.first().map(opening),
        code::FRONT_TRUNK => lid("front").map(opening),
        code::REAR_TRUNK => lid("rear").map(opening),
        _ => None,
    }
}

fn is_open(opening: &Opening) -> Option<bool> {
    match opening.status.as_str() {
        "OPEN" => Some(true),
        "CLOSED" => Some(false),
        _ => None,
    }
}

fn opening(told: &Opening) -> Value {
    json!({ "isOpen": is_open(told) })
}

fn places(openings: &[Opening]) -> Value {
    let place = |told: &Opening| {
        let (row, column) = match told.place.as_str() {
            "frontLeft" => (0, 0),
            "frontRight" => (0, 1),
            "backLeft" => (1, 0),
            "backRight" => (1, 1),
            _ => return None,
        };
        Some(json!({ "row": row, "column": column, "isOpen": is_open(told) }))
    };
    let values: Vec<Value> = openings.iter().filter_map(place).collect();
    json!({ "values": values, "rowCount": 2, "columnCount": 2 })
}
