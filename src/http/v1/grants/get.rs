//! `GET /v1/grants/{grant_id}`: one grant.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::GrantBody;
use crate::domain::id::GrantId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants;

/// Show a grant one was given or has issued.
#[utoipa::path(get, path = "/v1/grants/{grant_id}", operation_id = "grants.get", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:read"])),
    params(("grant_id" = String, Path, description = "The grant.")),
    responses((status = 200, description = "The grant.", body = GrantBody)))]
pub(in crate::http) async fn get(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
) -> Result<Json<GrantBody>, Problem> {
    let grant = grants::get(&gateway.service.base, &caller, grant_id).await?;
    Ok(Json(GrantBody::at(grant, gateway.service.base.clock.now())))
}
