//! `POST /v1/connections/{connection_id}/reauthenticate`: mending an account with a car's maker.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ConnectionBody;
use crate::domain::id::ConnectionId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::service::connections;

/// Nothing needs to be said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Reauthenticate {}

/// Where the owner mends the account.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ReauthenticationBody {
    #[serde(flatten)]
    connection: ConnectionBody,
    /// Where to send the owner's browser.
    reauthenticate_url: String,
}

/// Start mending an account that the car's maker refuses: answers where to send the owner's
/// browser.
#[utoipa::path(post, path = "/v1/connections/{connection_id}/reauthenticate",
    operation_id = "connections.reauthenticate", tag = "connections",
    security(("session" = []), ("api_client" = ["connections:write"])),
    request_body(content = Option<Reauthenticate>, description = "May be left out."),
    params(("connection_id" = ConnectionId, Path, description = "The connection.")),
    responses((status = 200, description = "Where to send the owner's browser.", body = ReauthenticationBody)))]
pub(in crate::http) async fn reauthenticate(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(connection_id): ApiPath<ConnectionId>,
    _body: OptionalJson<Reauthenticate>,
) -> Result<Json<ReauthenticationBody>, Problem> {
    let started = connections::reauthenticate(&gateway.service, &caller, connection_id).await?;
    let (connection, reauthenticate_url) = (started.connection.into(), started.reauthenticate_url);
    Ok(Json(ReauthenticationBody { connection, reauthenticate_url }))
}
