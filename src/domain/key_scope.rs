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

impl KeyScope {
    /// The word for the kind.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Grant(_) => "grant",
            Self::User(_) => "user",
            Self::Vehicle(_) => "vehicle",
            Self::Organization(_) => "organization",
        }
    }

    /// What a kind and an id name.
    ///
    /// # Errors
    /// [`UnknownWord`] for a kind that is none.
    pub fn of(kind: &str, id: Uuid) -> Result<Self, UnknownWord> {
        Ok(match kind {
            "grant" => Self::Grant(GrantId::from_uuid(id)),
            "user" => Self::User(UserId::from_uuid(id)),
            "vehicle" => Self::Vehicle(VehicleId::from_uuid(id)),
            "organization" => Self::Organization(OrganizationId::from_uuid(id)),
            _ => return Err(UnknownWord::new(kind)),
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
