//! `POST /v1/grants/{grant_id}/confirm`: the owner's word for a grant that waits.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::GrantBody;
use super::token::Nothing;
use crate::domain::id::GrantId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants;

/// Confirm a key that waits: with `account_recovered`, because somebody else gave its grantee's account new
/// credentials, or with `consent_returned`, because the owner's consent to the car was lost and came back. For the owner
/// of the car, or an API client for them.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/confirm", operation_id = "grants.confirm",
    tag = "grants", security(("session" = []), ("api_client" = ["grants:write"])),
    request_body(content = Option<Nothing>, description = "May be left out."),
    params(("grant_id" = GrantId, Path, description = "The grant.")),
    responses((status = 200, description = "The grant.", body = GrantBody)))]
pub(in crate::http) async fn confirm(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    _body: OptionalJson<Nothing>,
) -> Result<Json<GrantBody>, Problem> {
    let base = &gateway.service.base;
    let grant = grants::confirm(base, &caller, grant_id).await?;
    Ok(Json(GrantBody::at(grant, base.clock.now())))
}
