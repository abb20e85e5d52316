//! `POST /v1/api-clients/{api_client_id}/revoke`: taking an API client's rights away.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::ApiClientBody;
use crate::domain::id::ApiClientId;
use crate::http::Gateway;
use crate::http::extract::ApiPath;
use crate::http::extract::SignedIn;
use crate::http::problem::Problem;
use crate::service::api_clients;

/// Take an API client's rights away: its tokens stop working at once.
#[utoipa::path(post, path = "/v1/api-clients/{api_client_id}/revoke", operation_id = "api_clients.revoke",
    tag = "api_clients", security(("session" = [])),
    params(("api_client_id" = ApiClientId, Path, description = "The API client.")),
    responses((status = 200, description = "The API client.", body = ApiClientBody)))]
pub(in crate::http) async fn revoke(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(api_client_id): ApiPath<ApiClientId>,
) -> Result<Json<ApiClientBody>, Problem> {
    let client = api_clients::revoke(&gateway.service.base, &caller, api_client_id).await?;
    Ok(Json(client.into()))
}
