//! `DELETE /v1/connections/{connection_id}`: ending a connection.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::ConnectionBody;
use crate::domain::id::ConnectionId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::connections;

/// A connection that was ended.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct EndedConnectionBody {
    #[serde(flatten)]
    connection: ConnectionBody,
    /// Whether the vehicle cloud has ended it too, for every car. If not, the owner can do so in
    /// their account there; from here it cannot be used in any case.
    ended_upstream: bool,
}

/// End a connection: its cars leave the service and every grant for them ends. For its owner, an
/// administrator, or an API client for them.
#[utoipa::path(delete, path = "/v1/connections/{connection_id}", operation_id = "connections.end",
    tag = "connections", security(("session" = []), ("api_client" = ["connections:write"])),
    params(("connection_id" = ConnectionId, Path, description = "The connection.")),
    responses((status = 200, description = "The connection as it is now.", body = EndedConnectionBody)))]
pub(in crate::http) async fn end(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(connection_id): ApiPath<ConnectionId>,
) -> Result<Json<EndedConnectionBody>, Problem> {
    let ended = connections::disconnect(&gateway.service, &caller, connection_id).await?;
    let (connection, ended_upstream) = (ended.connection.into(), ended.ended_upstream);
    Ok(Json(EndedConnectionBody { connection, ended_upstream }))
}
