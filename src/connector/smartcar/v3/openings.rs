//! The forms of what opens and of the systems of a car in API v3: places are rows and columns, and
//! what is open is yes, no or unknown.

use serde_json::{Value, json};

use super::super::form::{Form, Maybe, Why};
use super::super::values::{Capitals, Flag, Text, WORD};
use super::bodies::{CORNERS, Single, is_at, values};
use crate::domain::reading::{Opening, SystemCondition};
use crate::smartcar::v2::UnitSystem;

fn opening(place: &str, is_open: Option<bool>) -> Opening {
    let status = match is_open {
        Some(true) => "open",
        Some(false) => "closed",
        None => "unknown",
    };
    Opening { place: place.to_owned(), status: status.to_owned() }
}

fn is_open(opening: &Opening) -> Option<bool> {
    match opening.status.as_str() {
        "open" => Some(true),
        "closed" => Some(false),
        _ => None,
    }
}

/// Doors or windows: what is at the corners. Others have no name in the domain.
pub(super) struct Corners;

impl Form for Corners {
    type Of = Vec<Opening>;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<Vec<Opening>, Why> {
        let Some(wire) = wire else { return Ok(Vec::new()) };
        let corner = |value: &Value| {
            let (_, _, place) =
                CORNERS.iter().find(|(row, column, _)| is_at(value, *row, *column))?;
            Some(Maybe(Flag).read(value.get("isOpen"), units).map(|open| opening(place, open)))
        };
        values(wire)?.iter().filter_map(corner).collect()
    }

    fn write(&self, value: &Vec<Opening>, _: UnitSystem) -> Value {
        let corner = |told: &Opening| {
            let (row, column, _) = CORNERS.iter().find(|corner| corner.2 == told.place)?;
            Some(json!({ "row": row, "column": column, "isOpen": is_open(told) }))
        };
        let values: Vec<Value> = value.iter().filter_map(corner).collect();
        if values.is_empty() {
            return Value::Null;
        }
        json!({ "values": values, "rowCount": 2, "columnCount": 2 })
    }
}

/// One lid, by its place.
pub(super) struct Lid(pub(super) &'static str);

impl Form for Lid {
    type Of = Vec<Opening>;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<Vec<Opening>, Why> {
        let Some(wire) = wire else { return Ok(Vec::new()) };
        let members = wire.as_object().ok_or("not an object")?;
        let is_open = Maybe(Flag).read(members.get("isOpen"), units)?;
        Ok(vec![opening(self.0, is_open)])
    }

    fn write(&self, value: &Vec<Opening>, _: UnitSystem) -> Value {
        let lid = value.iter().find(|lid| lid.place == self.0);
        lid.map_or(Value::Null, |lid| json!({ "isOpen": is_open(lid) }))
    }
}

/// The flap of the charging port.
pub(super) struct Flap;

impl Form for Flap {
    type Of = Vec<Opening>;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<Vec<Opening>, Why> {
        let told = Single(Maybe(Flag)).read(wire, units)?;
        Ok(told.map(|is_open| opening("chargingPort", Some(is_open))).into_iter().collect())
    }

    fn write(&self, value: &Vec<Opening>, _: UnitSystem) -> Value {
        let flap = value.first().and_then(is_open);
        flap.map_or(Value::Null, |is_open| json!({ "value": is_open }))
    }
}

/// One system of the car, by the name that its signal has.
pub(super) struct System<'a> {
    pub(super) name: &'a str,
}

impl Form for System<'_> {
    type Of = SystemCondition;

    fn read(&self, wire: Option<&Value>, units: UnitSystem) -> Result<SystemCondition, Why> {
        let members = wire.and_then(Value::as_object).ok_or("not an object")?;
        let name = Value::from(self.name);
        Ok(SystemCondition {
            system_id: format!("SYSTEM_{}", WORD.read(Some(&name), units)?),
            status: Capitals.read(members.get("status"), units)?,
            description: Maybe(Text).read(members.get("description"), units)?,
        })
    }

    fn write(&self, value: &SystemCondition, units: UnitSystem) -> Value {
        json!({
            "status": Capitals.write(&value.status, units),
            "description": value.description,
        })
    }
}
