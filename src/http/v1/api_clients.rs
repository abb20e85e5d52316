//! API clients: programs that act for the organization, or for people in it.

pub(in crate::http) mod create;
pub(in crate::http) mod list;
pub(in crate::http) mod replace;
pub(in crate::http) mod revoke;
pub(in crate::http) mod rotate;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::actor::Scope;
use crate::domain::id::{ApiClientId, VehicleId};
use crate::domain::time::Timestamp;
use crate::storage::api_clients::ApiClient;

/// An API client.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ApiClientBody {
    /// Identifies the API client; also its `client_id`.
    #[schema(example = "key_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    api_client_id: ApiClientId,
    /// The name that people see.
    name: String,
    /// The scopes that it may use.
    scopes: Vec<Scope>,
    /// The cars to which it is limited; `null` for all.
    vehicle_ids: Option<Vec<VehicleId>>,
    /// The time from which it may do nothing any more, if one was given when it was made.
    expires_at: Option<Timestamp>,
    /// The time from which it may do nothing any more; `null` while it is in use.
    revoked_at: Option<Timestamp>,
    /// The time at which it was made.
    created_at: Timestamp,
}

/// The cars to which a client is limited, as they are named on the wire.
impl From<ApiClient> for ApiClientBody {
    fn from(client: ApiClient) -> Self {
        Self {
            api_client_id: client.api_client_id,
            name: client.name,
            scopes: client.scopes,
            vehicle_ids: client.vehicles,
            expires_at: client.expires_at,
            revoked_at: client.revoked_at,
            created_at: client.created_at,
        }
    }
}
