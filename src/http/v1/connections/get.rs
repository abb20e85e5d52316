//! `GET /v1/connections/{connection_id}`: where a connection stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::ConnectionBody;
use crate::domain::id::ConnectionId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::connections;

/// Show where a connection stands.
#[utoipa::path(get, path = "/v1/connections/{connection_id}", operation_id = "connections.get",
    tag = "connections", security(("session" = []), ("api_client" = ["connections:write"])),
    params(("connection_id" = ConnectionId, Path, description = "The connection.")),
    responses((status = 200, description = "The connection.", body = ConnectionBody)))]
pub(in crate::http) async fn get(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(connection_id): ApiPath<ConnectionId>,
) -> Result<Json<ConnectionBody>, Problem> {
    let connection = connections::get(&gateway.service.base, &caller, connection_id).await?;
    Ok(Json(connection.into()))
}
