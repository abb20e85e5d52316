//! What a fleet file or a test says about the state of a car: the same fields, with the same
//! bounds, in both. What is not said stays as it is.

use serde::Deserialize;

use super::car_state::{CarState, Motion, Powertrain};
use crate::domain::time::Timestamp;

const TROUBLE_CODES_MAX: usize = 50;
const TROUBLE_CODE_LENGTH_MAX: usize = 10;

/// Parts of a car's state; everything is optional and metric.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Adjustment {
    /// Whether all doors are locked.
    pub is_locked: Option<bool>,
    /// `BEV`, `PHEV` or `ICE`. A car is asked in vain for what it does not have.
    pub powertrain: Option<Powertrain>,
    /// Whether the car drives; a car that drives is not plugged in.
    pub is_driving: Option<bool>,
    /// Whether its trip is interrupted; official simulated cars cannot be reached then.
    pub is_paused: Option<bool>,
    /// Degrees, from -85 to 85.
    pub latitude: Option<f64>,
    /// Degrees, from -180 to 180.
    pub longitude: Option<f64>,
    /// Where it drives: degrees from north, from 0 to 360.
    pub heading: Option<f64>,
    /// From 0 to 10 million.
    pub odometer_km: Option<f64>,
    /// From 0 to 1.
    pub battery_level: Option<f64>,
    /// From 1 to 1000.
    pub battery_capacity_kwh: Option<f64>,
    /// When full, from 1 to 5000.
    pub battery_range_km: Option<f64>,
    /// Whether a cable is connected; unplugging ends charging.
    pub is_plugged_in: Option<bool>,
    /// Whether it charges; a car that charges is plugged in.
    pub is_charging: Option<bool>,
    /// From 0.5 to 1.
    pub charge_limit: Option<f64>,
    /// From 0 to 1.
    pub fuel_level: Option<f64>,
    /// From 1 to 1000.
    pub fuel_capacity_l: Option<f64>,
    /// When full, from 1 to 5000.
    pub fuel_range_km: Option<f64>,
    /// From 0 to 1.
    pub oil_life: Option<f64>,
    /// Front left, front right, back left, back right; each from 0 to 1000.
    pub tire_pressure_kpa: Option<[f64; 4]>,
    /// Diagnostic trouble codes that are active: at most 50, of 1 to 10 letters and digits.
    pub trouble_codes: Option<Vec<String>>,
}

impl Adjustment {
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let bounds = [
            (self.latitude, -85.0, 85.0, "latitude is between -85 and 85"),
            (self.longitude, -180.0, 180.0, "longitude is between -180 and 180"),
            (self.heading, 0.0, 360.0, "heading is between 0 and 360"),
            (self.odometer_km, 0.0, 10_000_000.0, "odometer_km is between 0 and 10000000"),
            (self.battery_level, 0.0, 1.0, "battery_level is between 0 and 1"),
            (self.battery_capacity_kwh, 1.0, 1000.0, "battery_capacity_kwh is between 1 and 1000"),
            (self.battery_range_km, 1.0, 5000.0, "battery_range_km is between 1 and 5000"),
            (self.charge_limit, 0.5, 1.0, "charge_limit is between 0.5 and 1"),
            (self.fuel_level, 0.0, 1.0, "fuel_level is between 0 and 1"),
            (self.fuel_capacity_l, 1.0, 1000.0, "fuel_capacity_l is between 1 and 1000"),
            (self.fuel_range_km, 1.0, 5000.0, "fuel_range_km is between 1 and 5000"),
            (self.oil_life, 0.0, 1.0, "oil_life is between 0 and 1"),
        ];
        let tires = self.tire_pressure_kpa.into_iter().flatten();
        let tires =
            tires.map(|kpa| (Some(kpa), 0.0, 1000.0, "a tire pressure is between 0 and 1000 kPa"));
        for (number, least, most, what) in bounds.into_iter().chain(tires) {
            if number.is_some_and(|number| !(least..=most).contains(&number)) {
                return Err(what);
            }
        }
        let plain = |code: &String| {
            (1..=TROUBLE_CODE_LENGTH_MAX).contains(&code.len())
                && code.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let codes = self.trouble_codes.as_deref().unwrap_or_default();
        if codes.len() > TROUBLE_CODES_MAX || !codes.iter().all(plain) {
            return Err("trouble_codes are at most 50, of 1 to 10 letters and digits each");
        }
        self.check_together()
    }

    fn check_together(&self) -> Result<(), &'static str> {
        let drives = self.is_driving == Some(true);
        let on_a_cable = self.is_plugged_in == Some(true) || self.is_charging == Some(true);
        if drives && on_a_cable {
            return Err("a car that drives is not plugged in");
        }
        if drives && self.is_paused == Some(true) {
            return Err("a trip is not driven and paused at once");
        }
        if self.is_charging == Some(true) && self.is_plugged_in == Some(false) {
            return Err("a car that charges is plugged in");
        }
        Ok(())
    }

    /// Puts what is said into the state, which stands at the present time already.
    pub(super) fn apply(&self, state: &mut CarState, now: Timestamp) {
        fn set<T: Clone>(to: &mut T, from: Option<&T>) {
            if let Some(from) = from {
                to.clone_from(from);
            }
        }
        if self.is_locked.is_some() {
            state.lock_changed_at = now;
        }
        state.changed_at = now;
        set(&mut state.is_locked, self.is_locked.as_ref());
        set(&mut state.powertrain, self.powertrain.as_ref());
        set(&mut state.latitude, self.latitude.as_ref());
        set(&mut state.longitude, self.longitude.as_ref());
        set(&mut state.heading, self.heading.as_ref());
        set(&mut state.odometer_km, self.odometer_km.as_ref());
        set(&mut state.battery.level, self.battery_level.as_ref());
        set(&mut state.battery.capacity, self.battery_capacity_kwh.as_ref());
        set(&mut state.battery.full_range_km, self.battery_range_km.as_ref());
        set(&mut state.charge_limit, self.charge_limit.as_ref());
        set(&mut state.fuel.level, self.fuel_level.as_ref());
        set(&mut state.fuel.capacity, self.fuel_capacity_l.as_ref());
        set(&mut state.fuel.full_range_km, self.fuel_range_km.as_ref());
        set(&mut state.oil_life, self.oil_life.as_ref());
        set(&mut state.tires_kpa, self.tire_pressure_kpa.as_ref());
        set(&mut state.trouble_codes, self.trouble_codes.as_ref());
        self.apply_motion(state);
    }

    /// Driving and the cable exclude each other: what is said last wins.
    fn apply_motion(&self, state: &mut CarState) {
        match (self.is_driving, self.is_paused) {
            (Some(true), _) => state.motion = Motion::Driving,
            (_, Some(true)) => state.motion = Motion::Paused,
            (Some(false), _) | (_, Some(false)) => state.motion = Motion::Parked,
            (None, None) => {}
        }
        if let Some(is_charging) = self.is_charging {
            state.is_charging = is_charging;
            state.is_plugged_in |= is_charging;
        }
        if let Some(is_plugged_in) = self.is_plugged_in {
            state.is_plugged_in = is_plugged_in;
        }
        if state.motion == Motion::Driving {
            match self.is_driving {
                Some(true) => state.is_plugged_in = false,
                _ if state.is_plugged_in => state.motion = Motion::Parked,
                _ => {}
            }
        }
        state.is_plugged_in &= state.powertrain.has_battery();
        state.is_charging &= state.is_plugged_in && state.battery.level < state.charge_limit;
    }
}
