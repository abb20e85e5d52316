//! Owners' consents at the vehicle cloud.

pub(in crate::http) mod callback;
pub(in crate::http) mod complete;
pub(in crate::http) mod end;
pub(in crate::http) mod get;
pub(in crate::http) mod list;
pub(in crate::http) mod reauthenticate;
pub(in crate::http) mod start;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::connection::{ApiVersion, Connection, ConnectionStatus, Mode};
use crate::domain::id::{ConnectionId, UserId};
use crate::domain::time::Timestamp;

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ConnectionBody {
    /// Identifies the connection.
    #[schema(example = "con_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    connection_id: ConnectionId,
    /// The owner who connects the cars.
    owner_id: UserId,
    /// `pending`; `consented` until the code of the consenting browser is shown; `active`, `failed` or `lost`.
    status: ConnectionStatus,
    /// Why it failed or was lost: the vehicle cloud's own word, `permission_withdrawn` or
    /// `consent_withdrawn`; `disconnected` or `erased` if it was ended here.
    status_reason: Option<String>,
    /// How the vehicle cloud is spoken to: `v2.0` or `v3`.
    api_version: ApiVersion,
    /// `live` or `simulated`.
    mode: Mode,
    /// Where the app wants the owner's browser back.
    return_url: Option<String>,
    /// When the owner was sent to the vehicle cloud.
    created_at: Timestamp,
}

impl From<Connection> for ConnectionBody {
    fn from(connection: Connection) -> Self {
        Self {
            connection_id: connection.connection_id,
            owner_id: connection.owner_id,
            status: connection.status,
            status_reason: connection.status_reason.map(|reason| reason.word().to_owned()),
            api_version: connection.api_version,
            mode: connection.mode,
            return_url: connection.return_url.map(|url| url.to_string()),
            created_at: connection.created_at,
        }
    }
}
