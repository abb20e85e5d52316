//! What a car says about itself, and what time does to it: a charging car fills up to its limit, a
//! moving car gets further and emptier. It is arithmetic on metric numbers; the same state and the
//! same time always give the same result. It knows no request and no permission.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// What a car in motion does.
const SPEED_KMH: f64 = 60.0;
/// What a cable delivers.
const CHARGE_POWER_KW: f64 = 11.0;
/// How far a car goes on new oil.
const OIL_LIFE_KM: f64 = 15_000.0;
/// A degree of latitude.
const KM_PER_DEGREE: f64 = 111.195;
/// Cars turn back before the poles, where longitudes mean little.
const LATITUDE_MAX: f64 = 85.0;

/// What moves a car.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Powertrain {
    /// A battery alone: no fuel, no engine oil.
    Bev,
    /// A battery and an engine: the car answers everything.
    #[default]
    Phev,
    /// An engine alone: nothing to charge.
    Ice,
}

impl Powertrain {
    /// Whether there is a battery that can be charged.
    pub(crate) const fn has_battery(self) -> bool {
        !matches!(self, Self::Ice)
    }

    /// Whether there is an engine, with its fuel and oil.
    pub(crate) const fn has_engine(self) -> bool {
        !matches!(self, Self::Bev)
    }

    /// The word on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Bev => "BEV",
            Self::Phev => "PHEV",
            Self::Ice => "ICE",
        }
    }
}

/// Something that holds what a car runs on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Store {
    /// From 0 to 1.
    pub(super) level: f64,
    /// Kilowatt-hours or liters.
    pub(crate) capacity: f64,
    /// How far it goes when full.
    pub(super) full_range_km: f64,
}

impl Store {
    /// How far it still goes.
    pub(super) fn range_km(&self) -> f64 {
        self.level * self.full_range_km
    }

    /// Takes what a distance needs, and says how much of the distance is left to go.
    fn drive(&mut self, km: f64) -> f64 {
        let driven = km.min(self.range_km());
        self.level = (self.level - driven / self.full_range_km).max(0.0);
        km - driven
    }
}

/// Whether a car goes anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motion {
    Parked,
    Driving,
    /// The trip is over or interrupted. Official simulated cars cannot be reached then.
    Paused,
}

/// Everything about a car that can change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CarState {
    /// The time at which the rest is true.
    pub(crate) at: Timestamp,
    /// When any of it last changed.
    pub(crate) changed_at: Timestamp,
    /// When the car last reported its lock.
    pub(super) lock_changed_at: Timestamp,
    pub(crate) is_locked: bool,
    pub(crate) powertrain: Powertrain,
    pub(super) motion: Motion,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// Degrees from north.
    pub(crate) heading: f64,
    pub(crate) odometer_km: f64,
    /// Kilowatt-hours.
    pub(crate) battery: Store,
    pub(super) is_plugged_in: bool,
    pub(crate) is_charging: bool,
    /// From 0 to 1.
    pub(crate) charge_limit: f64,
    /// Liters.
    pub(crate) fuel: Store,
    /// From 0 to 1.
    pub(super) oil_life: f64,
    /// Front left, front right, back left, back right.
    pub(super) tires_kpa: [f64; 4],
    /// Diagnostic trouble codes that are active.
    pub(crate) trouble_codes: Vec<String>,
}

impl CarState {
    /// What time alone makes of the state. A time that has passed already changes nothing.
    pub(super) fn advanced_to(mut self, at: Timestamp) -> Self {
        let passed = at.since(self.at);
        if passed.is_zero() {
            return self;
        }
        if self.motion == Motion::Driving {
            self.drive(passed);
        } else if self.is_charging {
            self.fill_up(passed);
        }
        self.at = at;
        self
    }

    /// Whether the car is plugged in and will not be charged further.
    pub(super) fn is_full(&self) -> bool {
        self.is_plugged_in && self.battery.level >= self.charge_limit
    }

    fn fill_up(&mut self, passed: Duration) {
        let per_hour = CHARGE_POWER_KW / self.battery.capacity;
        let missing_hours = (self.charge_limit - self.battery.level).max(0.0) / per_hour;
        let hours = hours(passed);
        if hours < missing_hours {
            self.battery.level += hours * per_hour;
            self.changed_at = self.at.plus(passed);
        } else {
            self.battery.level = self.battery.level.max(self.charge_limit);
            self.is_charging = false;
            self.changed_at = self.at.plus(duration(missing_hours));
        }
    }

    /// The battery goes first, then the tank; a car with neither left stands still.
    fn drive(&mut self, passed: Duration) {
        let wanted_km = SPEED_KMH * hours(passed);
        let mut left_km = wanted_km;
        if self.powertrain.has_battery() {
            left_km = self.battery.drive(left_km);
        }
        if self.powertrain.has_engine() {
            left_km = self.fuel.drive(left_km);
        }
        let km = wanted_km - left_km;
        self.odometer_km += km;
        self.oil_life = (self.oil_life - km / OIL_LIFE_KM).max(0.0);
        let (east, north) = self.heading.to_radians().sin_cos();
        let latitude = self.latitude + km * north / KM_PER_DEGREE;
        let narrowed = self.latitude.to_radians().cos().max(0.01);
        let longitude = self.longitude + km * east / (KM_PER_DEGREE * narrowed);
        self.latitude = latitude.clamp(-LATITUDE_MAX, LATITUDE_MAX);
        self.longitude = (longitude + 180.0).rem_euclid(360.0) - 180.0;
        self.changed_at = self.at.plus(passed);
        if left_km > 0.0 {
            self.motion = Motion::Parked;
            self.changed_at = self.at.plus(duration(km / SPEED_KMH));
        }
    }
}

fn hours(duration: Duration) -> f64 {
    duration.as_secs_f64() / 3600.0
}

fn duration(hours: f64) -> Duration {
    Duration::try_from_secs_f64(hours * 3600.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;
    use proptest::prelude::*;

    #[test]
    fn a_stop_on_the_way_makes_no_difference() {
        // A charge ends within hours, a drive within days.
        let minutes = || prop_oneof![0..300_i64, 0..2_000_i64];
        let cases = ((minutes(), minutes()), 0.0..1.0_f64, any::<bool>());
        let tally = Tally::of(1024, cases, |(times, level, is_driving), tally| {
            let (stop, end) = (times.0.min(times.1), times.0.max(times.1));
            let mut before = CarState { is_charging: !is_driving, ..state() };
            before.battery.level = level;
            if is_driving {
                before.motion = Motion::Driving;
            }
            let direct = before.clone().advanced_to(at(end));
            let middle = before.clone().advanced_to(at(stop));
            let stopped = middle.clone().advanced_to(at(end));
            prop_assert!((direct.battery.level - stopped.battery.level).abs() < 1e-9);
            prop_assert!((direct.fuel.level - stopped.fuel.level).abs() < 1e-9);
            prop_assert!((direct.odometer_km - stopped.odometer_km).abs() < 1e-6);
            prop_assert!((direct.longitude - stopped.longitude).abs() < 1e-6);
            prop_assert!((0.0..=1.0).contains(&direct.battery.level));
            if is_driving {
                tally.count_if(middle.battery.level > 0.0, "stops with a charged battery");
                tally.count_if(middle.battery.level <= 0.0, "stops with an empty battery");
                tally.count_if(middle.fuel.level > 0.0 && direct.fuel.level <= 0.0, "runs dry");
            } else {
                tally.count_if(middle.battery.level < before.charge_limit, "stops while charging");
                tally.count_if(level > before.charge_limit, "is fuller than the limit");
                let fills_up = middle.battery.level < direct.battery.level && !direct.is_charging;
                tally.count_if(fills_up, "fills up after the stop");
            }
            Ok(())
        });
        tally.assert_each(5, ["stops with a charged battery", "stops with an empty battery"]);
        tally.assert_each(5, ["runs dry", "stops while charging", "is fuller than the limit"]);
        tally.assert_each(5, ["fills up after the stop"]);
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000 + minutes * 60).unwrap()
    }

    fn state() -> CarState {
        CarState {
            at: at(0),
            changed_at: at(0),
            lock_changed_at: at(0),
            is_locked: true,
            powertrain: Powertrain::Phev,
            motion: Motion::Parked,
            latitude: 48.0,
            longitude: 11.0,
            heading: 90.0,
            odometer_km: 1_000.0,
            battery: Store { level: 0.5, capacity: 44.0, full_range_km: 200.0 },
            is_plugged_in: true,
            is_charging: false,
            charge_limit: 0.75,
            fuel: Store { level: 0.5, capacity: 40.0, full_range_km: 400.0 },
            oil_life: 0.5,
            tires_kpa: [230.0; 4],
            trouble_codes: Vec::new(),
        }
    }

    #[test]
    fn a_parked_car_does_not_change_and_time_never_goes_back() {
        let later = state().advanced_to(at(600));
        assert_eq!(later, CarState { at: at(600), ..state() });
        let charging = CarState { is_charging: true, ..state() };
        assert_eq!(charging.clone().advanced_to(at(-5)), charging);
    }

    #[test]
    fn a_charging_car_fills_up_to_its_limit_and_stops() {
        let charging = CarState { is_charging: true, ..state() };
        // 11 kW into 44 kWh: a quarter in an hour.
        let half = charging.clone().advanced_to(at(30));
        assert!((half.battery.level - 0.625).abs() < 1e-9 && half.is_charging && !half.is_full());
        assert_eq!(half.changed_at, at(30));
        let full = half.advanced_to(at(600));
        assert_eq!((full.battery.level, full.is_charging), (0.75, false));
        assert!(full.is_full());
        assert_eq!(full.changed_at, at(60));
        assert_eq!(charging.advanced_to(at(600)).changed_at, at(60));
    }

    #[test]
    fn a_moving_car_gets_further_and_emptier_and_stops_when_nothing_is_left() {
        let driving = CarState { motion: Motion::Driving, ..state() };
        let hour = driving.clone().advanced_to(at(60));
        assert!((hour.odometer_km - 1_060.0).abs() < 1e-9);
        assert!((hour.battery.level - 0.2).abs() < 1e-9 && hour.fuel.level == 0.5);
        assert!((hour.latitude - 48.0).abs() < 1e-9 && hour.longitude > 11.8);
        // The same in two steps.
        let steps = driving.clone().advanced_to(at(25)).advanced_to(at(60));
        assert!((steps.longitude - hour.longitude).abs() < 1e-9);
        assert!((steps.battery.level - hour.battery.level).abs() < 1e-9);
        // A hundred kilometers of battery and two hundred of fuel.
        let empty = driving.advanced_to(at(6_000));
        assert!((empty.odometer_km - 1_300.0).abs() < 1e-6);
        assert_eq!((empty.motion, empty.changed_at), (Motion::Parked, at(300)));
        assert_eq!((empty.battery.level, empty.fuel.level), (0.0, 0.0));
    }
}
