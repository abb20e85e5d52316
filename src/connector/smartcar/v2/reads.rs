//! What successful answers of API v2.0 prove: decodes them and refuses those that are not about
//! what was asked for, or whose words and numbers are not fit to be kept.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::super::{api_answer, bounds, classify, decode};
use crate::connector::transport::Answer;
use crate::connector::{Acknowledgement, ConnectorError};
use crate::domain::reading as domain;
use crate::domain::reading::{Coordinates, Observable, Observation, Opening, Reading};
use crate::domain::time::Timestamp;
use crate::smartcar::v2::batch::{BatchAnswer, BatchItemAnswer};
use crate::smartcar::v2::{self as wire, reads, units::InUnits, units::UnitSystem};

/// The most doors, windows or lids of one kind.
const OPENINGS_MAX: usize = 32;
/// A time that a car reports may be so far ahead of ours.
const AHEAD_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// The cloud took a command only if it says so in its body.
pub(super) fn acknowledgement(answer: &Answer) -> Result<Acknowledgement, ConnectorError> {
    let body: wire::StatusAnswer = decode(answer)?;
    if !body.status.eq_ignore_ascii_case(wire::ACTION_STATUS) {
        return Err(classify::garbled(answer, "a status other than success"));
    }
    Ok(Acknowledgement { provider_request_id: classify::request_id(&answer.headers) })
}

/// What was read, if it is about `vehicle`.
pub(super) fn reading(
    answer: &Answer,
    vehicle: &str,
    observable: Observable,
    now: Timestamp,
) -> Result<Reading, ConnectorError> {
    let units = unit_system(answer)?;
    let observation = match observable {
        Observable::Attributes => attributes(decode(answer)?, vehicle),
        Observable::Vin => vin(decode(answer)?),
        Observable::Location => location(decode(answer)?),
        Observable::Odometer => odometer(decode::<reads::Odometer>(answer)?.to_metric(units)),
        Observable::Battery => battery(decode::<reads::Battery>(answer)?.to_metric(units)),
        Observable::BatteryCapacity => battery_capacity(decode(answer)?),
        Observable::NominalCapacity => nominal_capacity(decode(answer)?),
        Observable::Charge => charge(&decode(answer)?),
        Observable::ChargeLimit => charge_limit(decode(answer)?),
        Observable::Fuel => fuel(decode::<reads::Fuel>(answer)?.to_metric(units)),
        Observable::TirePressure => {
            tire_pressure(decode::<reads::TirePressure>(answer)?.to_metric(units))
        }
        Observable::EngineOil => engine_oil(decode(answer)?),
        Observable::LockStatus => lock_status(decode(answer)?),
        Observable::SystemStatus => system_status(decode(answer)?),
        Observable::TroubleCodes => trouble_codes(decode(answer)?),
        Observable::ServiceHistory => {
            let records: Vec<reads::ServiceRecord> = decode(answer)?;
            service_history(records.into_iter().map(|record| record.to_metric(units)).collect())
        }
    };
    let observation = observation.map_err(|why| classify::garbled(answer, why))?;
    Ok(Reading {
        observation,
        data_age: time(&answer.headers, wire::HEADER_DATA_AGE)
            .filter(|at| *at <= now.plus(AHEAD_MAX)),
        fetched_at: time(&answer.headers, wire::HEADER_FETCHED_AT).unwrap_or(now).min(now),
    })
}

/// The answers of a batch, in the order of what was asked for. Each item is judged as the answer
/// that it would have been alone.
pub(super) fn batch(
    answer: &Answer,
    batch: BatchAnswer,
    vehicle: &str,
    observables: &[Observable],
    now: Timestamp,
) -> Result<Vec<Result<Reading, ConnectorError>>, ConnectorError> {
    let in_order =
        batch.responses.len() == observables.len()
            && batch.responses.iter().zip(observables).all(|(item, &observable)| {
                item.path.trim_end_matches('/') == super::path(observable)
            });
    if !in_order {
        return Err(classify::garbled(answer, "not the items asked for"));
    }
    let judge = |(item, &observable): (BatchItemAnswer, &Observable)| {
        let alone = api_answer(alone(answer, item)?)?;
        reading(&alone, vehicle, observable, now)
    };
    Ok(batch.responses.into_iter().zip(observables).map(judge).collect())
}

/// An item as an answer of its own.
fn alone(answer: &Answer, item: BatchItemAnswer) -> Result<Answer, ConnectorError> {
    let status = StatusCode::from_u16(item.code)
        .map_err(|_| classify::garbled(answer, "an item with a status that does not exist"))?;
    let mut headers = HeaderMap::new();
    let told = [
        (wire::HEADER_DATA_AGE, item.headers.sc_data_age),
        (wire::HEADER_FETCHED_AT, item.headers.sc_fetched_at),
        (wire::HEADER_UNIT_SYSTEM, item.headers.sc_unit_system),
    ];
    for (name, value) in told {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if let Some(id) = answer.headers.get(wire::HEADER_REQUEST_ID) {
        headers.insert(HeaderName::from_static(wire::HEADER_REQUEST_ID), id.clone());
    }
    let body = serde_json::to_vec(&item.body)
        .map_err(|_| classify::garbled(answer, "an item that cannot be read"))?;
    Ok(Answer { status, headers, body: body.into() })
}

/// The unit system of an answer; without a word about it the one that was asked for.
fn unit_system(answer: &Answer) -> Result<UnitSystem, ConnectorError> {
    let Some(word) = answer.headers.get(wire::HEADER_UNIT_SYSTEM) else {
        return Ok(UnitSystem::Metric);
    };
    let known = word.to_str().ok().and_then(|word| UnitSystem::parse(word.trim()));
    known.ok_or_else(|| classify::garbled(answer, "an unknown unit system"))
}

fn time(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// What was observed, or why it cannot be right.
type Judged = Result<Observation, &'static str>;

fn quantity(number: Option<f64>) -> Result<Option<f64>, &'static str> {
    match number {
        Some(number) if !bounds::is_quantity(number) => Err("a quantity that cannot be right"),
        number => Ok(number),
    }
}

fn share(number: Option<f64>) -> Result<Option<f64>, &'static str> {
    match number {
        Some(number) if !bounds::is_share(number) => Err("a share that is not from 0 to 1"),
        number => Ok(number),
    }
}

fn attributes(body: wire::Attributes, vehicle: &str) -> Judged {
    if body.id != vehicle {
        return Err("an answer about another car");
    }
    if !bounds::is_name(&body.make) || !bounds::is_name(&body.model) || !bounds::is_year(body.year)
    {
        return Err("a make, model or year that cannot be right");
    }
    let (make, model, year) = (body.make, body.model, body.year);
    Ok(Observation::Attributes(domain::Attributes { make, model, year }))
}

fn vin(body: reads::Vin) -> Judged {
    if !bounds::is_vin(&body.vin) {
        return Err("not a vehicle identification number");
    }
    Ok(Observation::Vin(domain::Vin { vin: body.vin }))
}

fn location(body: reads::Location) -> Judged {
    let place = Coordinates::new(body.latitude, body.longitude);
    place.map(Observation::Location).ok_or("a place that is not on earth")
}

fn odometer(body: reads::Odometer) -> Judged {
    let distance_km = quantity(Some(body.distance))?.unwrap_or_default();
    Ok(Observation::Odometer(domain::Odometer { distance_km }))
}

fn battery(body: reads::Battery) -> Judged {
    let (level, range_km) = (share(body.percent_remaining)?, quantity(body.range)?);
    Ok(Observation::Battery(domain::Battery { level, range_km }))
}

fn battery_capacity(body: reads::BatteryCapacity) -> Judged {
    let capacity_kwh = quantity(body.capacity)?;
    Ok(Observation::BatteryCapacity(domain::BatteryCapacity { capacity_kwh }))
}

fn nominal_capacity(body: reads::NominalCapacity) -> Judged {
    if body.available_capacities.len() > bounds::ENTRIES_MAX {
        return Err("too many capacities");
    }
    let available = body.available_capacities.into_iter().map(|available| {
        let capacity_kwh = quantity(Some(available.capacity))?.unwrap_or_default();
        let description = available.description.as_deref().map(bounds::text);
        Ok(domain::AvailableCapacity { capacity_kwh, description })
    });
    let capacity = match body.capacity {
        Some(rated) if !bounds::is_word(&rated.source) => return Err("an unknown source"),
        Some(rated) => {
            let nominal_kwh = quantity(Some(rated.nominal))?.unwrap_or_default();
            Some(domain::RatedCapacity { nominal_kwh, source: rated.source })
        }
        None => None,
    };
    Ok(Observation::NominalCapacity(domain::NominalCapacity {
        available_capacities: available.collect::<Result<_, &'static str>>()?,
        capacity,
        url: body.url.filter(|url| bounds::is_url(url)),
    }))
}

fn charge(body: &reads::Charge) -> Judged {
    let state = body.state.to_ascii_lowercase().parse().map_err(|_| "an unknown charge state")?;
    Ok(Observation::Charge(domain::Charge { is_plugged_in: body.is_plugged_in, state }))
}

fn charge_limit(body: reads::ChargeLimit) -> Judged {
    let limit = share(Some(body.limit))?.unwrap_or_default();
    Ok(Observation::ChargeLimit(domain::ObservedLimit { limit }))
}

fn fuel(body: reads::Fuel) -> Judged {
    Ok(Observation::Fuel(domain::Fuel {
        amount_l: quantity(body.amount_remaining)?,
        level: share(body.percent_remaining)?,
        range_km: quantity(body.range)?,
    }))
}

fn tire_pressure(body: reads::TirePressure) -> Judged {
    Ok(Observation::TirePressure(domain::TirePressure {
        front_left_kpa: quantity(body.front_left)?,
        front_right_kpa: quantity(body.front_right)?,
        back_left_kpa: quantity(body.back_left)?,
        back_right_kpa: quantity(body.back_right)?,
    }))
}

fn engine_oil(body: reads::EngineOil) -> Judged {
    let life_remaining = share(body.life_remaining)?;
    Ok(Observation::EngineOil(domain::EngineOil { life_remaining }))
}

fn lock_status(body: wire::Security) -> Judged {
    Ok(Observation::LockStatus(domain::LockStatus {
        is_locked: body.is_locked,
        doors: openings(body.doors)?,
        windows: openings(body.windows)?,
        sunroof: openings(body.sunroof)?,
        storage: openings(body.storage)?,
        charging_port: openings(body.charging_port)?,
    }))
}

fn openings(parts: Vec<wire::Part>) -> Result<Vec<Opening>, &'static str> {
    let fit = parts.len() <= OPENINGS_MAX
        && parts.iter().all(|part| bounds::is_word(&part.kind) && bounds::is_word(&part.status));
    if !fit {
        return Err("doors or windows that cannot be right");
    }
    let opening = |part: wire::Part| Opening { place: part.kind, status: part.status };
    Ok(parts.into_iter().map(opening).collect())
}

fn system_status(body: reads::SystemStatus) -> Judged {
    let fit = body.systems.len() <= bounds::ENTRIES_MAX
        && body
            .systems
            .iter()
            .all(|system| bounds::is_word(&system.system_id) && bounds::is_word(&system.status));
    if !fit {
        return Err("systems that cannot be right");
    }
    let system = |system: reads::System| domain::SystemCondition {
        system_id: system.system_id,
        status: system.status,
        description: system.description.as_deref().map(bounds::text),
    };
    let systems = body.systems.into_iter().map(system).collect();
    Ok(Observation::SystemStatus(domain::SystemStatus { systems }))
}

fn trouble_codes(body: reads::TroubleCodes) -> Judged {
    let fit = body.active_codes.len() <= bounds::ENTRIES_MAX
        && body.active_codes.iter().all(|code| bounds::is_word(&code.code));
    if !fit {
        return Err("trouble codes that cannot be right");
    }
    let code = |code: reads::TroubleCode| domain::TroubleCode {
        code: code.code,
        set_at: code.timestamp.as_deref().map(bounds::text),
    };
    let active_codes = body.active_codes.into_iter().map(code).collect();
    Ok(Observation::TroubleCodes(domain::TroubleCodes { active_codes }))
}

fn service_history(records: Vec<reads::ServiceRecord>) -> Judged {
    let too_long = |record: &reads::ServiceRecord| {
        record.service_tasks.len().max(record.service_details.len()) > bounds::ENTRIES_MAX
    };
    if records.len() > bounds::ENTRIES_MAX || records.iter().any(too_long) {
        return Err("too many visits");
    }
    let records = records.into_iter().map(service_record).collect::<Result<_, _>>()?;
    Ok(Observation::ServiceHistory(domain::ServiceHistory { records }))
}

/// One visit to the workshop; API v3 has the same shape.
pub(in crate::connector::smartcar) fn service_record(
    record: reads::ServiceRecord,
) -> Result<domain::ServiceRecord, &'static str> {
    let cost = record.service_cost;
    let text = |text: Option<String>| text.as_deref().map(bounds::text);
    let task = |task: reads::ServiceTask| domain::ServiceTask {
        task_id: text(task.task_id),
        description: text(task.task_description),
    };
    Ok(domain::ServiceRecord {
        service_id: text(record.service_id),
        odometer_km: quantity(record.odometer_distance)?,
        serviced_at: text(record.service_date),
        tasks: record.service_tasks.into_iter().map(task).collect(),
        details: record
            .service_details
            .into_iter()
            .map(|detail| (bounds::text(&detail.kind), text(detail.value)))
            .collect(),
        total_cost: quantity(cost.as_ref().and_then(|cost| cost.total_cost))?,
        currency: text(cost.and_then(|cost| cost.currency)),
    })
}

#[cfg(test)]
#[path = "reads_test.rs"]
mod tests;
