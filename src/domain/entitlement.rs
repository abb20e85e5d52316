//! What a grant may allow, word by word, and what the vehicle cloud must have permitted for it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema as _;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::ArrayBuilder;

use crate::domain::UnknownWord;

words! {
    /// One thing a grant allows its grantee.
    Entitlement {
        /// Unlock the doors.
        Unlock = "unlock",
        /// Lock the doors.
        Lock = "lock",
        /// Start charging.
        StartCharge = "start_charge",
        /// Stop charging.
        StopCharge = "stop_charge",
        /// Set the level at which charging ends.
        SetChargeLimit = "set_charge_limit",
        /// Send a destination to the navigation.
        SetDestination = "set_destination",
        /// Read make, model and year.
        ReadAttributes = "read_attributes",
        /// Read the vehicle identification number.
        ReadVin = "read_vin",
        /// Read where the car is.
        ReadLocation = "read_location",
        /// Read the odometer.
        ReadOdometer = "read_odometer",
        /// Read the battery's level and capacity.
        ReadBattery = "read_battery",
        /// Read the state of charging.
        ReadCharge = "read_charge",
        /// Read the fuel tank.
        ReadFuel = "read_fuel",
        /// Read the tire pressures.
        ReadTires = "read_tires",
        /// Read the life of the engine oil.
        ReadEngineOil = "read_engine_oil",
        /// Read whether the car is locked.
        ReadLockStatus = "read_lock_status",
        /// Read what the car reports as broken.
        ReadDiagnostics = "read_diagnostics",
        /// Read the visits to the workshop.
        ReadServiceHistory = "read_service_history",
    }
}

impl Entitlement {
    /// Whether it spends one of a grant's uses. Opening does; closing never does, because a car
    /// left open is the worse outcome, and what does not open the car is no use of the key.
    #[must_use]
    pub const fn spends_use(self) -> bool {
        matches!(self, Self::Unlock)
    }

    /// The permission the owner must have given at the vehicle cloud
    /// (protocol page, section 2.5).
    #[must_use]
    pub const fn permission(self) -> &'static str {
        match self {
            Self::Unlock | Self::Lock => "control_security",
            Self::StartCharge | Self::StopCharge | Self::SetChargeLimit => "control_charge",
            Self::SetDestination => "control_navigation",
            Self::ReadAttributes => "read_vehicle_info",
            Self::ReadVin => "read_vin",
            Self::ReadLocation => "read_location",
            Self::ReadOdometer => "read_odometer",
            Self::ReadBattery => "read_battery",
            Self::ReadCharge => "read_charge",
            Self::ReadFuel => "read_fuel",
            Self::ReadTires => "read_tires",
            Self::ReadEngineOil => "read_engine_oil",
            Self::ReadLockStatus => "read_security",
            Self::ReadDiagnostics => "read_diagnostics",
            Self::ReadServiceHistory => "read_service_history",
        }
    }
}

/// A set of entitlements; stored as words with one space between them, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Entitlements(BTreeSet<Entitlement>);

described!(
    Entitlements,
    ArrayBuilder::new()
        .items(Ref::from_schema_name(Entitlement::name()))
        .unique_items(true)
        .description(Some("A set of entitlements."))
);

impl Entitlements {
    /// Whether the set holds this one.
    #[must_use]
    pub fn contains(&self, entitlement: Entitlement) -> bool {
        self.0.contains(&entitlement)
    }

    /// The entitlements, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Entitlement> + '_ {
        self.0.iter().copied()
    }

    /// Whether it would let somebody open a car and leave it open.
    #[must_use]
    pub fn opens_without_closing(&self) -> bool {
        self.contains(Entitlement::Unlock) && !self.contains(Entitlement::Lock)
    }

    /// Whether nothing is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Entitlement> for Entitlements {
    fn from_iter<I: IntoIterator<Item = Entitlement>>(entitlements: I) -> Self {
        Self(entitlements.into_iter().collect())
    }
}

impl fmt::Display for Entitlements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, entitlement) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { " " };
            write!(f, "{separator}{entitlement}")?;
        }
        Ok(())
    }
}

impl FromStr for Entitlements {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protocol page, section 2.5.
    #[test]
    fn each_entitlement_needs_its_permission_of_the_owner() {
        use Entitlement as E;
        for (entitlement, permission) in [
            (E::Unlock, "control_security"),
            (E::Lock, "control_security"),
            (E::StartCharge, "control_charge"),
            (E::StopCharge, "control_charge"),
            (E::SetChargeLimit, "control_charge"),
            (E::SetDestination, "control_navigation"),
            (E::ReadAttributes, "read_vehicle_info"),
            (E::ReadVin, "read_vin"),
            (E::ReadLocation, "read_location"),
            (E::ReadOdometer, "read_odometer"),
            (E::ReadBattery, "read_battery"),
            (E::ReadCharge, "read_charge"),
            (E::ReadFuel, "read_fuel"),
            (E::ReadTires, "read_tires"),
            (E::ReadEngineOil, "read_engine_oil"),
            (E::ReadLockStatus, "read_security"),
            (E::ReadDiagnostics, "read_diagnostics"),
            (E::ReadServiceHistory, "read_service_history"),
        ] {
            assert_eq!(entitlement.permission(), permission);
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_is_stored_in_one_order() {
        let none = Entitlements::default();
        let two: Entitlements = [Entitlement::Lock, Entitlement::Unlock].into_iter().collect();
        assert!(none.is_empty() && !two.is_empty());
        assert!(two.contains(Entitlement::Lock) && !two.contains(Entitlement::ReadVin));
        assert!(two.iter().eq([Entitlement::Unlock, Entitlement::Lock]));
        assert_eq!((none.to_string().as_str(), two.to_string().as_str()), ("", "unlock lock"));
        assert_eq!((none.to_string().parse(), two.to_string().parse()), (Ok(none), Ok(two)));
        assert!("unlock everything".parse::<Entitlements>().is_err());
    }
}
