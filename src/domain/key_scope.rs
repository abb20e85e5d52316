//! Which rights to cars something is about: one grant, everything of a person or a car, or all of an organization.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::UnknownWord;
use crate::domain::id::{GrantId, OrganizationId, UserId, VehicleId};

/// What a hold or an end is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// One grant.
    Grant(GrantId),
    /// What a person may do.
    User(UserId),
    /// What people may do with a car.
    Vehicle(VehicleId),
    /// What people may do with any car of an organization.
    Organization(OrganizationId),
}

words! {
    /// What kind of thing a hold or an end is over.
    ScopeKind {
        /// One grant.
        Grant = "grant",
        /// What a person may do.
        User = "user",
        /// What people may do with a car.
        Vehicle = "vehicle",
        /// What people may do with any car of the organization.
        Organization = "organization",
    }
}

impl KeyScope {
    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> ScopeKind {
        match self {
            Self::Grant(_) => ScopeKind::Grant,
            Self::User(_) => ScopeKind::User,
            Self::Vehicle(_) => ScopeKind::Vehicle,
            Self::Organization(_) => ScopeKind::Organization,
        }
    }

    /// What a kind and an id name.
    ///
    /// # Errors
    /// [`UnknownWord`] for a kind that is none.
    pub fn of(kind: &str, id: Uuid) -> Result<Self, UnknownWord> {
        Ok(match kind.parse()? {
            ScopeKind::Grant => Self::Grant(GrantId::from_uuid(id)),
            ScopeKind::User => Self::User(UserId::from_uuid(id)),
            ScopeKind::Vehicle => Self::Vehicle(VehicleId::from_uuid(id)),
            ScopeKind::Organization => Self::Organization(OrganizationId::from_uuid(id)),
        })
    }

    /// The id of what it names.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        match self {
            Self::Grant(id) => id.as_uuid(),
            Self::User(id) => id.as_uuid(),
            Self::Vehicle(id) => id.as_uuid(),
            Self::Organization(id) => id.as_uuid(),
        }
    }
}
