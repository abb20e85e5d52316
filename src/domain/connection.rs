//! A connection: an owner's consent at the vehicle cloud, from the first click to its end.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::id::{ConnectionId, OrganizationId, UserId};
use crate::domain::impairment::ConnectionReason;
use crate::domain::return_url::ReturnUrl;
use crate::domain::time::Timestamp;

/// How long an owner has to finish the consent page. Smartcar's codes live ten minutes
/// (protocol page, section 1.2); the person needs some time before one is made.
pub const CONSENT_TIME: Duration = Duration::from_secs(30 * 60);

/// How long the owner has to show the code that the consenting browser was given.
pub const COMPLETION_TIME: Duration = Duration::from_secs(5 * 60);
/// How many codes are heard for one consent.
pub const COMPLETION_TRIES_MAX: i64 = 5;
/// How many digits such a code has.
pub const COMPLETION_CODE_LENGTH: usize = 8;

words! {
    /// Where a connection stands.
    ConnectionStatus {
        /// The owner was sent to the vehicle cloud and has not come back.
        Pending = "pending",
        /// The owner's browser came back with consent, and the owner has not shown the code that it was given.
        Consented = "consented",
        /// Tokens are held and were accepted when last used.
        Active = "active",
        /// The owner declined, or the exchange failed; nothing is held.
        Failed = "failed",
        /// The cloud no longer accepts our tokens; the owner must connect again.
        Lost = "lost",
    }
}

words! {
    /// Which version of the vehicle cloud's API a connection is used through
    /// (protocol page, section 5).
    ApiVersion {
        /// Tokens that stand for the owner's consent.
        V2 = "v2.0",
        /// The application's own token, and the owner's id.
        V3 = "v3",
    }
}

words! {
    /// Which cars the consent page offers (protocol page, section 1.1).
    Mode {
        /// Real cars.
        Live = "live",
        /// Smartcar's simulated cars.
        Simulated = "simulated",
    }
}

/// An owner's consent at the vehicle cloud, as it is kept here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connection {
    /// Identifies the connection; UUIDv7.
    pub connection_id: ConnectionId,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The owner who connects the cars.
    pub owner_id: UserId,
    /// Where it stands.
    pub status: ConnectionStatus,
    /// Which cars were offered.
    pub mode: Mode,
    /// Why it failed or was lost. Only the answer that starts a connection is kept, which has none.
    #[serde(skip)]
    pub status_reason: Option<ConnectionReason>,
    /// Where the app wants the owner's browser back, if not on a page of this service.
    pub return_url: Option<ReturnUrl>,
    /// How the cloud is spoken to.
    pub api_version: ApiVersion,
    /// The cloud's id of the owner, once it is known.
    pub provider_user_id: Option<String>,
    /// The time at which the owner was sent to the vehicle cloud.
    pub created_at: Timestamp,
}

impl Connection {
    /// Until when the browser may come back.
    #[must_use]
    pub fn consent_until(&self) -> Timestamp {
        self.created_at.plus(CONSENT_TIME)
    }
}

/// Permissions in the vehicle cloud's words, in alphabetical order with one space between them, as
/// they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions(String);

impl Permissions {
    /// The stored form back into a set. Every text is some set.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        text.split_whitespace().collect()
    }

    /// Whether the owner gave this one.
    #[must_use]
    pub fn contains(&self, permission: &str) -> bool {
        self.iter().any(|given| given == permission)
    }

    /// The permissions in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_whitespace()
    }
}

impl<S: AsRef<str>> FromIterator<S> for Permissions {
    fn from_iter<I: IntoIterator<Item = S>>(permissions: I) -> Self {
        let permissions: Vec<S> = permissions.into_iter().collect();
        let mut words: Vec<&str> = permissions.iter().map(AsRef::as_ref).collect();
        words.sort_unstable();
        words.dedup();
        Self(words.join(" "))
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Id;

    #[test]
    fn permissions_are_kept_once_and_in_alphabetical_order() {
        let given = Permissions::parse(" read_vin  control_security read_vin ");
        assert_eq!(given.to_string(), "control_security read_vin");
        assert!(given.iter().eq(["control_security", "read_vin"]));
        assert!(given.contains("read_vin"));
        for absent in ["read", "control_security read_vin", ""] {
            assert!(!given.contains(absent), "{absent:?}");
        }
        assert_eq!(Permissions::parse(" "), Permissions::default());
    }

    #[test]
    fn an_owner_has_five_minutes_to_show_the_code() {
        assert_eq!(COMPLETION_TIME.as_secs(), 300);
    }

    #[test]
    fn an_owner_has_half_an_hour_for_the_consent_page() {
        let created_at = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let connection = Connection {
            connection_id: Id::from_uuid(uuid::Uuid::nil()),
            organization_id: Id::from_uuid(uuid::Uuid::nil()),
            owner_id: Id::from_uuid(uuid::Uuid::nil()),
            status: ConnectionStatus::Pending,
            mode: Mode::Live,
            status_reason: None,
            return_url: None,
            api_version: ApiVersion::V3,
            provider_user_id: None,
            created_at,
        };
        assert_eq!(connection.consent_until().since(created_at), Duration::from_secs(1800));
    }
}
