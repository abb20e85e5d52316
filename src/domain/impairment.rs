//! Why a connection or a car cannot be used. As causes of commands do ([`crate::domain::cause`]), these
//! reasons stay typed: they are one word each in what clients and the record read, and one text each in
//! storage, which alone is read back.

use std::borrow::Cow;

use crate::domain::UnknownWord;
use crate::domain::fault::{AccountFault, Fault, ProviderCode};

words! {
    written
    /// Why an owner came back from the consent page without consent, in the vehicle cloud's word
    /// (protocol page, section 1.2).
    NotGiven {
        /// The owner said no.
        AccessDenied = "access_denied",
        /// The car cannot be reached through the cloud.
        VehicleIncompatible = "vehicle_incompatible",
        /// The connected services of the car are not active.
        InvalidSubscription = "invalid_subscription",
        /// There is no car in the account.
        NoVehicles = "no_vehicles",
        /// The owner went back before the end.
        ReturnedEarly = "user_manually_returned_to_application",
        /// The owner left the maker's page for signing in.
        LoginCancelled = "oem_cancelled_login",
        /// The application is not set up right at the cloud.
        ConfigurationError = "configuration_error",
        /// The cloud failed.
        ServerError = "server_error",
        /// What the browser brought is none of the cloud's words.
        Unreadable = "unreadable",
    }
}

impl NotGiven {
    /// What a browser brought as the cloud's word.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::restore(text).unwrap_or(Self::Unreadable)
    }
}

words! {
    written
    /// What an owner took back at the vehicle cloud.
    Withdrawal {
        /// Some of the permissions.
        Permission = "permission_withdrawn",
        /// The consent to the car.
        Consent = "consent_withdrawn",
    }
}

words! {
    written
    /// By which act here a connection ended.
    ConnectionEnd {
        /// It was disconnected.
        Disconnected = "disconnected",
        /// What was known of its owner was erased.
        Erased = "erased",
        /// Its owner did not show in time that it was their browser that consented, or not rightly.
        NotCompleted = "not_completed",
    }
}

/// Why a connection failed, allows less than before, or is no longer in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionReason {
    /// The owner came back without it.
    NotGiven(NotGiven),
    /// The vehicle cloud did not complete it, or no longer renews its tokens.
    Connector {
        /// What went wrong.
        fault: Fault,
        /// The cloud's own type and code, where it gave one.
        code: Option<ProviderCode>,
    },
    /// Its owner took something back at the vehicle cloud.
    Withdrawn(Withdrawal),
    /// It was ended here.
    Ended(ConnectionEnd),
}

const NOT_GIVEN: &str = "not_given";
const CONNECTOR: &str = "connector";
const WITHDRAWN: &str = "withdrawn";
const ENDED: &str = "ended";

impl ConnectionReason {
    /// What clients and the record read: the cloud's own word, where it gave one.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::NotGiven(why) => why.as_str(),
            Self::Connector { code: Some(code), .. } => code.as_str(),
            Self::Connector { fault, code: None } => fault.reason(),
            Self::Withdrawn(what) => what.as_str(),
            Self::Ended(by) => by.as_str(),
        }
    }

    /// The stored form: the kind and its words with a colon between them.
    #[must_use]
    pub fn stored(&self) -> String {
        match self {
            Self::NotGiven(why) => format!("{NOT_GIVEN}:{why}"),
            Self::Connector { fault, code } => {
                format!("{CONNECTOR}:{}", fault.stored_with(code.as_ref()))
            }
            Self::Withdrawn(what) => format!("{WITHDRAWN}:{what}"),
            Self::Ended(by) => format!("{ENDED}:{by}"),
        }
    }

    /// The stored form back into a reason, for storage alone.
    ///
    /// # Errors
    /// [`UnknownWord`] for a text that [`ConnectionReason::stored`] does not give.
    pub fn restore(text: &str) -> Result<Self, UnknownWord> {
        match text.split_once(':') {
            Some((NOT_GIVEN, why)) => NotGiven::restore(why).map(Self::NotGiven),
            Some((CONNECTOR, words)) => {
                let (fault, code) = Fault::restore_with(words)?;
                Ok(Self::Connector { fault, code })
            }
            Some((WITHDRAWN, what)) => Withdrawal::restore(what).map(Self::Withdrawn),
            Some((ENDED, by)) => ConnectionEnd::restore(by).map(Self::Ended),
            _ => Err(UnknownWord::new(text)),
        }
    }
}

/// Why a car is suspended: its maker refuses the owner's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suspension {
    /// For a reason that the vehicle cloud documents.
    Account(AccountFault),
    /// For one that it does not; the code is of the same type.
    Undocumented(ProviderCode),
}

impl Suspension {
    /// What the cloud's code says.
    #[must_use]
    pub fn of(code: Option<&ProviderCode>) -> Self {
        let code = code.filter(|code| AccountFault::is_type_of(code));
        let Some(code) = code else { return Self::Account(AccountFault::Unnamed) };
        match AccountFault::of(code) {
            Some(fault) => Self::Account(fault),
            None => Self::Undocumented(code.clone()),
        }
    }

    /// Whether it is about one car, and not about every car of the account.
    #[must_use]
    pub const fn is_of_one_car(&self) -> bool {
        match self {
            Self::Account(fault) => fault.is_of_one_car(),
            Self::Undocumented(_) => false,
        }
    }

    /// What clients and the record read, and what is stored: the cloud's type and code in small letters.
    #[must_use]
    pub fn word(&self) -> Cow<'static, str> {
        match self {
            Self::Account(fault) => fault.as_str().into(),
            Self::Undocumented(code) => code.as_str().to_ascii_lowercase().into(),
        }
    }

    /// The stored word back into a reason, for storage alone.
    ///
    /// # Errors
    /// [`UnknownWord`] for a text that [`Suspension::word`] does not give.
    pub fn restore(text: &str) -> Result<Self, UnknownWord> {
        if let Ok(fault) = AccountFault::restore(text) {
            return Ok(Self::Account(fault));
        }
        let code = ProviderCode::restore(&text.to_ascii_uppercase());
        let reason = code.filter(AccountFault::is_type_of).map(Self::Undocumented);
        reason.filter(|reason| reason.word() == text).ok_or_else(|| UnknownWord::new(text))
    }
}

/// Why the grants of a car may allow less than they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Impairment {
    /// The car is suspended.
    Suspended(Suspension),
    /// The owner's consent to it is narrowed or gone.
    Connection(ConnectionReason),
}

impl Impairment {
    /// What the record reads.
    #[must_use]
    pub fn word(&self) -> Cow<'_, str> {
        match self {
            Self::Suspended(reason) => reason.word(),
            Self::Connection(reason) => reason.word().into(),
        }
    }
}

#[cfg(test)]
#[path = "impairment_test.rs"]
mod tests;
