//! The documented ways to send an owner's browser back without a consent. Whoever asks decides
//! which; what each of them says is here.

use serde::{Deserialize, Serialize};

/// Why an owner comes back without a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectError {
    /// The owner said no.
    AccessDenied,
    /// The owner's only car cannot be connected.
    VehicleIncompatible,
    /// The owner's account with the maker has no active services.
    InvalidSubscription,
    /// The owner's account has no car.
    NoVehicles,
    /// The application is not set up properly.
    ConfigurationError,
    /// The vehicle cloud failed.
    ServerError,
    /// The owner took the link back.
    UserManuallyReturnedToApplication,
    /// The owner gave up at the maker's login.
    OemCancelledLogin,
}

/// Names and values of a query.
pub(super) type Answer = &'static [(&'static str, &'static str)];

impl ConnectError {
    /// The error of this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }

    /// What the browser brings back, besides the state.
    pub(crate) const fn answer(self) -> Answer {
        match self {
            Self::AccessDenied => &[
                ("error", "access_denied"),
                ("error_description", "User denied access to application."),
            ],
            Self::VehicleIncompatible => &[
                ("error", "vehicle_incompatible"),
                ("error_description", "The user's vehicle is not compatible."),
                ("vin", "0SCAUDI012FE3B132"),
                ("make", "AUDI"),
                ("model", "A4"),
                ("year", "2012"),
            ],
            Self::InvalidSubscription => &[
                ("error", "invalid_subscription"),
                (
                    "error_description",
                    "User does not have an active connected services subscription.",
                ),
            ],
            Self::NoVehicles => &[
                ("error", "no_vehicles"),
                ("error_description", "No vehicles found on this account."),
            ],
            Self::ConfigurationError => &[
                ("error", "configuration_error"),
                (
                    "error_description",
                    "There has been an error in the configuration of your application.",
                ),
                ("status_code", "400"),
                ("error_message", "Could not find the application."),
            ],
            Self::ServerError => &[
                ("error", "server_error"),
                ("error_description", "Unexpected server error. Please try again."),
            ],
            Self::UserManuallyReturnedToApplication => &[
                ("error", "user_manually_returned_to_application"),
                ("error_description", "The user exited Connect without granting access."),
            ],
            Self::OemCancelledLogin => &[
                ("error", "oem_cancelled_login"),
                ("error_description", "The user cancelled the login with the vehicle's maker."),
            ],
        }
    }
}
