//! The cars that a simulator starts with: a built-in few, a number of them, or a file's. What a
//! fleet file says is checked here once; the cars themselves live in [`super::car`].

use std::collections::HashSet;

use serde::Deserialize;

/// More cars than any benchmark needs.
const CARS_MAX: usize = 100_000;
const TEXT_LENGTH_MAX: usize = 64;
const VIN_LENGTH: usize = 17;

/// One car of a fleet file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Car {
    /// The maker; shown in upper case.
    pub make: String,
    /// The model's name.
    pub model: String,
    /// The model year.
    pub year: i32,
    /// Seventeen characters; made up if missing.
    #[serde(default)]
    pub vin: Option<String>,
    /// The cloud's id of the car; a UUID is made up if missing.
    #[serde(default)]
    pub id: Option<String>,
    /// Whether the car starts locked; it does unless it is said otherwise.
    #[serde(default = "locked")]
    pub is_locked: bool,
}

const fn locked() -> bool {
    true
}

/// Cars that have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    cars: Vec<Car>,
}

/// Why a fleet file is refused.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// It is not the JSON that a fleet file is made of.
    #[error("not a fleet file")]
    Json(#[from] serde_json::Error),
    /// It has no cars, or too many.
    #[error("a fleet has between 1 and {CARS_MAX} vehicles, not {0}")]
    Size(usize),
    /// A field of a car is out of its bounds; cars are counted from 0.
    #[error("vehicle {0}: {1}")]
    Car(usize, &'static str),
}

impl Fleet {
    /// Reads `{"vehicles": [{make, model, year, vin?, id?, is_locked?}]}`.
    ///
    /// # Errors
    /// [`FleetError`] says what is wrong with it.
    pub fn from_json(text: &[u8]) -> Result<Self, FleetError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            vehicles: Vec<Car>,
        }
        Self::from_cars(serde_json::from_slice::<File>(text)?.vehicles)
    }

    /// A fleet of these cars.
    ///
    /// # Errors
    /// [`FleetError`] if there are too few or too many, or one is out of bounds.
    pub fn from_cars(cars: Vec<Car>) -> Result<Self, FleetError> {
        if cars.is_empty() || cars.len() > CARS_MAX {
            return Err(FleetError::Size(cars.len()));
        }
        let mut ids = HashSet::new();
        for (index, car) in cars.iter().enumerate() {
            check(car).map_err(|what| FleetError::Car(index, what))?;
            if car.id.as_ref().is_some_and(|id| !ids.insert(id.clone())) {
                return Err(FleetError::Car(index, "the id is used twice"));
            }
        }
        Ok(Self { cars })
    }

    /// This many cars of a few models; at least one, at most a hundred thousand.
    #[must_use]
    pub fn of_size(size: usize) -> Self {
        let models =
            [("TESLA", "Model 3", 2024), ("VOLKSWAGEN", "ID.3", 2023), ("BMW", "i3", 2020)];
        let cars = models.into_iter().cycle().map(|(make, model, year)| Car {
            make: make.to_owned(),
            model: model.to_owned(),
            year,
            vin: None,
            id: None,
            is_locked: true,
        });
        Self { cars: cars.take(size.clamp(1, CARS_MAX)).collect() }
    }

    /// The cars, in their order.
    #[must_use]
    pub fn cars(&self) -> &[Car] {
        &self.cars
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self::of_size(3)
    }
}

fn check(car: &Car) -> Result<(), &'static str> {
    let text = |text: &str| !text.trim().is_empty() && text.chars().count() <= TEXT_LENGTH_MAX;
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !text(&car.make) || !text(&car.model) {
        return Err("make and model have between 1 and 64 characters");
    }
    if !(1900..=2100).contains(&car.year) {
        return Err("the year is between 1900 and 2100");
    }
    if car.vin.as_ref().is_some_and(|vin| vin.len() != VIN_LENGTH || !plain(vin)) {
        return Err("a vin has 17 letters and digits");
    }
    if car.id.as_ref().is_some_and(|id| !text(id) || !plain(id)) {
        return Err("an id has between 1 and 64 letters, digits and hyphens");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_file_is_read_and_checked() {
        let one = br#"{"vehicles":[{"make":"Audi","model":"e-tron","year":2022,"id":"a-1"}]}"#;
        let fleet = Fleet::from_json(one).unwrap();
        assert!(fleet.cars()[0].is_locked);
        let refused = [
            r#"{"vehicles":[]}"#,
            r#"{"vehicles":[{"make":"","model":"x","year":2022}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":3}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"vin":"short"}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"id":"../up"}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"colour":"red"}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"id":"1"},{"make":"a","model":"x","year":2022,"id":"1"}]}"#,
        ];
        for text in refused {
            assert!(Fleet::from_json(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_kept_within_bounds() {
        assert_eq!(Fleet::of_size(0).cars().len(), 1);
        assert_eq!(Fleet::of_size(7).cars().len(), 7);
        assert_eq!(Fleet::default().cars().len(), 3);
    }
}
