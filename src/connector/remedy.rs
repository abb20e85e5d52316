//! What helps against a fault, and what the person at the car is told about it.

use super::{ConnectorError, Fault};

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Nobody: it may work in a moment.
    RetryLater,
    /// The owner must connect the car again, or sign in again at its maker.
    Reauthenticate,
    /// The owner must see to the car's account with its maker.
    ContactOwner,
    /// The operator of the service must act.
    ContactAdmin,
    /// Nobody can: the car does not do this.
    Nothing,
}

impl Fault {
    /// Every fault.
    pub const ALL: &'static [Self] = &[
        Self::Unavailable,
        Self::TimedOut,
        Self::Garbled,
        Self::Authentication,
        Self::ConsentLost,
        Self::Permission,
        Self::Account,
        Self::VehicleState,
        Self::NotCapable,
        Self::RateLimited,
        Self::Upstream,
        Self::Rejected,
        Self::Billing,
    ];

    /// Our word for it, as commands name it among their reasons.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "connector_unavailable",
            Self::TimedOut => "connector_timed_out",
            Self::Garbled => "connector_garbled",
            Self::Authentication | Self::ConsentLost => "consent_lost",
            Self::Permission => "permission_missing",
            Self::Account => "account_needs_attention",
            Self::VehicleState => "vehicle_unreachable",
            Self::NotCapable => "not_capable",
            Self::RateLimited => "rate_limited",
            Self::Upstream => "upstream_failed",
            Self::Rejected => "connector_rejected",
            Self::Billing => "connector_billing",
        }
    }

    /// Who must act.
    #[must_use]
    pub const fn resolution(self) -> Resolution {
        match self {
            Self::Unavailable
            | Self::TimedOut
            | Self::Garbled
            | Self::VehicleState
            | Self::RateLimited
            | Self::Upstream => Resolution::RetryLater,
            Self::Authentication | Self::ConsentLost | Self::Permission => {
                Resolution::Reauthenticate
            }
            Self::Account => Resolution::ContactOwner,
            Self::NotCapable => Resolution::Nothing,
            Self::Rejected | Self::Billing => Resolution::ContactAdmin,
        }
    }

    /// A sentence for the person at the car, where the cloud gives none.
    #[must_use]
    pub const fn user_message(self) -> &'static str {
        match self {
            Self::Unavailable => {
                "The car's service cannot be reached. Please try again in a moment."
            }
            Self::TimedOut | Self::Garbled => {
                "It is not known whether the car did it. Please look at the car."
            }
            Self::Authentication | Self::ConsentLost => "The owner must connect the car again.",
            Self::Permission => "The owner must allow this for the car.",
            Self::Account => "The owner must see to the car's account with its maker.",
            Self::VehicleState => "The car cannot do this right now. Please try again in a moment.",
            Self::NotCapable => "This car cannot do that.",
            Self::RateLimited => "The car was asked too often. Please wait a moment.",
            Self::Upstream => "The car's maker did not answer. Please look at the car.",
            Self::Rejected | Self::Billing => {
                "The service is not set up right. Please tell the operator of the app."
            }
        }
    }
}

impl ConnectorError {
    /// Who must act. A login that the maker no longer accepts is the owner's to renew.
    #[must_use]
    pub fn resolution(&self) -> Resolution {
        let login = ["AUTHENTICATION_FAILED", "ACCOUNT/PERMISSION"];
        let code = self.provider_code.as_deref().unwrap_or_default();
        match self.fault {
            Fault::Account if login.iter().any(|end| code.ends_with(end)) => {
                Resolution::Reauthenticate
            }
            fault => fault.resolution(),
        }
    }

    /// A sentence for the person at the car: the cloud's own, or ours.
    #[must_use]
    pub fn sentence(&self) -> &str {
        self.user_message.as_deref().unwrap_or_else(|| self.fault.user_message())
    }
}

/// Who must act on a command, from the words that it was given as reasons.
#[must_use]
pub fn resolution_of(reasons: &[String]) -> Option<Resolution> {
    let word = reasons.first()?;
    let fault = Fault::ALL.iter().find(|fault| fault.as_str() == word)?;
    let provider_code = reasons.get(1).cloned();
    let error = ConnectorError { provider_code, ..ConnectorError::local(*fault, "") };
    Some(error.resolution())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_the_owners_to_renew_and_the_rest_follows_from_the_fault() {
        let words = |words: &[&str]| -> Vec<String> {
            words.iter().map(|word| (*word).to_owned()).collect()
        };
        for (reasons, expected) in [
            (&["account_needs_attention"][..], Some(Resolution::ContactOwner)),
            (
                &["account_needs_attention", "CONNECTED_SERVICES_ACCOUNT/AUTHENTICATION_FAILED"],
                Some(Resolution::Reauthenticate),
            ),
            (&["rate_limited", "RATE_LIMIT/VEHICLE"], Some(Resolution::RetryLater)),
            (&["connector_billing"], Some(Resolution::ContactAdmin)),
            (&["not_capable"], Some(Resolution::Nothing)),
            (&["grant_expired"], None),
            (&[], None),
        ] {
            assert_eq!(resolution_of(&words(reasons)), expected, "{reasons:?}");
        }
    }
}
