//! What goes wrong at a vehicle cloud, in the terms in which it is decided who must act.

use crate::domain::UnknownWord;

words! {
    written
    /// Why a call to the vehicle cloud brought no result.
    Fault {
        /// The cloud could not be reached, or answered that it is not available.
        Unavailable = "connector_unavailable",
        /// No answer in time after the request had left.
        TimedOut = "connector_timed_out",
        /// An answer that cannot be understood or is not about this car.
        Garbled = "connector_garbled",
        /// The access token was not accepted; a refresh may help.
        Authentication = "access_token_refused",
        /// The refresh token or the code was not accepted; the owner must connect again.
        ConsentLost = "consent_lost",
        /// The owner did not give this permission, or has taken it back.
        Permission = "permission_missing",
        /// The owner's account with the maker needs attention.
        Account = "account_needs_attention",
        /// The car cannot do it in its present state; the code says which.
        VehicleState = "vehicle_unreachable",
        /// The car or its maker never supports it.
        NotCapable = "not_capable",
        /// Too many requests for this car or this application.
        RateLimited = "rate_limited",
        /// The maker's cloud failed behind the vehicle cloud.
        Upstream = "upstream_failed",
        /// The vehicle cloud says that our request is wrong.
        Rejected = "connector_rejected",
        /// The plan with the vehicle cloud does not cover it.
        Billing = "connector_billing",
    }
}

/// What would help, for programs. The one vocabulary of problems and of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Send another request; this one can never work.
    FixRequest,
    /// Send credentials.
    Authenticate,
    /// Send the same request again later.
    RetryLater,
    /// Get new credentials, or connect the car again.
    Reauthenticate,
    /// Ask the car's owner.
    ContactOwner,
    /// Ask an administrator of the organization or the operator of the service.
    ContactAdmin,
    /// Nothing; this is how it is.
    None,
}

impl Fault {
    /// The word that clients read among the reasons of a command. An access token that stays refused
    /// after a refresh is a consent that is lost to them: both are mended by the owner alone.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        let told = if matches!(self, Self::Authentication) { Self::ConsentLost } else { self };
        told.as_str()
    }

    /// Who must act. A login that the maker no longer accepts is the owner's to renew.
    #[must_use]
    pub fn resolution(self, code: Option<&ProviderCode>) -> Resolution {
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
            Self::Account => match code.and_then(AccountFault::of) {
                Some(AccountFault::AuthenticationFailed | AccountFault::Permission) => {
                    Resolution::Reauthenticate
                }
                _ => Resolution::ContactOwner,
            },
            Self::NotCapable => Resolution::None,
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

impl Fault {
    /// The stored form, with the cloud's own code where there is one.
    pub(in crate::domain) fn stored_with(self, code: Option<&ProviderCode>) -> String {
        match code {
            Some(code) => format!("{self}:{}", code.as_str()),
            None => self.to_string(),
        }
    }

    /// The stored form back into a fault and the cloud's own code.
    pub(in crate::domain) fn restore_with(
        text: &str,
    ) -> Result<(Self, Option<ProviderCode>), UnknownWord> {
        let Some((fault, code)) = text.split_once(':') else {
            return Ok((Self::restore(text)?, None));
        };
        let code = ProviderCode::restore(code).ok_or_else(|| UnknownWord::new(text))?;
        Ok((Self::restore(fault)?, Some(code)))
    }
}

words! {
    written
    /// What a maker refuses about an owner's account (protocol page, section 3): the vehicle cloud's type
    /// and code in small letters.
    AccountFault {
        /// Something about it; nothing more is known.
        Unnamed = "connected_services_account",
        /// The maker does not say what.
        AccountIssue = "connected_services_account/account_issue",
        /// The login is no longer accepted.
        AuthenticationFailed = "connected_services_account/authentication_failed",
        /// There is no car in it.
        NoVehicles = "connected_services_account/no_vehicles",
        /// It does not allow what was asked for.
        Permission = "connected_services_account/permission",
        /// The connected services of this car are not paid for.
        Subscription = "connected_services_account/subscription",
        /// This car is no longer in it.
        VehicleMissing = "connected_services_account/vehicle_missing",
        /// The owner has not paired this car's virtual key.
        VirtualKeyRequired = "connected_services_account/virtual_key_required",
    }
}

impl AccountFault {
    /// What a code of the vehicle cloud says, if that is documented.
    #[must_use]
    pub fn of(code: &ProviderCode) -> Option<Self> {
        let is_it = |fault: &Self| fault.as_str().eq_ignore_ascii_case(code.as_str());
        Self::ALL.iter().copied().find(is_it)
    }

    /// Whether a code of the vehicle cloud is about the owner's account.
    pub(in crate::domain) fn is_type_of(code: &ProviderCode) -> bool {
        Self::Unnamed.as_str().eq_ignore_ascii_case(code.kind())
    }

    /// Whether it is about one car, and not about every car of the account.
    #[must_use]
    pub const fn is_of_one_car(self) -> bool {
        match self {
            Self::Subscription | Self::VehicleMissing | Self::VirtualKeyRequired => true,
            Self::Unnamed
            | Self::AccountIssue
            | Self::AuthenticationFailed
            | Self::NoVehicles
            | Self::Permission => false,
        }
    }
}

/// The longest code that is kept.
const CODE_CHARS_MAX: usize = 64;

/// The vehicle cloud's own type and code of a failure in capitals, such as `VEHICLE_STATE/ASLEEP` or
/// `PERMISSION`. At most 64 letters, digits and underscores, so that it can stand in a log, a list of
/// words or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderCode(String);

impl ProviderCode {
    /// What the cloud said, unless its type is no word or the two are too long. A code that is no word
    /// is left out.
    #[must_use]
    pub fn new(kind: &str, code: Option<&str>) -> Option<Self> {
        if !is_word(kind) {
            return None;
        }
        let joined = match code.filter(|code| is_word(code)) {
            Some(code) => format!("{kind}/{code}"),
            None => kind.to_owned(),
        };
        (joined.len() <= CODE_CHARS_MAX).then(|| Self(joined.to_ascii_uppercase()))
    }

    /// As it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The family of the failure.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(kind, _)| kind)
    }

    /// What it is within its family.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.split_once('/').map(|(_, code)| code)
    }

    /// The stored form back into a code, which has no other.
    pub(in crate::domain) fn restore(text: &str) -> Option<Self> {
        let (kind, code) = match text.split_once('/') {
            Some((kind, code)) => (kind, Some(code)),
            None => (text, None),
        };
        Self::new(kind, code).filter(|restored| restored.0 == text)
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_clouds_words_in_capitals_if_they_are_words() {
        let long = "A".repeat(CODE_CHARS_MAX);
        for (kind, code, expected) in [
            ("VEHICLE_STATE", Some("asleep"), Some("VEHICLE_STATE/ASLEEP")),
            ("invalid_grant", None, Some("INVALID_GRANT")),
            ("PERMISSION", Some(""), Some("PERMISSION")),
            ("PERMISSION", Some("a b"), Some("PERMISSION")),
            ("PERMISSION", Some("A/B"), Some("PERMISSION")),
            (&long, None, Some(long.as_str())),
            (&long, Some("A"), None),
            ("", Some("ASLEEP"), None),
            ("a b", None, None),
            ("a:b", None, None),
        ] {
            let made = ProviderCode::new(kind, code);
            assert_eq!(made.as_ref().map(ProviderCode::as_str), expected, "{kind} {code:?}");
            let Some(made) = made else { continue };
            assert_eq!(made.kind(), kind.to_ascii_uppercase());
            assert_eq!(made.code(), made.as_str().split_once('/').map(|(_, code)| code));
            assert_eq!(ProviderCode::restore(made.as_str()), Some(made));
        }
        for text in ["", "/", "A/", "/A", "A/B/C", "a", "A B", &format!("{long}A")] {
            assert_eq!(ProviderCode::restore(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_login_is_the_owners_to_renew_and_the_rest_follows_from_the_fault() {
        let account = |code| ProviderCode::new("CONNECTED_SERVICES_ACCOUNT", code);
        for (fault, code, expected) in [
            (Fault::Account, None, Resolution::ContactOwner),
            (Fault::Account, account(None), Resolution::ContactOwner),
            (Fault::Account, account(Some("SUBSCRIPTION")), Resolution::ContactOwner),
            (Fault::Account, account(Some("AUTHENTICATION_FAILED")), Resolution::Reauthenticate),
            (Fault::Account, account(Some("PERMISSION")), Resolution::Reauthenticate),
            (Fault::Authentication, None, Resolution::Reauthenticate),
            (Fault::RateLimited, account(Some("PERMISSION")), Resolution::RetryLater),
            (Fault::Billing, None, Resolution::ContactAdmin),
            (Fault::NotCapable, None, Resolution::None),
        ] {
            assert_eq!(fault.resolution(code.as_ref()), expected, "{fault} {code:?}");
        }
    }

    #[test]
    fn a_person_at_the_car_reads_a_sentence_that_sends_them_to_look_where_it_may_have_moved() {
        for fault in Fault::ALL {
            let sentence = fault.user_message();
            assert!(sentence.ends_with('.') && sentence.contains(' '), "{fault}: {sentence:?}");
        }
        for fault in [Fault::TimedOut, Fault::Garbled, Fault::Upstream] {
            assert!(fault.user_message().ends_with("Please look at the car."), "{fault}");
        }
    }
}
