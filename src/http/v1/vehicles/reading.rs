//! Readings as JSON: metric units in the names of the fields, shares of a whole from 0 to 1.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::reading as domain;
use crate::domain::reading::{Observation, Opening, Reading};

/// What can be read from a car.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "read by the description alone")]
pub(in crate::http) enum ObservablePath {
    Attributes,
    Vin,
    Location,
    Odometer,
    Battery,
    BatteryCapacity,
    NominalCapacity,
    Charge,
    ChargeLimit,
    Fuel,
    TirePressure,
    EngineOil,
    LockStatus,
    SystemStatus,
    TroubleCodes,
    ServiceHistory,
}

/// What was read, and how old it is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ReadingBody {
    #[serde(flatten)]
    observation: ObservationBody,
    /// When the car reported it; `null` if its maker does not say.
    data_age: Option<String>,
    /// When the vehicle cloud was asked.
    fetched_at: String,
}

/// What was read, and its name as `observable`. A number that the maker does not report is `null`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "observable", rename_all = "snake_case")]
enum ObservationBody {
    Attributes {
        make: String,
        model: String,
        year: i32,
    },
    Vin {
        vin: String,
    },
    Location {
        latitude: f64,
        longitude: f64,
    },
    Odometer {
        distance_km: f64,
    },
    Battery {
        level: Option<f64>,
        range_km: Option<f64>,
    },
    BatteryCapacity {
        capacity_kwh: Option<f64>,
    },
    NominalCapacity {
        available_capacities: Vec<AvailableCapacityBody>,
        nominal_kwh: Option<f64>,
        source: Option<String>,
        url: Option<String>,
    },
    Charge {
        is_plugged_in: Option<bool>,
        state: String,
    },
    ChargeLimit {
        limit: f64,
    },
    Fuel {
        amount_l: Option<f64>,
        level: Option<f64>,
        range_km: Option<f64>,
    },
    TirePressure {
        front_left_kpa: Option<f64>,
        front_right_kpa: Option<f64>,
        back_left_kpa: Option<f64>,
        back_right_kpa: Option<f64>,
    },
    EngineOil {
        life_remaining: Option<f64>,
    },
    LockStatus {
        is_locked: bool,
        doors: Vec<OpeningBody>,
        windows: Vec<OpeningBody>,
        sunroof: Vec<OpeningBody>,
        storage: Vec<OpeningBody>,
        charging_port: Vec<OpeningBody>,
    },
    SystemStatus {
        systems: Vec<SystemBody>,
    },
    TroubleCodes {
        active_codes: Vec<TroubleCodeBody>,
    },
    ServiceHistory {
        records: Vec<ServiceRecordBody>,
    },
}

/// A capacity that cars of a kind were sold with.
#[derive(Debug, Serialize, ToSchema)]
struct AvailableCapacityBody {
    capacity_kwh: f64,
    description: Option<String>,
}

/// One door, window or lid.
#[derive(Debug, Serialize, ToSchema)]
struct OpeningBody {
    /// Its place, such as `frontLeft`.
    place: String,
    /// `open`, `closed` or `unknown`.
    status: String,
}

/// One system that the car watches.
#[derive(Debug, Serialize, ToSchema)]
struct SystemBody {
    system_id: String,
    /// `ok` or `alert`.
    status: String,
    description: Option<String>,
}

/// A diagnostic trouble code.
#[derive(Debug, Serialize, ToSchema)]
struct TroubleCodeBody {
    code: String,
    set_at: Option<String>,
}

/// One visit to the workshop.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceRecordBody {
    service_id: Option<String>,
    odometer_km: Option<f64>,
    serviced_at: Option<String>,
    tasks: Vec<ServiceTaskBody>,
    details: Vec<ServiceDetailBody>,
    total_cost: Option<f64>,
    currency: Option<String>,
}

/// A task of a visit.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceTaskBody {
    task_id: Option<String>,
    description: Option<String>,
}

/// What else is known of a visit.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceDetailBody {
    kind: String,
    value: Option<String>,
}

impl From<Reading> for ReadingBody {
    fn from(reading: Reading) -> Self {
        Self {
            observation: reading.observation.into(),
            data_age: reading.data_age.map(|at| at.to_string()),
            fetched_at: reading.fetched_at.to_string(),
        }
    }
}

impl From<Observation> for ObservationBody {
    fn from(observation: Observation) -> Self {
        match observation {
            Observation::Attributes(domain::Attributes { make, model, year }) => {
                Self::Attributes { make, model, year }
            }
            Observation::Vin(domain::Vin { vin }) => Self::Vin { vin },
            Observation::Location(place) => {
                Self::Location { latitude: place.latitude(), longitude: place.longitude() }
            }
            Observation::Odometer(domain::Odometer { distance_km }) => {
                Self::Odometer { distance_km }
            }
            Observation::Battery(domain::Battery { level, range_km }) => {
                Self::Battery { level, range_km }
            }
            Observation::BatteryCapacity(domain::BatteryCapacity { capacity_kwh }) => {
                Self::BatteryCapacity { capacity_kwh }
            }
            Observation::NominalCapacity(capacity) => nominal_capacity(capacity),
            Observation::Charge(domain::Charge { is_plugged_in, state }) => {
                Self::Charge { is_plugged_in, state: state.to_string() }
            }
            Observation::ChargeLimit(domain::ObservedLimit { limit }) => {
                Self::ChargeLimit { limit }
            }
            Observation::Fuel(domain::Fuel { amount_l, level, range_km }) => {
                Self::Fuel { amount_l, level, range_km }
            }
            Observation::TirePressure(pressure) => Self::TirePressure {
                front_left_kpa: pressure.front_left_kpa,
                front_right_kpa: pressure.front_right_kpa,
                back_left_kpa: pressure.back_left_kpa,
                back_right_kpa: pressure.back_right_kpa,
            },
            Observation::EngineOil(domain::EngineOil { life_remaining }) => {
                Self::EngineOil { life_remaining }
            }
            Observation::LockStatus(status) => lock_status(status),
            Observation::SystemStatus(status) => system_status(status),
            Observation::TroubleCodes(codes) => trouble_codes(codes),
            Observation::ServiceHistory(history) => Self::ServiceHistory {
                records: history.records.into_iter().map(service_record).collect(),
            },
        }
    }
}

fn nominal_capacity(capacity: domain::NominalCapacity) -> ObservationBody {
    let available = |available: domain::AvailableCapacity| AvailableCapacityBody {
        capacity_kwh: available.capacity_kwh,
        description: available.description,
    };
    let rated = capacity.capacity.map(|rated| (rated.nominal_kwh, rated.source));
    let (nominal_kwh, source) = rated.unzip();
    ObservationBody::NominalCapacity {
        available_capacities: capacity.available_capacities.into_iter().map(available).collect(),
        nominal_kwh,
        source: source.map(|source| source.to_ascii_lowercase()),
        url: capacity.url,
    }
}

fn lock_status(status: domain::LockStatus) -> ObservationBody {
    let openings = |openings: Vec<Opening>| {
        let opening = |opening: Opening| OpeningBody {
            place: opening.place,
            status: opening.status.to_ascii_lowercase(),
        };
        openings.into_iter().map(opening).collect()
    };
    ObservationBody::LockStatus {
        is_locked: status.is_locked,
        doors: openings(status.doors),
        windows: openings(status.windows),
        sunroof: openings(status.sunroof),
        storage: openings(status.storage),
        charging_port: openings(status.charging_port),
    }
}

fn system_status(status: domain::SystemStatus) -> ObservationBody {
    let system = |system: domain::SystemCondition| SystemBody {
        system_id: system.system_id,
        status: system.status.to_ascii_lowercase(),
        description: system.description,
    };
    ObservationBody::SystemStatus { systems: status.systems.into_iter().map(system).collect() }
}

fn trouble_codes(codes: domain::TroubleCodes) -> ObservationBody {
    let code = |code: domain::TroubleCode| TroubleCodeBody { code: code.code, set_at: code.set_at };
    ObservationBody::TroubleCodes {
        active_codes: codes.active_codes.into_iter().map(code).collect(),
    }
}

fn service_record(record: domain::ServiceRecord) -> ServiceRecordBody {
    let task = |task: domain::ServiceTask| ServiceTaskBody {
        task_id: task.task_id,
        description: task.description,
    };
    let detail = |(kind, value)| ServiceDetailBody { kind, value };
    ServiceRecordBody {
        service_id: record.service_id,
        odometer_km: record.odometer_km,
        serviced_at: record.serviced_at,
        tasks: record.tasks.into_iter().map(task).collect(),
        details: record.details.into_iter().map(detail).collect(),
        total_cost: record.total_cost,
        currency: record.currency,
    }
}
