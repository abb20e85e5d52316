//! `GET /v1/api-clients`: the API clients of the organization.

use std::sync::Arc;

use axum::extract::State;

use super::ApiClientBody;
use crate::http::Gateway;
use crate::http::extract::SignedIn;
use crate::http::extract::{List, PageParams, Paged};
use crate::http::problem::Problem;
use crate::service::api_clients;

/// List the API clients of the organization, newest first.
#[utoipa::path(get, path = "/v1/api-clients", operation_id = "api_clients.list", tag = "api_clients",
    security(("session" = [])), params(PageParams),
    responses((status = 200, description = "The API clients.", body = List<ApiClientBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged,
) -> Result<List<ApiClientBody>, Problem> {
    let rows = api_clients::list(&gateway.service.base, &caller, paged.page).await?;
    Ok(paged.list(rows, |client| client.api_client_id.as_uuid(), ApiClientBody::from))
}
