//! Every reading of API v3 (protocol page, section 5.4): the signals it stands in, and the form of
//! their bodies. The connector asks and reads by this table, the facade serves and writes by it.

use serde_json::Value;

use super::super::bounds;
use super::super::form::{Form, List, Maybe, object};
use super::super::values::{ChargingWord, Flag, PLAIN, Place, VIN, Visit, trouble_code};
use super::bodies::{Capacities, KM, Known, LITERS, Limits, Percent, Single, Tires};
use super::openings::{Corners, Flap, Lid, System};
use super::parts::{Both, Kind, May, Must, Part, Said, Signals, Unread, several};
use crate::domain::reading::{Attributes, Observable, Observation, SystemCondition, SystemStatus};
use crate::smartcar::v2::UnitSystem;

macro_rules! table {
    ($($reading:ident: $part:expr,)*) => {
        /// The signals of a reading; the first is essential.
        pub(crate) fn kinds(observable: Observable) -> Vec<Kind<'static>> {
            match observable { $(Observable::$reading => $part.kinds(),)* }
        }

        /// What the signals say.
        pub(in crate::connector) fn read(
            observable: Observable,
            signals: &Signals,
        ) -> Result<Observation, Unread> {
            match observable {
                $(Observable::$reading => $part.read(signals).map(Observation::$reading),)*
            }
        }

        /// The signals that say it; what is not known is no signal.
        pub(crate) fn signals(observation: &Observation) -> Vec<Said> {
            match observation { $(Observation::$reading(content) => $part.write(content),)* }
        }
    };
}

table! {
    Attributes: OfTheCar,
    Vin: several!(Vin {
        vin: Must(kind("vehicleidentification-vin", "VIN", "VehicleIdentification"), Single(VIN)),
    }),
    Location: Must(kind("location-preciselocation", "PreciseLocation", "Location"), Place),
    Odometer: several!(Odometer {
        distance_km: Must(kind("odometer-traveleddistance", "TraveledDistance", "Odometer"), Known(KM)),
    }),
    Battery: several!(Battery {
        level: Must(kind("tractionbattery-stateofcharge", "StateOfCharge", "TractionBattery"), Percent),
        range_km: May(kind("tractionbattery-range", "Range", "TractionBattery"), KM),
    }),
    BatteryCapacity: Must(CAPACITY, object!(BatteryCapacity {
        capacity_kwh: "capacity" => Maybe(PLAIN),
    })),
    NominalCapacity: Must(CAPACITY, Capacities),
    Charge: several!(Charge {
        state: Must(kind("charge-detailedchargingstatus", "DetailedChargingStatus", "Charge"), Single(ChargingWord)),
        is_plugged_in: May(kind("charge-ischargingcableconnected", "IsChargingCableConnected", "Charge"), Single(Maybe(Flag))),
    }),
    ChargeLimit: Must(kind("charge-chargelimits", "ChargeLimits", "Charge"), Limits),
    Fuel: several!(Fuel {
        level: Must(kind("internalcombustionengine-fuellevel", "FuelLevel", "InternalCombustionEngine"), Percent),
        amount_l: May(kind("internalcombustionengine-amountremaining", "AmountRemaining", "InternalCombustionEngine"), LITERS),
        range_km: May(kind("internalcombustionengine-range", "Range", "InternalCombustionEngine"), KM),
    }),
    TirePressure: Must(kind("wheel-tires", "Tires", "Wheel"), Tires),
    EngineOil: several!(EngineOil {
        life_remaining: Must(kind("internalcombustionengine-oillife", "OilLife", "InternalCombustionEngine"), Percent),
    }),
    LockStatus: several!(LockStatus {
        is_locked: Must(kind("closure-islocked", "IsLocked", "Closure"), Single(Flag)),
        doors: May(kind("closure-doors", "Doors", "Closure"), Corners),
        windows: May(kind("closure-windows", "Windows", "Closure"), Corners),
        sunroof: May(kind("closure-sunroof", "Sunroof", "Closure"), Lid("sunroof")),
        storage: Both(
            May(kind("closure-fronttrunk", "FrontTrunk", "Closure"), Lid("front")),
            May(kind("closure-reartrunk", "RearTrunk", "Closure"), Lid("rear")),
        ),
        charging_port: May(kind("charge-ischargingportflapopen", "IsChargingPortFlapOpen", "Charge"), Flap),
    }),
    SystemStatus: Systems,
    TroubleCodes: Must(kind("diagnostics-dtclist", "DTCList", "Diagnostics"), object!(TroubleCodes {
        active_codes: "values" => List(trouble_code()),
    })),
    ServiceHistory: Must(kind("service-records", "Records", "Service"), object!(ServiceHistory {
        records: "values" => List(Visit),
    })),
}

/// One signal for two readings: the list of signals shows it as [`Observable::NominalCapacity`].
const CAPACITY: Kind<'_> =
    kind("tractionbattery-nominalcapacity", "NominalCapacity", "TractionBattery");

/// What comes before the name of a system of the car, such as `diagnostics-abs`.
const SYSTEM_PREFIX: &str = "diagnostics-";
/// The names of systems that are other words in the codes of their signals.
const SYSTEM_NAMES: &[(&str, &str)] = &[("TPMS", "tirepressuremonitoring")];

const fn kind<'a>(code: &'a str, name: &'a str, group: &'a str) -> Kind<'a> {
    Kind { code, name, group }
}

/// Whether a list of signals says anything of it.
pub(crate) fn is_listed(observable: Observable) -> bool {
    !matches!(observable, Observable::Attributes | Observable::BatteryCapacity)
}

/// What a signal is read from.
pub(crate) fn observable_of(code: &str) -> Option<Observable> {
    let has_it = |one: &Observable| kinds(*one).iter().any(|kind| kind.code == code);
    let listed = Observable::ALL.iter().copied().filter(|one| is_listed(*one)).find(has_it);
    let of_system = || code.starts_with(SYSTEM_PREFIX).then_some(Observable::SystemStatus);
    listed.or_else(of_system)
}

/// Make, model and year are answered from the car itself, not from its signals.
struct OfTheCar;

impl Part for OfTheCar {
    type Of = Attributes;

    fn kinds(&self) -> Vec<Kind<'static>> {
        Vec::new()
    }

    fn read(&self, _: &Signals) -> Result<Attributes, Unread> {
        Err(Unread::Garbled("attributes are no signal"))
    }

    fn write(&self, _: &Attributes) -> Vec<Said> {
        Vec::new()
    }
}

/// Each system of the car is a signal, whose code names it.
struct Systems;

impl Part for Systems {
    type Of = SystemStatus;

    fn kinds(&self) -> Vec<Kind<'static>> {
        Vec::new()
    }

    fn read(&self, signals: &Signals) -> Result<SystemStatus, Unread> {
        let system = |(word, body): (&str, &Value)| {
            let known = SYSTEM_NAMES.iter().find(|row| row.1 == word).map(|row| row.0.to_owned());
            let name = known.unwrap_or_else(|| word.to_ascii_uppercase());
            // What is not about a system, such as the list of trouble codes, has another form.
            System { name: &name }.read(Some(body), UnitSystem::Metric).ok()
        };
        let told = signals.beginning_with(SYSTEM_PREFIX).into_iter().filter_map(system);
        let systems: Vec<SystemCondition> = told.take(bounds::ENTRIES_MAX).collect();
        if systems.is_empty() {
            // The error, if there is one, is that of any system.
            signals.value("diagnostics-abs")?;
        }
        Ok(SystemStatus { systems })
    }

    fn write(&self, value: &SystemStatus) -> Vec<Said> {
        let said = |system: &SystemCondition| {
            let name = system.system_id.strip_prefix("SYSTEM_").unwrap_or(&system.system_id);
            let known = SYSTEM_NAMES.iter().find(|row| row.0 == name).map(|row| row.1.to_owned());
            let word = known.unwrap_or_else(|| name.to_ascii_lowercase());
            Said {
                code: format!("{SYSTEM_PREFIX}{word}"),
                name: name.to_owned(),
                group: "Diagnostics",
                body: System { name }.write(system, UnitSystem::Metric),
            }
        };
        value.systems.iter().map(said).collect()
    }
}

#[cfg(test)]
#[path = "readings_test.rs"]
mod tests;
