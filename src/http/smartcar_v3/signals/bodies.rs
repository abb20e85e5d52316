//! What an observation says, as the bodies of signals: percentages from 0 to 100, metric units named
//! in the body, places as rows and columns (protocol page, section 5.4).

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::reading::TirePressure;
use crate::domain::reading::{LockStatus, NominalCapacity, Observation, Opening, SystemCondition};
use crate::http::smartcar_v2::service_record;
use crate::smartcar::v3::signal::code;

/// The body of a signal; `None` if the observation is about something else, or has no such value.
pub(super) fn body(signal: &str, observation: &Observation) -> Option<Value> {
    match observation {
        // The car itself, another signal's number once more, and signals of each system's own.
        Observation::Attributes(_)
        | Observation::BatteryCapacity(_)
        | Observation::SystemStatus(_) => None,
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
        Observation::NominalCapacity(nominal) => {
            (signal == code::BATTERY_CAPACITY).then(|| capacity(nominal))
        }
        Observation::Charge(charge) => match signal {
            code::CHARGING_STATUS => Some(value(charge.state.as_str().to_ascii_uppercase())),
            code::CABLE_CONNECTED => charge.is_plugged_in.map(value),
            _ => None,
        },
        Observation::ChargeLimit(seen) => (signal == code::CHARGE_LIMITS).then(|| {
            let limit =
                json!({ "type": "global", "limit": hundredfold(seen.limit), "condition": null });
            // Which limit is applied now depends on whether and where the car is plugged in.
            json!({ "values": [limit], "activeLimit": null, "unit": "percent" })
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
    number("percent", hundredfold(share))
}

/// A share in percent, without the noise of binary fractions.
fn hundredfold(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

/// The body of the signal of one system.
pub(super) fn system(system: &SystemCondition) -> Value {
    json!({ "status": system.status, "description": system.description })
}

fn capacity(nominal: &NominalCapacity) -> Value {
    let available = nominal.available_capacities.iter();
    let available = available
        .map(|one| json!({ "capacity": one.capacity_kwh, "description": one.description }));
    let rated = nominal.capacity.as_ref();
    json!({
        "capacity": rated.map(|rated| rated.nominal_kwh),
        "source": rated.map(|rated| &rated.source),
        "availableCapacities": available.collect::<Vec<_>>(),
        "unit": "kWh",
    })
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
        code::DOORS => places(&status.doors),
        code::WINDOWS => places(&status.windows),
        code::CHARGE_PORT_FLAP => status.charging_port.first().and_then(is_open).map(value),
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

/// `None` if the maker reports none of them.
fn places(openings: &[Opening]) -> Option<Value> {
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
    let is_told = !values.is_empty();
    is_told.then(|| json!({ "values": values, "rowCount": 2, "columnCount": 2 }))
}
