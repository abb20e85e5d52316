//! `POST /v1/api-clients/{api_client_id}/replace`: another program for the people of one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::id::ApiClientId;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::api_clients::{self, Replaced};

/// Which API client acts from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ReplaceApiClient {
    /// The API client that acts for these people from now on.
    successor_id: ApiClientId,
}

/// How far it is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ReplacedApiClientBody {
    /// So many people were moved now.
    moved: usize,
    /// Whether there may be more: ask again until it is false.
    more: bool,
}

impl From<Replaced> for ReplacedApiClientBody {
    fn from(Replaced { moved, more }: Replaced) -> Self {
        Self { moved, more }
    }
}

/// Let another API client act for the people whom one made and who have not claimed their account, some hundreds
/// at a time. People who allowed a client themselves are not concerned: they allow the other, or not.
#[utoipa::path(post, path = "/v1/api-clients/{api_client_id}/replace",
    operation_id = "api_clients.replace", tag = "api_clients", security(("session" = [])),
    request_body = ReplaceApiClient,
    params(("api_client_id" = ApiClientId, Path, description = "The API client that acted for them.")),
    responses((status = 200, description = "How far it is.", body = ReplacedApiClientBody)))]
pub(in crate::http) async fn replace(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(api_client_id): ApiPath<ApiClientId>,
    body: ApiJson<ReplaceApiClient>,
) -> Result<Json<ReplacedApiClientBody>, Problem> {
    let ReplaceApiClient { successor_id } = body.value;
    let base = &gateway.service.base;
    let replaced = api_clients::replace(base, &caller, api_client_id, successor_id).await?;
    Ok(Json(replaced.into()))
}
