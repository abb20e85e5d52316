//! Every reading of API v2.0 (protocol page, section 2.3): the path below the car, and the form of
//! its body. The connector asks and reads by this table, the facade serves and writes by it.

use serde_json::{Value, json};

use super::super::bounds;
use super::super::form::{Form, List, ListIfAny, Maybe, Why, object};
use super::super::values::{
    Capitals, ChargingWord, Flag, KM, KPA, LITERS, NAME, PLAIN, Page, Place, Share, Text, VIN,
    Visit, WORD, capacities, trouble_code,
};
use crate::domain::reading::{NominalCapacity, Observable, Observation, Opening, ServiceHistory};
use crate::smartcar::v2::UnitSystem;

macro_rules! table {
    ($($reading:ident at $path:literal: $form:expr,)*) => {
        /// The path below the car.
        pub(crate) const fn path(observable: Observable) -> &'static str {
            match observable { $(Observable::$reading => $path,)* }
        }

        /// What a body says.
        ///
        /// # Errors
        /// Why it cannot be right.
        pub(crate) fn read(
            observable: Observable,
            body: &Value,
            units: UnitSystem,
        ) -> Result<Observation, Why> {
            match observable {
                $(Observable::$reading => {
                    $form.read(Some(body), units).map(Observation::$reading)
                })*
            }
        }

        /// The body that says it: every documented field, `null` for what is not known. The
        /// attributes lack the id of the car, which depends on who is answered.
        pub(crate) fn body(observation: &Observation, units: UnitSystem) -> Value {
            match observation {
                $(Observation::$reading(content) => $form.write(content, units),)*
            }
        }
    };
}

table! {
    Attributes at "": object!(Attributes {
        make: "make" => NAME, model: "model" => NAME, year: "year" => Year,
    }),
    Vin at "/vin": object!(Vin { vin: "vin" => VIN }),
    Location at "/location": Place,
    Odometer at "/odometer": object!(Odometer { distance_km: "distance" => KM }),
    Battery at "/battery": object!(Battery {
        level: "percentRemaining" => Maybe(Share), range_km: "range" => Maybe(KM),
    }),
    BatteryCapacity at "/battery/capacity": object!(BatteryCapacity {
        capacity_kwh: "capacity" => Maybe(PLAIN),
    }),
    NominalCapacity at "/battery/nominal_capacity": Capacity,
    Charge at "/charge": object!(Charge {
        is_plugged_in: "isPluggedIn" => Maybe(Flag), state: "state" => ChargingWord,
    }),
    ChargeLimit at "/charge/limit": object!(ObservedLimit { limit: "limit" => Share }),
    Fuel at "/fuel": object!(Fuel {
        amount_l: "amountRemaining" => Maybe(LITERS),
        level: "percentRemaining" => Maybe(Share),
        range_km: "range" => Maybe(KM),
    }),
    TirePressure at "/tires/pressure": object!(TirePressure {
        front_left_kpa: "frontLeft" => Maybe(KPA),
        front_right_kpa: "frontRight" => Maybe(KPA),
        back_left_kpa: "backLeft" => Maybe(KPA),
        back_right_kpa: "backRight" => Maybe(KPA),
    }),
    EngineOil at "/engine/oil": object!(EngineOil {
        life_remaining: "lifeRemaining" => Maybe(Share),
    }),
    LockStatus at "/security": object!(LockStatus {
        is_locked: "isLocked" => Flag,
        doors: "doors" => ListIfAny(opening()),
        windows: "windows" => ListIfAny(opening()),
        sunroof: "sunroof" => ListIfAny(opening()),
        storage: "storage" => ListIfAny(opening()),
        charging_port: "chargingPort" => ListIfAny(opening()),
    }),
    SystemStatus at "/diagnostics/system_status": object!(SystemStatus {
        systems: "systems" => List(object!(SystemCondition {
            system_id: "systemId" => WORD,
            status: "status" => Capitals,
            description: "description" => Maybe(Text),
        })),
    }),
    TroubleCodes at "/diagnostics/dtcs": object!(TroubleCodes {
        active_codes: "activeCodes" => List(trouble_code()),
    }),
    ServiceHistory at "/service/history": Visits,
}

/// What is found at a path below the car; `/` is the attributes.
pub(crate) fn observable_at(asked: &str) -> Option<Observable> {
    let asked = asked.trim_end_matches('/');
    Observable::ALL.iter().copied().find(|&observable| path(observable) == asked)
}

fn opening() -> impl Form<Of = Opening> {
    object!(Opening { place: "type" => WORD, status: "status" => Capitals })
}

/// A model year; one documented example shows it as a text.
struct Year;

impl Form for Year {
    type Of = i32;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<i32, Why> {
        let year = match wire {
            Some(Value::String(text)) => text.trim().parse().ok(),
            wire => wire.and_then(Value::as_i64).and_then(|year| i32::try_from(year).ok()),
        };
        year.filter(|year| bounds::is_year(*year)).ok_or("a year that cannot be right")
    }

    fn write(&self, value: &i32, _: UnitSystem) -> Value {
        Value::from(*value)
    }
}

/// Capacities: the one of this car is an object of its own, or `null`.
struct Capacity;

impl Form for Capacity {
    type Of = NominalCapacity;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<NominalCapacity, Why> {
        let members = wire.and_then(Value::as_object).ok_or("not an object")?;
        let rated = members.get("capacity").filter(|rated| !rated.is_null());
        let nominal = |rated: &Value| PLAIN.read(rated.get("nominal"), units);
        let source = |rated: &Value| Capitals.read(rated.get("source"), units);
        Ok(NominalCapacity {
            available_capacities: capacities().read(members.get("availableCapacities"), units)?,
            nominal_kwh: rated.map(nominal).transpose()?,
            source: rated.map(source).transpose()?,
            url: Page.read(members.get("url"), units)?,
        })
    }

    fn write(&self, value: &NominalCapacity, units: UnitSystem) -> Value {
        let rated = value.nominal_kwh.zip(value.source.as_ref()).map(|(nominal, source)| {
            json!({ "nominal": nominal, "source": Capitals.write(source, units) })
        });
        let available = capacities().write(&value.available_capacities, units);
        json!({ "availableCapacities": available, "capacity": rated, "url": value.url })
    }
}

/// The history is a list without an object around it.
struct Visits;

impl Form for Visits {
    type Of = ServiceHistory;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<ServiceHistory, Why> {
        List(Visit).read(wire, units).map(|records| ServiceHistory { records })
    }

    fn write(&self, value: &ServiceHistory, units: UnitSystem) -> Value {
        List(Visit).write(&value.records, units)
    }
}

#[cfg(test)]
#[path = "readings_test.rs"]
mod tests;
