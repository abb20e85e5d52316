//! The forms that only API v3 has: numbers with their unit, percentages from 0 to 100, places as
//! rows and columns. A number whose unit is not known is refused.

use serde_json::{Value, json};

use super::super::bounds;
use super::super::form::{Form, Maybe, Why};
use super::super::values::{Capitals, KM_PER_MILE, KPA_PER_PSI, L_PER_GALLON, PLAIN, capacities};
use crate::domain::reading::{NominalCapacity, ObservedLimit, TirePressure};
use crate::smartcar::v2::UnitSystem;

/// The corners of a car as rows and columns.
pub(super) const CORNERS: [(u64, u64, &str); 4] =
    [(0, 0, "frontLeft"), (0, 1, "frontRight"), (1, 0, "backLeft"), (1, 1, "backRight")];

/// `{"value": …}`.
pub(super) struct Single<F>(pub(super) F);

impl<F: Form> Form for Single<F> {
    type Of = F::Of;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<F::Of, Why> {
        self.0.read(wire.and_then(|wire| wire.get("value")), units)
    }

    fn write(&self, value: &F::Of, units: UnitSystem) -> Value {
        match self.0.write(value, units) {
            Value::Null => Value::Null,
            value => json!({ "value": value }),
        }
    }
}

/// A number with its unit: the units that the cloud may use, and how many of the first each is.
pub(super) struct Amount(&'static [(&'static str, f64)]);

/// A distance.
pub(super) const KM: Amount =
    Amount(&[("km", 1.0), ("kilometers", 1.0), ("mi", KM_PER_MILE), ("miles", KM_PER_MILE)]);
/// A volume.
pub(super) const LITERS: Amount = Amount(&[
    ("l", 1.0),
    ("liters", 1.0),
    ("litres", 1.0),
    ("gal", L_PER_GALLON),
    ("gallons", L_PER_GALLON),
]);
const PERCENT: Amount = Amount(&[("percent", 1.0), ("%", 1.0), ("", 1.0)]);
const KPA: Amount =
    Amount(&[("kPa", 1.0), ("kilopascals", 1.0), ("", 1.0), ("psi", KPA_PER_PSI), ("bar", 100.0)]);

impl Amount {
    /// A number in this unit, in the first one.
    fn convert(&self, number: f64, unit: Option<&Value>) -> Result<f64, Why> {
        let unit = match unit {
            None | Some(Value::Null) => "",
            Some(unit) => unit.as_str().ok_or("a unit that is not a word")?,
        };
        let known = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let number = number * known.ok_or("an unknown unit")?.1;
        if bounds::is_quantity(number) {
            Ok(number)
        } else {
            Err("a quantity that cannot be right")
        }
    }

    fn name(&self) -> &'static str {
        self.0.first().map_or("", |(name, _)| name)
    }
}

/// The number of a member; `None` if it is missing or `null`.
fn number(wire: &Value, member: &str) -> Result<Option<f64>, Why> {
    match wire.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(number) => number.as_f64().map(Some).ok_or("not a number"),
    }
}

impl Form for Amount {
    type Of = Option<f64>;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<Option<f64>, Why> {
        let Some(wire) = wire else { return Ok(None) };
        let number = number(wire, "value")?;
        number.map(|number| self.convert(number, wire.get("unit"))).transpose()
    }

    fn write(&self, value: &Option<f64>, _: UnitSystem) -> Value {
        value.map_or(Value::Null, |value| json!({ "unit": self.name(), "value": value }))
    }
}

/// A number that must be known.
pub(super) struct Known(pub(super) Amount);

impl Form for Known {
    type Of = f64;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<f64, Why> {
        self.0.read(wire, units)?.ok_or("no number")
    }

    fn write(&self, value: &f64, units: UnitSystem) -> Value {
        self.0.write(&Some(*value), units)
    }
}

/// A share of a whole, as a percentage.
pub(super) struct Percent;

impl Percent {
    fn share(percent: f64, unit: Option<&Value>) -> Result<f64, Why> {
        // Divided: the product with 0.01 would not be the nearest fraction.
        let share = PERCENT.convert(percent, unit)? / 100.0;
        if bounds::is_share(share) { Ok(share) } else { Err("a share beyond the whole") }
    }

    /// In percent, without the noise of binary fractions.
    fn of(share: f64) -> f64 {
        (share * 1e6).round() / 1e4
    }
}

impl Form for Percent {
    type Of = Option<f64>;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<Option<f64>, Why> {
        let Some(wire) = wire else { return Ok(None) };
        let percent = number(wire, "value")?;
        percent.map(|percent| Self::share(percent, wire.get("unit"))).transpose()
    }

    fn write(&self, value: &Option<f64>, units: UnitSystem) -> Value {
        PERCENT.write(&value.map(Self::of), units)
    }
}

/// The limit that is applied now; otherwise the one that holds everywhere.
pub(super) struct Limits;

impl Form for Limits {
    type Of = ObservedLimit;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<ObservedLimit, Why> {
        let wire = wire.ok_or("no limit")?;
        let is_global = |one: &&Value| {
            let kind = one.get("type").and_then(Value::as_str);
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case("global"))
        };
        let values = wire.get("values").and_then(Value::as_array);
        let global = values.and_then(|values| values.iter().find(is_global));
        let global = global.map(|global| number(global, "limit")).transpose()?.flatten();
        let percent = number(wire, "activeLimit")?.or(global).ok_or("no limit")?;
        Percent::share(percent, wire.get("unit")).map(|limit| ObservedLimit { limit })
    }

    fn write(&self, value: &ObservedLimit, _: UnitSystem) -> Value {
        let limit =
            json!({ "type": "global", "limit": Percent::of(value.limit), "condition": null });
        // Which limit is applied now depends on whether and where the car is plugged in.
        json!({ "values": [limit], "activeLimit": null, "unit": PERCENT.name() })
    }
}

/// The capacity of the car among those of its kind.
pub(super) struct Capacities;

impl Form for Capacities {
    type Of = NominalCapacity;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<NominalCapacity, Why> {
        let members = wire.and_then(Value::as_object).ok_or("not an object")?;
        let capacity = Maybe(PLAIN).read(members.get("capacity"), units)?;
        let source = Maybe(Capitals).read(members.get("source"), units)?;
        let (nominal_kwh, source) = capacity.zip(source).unzip();
        let available_capacities = capacities().read(members.get("availableCapacities"), units)?;
        Ok(NominalCapacity { available_capacities, nominal_kwh, source, url: None })
    }

    fn write(&self, value: &NominalCapacity, units: UnitSystem) -> Value {
        json!({
            "capacity": value.nominal_kwh,
            "source": Maybe(Capitals).write(&value.source, units),
            "availableCapacities": capacities().write(&value.available_capacities, units),
            "unit": "kWh",
        })
    }
}

/// The entries of a body about several places.
pub(super) fn values(wire: &Value) -> Result<&Vec<Value>, Why> {
    wire.get("values").and_then(Value::as_array).ok_or("no list of places")
}

/// Whether an entry is about the place in this row and column.
pub(super) fn is_at(value: &Value, row: u64, column: u64) -> bool {
    let at = |member: &str| value.get(member).and_then(Value::as_u64);
    at("row") == Some(row) && at("column") == Some(column)
}

/// The pressure of the tires.
pub(super) struct Tires;

impl Form for Tires {
    type Of = TirePressure;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<TirePressure, Why> {
        let wire = wire.ok_or("no list of places")?;
        let values = values(wire)?;
        let at = |row, column| {
            let wheel = values.iter().find(|wheel| is_at(wheel, row, column));
            let kpa = wheel.map(|wheel| number(wheel, "tirePressure")).transpose()?.flatten();
            kpa.map(|kpa| KPA.convert(kpa, wire.get("unit"))).transpose()
        };
        Ok(TirePressure {
            front_left_kpa: at(0, 0)?,
            front_right_kpa: at(0, 1)?,
            back_left_kpa: at(1, 0)?,
            back_right_kpa: at(1, 1)?,
        })
    }

    fn write(&self, value: &TirePressure, _: UnitSystem) -> Value {
        let told = [
            value.front_left_kpa,
            value.front_right_kpa,
            value.back_left_kpa,
            value.back_right_kpa,
        ];
        let wheel = |((row, column, _), kpa): ((u64, u64, &str), Option<f64>)| json!({ "row": row, "column": column, "tirePressure": kpa });
        let wheels: Vec<Value> = CORNERS.into_iter().zip(told).map(wheel).collect();
        json!({ "values": wheels, "rowCount": 2, "columnCount": 2, "unit": KPA.name() })
    }
}
