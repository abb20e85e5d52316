//! The names of what an owner can allow. They appear in the scope of an authorization and in the
//! list of permissions of a car; which of them a call needs is said by whoever serves the call.

/// Prefix of a scope entry that the owner cannot leave out.
pub const REQUIRED_PREFIX: &str = "required:";

/// Read make, model and year.
pub const READ_VEHICLE_INFO: &str = "read_vehicle_info";
/// Read the vehicle identification number.
pub const READ_VIN: &str = "read_vin";
/// Read whether the car is locked, and its doors and windows.
pub const READ_SECURITY: &str = "read_security";
/// Lock and unlock the car.
pub const CONTROL_SECURITY: &str = "control_security";
/// Read where the car is.
pub const READ_LOCATION: &str = "read_location";
/// Read the odometer.
pub const READ_ODOMETER: &str = "read_odometer";

/// Every documented permission.
pub const ALL: &[&str] = &[
    "read_alerts",
    "read_battery",
    "read_charge",
    "read_charge_locations",
    "read_charge_records",
    "read_charge_events",
    "read_climate",
    "read_compass",
    "read_diagnostics",
    "read_engine_oil",
    "read_extended_vehicle_info",
    "read_fuel",
    READ_LOCATION,
    READ_ODOMETER,
    READ_SECURITY,
    "read_service_history",
    "read_speedometer",
    "read_thermometer",
    "read_tires",
    "read_user_profile",
    READ_VEHICLE_INFO,
    READ_VIN,
    "control_charge",
    "control_climate",
    "control_navigation",
    CONTROL_SECURITY,
    "control_pin",
    "control_trunk",
];

/// The documented permission of this name; `None` if there is none.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    ALL.iter().copied().find(|known| *known == name)
}

/// The permissions that a scope asks for, and whether each is required. Names stay as they were
/// sent; empty entries are dropped.
pub fn parse_scope(scope: &str) -> impl Iterator<Item = (&str, bool)> {
    scope
        .split_whitespace()
        .map(|entry| match entry.strip_prefix(REQUIRED_PREFIX) {
            Some(name) => (name, true),
            None => (entry, false),
        })
        .filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_tells_required_from_optional() {
        let parsed: Vec<_> = parse_scope("required:read_security  control_security ").collect();
        assert_eq!(parsed, [("read_security", true), ("control_security", false)]);
    }

    #[test]
    fn unknown_names_are_not_found() {
        assert_eq!(find("control_security"), Some(CONTROL_SECURITY));
        assert_eq!(find("control_everything"), None);
    }
}
