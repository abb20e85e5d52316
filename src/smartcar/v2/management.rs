//! What the application asks the cloud about its own connections, subscriptions and the cars that
//! could be connected (protocol page, sections 2.2, 2.6 and 2.7).

use serde::{Deserialize, Serialize};

/// Answer of `GET /management/connections` and of `DELETE /management/connections`; a deletion
/// has no paging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedConnections {
    /// Pairs of owner and car.
    pub connections: Vec<ConnectionEntry>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<CursorPaging>,
}

/// One owner's consent for one car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionEntry {
    /// The cloud's id of the owner.
    pub user_id: String,
    /// The cloud's id of the car.
    pub vehicle_id: String,
    /// ISO 8601; missing in the answer to a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<String>,
    /// `live`, `test` or `simulated`; missing in the answer to a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorPaging {
    /// `None` at the end.
    pub cursor: Option<String>,
}

/// Answer of `POST /vehicles/{id}/webhooks/{webhookId}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionAnswer {
    /// The cloud's id of the car.
    pub vehicle_id: String,
    /// The webhook that hears of it.
    pub webhook_id: String,
}

/// Answer of `GET /compatibility`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compatibility {
    /// Whether the car can be connected at all.
    pub compatible: bool,
    /// `VEHICLE_NOT_COMPATIBLE`, `MAKE_NOT_COMPATIBLE` or nothing.
    pub reason: Option<String>,
    /// What of the scope it is capable of.
    pub capabilities: Vec<Capability>,
}

/// Whether a car is capable of what a permission allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// The permission.
    pub permission: String,
    /// The path below the car.
    pub endpoint: String,
    /// Whether it is.
    pub capable: bool,
    /// `VEHICLE_NOT_CAPABLE`, `SMARTCAR_NOT_CAPABLE` or nothing.
    pub reason: Option<String>,
}
