//! `GET /v1/grants/{grant_id}`: one grant.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use super::HeldGrantBody;
use crate::domain::id::GrantId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::versioned;
use crate::service::grants;

/// Show a grant one was given or has issued.
#[utoipa::path(get, path = "/v1/grants/{grant_id}", operation_id = "grants.get", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:read"])),
    params(("grant_id" = GrantId, Path, description = "The grant.")),
    responses((status = 200, description = "The grant, with its version as `ETag`.", body = HeldGrantBody)))]
pub(in crate::http) async fn get(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
) -> Result<Response, Problem> {
    let held = grants::get(&gateway.service.base, &caller, grant_id).await?;
    let now = gateway.service.base.clock.now();
    Ok(versioned(held.grant.version, Json(HeldGrantBody::at(held, now))))
}
