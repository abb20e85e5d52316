//! The cars that a simulator starts with: a built-in few, a number of them, or a file's. What a
//! fleet file says is checked here once; the cars themselves live in [`super::car`].

use std::collections::HashSet;

use serde::Deserialize;

use super::adjustment::Adjustment;
use super::car_state::{CarState, Motion, Powertrain, Store};
use crate::domain::time::Timestamp;

/// More cars than any benchmark needs.
const CARS_MAX: usize = 100_000;
const TEXT_LENGTH_MAX: usize = 64;
const VIN_LENGTH: usize = 17;

/// One car of a fleet file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetCar {
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
    /// What it starts with. A car that says nothing is parked, locked and plugged in, and has
    /// values of its own for everything that can be read.
    #[serde(flatten)]
    pub state: Adjustment,
}

/// Cars that have been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    cars: Vec<FleetCar>,
    seed: Option<u64>,
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
    /// Reads `{"vehicles": [{make, model, year, vin?, id?, …}]}`; the rest is in [`Adjustment`].
    ///
    /// # Errors
    /// [`FleetError`] says what is wrong with it.
    pub fn from_json(text: &[u8]) -> Result<Self, FleetError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            vehicles: Vec<FleetCar>,
        }
        Self::from_cars(serde_json::from_slice::<File>(text)?.vehicles)
    }

    /// A fleet of these cars.
    ///
    /// # Errors
    /// [`FleetError`] if there are too few or too many, or one is out of bounds.
    pub fn from_cars(cars: Vec<FleetCar>) -> Result<Self, FleetError> {
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
        Ok(Self { cars, seed: None })
    }

    /// This many cars of a few models; at least one, at most a hundred thousand.
    #[must_use]
    pub fn of_size(size: usize) -> Self {
        let models =
            [("TESLA", "Model 3", 2024), ("VOLKSWAGEN", "ID.3", 2023), ("BMW", "i3", 2020)];
        let cars = models.into_iter().cycle().map(|(make, model, year)| FleetCar {
            make: make.to_owned(),
            model: model.to_owned(),
            year,
            vin: None,
            id: None,
            state: Adjustment::default(),
        });
        Self { cars: cars.take(size.clamp(1, CARS_MAX)).collect(), seed: None }
    }

    /// The same cars with other values and, where the cars have no ids, with ids that follow from
    /// the seed too.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// What ids and values follow from, if that was said.
    pub(super) const fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// The state of the car at a place, as it is at first.
    pub(super) fn first_state(&self, place: usize, now: Timestamp) -> CarState {
        let mut state = drawn(self.seed.unwrap_or_default(), place, now);
        if let Some(car) = self.cars.get(place) {
            car.state.apply(&mut state, now);
        }
        state
    }

    /// The cars, in their order.
    #[must_use]
    pub fn cars(&self) -> &[FleetCar] {
        &self.cars
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self::of_size(3)
    }
}

/// The values of a car of which nothing is said: parked, locked and plugged in. They follow from
/// the seed and the place in the fleet.
fn drawn(seed: u64, place: usize, now: Timestamp) -> CarState {
    let mut draws = Draws(seed.wrapping_add(u64::try_from(place).unwrap_or_default() << 20));
    let trouble_codes = match place.is_multiple_of(3) {
        true => vec!["P302D".to_owned()],
        false => Vec::new(),
    };
    CarState {
        at: now,
        changed_at: now,
        lock_changed_at: now,
        is_locked: true,
        powertrain: Powertrain::Phev,
        motion: Motion::Parked,
        latitude: 48.1 + draws.between(0.0, 8.0) / 100.0,
        longitude: 11.5 + draws.between(0.0, 14.0) / 100.0,
        heading: draws.between(0.0, 359.0),
        odometer_km: draws.between(4_000.0, 90_000.0),
        battery: Store {
            level: draws.between(0.45, 0.7),
            capacity: draws.between(42.0, 78.0),
            full_range_km: draws.between(280.0, 480.0),
        },
        is_plugged_in: true,
        is_charging: false,
        charge_limit: 0.8,
        fuel: Store {
            level: draws.between(0.4, 0.9),
            capacity: draws.between(30.0, 55.0),
            full_range_km: draws.between(350.0, 700.0),
        },
        oil_life: draws.between(0.3, 0.9),
        tires_kpa: [(); 4].map(|()| draws.between(220.0, 245.0)),
        trouble_codes,
    }
}

/// An id that follows from the seed and the place in the fleet.
pub(super) fn seeded_id(seed: u64, place: usize) -> String {
    let mut draws = Draws(seed.wrapping_add(u64::try_from(place).unwrap_or_default() << 20));
    let (high, low) = (draws.next(), draws.next());
    let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Numbers that follow from a seed (splitmix64). They are for plausible readings, never for
/// secrets.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number with two decimals between two others.
    fn between(&mut self, least: f64, most: f64) -> f64 {
        let drawn = u32::try_from(self.next() >> 32).unwrap_or_default();
        let part = f64::from(drawn) / f64::from(u32::MAX);
        ((least + part * (most - least)) * 100.0).round() / 100.0
    }
}

fn check(car: &FleetCar) -> Result<(), &'static str> {
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
    car.state.check()?;
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
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let state = fleet.first_state(0, now);
        assert!(state.is_locked && state.is_plugged_in && state.motion == Motion::Parked);
        let refused = [
            r#"{"vehicles":[]}"#,
            r#"{"vehicles":[{"make":"","model":"x","year":2022}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":3}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"vin":"short"}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"id":"../up"}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"colour":"red"}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"battery_level":1.5}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"powertrain":"STEAM"}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"is_driving":true,"is_plugged_in":true}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"tire_pressure_kpa":[1,2,3]}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"trouble_codes":["P 1"]}]}"#,
            r#"{"vehicles":[{"make":"a","model":"x","year":2022,"id":"1"},{"make":"a","model":"x","year":2022,"id":"1"}]}"#,
        ];
        for text in refused {
            assert!(Fleet::from_json(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_fleet_file_says_of_a_car_is_its_first_state() {
        let one = br#"{"vehicles":[{"make":"Audi","model":"A4","year":2022,"powertrain":"ICE",
            "is_locked":false,"odometer_km":12.5,"is_driving":true,"fuel_level":0.25,
            "tire_pressure_kpa":[200,201,202,203],"trouble_codes":["P1D9A"]}]}"#;
        let fleet = Fleet::from_json(one).unwrap();
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let state = fleet.first_state(0, now);
        assert!(!state.is_locked && !state.is_plugged_in);
        assert_eq!((state.powertrain, state.motion), (Powertrain::Ice, Motion::Driving));
        assert_eq!((state.odometer_km, state.fuel.level), (12.5, 0.25));
        assert_eq!(state.tires_kpa, [200.0, 201.0, 202.0, 203.0]);
        assert_eq!(state.trouble_codes, ["P1D9A"]);
    }

    #[test]
    fn values_follow_from_the_seed() {
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let first = |fleet: Fleet| [0, 1].map(|place| fleet.first_state(place, now));
        let seeded = |seed| first(Fleet::default().seeded(seed));
        assert_eq!(seeded(5), seeded(5));
        assert_ne!(seeded(5), seeded(6));
        assert_ne!(seeded(5)[0], seeded(5)[1]);
        assert_eq!(first(Fleet::default()), seeded(0));
    }

    #[test]
    fn sizes_are_kept_within_bounds() {
        assert_eq!(Fleet::of_size(0).cars().len(), 1);
        assert_eq!(Fleet::of_size(7).cars().len(), 7);
        assert_eq!(Fleet::default().cars().len(), 3);
    }
}
