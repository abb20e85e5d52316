//! What a car is asked to do, with everything it has to be told: an action and, for some actions,
//! a number or a place. A value that exists is within its bounds.

use std::fmt;

use crate::domain::entitlement::Entitlement;
use crate::domain::reading::{ChargeState, Coordinates, Observable, Observation};

words! {
    /// What a car is asked to do.
    Action {
        /// Lock the doors.
        Lock = "lock",
        /// Unlock the doors.
        Unlock = "unlock",
        /// Start charging.
        StartCharge = "start_charge",
        /// Stop charging.
        StopCharge = "stop_charge",
        /// Set the level at which charging ends.
        SetChargeLimit = "set_charge_limit",
        /// Send a destination to the navigation.
        SetDestination = "set_destination",
    }
}

impl Action {
    /// What a grant must allow for it.
    #[must_use]
    pub const fn entitlement(self) -> Entitlement {
        match self {
            Self::Lock => Entitlement::Lock,
            Self::Unlock => Entitlement::Unlock,
            Self::StartCharge => Entitlement::StartCharge,
            Self::StopCharge => Entitlement::StopCharge,
            Self::SetChargeLimit => Entitlement::SetChargeLimit,
            Self::SetDestination => Entitlement::SetDestination,
        }
    }

    /// Whether it spends one of a grant's uses.
    #[must_use]
    pub const fn spends_use(self) -> bool {
        self.entitlement().spends_use()
    }

    /// What of the car tells whether it was done; `None` if nothing does.
    #[must_use]
    pub const fn observable(self) -> Option<Observable> {
        match self {
            Self::Lock | Self::Unlock => Some(Observable::LockStatus),
            Self::StartCharge | Self::StopCharge => Some(Observable::Charge),
            Self::SetChargeLimit => Some(Observable::ChargeLimit),
            Self::SetDestination => None,
        }
    }
}

/// The level at which charging ends: whole percents from 50 to 100, which is what both versions
/// of the vehicle API can carry (protocol page, sections 2.4 and 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChargeLimit(u8);

/// A number is no charge limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole percentage from 0.5 to 1, such as 0.8")]
pub struct InvalidChargeLimit;

impl ChargeLimit {
    /// A limit from a fraction of the battery, such as 0.8.
    ///
    /// # Errors
    /// [`InvalidChargeLimit`] unless it is a whole percentage from 0.5 to 1.
    pub fn from_fraction(fraction: f64) -> Result<Self, InvalidChargeLimit> {
        const ROUNDING: f64 = 1e-6;
        let percent = (fraction * 100.0).round();
        let whole = (fraction * 100.0 - percent).abs() < ROUNDING;
        if !whole || !(50.0..=100.0).contains(&percent) {
            return Err(InvalidChargeLimit);
        }
        // Checked just above.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "50 to 100")]
        Ok(Self(percent as u8))
    }

    /// From 50 to 100.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// From 0.5 to 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// What a car is asked to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Instruction {
    /// Lock the doors.
    Lock,
    /// Unlock the doors.
    Unlock,
    /// Start charging.
    StartCharge,
    /// Stop charging.
    StopCharge,
    /// Charge up to this level.
    SetChargeLimit(ChargeLimit),
    /// Show the way to this place.
    SetDestination(Coordinates),
}

/// Stored parameters do not belong to the action they are stored with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has other parameters")]
pub struct InvalidParameters(Action);

impl Instruction {
    /// Which action it is.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Lock => Action::Lock,
            Self::Unlock => Action::Unlock,
            Self::StartCharge => Action::StartCharge,
            Self::StopCharge => Action::StopCharge,
            Self::SetChargeLimit(_) => Action::SetChargeLimit,
            Self::SetDestination(_) => Action::SetDestination,
        }
    }

    /// The stored form of what the action is told: numbers with one space between them.
    #[must_use]
    pub fn parameters(&self) -> Option<String> {
        match self {
            Self::Lock | Self::Unlock | Self::StartCharge | Self::StopCharge => None,
            Self::SetChargeLimit(limit) => Some(limit.percent().to_string()),
            Self::SetDestination(place) => {
                Some(format!("{} {}", place.latitude(), place.longitude()))
            }
        }
    }

    /// The stored form back into an instruction.
    ///
    /// # Errors
    /// [`InvalidParameters`] if the two do not belong together.
    pub fn restore(action: Action, parameters: Option<&str>) -> Result<Self, InvalidParameters> {
        let restored = match (action, parameters) {
            (Action::Lock, None) => Some(Self::Lock),
            (Action::Unlock, None) => Some(Self::Unlock),
            (Action::StartCharge, None) => Some(Self::StartCharge),
            (Action::StopCharge, None) => Some(Self::StopCharge),
            (Action::SetChargeLimit, Some(percent)) => limit(percent).map(Self::SetChargeLimit),
            (Action::SetDestination, Some(place)) => destination(place).map(Self::SetDestination),
            _ => None,
        };
        restored.ok_or(InvalidParameters(action))
    }

    /// Whether a car that was seen like this did what it was asked; `None` if it cannot be told.
    #[must_use]
    pub fn agrees_with(&self, seen: &Observation) -> Option<bool> {
        match (self, seen) {
            (Self::Lock, Observation::LockStatus(status)) => Some(status.is_locked),
            (Self::Unlock, Observation::LockStatus(status)) => Some(!status.is_locked),
            // A full battery no longer charges: that charging was started is not to be seen.
            (Self::StartCharge, Observation::Charge(charge)) => match charge.state {
                ChargeState::Charging => Some(true),
                ChargeState::NotCharging => Some(false),
                ChargeState::FullyCharged => None,
            },
            (Self::StopCharge, Observation::Charge(charge)) => {
                Some(charge.state != ChargeState::Charging)
            }
            (Self::SetChargeLimit(asked), Observation::ChargeLimit(seen)) => {
                const HALF_A_PERCENT: f64 = 0.005;
                Some((asked.fraction() - seen.limit).abs() < HALF_A_PERCENT)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.action().fmt(f)
    }
}

fn limit(percent: &str) -> Option<ChargeLimit> {
    let percent: u8 = percent.parse().ok()?;
    (50..=100).contains(&percent).then_some(ChargeLimit(percent))
}

fn destination(place: &str) -> Option<Coordinates> {
    let (latitude, longitude) = place.split_once(' ')?;
    Coordinates::new(latitude.parse().ok()?, longitude.parse().ok()?)
}

#[cfg(test)]
#[path = "instruction_test.rs"]
mod tests;
