//! Signals in the domain's units: percentages become shares from 0 to 1, places become names, and
//! whatever unit the cloud uses becomes the metric one.

use serde::Deserialize;
use serde_json::Value;

use super::super::v2::service_record;
use super::bounds;
use super::signals::Seen;
use crate::connector::ConnectorError;
use crate::domain::reading as domain;
use crate::domain::reading::{Coordinates, Observable, Observation, Opening};
use crate::smartcar::v2::reads;
use crate::smartcar::v3::signal::{
    CapacityBody, ChargeLimitsBody, Closure, LocationBody, NumberBody, OpeningBody, PlacesBody,
    ValueBody, Wheel, code,
};

type Judged<T> = Result<T, ConnectorError>;

/// What the signals say about this.
pub(super) fn observation(seen: &Seen<'_>, observable: Observable) -> Judged<Observation> {
    match observable {
        Observable::Attributes => Err(seen.garbled("attributes are no signal")),
        Observable::Vin => vin(seen),
        Observable::Location => location(seen),
        Observable::Odometer => odometer(seen),
        Observable::Battery => battery(seen),
        Observable::BatteryCapacity => battery_capacity(seen),
        Observable::NominalCapacity => nominal_capacity(seen),
        Observable::Charge => charge(seen),
        Observable::ChargeLimit => charge_limit(seen),
        Observable::Fuel => fuel(seen),
        Observable::TirePressure => tire_pressure(seen),
        Observable::EngineOil => engine_oil(seen),
        Observable::LockStatus => lock_status(seen),
        Observable::SystemStatus => system_status(seen),
        Observable::TroubleCodes => trouble_codes(seen),
        Observable::ServiceHistory => service_history(seen),
    }
}

/// A number in the unit that is wanted: the factor for each unit that the cloud may use.
fn in_unit(seen: &Seen<'_>, body: NumberBody, factors: &[(&str, f64)]) -> Judged<Option<f64>> {
    let Some(number) = body.value else { return Ok(None) };
    let unit = body.unit.unwrap_or_default().to_ascii_lowercase();
    let factor = factors.iter().find(|(name, _)| *name == unit).map(|(_, factor)| factor);
    let number = number * factor.ok_or_else(|| seen.garbled("an unknown unit"))?;
    if bounds::is_quantity(number) {
        Ok(Some(number))
    } else {
        Err(seen.garbled("a quantity that cannot be right"))
    }
}

const KM: &[(&str, f64)] =
    &[("km", 1.0), ("kilometers", 1.0), ("mi", 1.609_344), ("miles", 1.609_344)];
const LITERS: &[(&str, f64)] = &[
    ("l", 1.0),
    ("liters", 1.0),
    ("litres", 1.0),
    ("gal", 3.785_411_784),
    ("gallons", 3.785_411_784),
];
const PERCENT: &[(&str, f64)] = &[("percent", 1.0), ("%", 1.0), ("", 1.0)];
const KPA: &[(&str, f64)] =
    &[("kpa", 1.0), ("kilopascals", 1.0), ("", 1.0), ("psi", 6.894_757_293_168), ("bar", 100.0)];

fn share(seen: &Seen<'_>, body: NumberBody) -> Judged<Option<f64>> {
    // Divided: the product with 0.01 would not be the nearest fraction.
    match in_unit(seen, body, PERCENT)?.map(|percent| percent / 100.0) {
        Some(share) if !bounds::is_share(share) => Err(seen.garbled("a share beyond the whole")),
        share => Ok(share),
    }
}

fn optional_km(seen: &Seen<'_>, code: &str) -> Judged<Option<f64>> {
    match seen.optional::<NumberBody>(code)? {
        Some(body) => in_unit(seen, body, KM),
        None => Ok(None),
    }
}

fn vin(seen: &Seen<'_>) -> Judged<Observation> {
    let ValueBody { value: vin } = seen.body::<ValueBody<String>>(code::VIN)?;
    if !bounds::is_vin(&vin) {
        return Err(seen.garbled("not a vehicle identification number"));
    }
    Ok(Observation::Vin(domain::Vin { vin }))
}

fn location(seen: &Seen<'_>) -> Judged<Observation> {
    let body: LocationBody = seen.body(code::LOCATION)?;
    let place = Coordinates::new(body.latitude, body.longitude);
    place.map(Observation::Location).ok_or_else(|| seen.garbled("a place that is not on earth"))
}

fn odometer(seen: &Seen<'_>) -> Judged<Observation> {
    let distance_km = in_unit(seen, seen.body(code::ODOMETER)?, KM)?;
    let distance_km = distance_km.ok_or_else(|| seen.garbled("no distance"))?;
    Ok(Observation::Odometer(domain::Odometer { distance_km }))
}

fn battery(seen: &Seen<'_>) -> Judged<Observation> {
    let level = share(seen, seen.body(code::BATTERY_LEVEL)?)?;
    let range_km = optional_km(seen, code::BATTERY_RANGE)?;
    Ok(Observation::Battery(domain::Battery { level, range_km }))
}

fn capacity(seen: &Seen<'_>) -> Judged<CapacityBody> {
    let body: CapacityBody = seen.body(code::BATTERY_CAPACITY)?;
    let fits = body.capacity.is_none_or(bounds::is_quantity)
        && body.source.as_deref().is_none_or(bounds::is_word)
        && body.available_capacities.len() <= bounds::ENTRIES_MAX
        && body.available_capacities.iter().all(|one| bounds::is_quantity(one.capacity));
    if fits { Ok(body) } else { Err(seen.garbled("capacities that cannot be right")) }
}

fn battery_capacity(seen: &Seen<'_>) -> Judged<Observation> {
    let capacity_kwh = capacity(seen)?.capacity;
    Ok(Observation::BatteryCapacity(domain::BatteryCapacity { capacity_kwh }))
}

fn nominal_capacity(seen: &Seen<'_>) -> Judged<Observation> {
    let body = capacity(seen)?;
    let available = |one: reads::AvailableCapacity| domain::AvailableCapacity {
        capacity_kwh: one.capacity,
        description: one.description.as_deref().map(bounds::text),
    };
    let rated = body.capacity.zip(body.source);
    Ok(Observation::NominalCapacity(domain::NominalCapacity {
        available_capacities: body.available_capacities.into_iter().map(available).collect(),
        capacity: rated.map(|(nominal_kwh, source)| domain::RatedCapacity { nominal_kwh, source }),
        url: None,
    }))
}

fn charge(seen: &Seen<'_>) -> Judged<Observation> {
    let ValueBody { value } = seen.body::<ValueBody<String>>(code::CHARGING_STATUS)?;
    let state = value.to_ascii_lowercase().parse();
    let state = state.map_err(|_| seen.garbled("an unknown charge state"))?;
    let plugged: Option<ValueBody<bool>> = seen.optional(code::CABLE_CONNECTED)?;
    let is_plugged_in = plugged.map(|body| body.value);
    Ok(Observation::Charge(domain::Charge { is_plugged_in, state }))
}

/// The limit that is applied now; otherwise the one that holds everywhere.
fn charge_limit(seen: &Seen<'_>) -> Judged<Observation> {
    let body: ChargeLimitsBody = seen.body(code::CHARGE_LIMITS)?;
    let global = body.values.iter().find(|one| one.kind.eq_ignore_ascii_case("global"));
    let value = body.active_limit.or(global.and_then(|one| one.limit));
    let limit = share(seen, NumberBody { unit: body.unit, value })?;
    let limit = limit.ok_or_else(|| seen.garbled("no limit"))?;
    Ok(Observation::ChargeLimit(domain::ObservedLimit { limit }))
}

fn fuel(seen: &Seen<'_>) -> Judged<Observation> {
    let level = share(seen, seen.body(code::FUEL_LEVEL)?)?;
    let amount_l = match seen.optional::<NumberBody>(code::FUEL_AMOUNT)? {
        Some(body) => in_unit(seen, body, LITERS)?,
        None => None,
    };
    let range_km = optional_km(seen, code::FUEL_RANGE)?;
    Ok(Observation::Fuel(domain::Fuel { amount_l, level, range_km }))
}

fn tire_pressure(seen: &Seen<'_>) -> Judged<Observation> {
    let body: PlacesBody<Wheel> = seen.body(code::TIRES)?;
    let at = |row, column| {
        let wheel = body.values.iter().find(|wheel| (wheel.row, wheel.column) == (row, column));
        let value = wheel.and_then(|wheel| wheel.tire_pressure);
        in_unit(seen, NumberBody { unit: body.unit.clone(), value }, KPA)
    };
    Ok(Observation::TirePressure(domain::TirePressure {
        front_left_kpa: at(0, 0)?,
        front_right_kpa: at(0, 1)?,
        back_left_kpa: at(1, 0)?,
        back_right_kpa: at(1, 1)?,
    }))
}

fn engine_oil(seen: &Seen<'_>) -> Judged<Observation> {
    let life_remaining = share(seen, seen.body(code::OIL_LIFE)?)?;
    Ok(Observation::EngineOil(domain::EngineOil { life_remaining }))
}

fn lock_status(seen: &Seen<'_>) -> Judged<Observation> {
    let ValueBody { value: is_locked } = seen.body::<ValueBody<bool>>(code::IS_LOCKED)?;
    let flap: Option<ValueBody<bool>> = seen.optional(code::CHARGE_PORT_FLAP)?;
    let charging_port = flap.map(|body| opening("chargingPort", Some(body.value)));
    Ok(Observation::LockStatus(domain::LockStatus {
        is_locked,
        doors: closures(seen, code::DOORS)?,
        windows: closures(seen, code::WINDOWS)?,
        sunroof: lid(seen, code::SUNROOF, "sunroof")?.into_iter().collect(),
        storage: [lid(seen, code::FRONT_TRUNK, "front")?, lid(seen, code::REAR_TRUNK, "rear")?]
            .into_iter()
            .flatten()
            .collect(),
        charging_port: charging_port.into_iter().collect(),
    }))
}

fn opening(place: &str, is_open: Option<bool>) -> Opening {
    let status = match is_open {
        Some(true) => "OPEN",
        Some(false) => "CLOSED",
        None => "UNKNOWN",
    };
    Opening { place: place.to_owned(), status: status.to_owned() }
}

fn lid(seen: &Seen<'_>, code: &str, place: &str) -> Judged<Option<Opening>> {
    let body: Option<OpeningBody> = seen.optional(code)?;
    Ok(body.map(|body| opening(place, body.is_open)))
}

fn closures(seen: &Seen<'_>, code: &str) -> Judged<Vec<Opening>> {
    let Some(body) = seen.optional::<PlacesBody<Closure>>(code)? else { return Ok(Vec::new()) };
    let name = |closure: &Closure| match (closure.row, closure.column) {
        (0, 0) => Some("frontLeft"),
        (0, 1) => Some("frontRight"),
        (1, 0) => Some("backLeft"),
        (1, 1) => Some("backRight"),
        _ => None,
    };
    let openings = body.values.iter();
    Ok(openings.filter_map(|closure| Some(opening(name(closure)?, closure.is_open))).collect())
}

fn system_status(seen: &Seen<'_>) -> Judged<Observation> {
    #[derive(Deserialize)]
    struct Body {
        status: String,
        #[serde(default)]
        description: Option<String>,
    }
    let system = |(name, body): (&str, &Value)| {
        let body: Body = serde_json::from_value(body.clone()).ok()?;
        let name = match name {
            "tirepressuremonitoring" => "TPMS".to_owned(),
            name => name.to_ascii_uppercase(),
        };
        let fits = bounds::is_word(&name) && bounds::is_word(&body.status);
        fits.then(|| domain::SystemCondition {
            system_id: format!("SYSTEM_{name}"),
            status: body.status,
            description: body.description.as_deref().map(bounds::text),
        })
    };
    let told = seen.beginning_with(code::DIAGNOSTICS_PREFIX);
    let systems: Vec<_> = told.into_iter().filter_map(system).collect();
    if systems.is_empty() {
        // The error, if there is one, is that of any system.
        seen.body::<Value>("diagnostics-abs")?;
    }
    Ok(Observation::SystemStatus(domain::SystemStatus { systems }))
}

fn trouble_codes(seen: &Seen<'_>) -> Judged<Observation> {
    let body: PlacesBody<reads::TroubleCode> = seen.body(code::TROUBLE_CODES)?;
    let fits = body.values.len() <= bounds::ENTRIES_MAX
        && body.values.iter().all(|one| bounds::is_word(&one.code));
    if !fits {
        return Err(seen.garbled("trouble codes that cannot be right"));
    }
    let code = |one: reads::TroubleCode| domain::TroubleCode {
        code: one.code,
        set_at: one.timestamp.as_deref().map(bounds::text),
    };
    let active_codes = body.values.into_iter().map(code).collect();
    Ok(Observation::TroubleCodes(domain::TroubleCodes { active_codes }))
}

fn service_history(seen: &Seen<'_>) -> Judged<Observation> {
    let body: PlacesBody<reads::ServiceRecord> = seen.body(code::SERVICE_RECORDS)?;
    let too_long = |record: &reads::ServiceRecord| {
        record.service_tasks.len().max(record.service_details.len()) > bounds::ENTRIES_MAX
    };
    if body.values.len() > bounds::ENTRIES_MAX || body.values.iter().any(too_long) {
        return Err(seen.garbled("too many visits"));
    }
    let records: Result<Vec<_>, _> = body.values.into_iter().map(service_record).collect();
    let records = records.map_err(|why| seen.garbled(why))?;
    Ok(Observation::ServiceHistory(domain::ServiceHistory { records }))
}
