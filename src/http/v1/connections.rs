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

use crate::domain::connection::Connection;

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ConnectionBody {
    /// Identifies the connection.
    #[schema(example = "con_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    connection_id: String,
    /// The owner who connects the cars.
    owner_id: String,
    /// `pending`; `consented` until the code of the consenting browser is shown; `active`, `failed` or `lost`.
    status: String,
    /// Why it failed or was lost: the vehicle cloud's own word, `permission_withdrawn` or
    /// `consent_withdrawn`; `disconnected` or `erased` if it was ended here.
    status_reason: Option<String>,
    /// How the vehicle cloud is spoken to: `v2.0` or `v3`.
    api_version: String,
    /// `live` or `simulated`.
    mode: String,
    /// Where the app wants the owner's browser back.
    return_url: Option<String>,
    /// When the owner was sent to the vehicle cloud.
    created_at: String,
    /// Where to send the owner's browser; only in the answer that starts the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorize_url: Option<String>,
}

impl From<Connection> for ConnectionBody {
    fn from(connection: Connection) -> Self {
        Self {
            connection_id: connection.connection_id.to_string(),
            owner_id: connection.owner_id.to_string(),
            status: connection.status.to_string(),
            status_reason: connection.status_reason.map(|reason| reason.word().to_owned()),
            api_version: connection.api_version.to_string(),
            mode: connection.mode.to_string(),
            return_url: connection.return_url.map(|url| url.to_string()),
            created_at: connection.created_at.to_string(),
            authorize_url: None,
        }
    }
}
