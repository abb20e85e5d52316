//! How a car is to be given back, and whether it is. Nothing that a grant allows rests on it. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::reading::{Coordinates, Observable, Observation, Opening, Reading};
use crate::domain::time::Timestamp;

/// What a car reported longer ago than this says nothing about now.
pub const FRESH_WITHIN: Duration = Duration::from_secs(15 * 60);
/// The mean radius of the earth, in meters (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// How a car is to be given back. What is left out is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReturnTerms {
    /// Locked.
    #[serde(skip_serializing_if = "is_not_asked")]
    pub locked: bool,
    /// Doors, windows, sunroof and lids closed.
    #[serde(skip_serializing_if = "is_not_asked")]
    pub closed: bool,
    /// Parked. No signal of the vehicle cloud says so, so it is always `unknown`.
    #[serde(skip_serializing_if = "is_not_asked")]
    pub parked: bool,
    /// At this place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<ReturnPlace>,
    /// With at least so much in the tank, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel_min: Option<f64>,
    /// With at least so much in the battery, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_min: Option<f64>,
    /// With a charging cable plugged in.
    #[serde(skip_serializing_if = "is_not_asked")]
    pub plugged_in: bool,
}

/// The place to which a car is to be brought back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnPlace {
    /// Degrees, positive to the north.
    pub latitude: f64,
    /// Degrees, positive to the east.
    pub longitude: f64,
    /// How far from there at most, in meters: 1 to 100,000.
    pub radius_m: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_not_asked(asked: &bool) -> bool {
    !*asked
}

words! {
    /// What can be asked for, as `code`.
    Criterion {
        /// Locked.
        Locked = "locked",
        /// Doors, windows, sunroof and lids closed.
        Closed = "closed",
        /// Parked.
        Parked = "parked",
        /// At the place.
        Place = "place",
        /// Enough in the tank.
        FuelMin = "fuel_min",
        /// Enough in the battery.
        ChargeMin = "charge_min",
        /// A charging cable plugged in.
        PluggedIn = "plugged_in",
    }
}

words! {
    /// Whether something that was asked for is so.
    Met {
        /// It is.
        Yes = "true",
        /// It is not.
        No = "false",
        /// The car does not say so, or not lately.
        Unknown = "unknown",
    }
}

impl From<Option<bool>> for Met {
    fn from(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }
}

impl Criterion {
    /// The reading that tells; `None` if there is none.
    #[must_use]
    pub const fn observable(self) -> Option<Observable> {
        match self {
            Self::Locked | Self::Closed => Some(Observable::LockStatus),
            Self::Parked => None,
            Self::Place => Some(Observable::Location),
            Self::FuelMin => Some(Observable::Fuel),
            Self::ChargeMin => Some(Observable::Battery),
            Self::PluggedIn => Some(Observable::Charge),
        }
    }
}

/// What became of one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// What was asked for.
    pub criterion: Criterion,
    /// Whether it is so.
    pub met: Met,
    /// When the car reported what that rests on; `None` if it did not.
    pub observed_at: Option<Timestamp>,
}

impl ReturnTerms {
    /// The terms that a grant keeps as text, if they can be read.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The terms as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Judges nothing: each criterion is unknown.
    #[must_use]
    pub fn unknown(&self) -> Vec<Judged> {
        self.judge(&[], None, Timestamp::MIN)
    }

    /// What is asked for, in the order of [`Criterion::ALL`].
    #[must_use]
    pub fn criteria(&self) -> Vec<Criterion> {
        let is_asked = |criterion: &Criterion| match criterion {
            Criterion::Locked => self.locked,
            Criterion::Closed => self.closed,
            Criterion::Parked => self.parked,
            Criterion::Place => self.place.is_some(),
            Criterion::FuelMin => self.fuel_min.is_some(),
            Criterion::ChargeMin => self.charge_min.is_some(),
            Criterion::PluggedIn => self.plugged_in,
        };
        Criterion::ALL.iter().copied().filter(is_asked).collect()
    }

    /// Judges each criterion by what was read. What was reported longer than [`FRESH_WITHIN`] ago, and of the doors what was
    /// reported before the last command moved them, leaves it unknown.
    #[must_use]
    pub fn judge(
        &self,
        readings: &[Reading],
        doors_moved_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<Judged> {
        let judge = |criterion: Criterion| {
            let told = readings.iter().find_map(|reading| {
                let observed_at = reading.reported_at.unwrap_or(reading.fetched_at);
                self.told(criterion, &reading.observation).map(|met| (met, observed_at))
            });
            let Some((met, observed_at)) = told else {
                return Judged { criterion, met: Met::Unknown, observed_at: None };
            };
            let of_doors = matches!(criterion, Criterion::Locked | Criterion::Closed);
            let is_fresh = observed_at.plus(FRESH_WITHIN) >= now;
            let is_since =
                !of_doors || doors_moved_at.is_none_or(|moved_at| observed_at >= moved_at);
            let met = if is_fresh && is_since { met.into() } else { Met::Unknown };
            Judged { criterion, met, observed_at: Some(observed_at) }
        };
        self.criteria().into_iter().map(judge).collect()
    }

    /// What an observation tells about a criterion: nothing, that it does not know, or whether it is so.
    fn told(&self, criterion: Criterion, seen: &Observation) -> Option<Option<bool>> {
        let at_least = |level: Option<f64>, least: Option<f64>| {
            level.zip(least).map(|(level, least)| level >= least)
        };
        match (criterion, seen) {
            (Criterion::Locked, Observation::LockStatus(lock)) => Some(Some(lock.is_locked)),
            (Criterion::Closed, Observation::LockStatus(lock)) => {
                let parts = [&lock.doors, &lock.windows, &lock.sunroof, &lock.storage];
                let openings: Vec<&Opening> = parts.into_iter().flatten().collect();
                Some(all_closed(&openings))
            }
            (Criterion::Place, Observation::Location(there)) => {
                Some(self.place.map(|place| place.is_near(*there)))
            }
            (Criterion::FuelMin, Observation::Fuel(fuel)) => {
                Some(at_least(fuel.level, self.fuel_min))
            }
            (Criterion::ChargeMin, Observation::Battery(battery)) => {
                Some(at_least(battery.level, self.charge_min))
            }
            (Criterion::PluggedIn, Observation::Charge(charge)) => Some(charge.is_plugged_in),
            _ => None,
        }
    }
}

/// One that is open tells; all must be closed to tell the opposite, and a maker that reports none tells nothing.
fn all_closed(openings: &[&Opening]) -> Option<bool> {
    if openings.iter().any(|opening| opening.status == "open") {
        return Some(false);
    }
    let all = !openings.is_empty() && openings.iter().all(|opening| opening.status == "closed");
    all.then_some(true)
}

impl ReturnPlace {
    /// Whether somewhere is no farther away than the radius.
    fn is_near(self, there: Coordinates) -> bool {
        self.distance_m(there) <= f64::from(self.radius_m)
    }

    /// The length of the great circle between both, in meters (haversine formula).
    fn distance_m(self, there: Coordinates) -> f64 {
        let (here, other) = (self.latitude.to_radians(), there.latitude().to_radians());
        let across = (there.longitude() - self.longitude).to_radians();
        let square = |angle: f64| (angle / 2.0).sin().powi(2);
        let share = square(other - here) + here.cos() * other.cos() * square(across);
        2.0 * EARTH_RADIUS_M * share.sqrt().min(1.0).asin()
    }
}

#[cfg(test)]
#[path = "return_terms_test.rs"]
mod tests;
