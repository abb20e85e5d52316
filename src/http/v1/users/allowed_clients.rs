//! `/v1/users/me/allowed-clients`: which API clients may act for oneself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::ApiClientId;
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, InSession, List, PageParams, Paged};
use crate::http::problem::Problem;
use crate::service::allowed_clients;
use crate::storage::allowed_clients::AllowedClient;

/// An API client that may act for the person who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AllowedClientBody {
    /// The API client.
    #[schema(example = "key_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    api_client_id: ApiClientId,
    /// What people call it.
    name: String,
    /// Since when it may act for the person.
    allowed_at: Timestamp,
}

impl From<AllowedClient> for AllowedClientBody {
    fn from(client: AllowedClient) -> Self {
        Self {
            api_client_id: client.api_client_id,
            name: client.name,
            allowed_at: client.allowed_at,
        }
    }
}

/// List the API clients that one has allowed, newest first.
#[utoipa::path(get, path = "/v1/users/me/allowed-clients", operation_id = "allowed_clients.list", tag = "allowed_clients",
    security(("session" = [])), params(PageParams),
    responses((status = 200, description = "The API clients.", body = List<AllowedClientBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    session: InSession,
    paged: Paged,
) -> Result<List<AllowedClientBody>, Problem> {
    let InSession { caller, user_id, .. } = session;
    let rows = allowed_clients::list(&gateway.service.base, &caller, user_id, paged.page).await?;
    Ok(paged.list(rows, |client| client.api_client_id.as_uuid(), AllowedClientBody::from))
}

/// Let an API client act for oneself: lend and end keys, open one's cars, connect others. It names the person in
/// `Keylend-Acting-For`, and the record names both.
#[utoipa::path(put, path = "/v1/users/me/allowed-clients/{api_client_id}", operation_id = "allowed_clients.allow",
    tag = "allowed_clients", security(("session" = [])),
    params(("api_client_id" = ApiClientId, Path, description = "The API client.")),
    responses((status = 200, description = "It may act.", body = AllowedClientBody)))]
pub(in crate::http) async fn allow(
    State(gateway): State<Arc<Gateway>>,
    session: InSession,
    ApiPath(api_client_id): ApiPath<ApiClientId>,
) -> Result<Json<AllowedClientBody>, Problem> {
    let (base, InSession { caller, user_id, .. }) = (&gateway.service.base, session);
    let allowed = allowed_clients::allow(base, &caller, user_id, api_client_id).await?;
    Ok(Json(allowed.into()))
}

/// Take it back: requests that the API client makes for oneself from now on are refused.
#[utoipa::path(delete, path = "/v1/users/me/allowed-clients/{api_client_id}",
    operation_id = "allowed_clients.disallow", tag = "allowed_clients", security(("session" = [])),
    params(("api_client_id" = ApiClientId, Path, description = "The API client.")),
    responses((status = 204, description = "It may not act.")))]
pub(in crate::http) async fn disallow(
    State(gateway): State<Arc<Gateway>>,
    session: InSession,
    ApiPath(api_client_id): ApiPath<ApiClientId>,
) -> Result<StatusCode, Problem> {
    let (base, InSession { caller, user_id, .. }) = (&gateway.service.base, session);
    allowed_clients::disallow(base, &caller, user_id, api_client_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
