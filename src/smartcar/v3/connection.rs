//! Owners' consents as API v3 lists them (protocol page, section 5.4).

use serde::{Deserialize, Serialize};

use super::{Reference, VehicleAttributes};

/// Answer of `GET /connections`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionList {
    /// One for each pair of owner and car.
    pub data: Vec<Connection>,
    /// Where this page stands.
    #[serde(default)]
    pub meta: PageMeta,
}

/// Where a page stands in its list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageMeta {
    /// From 1.
    #[serde(default)]
    pub page_number: u32,
    /// Entries of a full page.
    #[serde(default)]
    pub page_size: u32,
    /// Entries of the whole list.
    #[serde(default)]
    pub total_count: u32,
}

/// One owner's consent for one car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The cloud's id of the consent.
    pub id: String,
    /// Always `connection`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub attributes: ConnectionAttributes,
    /// Between whom.
    pub relationships: ConnectionRelationships,
}

/// What a consent is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionAttributes {
    /// What the owner gave.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// The car.
    pub vehicle: VehicleAttributes,
    /// The owner, as the application named them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<ConnectedUser>,
}

/// An owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectedUser {
    /// The cloud's id of the owner.
    pub id: String,
    /// What the application sent as `user` to the consent page.
    #[serde(default)]
    pub external_id: Option<String>,
}

/// Between whom a consent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionRelationships {
    /// The car.
    pub vehicle: Related,
    /// The owner.
    pub user: Related,
}

/// One side of a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// Its name.
    pub data: Reference,
}
