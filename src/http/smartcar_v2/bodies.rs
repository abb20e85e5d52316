//! Observations in the shapes of API v2.0, and the paths they are found at (protocol page,
//! section 2.3). Every documented field is there; what is not known is `null`.

use serde::Serialize;
use serde_json::Value;

use super::reads::Period;
pub(super) use crate::connector::smartcar::path_in_v2 as path;
use crate::domain::id::VehicleId;
use crate::domain::reading as domain;
use crate::domain::reading::{Observable, Observation, Opening};
use crate::smartcar::v2::reads as wire;
use crate::smartcar::v2::{self, InUnits, Part, Security, UnitSystem};

/// What is found at a path below the car; `/` is the attributes.
pub(super) fn observable_at(asked: &str) -> Option<Observable> {
    let asked = asked.trim_end_matches('/');
    Observable::ALL.iter().copied().find(|&observable| path(observable) == asked)
}

/// The body of an answer.
pub(super) fn body(
    observation: &Observation,
    vehicle_id: VehicleId,
    units: UnitSystem,
    period: &Period,
) -> Value {
    match observation {
        Observation::Attributes(attributes) => json(v2::Attributes {
            id: vehicle_id.as_uuid().hyphenated().to_string(),
            make: attributes.make.clone(),
            model: attributes.model.clone(),
            year: attributes.year,
        }),
        Observation::Vin(domain::Vin { vin }) => json(wire::Vin { vin: vin.clone() }),
        Observation::Location(place) => {
            json(wire::Location { latitude: place.latitude(), longitude: place.longitude() })
        }
        Observation::Odometer(odometer) => {
            json(wire::Odometer { distance: odometer.distance_km }.in_units(units))
        }
        Observation::Battery(battery) => {
            let (percent_remaining, range) = (battery.level, battery.range_km);
            json(wire::Battery { percent_remaining, range }.in_units(units))
        }
        Observation::BatteryCapacity(capacity) => {
            json(wire::BatteryCapacity { capacity: capacity.capacity_kwh })
        }
        Observation::NominalCapacity(capacity) => json(nominal_capacity(capacity)),
        Observation::Charge(charge) => json(wire::Charge {
            is_plugged_in: charge.is_plugged_in,
            state: charge.state.as_str().to_ascii_uppercase(),
        }),
        Observation::ChargeLimit(limit) => json(wire::ChargeLimit { limit: limit.limit }),
        Observation::Fuel(fuel) => {
            let (amount_remaining, percent_remaining) = (fuel.amount_l, fuel.level);
            let range = fuel.range_km;
            json(wire::Fuel { amount_remaining, percent_remaining, range }.in_units(units))
        }
        Observation::TirePressure(pressure) => json(tire_pressure(pressure).in_units(units)),
        Observation::EngineOil(oil) => json(wire::EngineOil { life_remaining: oil.life_remaining }),
        Observation::LockStatus(status) => json(security(status)),
        Observation::SystemStatus(status) => json(system_status(status)),
        Observation::TroubleCodes(codes) => json(trouble_codes(codes)),
        Observation::ServiceHistory(history) => {
            let records = history.records.iter();
            let wanted = records.filter(|record| period.includes(record.serviced_at.as_deref()));
            json(wanted.map(|record| service_record(record).in_units(units)).collect::<Vec<_>>())
        }
    }
}

/// None of these types fails to be written: they hold no maps and only finite numbers.
fn json(body: impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}

fn nominal_capacity(capacity: &domain::NominalCapacity) -> wire::NominalCapacity {
    wire::NominalCapacity {
        available_capacities: capacity
            .available_capacities
            .iter()
            .map(|available| wire::AvailableCapacity {
                capacity: available.capacity_kwh,
                description: available.description.clone(),
            })
            .collect(),
        capacity: capacity.capacity.as_ref().map(|rated| wire::RatedCapacity {
            nominal: rated.nominal_kwh,
            source: rated.source.clone(),
        }),
        url: capacity.url.clone(),
    }
}

const fn tire_pressure(pressure: &domain::TirePressure) -> wire::TirePressure {
    wire::TirePressure {
        front_left: pressure.front_left_kpa,
        front_right: pressure.front_right_kpa,
        back_left: pressure.back_left_kpa,
        back_right: pressure.back_right_kpa,
    }
}

fn security(status: &domain::LockStatus) -> Security {
    let parts = |openings: &[Opening]| {
        openings
            .iter()
            .map(|opening| Part { kind: opening.place.clone(), status: opening.status.clone() })
            .collect()
    };
    Security {
        is_locked: status.is_locked,
        doors: parts(&status.doors),
        windows: parts(&status.windows),
        sunroof: parts(&status.sunroof),
        storage: parts(&status.storage),
        charging_port: parts(&status.charging_port),
    }
}

fn system_status(status: &domain::SystemStatus) -> wire::SystemStatus {
    let system = |system: &domain::SystemCondition| wire::System {
        system_id: system.system_id.clone(),
        status: system.status.clone(),
        description: system.description.clone(),
    };
    wire::SystemStatus { systems: status.systems.iter().map(system).collect() }
}

fn trouble_codes(codes: &domain::TroubleCodes) -> wire::TroubleCodes {
    let code = |code: &domain::TroubleCode| wire::TroubleCode {
        code: code.code.clone(),
        timestamp: code.set_at.clone(),
    };
    wire::TroubleCodes { active_codes: codes.active_codes.iter().map(code).collect() }
}

pub(in crate::http) fn service_record(record: &domain::ServiceRecord) -> wire::ServiceRecord {
    wire::ServiceRecord {
        service_id: record.service_id.clone(),
        odometer_distance: record.odometer_km,
        service_date: record.serviced_at.clone(),
        service_tasks: record
            .tasks
            .iter()
            .map(|task| wire::ServiceTask {
                task_id: task.task_id.clone(),
                task_description: task.description.clone(),
            })
            .collect(),
        service_details: record
            .details
            .iter()
            .map(|(kind, value)| wire::ServiceDetail { kind: kind.clone(), value: value.clone() })
            .collect(),
        service_cost: Some(wire::ServiceCost {
            total_cost: record.total_cost,
            currency: record.currency.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_leads_to_what_is_found_there() {
        for &observable in Observable::ALL {
            assert_eq!(observable_at(path(observable)), Some(observable));
            assert_eq!(observable_at(&format!("{}/", path(observable))), Some(observable));
        }
        assert_eq!(observable_at("/tires"), None);
        assert_eq!(observable_at("odometer"), None);
    }
}
