//! What a workshop would know of a car: the systems it watches, the codes it has set, and when it
//! was serviced. All of it follows from the state of the car and the day it was delivered.

use std::time::Duration;

use super::car::Car;
use super::car_state::CarState;
use super::readings::rounded;
use crate::domain::time::Timestamp;
use crate::smartcar::v2::reads::{
    AvailableCapacity, NominalCapacity, RatedCapacity, ServiceCost, ServiceDetail, ServiceRecord,
    ServiceTask, System, SystemStatus, TroubleCode, TroubleCodes,
};

/// Tires below this are reported.
const TIRE_KPA_MIN: f64 = 180.0;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How far a car goes between two visits.
const SERVICE_KM: f64 = 10_000.0;

/// The systems that are watched.
const SYSTEMS: [&str; 4] = ["SYSTEM_ABS", "SYSTEM_AIRBAG", "SYSTEM_MIL", "SYSTEM_TPMS"];

impl CarState {
    /// One system, as the car reports it.
    pub(crate) fn system(&self, system_id: &str) -> System {
        let why = match system_id {
            "SYSTEM_MIL" if !self.trouble_codes.is_empty() => Some("Check engine"),
            "SYSTEM_TPMS" if self.tires_kpa.iter().any(|kpa| *kpa < TIRE_KPA_MIN) => {
                Some("Tire pressure low")
            }
            _ => None,
        };
        System {
            system_id: system_id.to_owned(),
            status: if why.is_some() { "ALERT" } else { "OK" }.to_owned(),
            description: why.map(str::to_owned),
        }
    }

    pub(crate) fn system_status(&self) -> SystemStatus {
        SystemStatus { systems: SYSTEMS.map(|id| self.system(id)).to_vec() }
    }
}

impl Car {
    pub(crate) fn trouble_codes(&self, state: &CarState) -> TroubleCodes {
        let at = self.delivered_at.minus(DAY).to_string();
        let active = state.trouble_codes.iter();
        TroubleCodes {
            active_codes: active
                .map(|code| TroubleCode { code: code.clone(), timestamp: Some(at.clone()) })
                .collect(),
        }
    }

    pub(crate) fn nominal_capacity(&self, state: &CarState) -> NominalCapacity {
        let nominal = state.battery.capacity;
        let larger = rounded(nominal * 1.25, 1);
        NominalCapacity {
            available_capacities: vec![
                AvailableCapacity { capacity: nominal, description: None },
                AvailableCapacity { capacity: larger, description: Some("Long range".to_owned()) },
            ],
            capacity: Some(RatedCapacity { nominal, source: "SMARTCAR".to_owned() }),
            url: None,
        }
    }

    /// The last two visits before the delivery, the older one first, within a period.
    pub(crate) fn service_history(
        &self,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Vec<ServiceRecord> {
        let visits = [
            (400, 2.0, "brakes", "Brake fluid change", 189.0),
            (40, 1.0, "inspection", "Multi-point inspection", 129.5),
        ];
        let visits = visits.into_iter().map(|(days, intervals, id, task, cost)| {
            let at = self.delivered_at.minus(DAY * days);
            (at, self.visit(at, intervals, (id, task, cost)))
        });
        visits
            .filter(|(at, _)| from.is_none_or(|from| *at >= from) && to.is_none_or(|to| *at <= to))
            .map(|(_, record)| record)
            .collect()
    }

    fn visit(
        &self,
        at: Timestamp,
        intervals: f64,
        (id, task, cost): (&str, &str, f64),
    ) -> ServiceRecord {
        let distance = (self.delivered_km - intervals * SERVICE_KM).max(0.0);
        let text = |text: &str| Some(text.to_owned());
        ServiceRecord {
            service_id: Some(format!("{}-{id}", self.vin)),
            odometer_distance: Some(rounded(distance, 0)),
            service_date: Some(at.to_string()),
            service_tasks: vec![ServiceTask { task_id: text(id), task_description: text(task) }],
            service_details: vec![ServiceDetail {
                kind: "Service Advisor".to_owned(),
                value: None,
            }],
            service_cost: Some(ServiceCost { total_cost: Some(cost), currency: text("EUR") }),
        }
    }
}
