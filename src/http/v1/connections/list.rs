//! `GET /v1/connections`: the consents of owners.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::ConnectionBody;
use crate::domain::connection::{Connection, ConnectionStatus};
use crate::domain::id::UserId;
use crate::http::Gateway;
use crate::http::extract::{List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::connections;

/// Which connections.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ConnectionFilter {
    /// Only those of this person.
    owner_id: Option<UserId>,
    /// Only those that are `pending`, `consented`, `active`, `failed` or `lost`.
    status: Option<ConnectionStatus>,
}

/// List one's own connections, newest first; all of them for administrators and support.
#[utoipa::path(get, path = "/v1/connections", operation_id = "connections.list", tag = "connections",
    security(("session" = []), ("api_client" = ["connections:write"])), params(PageParams, ConnectionFilter),
    responses((status = 200, description = "The connections.", body = List<ConnectionBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged<ConnectionFilter>,
) -> Result<List<ConnectionBody>, Problem> {
    let ConnectionFilter { owner_id, status } = paged.filter;
    let base = &gateway.service.base;
    let rows = connections::list(base, &caller, owner_id, status, paged.page).await?;
    let id = |connection: &Connection| connection.connection_id.as_uuid();
    Ok(paged.list(rows, id, ConnectionBody::from))
}
