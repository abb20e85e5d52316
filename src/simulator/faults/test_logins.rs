//! The owners' logins with makers of cars. Any name and any password are good; some names are
//! tests, with which it goes wrong then and there, or from then on.

use super::connect_error::ConnectError;
use crate::smartcar::ErrorKind;

const DOMAIN: &str = "@smartcar.com";

/// What comes of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    /// The owner's cars.
    Good,
    /// No consent.
    Failing(ConnectError),
    /// The owner's cars, but every request about them is answered with this.
    Troubled(ErrorKind),
}

impl Login {
    /// What comes of a login with this address.
    pub(crate) fn with(email: Option<&str>) -> Self {
        let email = email.unwrap_or_default().trim().to_ascii_lowercase();
        match email.as_str() {
            "smartcar@invalid-subscription.com" => {
                return Self::Failing(ConnectError::InvalidSubscription);
            }
            "smartcar@vehicle-incompatible.com" => {
                return Self::Failing(ConnectError::VehicleIncompatible);
            }
            _ => {}
        }
        let Some(name) = email.strip_suffix(DOMAIN) else { return Self::Good };
        if let Some(error) = name.strip_prefix("error.").and_then(ConnectError::find) {
            return Self::Failing(error);
        }
        let name = name.to_ascii_uppercase();
        let (error_type, code) = match name.split_once('.') {
            Some((error_type, code)) => (error_type, Some(code)),
            None => (name.as_str(), None),
        };
        ErrorKind::find(error_type, code).map_or(Self::Good, Self::Troubled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_logins_are_told_from_any_other() {
        for (email, outcome) in [
            (None, Login::Good),
            (Some(""), Login::Good),
            (Some("erika@example.org"), Login::Good),
            (Some("smartcar@smartcar.com"), Login::Good),
            (
                Some("smartcar@invalid-subscription.com"),
                Login::Failing(ConnectError::InvalidSubscription),
            ),
            (Some("error.server_error@smartcar.com"), Login::Failing(ConnectError::ServerError)),
            (Some("error.unheard_of@smartcar.com"), Login::Good),
            (
                Some(" VEHICLE_STATE.ASLEEP@smartcar.com"),
                Login::Troubled(ErrorKind::VehicleStateAsleep),
            ),
            (Some("permission@smartcar.com"), Login::Troubled(ErrorKind::Permission)),
        ] {
            assert_eq!(Login::with(email), outcome, "{email:?}");
        }
    }
}
