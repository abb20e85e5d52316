//! What a car can be told to do, in either version of the API: when the car refuses, and what it
//! changes. It knows neither requests nor answers.

use serde::Serialize;

use super::car_state::{CarState, Motion};
use crate::domain::time::Timestamp;
use crate::smartcar::ErrorKind;

/// Something a car is told, as the journal writes it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Order {
    Lock,
    Unlock,
    StartCharge,
    StopCharge,
    SetChargeLimit {
        /// From 0.5 to 1.
        limit: f64,
    },
    SetDestination {
        latitude: f64,
        longitude: f64,
    },
}

impl Order {
    /// Sends the driver to a place, if it is on the earth.
    pub(crate) fn destination(latitude: f64, longitude: f64) -> Option<Self> {
        let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        on_earth.then_some(Self::SetDestination { latitude, longitude })
    }

    /// Why a car in this state does not do it. `as_official`: by the stricter rules of the
    /// official simulated cars.
    pub(crate) fn refused(self, state: &CarState, as_official: bool) -> Option<ErrorKind> {
        if as_official && state.motion == Motion::Paused {
            return Some(ErrorKind::VehicleStateUnreachable);
        }
        match self {
            Self::Lock | Self::Unlock if state.motion == Motion::Driving => {
                Some(ErrorKind::VehicleStateInMotion)
            }
            Self::StartCharge | Self::StopCharge | Self::SetChargeLimit { .. }
                if !state.powertrain.has_battery() =>
            {
                Some(ErrorKind::CompatibilityVehicleNotCapable)
            }
            Self::StartCharge | Self::StopCharge | Self::SetChargeLimit { .. }
                if !state.is_plugged_in =>
            {
                Some(ErrorKind::VehicleStateChargingPlugNotConnected)
            }
            Self::SetChargeLimit { .. } if as_official && state.is_charging => {
                Some(ErrorKind::CompatibilitySmartcarNotCapable)
            }
            _ => None,
        }
    }

    /// Does it to a state that stands at `at`.
    pub(super) fn apply(self, state: &mut CarState, at: Timestamp) {
        match self {
            Self::Lock | Self::Unlock => {
                state.is_locked = self == Self::Lock;
                state.lock_changed_at = at;
            }
            Self::StartCharge => state.is_charging = !state.is_full(),
            Self::StopCharge => state.is_charging = false,
            Self::SetChargeLimit { limit } => {
                state.charge_limit = limit;
                state.is_charging &= !state.is_full();
            }
            // Where a driver is sent is shown to the driver; nobody can read it.
            Self::SetDestination { .. } => {}
        }
        state.changed_at = at;
    }
}
