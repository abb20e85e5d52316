//! The forms that both versions of the API have: words, numbers, places, and visits to the workshop.

use serde_json::{Map, Value};

use super::bounds;
use super::form::{Form, ListIfAny, Maybe, Why, object};
use crate::domain::reading::{
    AvailableCapacity, ChargeState, Coordinates, ServiceDetail, ServiceRecord, ServiceTask,
    TroubleCode,
};
use crate::smartcar::v2::UnitSystem;

/// Yes or no.
pub(super) struct Flag;

impl Form for Flag {
    type Of = bool;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<bool, Why> {
        wire.and_then(Value::as_bool).ok_or("neither true nor false")
    }

    fn write(&self, value: &bool, _: UnitSystem) -> Value {
        Value::Bool(*value)
    }
}

/// A share of a whole, from 0 to 1.
pub(super) struct Share;

impl Form for Share {
    type Of = f64;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<f64, Why> {
        let share = wire.and_then(Value::as_f64).filter(|share| bounds::is_share(*share));
        share.ok_or("a share that is not from 0 to 1")
    }

    fn write(&self, value: &f64, _: UnitSystem) -> Value {
        Value::from(*value)
    }
}

/// A number in metric units, with how many of them are one imperial unit.
pub(super) struct Quantity(pub(super) f64);

/// Kilometers in a mile, exactly.
pub(super) const KM_PER_MILE: f64 = 1.609_344;
/// Liters in a US gallon, exactly.
pub(super) const L_PER_GALLON: f64 = 3.785_411_784;
/// Kilopascals in a pound per square inch.
pub(super) const KPA_PER_PSI: f64 = 6.894_757_293_168;
/// A distance.
pub(super) const KM: Quantity = Quantity(KM_PER_MILE);
/// A volume.
pub(super) const LITERS: Quantity = Quantity(L_PER_GALLON);
/// A pressure.
pub(super) const KPA: Quantity = Quantity(KPA_PER_PSI);
/// An energy, or another number that is the same in both systems.
pub(super) const PLAIN: Quantity = Quantity(1.0);

impl Form for Quantity {
    type Of = f64;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<f64, Why> {
        let number = wire.and_then(Value::as_f64).ok_or("not a number")?;
        let metric = match units {
            UnitSystem::Metric => number,
            UnitSystem::Imperial => number * self.0,
        };
        if bounds::is_quantity(metric) {
            Ok(metric)
        } else {
            Err("a quantity that cannot be right")
        }
    }

    fn write(&self, value: &f64, units: UnitSystem) -> Value {
        match units {
            UnitSystem::Metric => Value::from(*value),
            UnitSystem::Imperial => Value::from(*value / self.0),
        }
    }
}

/// A text that passes a check.
pub(super) struct Checked(fn(&str) -> bool, Why);

/// The name of a maker or model.
pub(super) const NAME: Checked = Checked(bounds::is_name, "not a name");
/// A vehicle identification number.
pub(super) const VIN: Checked = Checked(bounds::is_vin, "not a vehicle identification number");
/// A single word.
pub(super) const WORD: Checked = Checked(bounds::is_word, "not a word");

impl Form for Checked {
    type Of = String;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<String, Why> {
        let text = wire.and_then(Value::as_str).filter(|text| (self.0)(text));
        text.map(str::to_owned).ok_or(self.1)
    }

    fn write(&self, value: &String, _: UnitSystem) -> Value {
        Value::from(value.as_str())
    }
}

/// A word in capitals, which is lower case in the domain.
pub(super) struct Capitals;

impl Form for Capitals {
    type Of = String;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<String, Why> {
        WORD.read(wire, units).map(|word| word.to_ascii_lowercase())
    }

    fn write(&self, value: &String, _: UnitSystem) -> Value {
        Value::from(value.to_ascii_uppercase())
    }
}

/// What a battery is doing, in capitals.
pub(super) struct ChargingWord;

impl Form for ChargingWord {
    type Of = ChargeState;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<ChargeState, Why> {
        let word = wire.and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        word.parse().map_err(|_| "an unknown charge state")
    }

    fn write(&self, value: &ChargeState, _: UnitSystem) -> Value {
        Value::from(value.as_str().to_ascii_uppercase())
    }
}

/// A sentence of the maker, cut to its bounds.
pub(super) struct Text;

impl Form for Text {
    type Of = String;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<String, Why> {
        wire.and_then(Value::as_str).map(bounds::text).ok_or("not a text")
    }

    fn write(&self, value: &String, _: UnitSystem) -> Value {
        Value::from(value.as_str())
    }
}

/// The address of a page; one that cannot be shown to a person counts as missing.
pub(super) struct Page;

impl Form for Page {
    type Of = Option<String>;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<Self::Of, Why> {
        let url = wire.and_then(Value::as_str).filter(|url| bounds::is_url(url));
        Ok(url.map(str::to_owned))
    }

    fn write(&self, value: &Self::Of, _: UnitSystem) -> Value {
        value.as_deref().map_or(Value::Null, Value::from)
    }
}

/// A place on earth.
pub(super) struct Place;

impl Form for Place {
    type Of = Coordinates;

    fn read(&self, wire: Option<&Value>, _: UnitSystem) -> Result<Coordinates, Why> {
        let degrees = |member: &str| wire.and_then(|wire| wire.get(member)).and_then(Value::as_f64);
        let place = degrees("latitude").zip(degrees("longitude"));
        let place = place.and_then(|(latitude, longitude)| Coordinates::new(latitude, longitude));
        place.ok_or("a place that is not on earth")
    }

    fn write(&self, value: &Coordinates, _: UnitSystem) -> Value {
        let members = [("latitude", value.latitude()), ("longitude", value.longitude())];
        members.into_iter().collect()
    }
}

/// A diagnostic trouble code.
pub(super) fn trouble_code() -> impl Form<Of = TroubleCode> {
    object!(TroubleCode { code: "code" => WORD, set_at: "timestamp" => Maybe(Text) })
}

/// The capacities that cars of a kind were sold with.
pub(super) fn capacities() -> impl Form<Of = Vec<AvailableCapacity>> {
    ListIfAny(object!(AvailableCapacity {
        capacity_kwh: "capacity" => PLAIN,
        description: "description" => Maybe(Text),
    }))
}

/// A visit to the workshop.
pub(super) struct Visit;

impl Form for Visit {
    type Of = ServiceRecord;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<ServiceRecord, Why> {
        let members = wire.and_then(Value::as_object).ok_or("not an object")?;
        let text = |of: &Map<String, Value>, member| Maybe(Text).read(of.get(member), units);
        let nothing = Map::new();
        let cost = members.get("serviceCost").and_then(Value::as_object).unwrap_or(&nothing);
        Ok(ServiceRecord {
            service_id: text(members, "serviceId")?,
            odometer_km: Maybe(KM).read(members.get("odometerDistance"), units)?,
            serviced_at: text(members, "serviceDate")?,
            tasks: ListIfAny(task()).read(members.get("serviceTasks"), units)?,
            details: ListIfAny(detail()).read(members.get("serviceDetails"), units)?,
            total_cost: Maybe(PLAIN).read(cost.get("totalCost"), units)?,
            currency: text(cost, "currency")?,
        })
    }

    fn write(&self, value: &ServiceRecord, units: UnitSystem) -> Value {
        serde_json::json!({
            "serviceId": value.service_id,
            "odometerDistance": Maybe(KM).write(&value.odometer_km, units),
            "serviceDate": value.serviced_at,
            "serviceTasks": ListIfAny(task()).write(&value.tasks, units),
            "serviceDetails": ListIfAny(detail()).write(&value.details, units),
            "serviceCost": { "totalCost": value.total_cost, "currency": value.currency },
        })
    }
}

fn task() -> impl Form<Of = ServiceTask> {
    object!(ServiceTask {
        task_id: "taskId" => Maybe(Text),
        description: "taskDescription" => Maybe(Text),
    })
}

fn detail() -> impl Form<Of = ServiceDetail> {
    object!(ServiceDetail { kind: "type" => Text, value: "value" => Maybe(Text) })
}
