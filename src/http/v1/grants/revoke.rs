//! `POST /v1/grants/{grant_id}/revoke`: ending a key now.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{EndQuery, EndedGrantBody};
use crate::domain::id::GrantId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, ApiQuery, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1;
use crate::service::grants::{self, Ending};

/// Why a key is ended.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RevokeGrant {
    /// For people; it is kept with the grant and beside the record, where it can be erased.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
    /// Whether the car can still be locked with it, for as long as its `grace_minutes` and until somebody else unlocks
    /// it: for a key that ends while the car may be open.
    #[serde(default)]
    leave_lock: bool,
}

/// End a key now: for the car's owner, administrators, or an API client for them.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/revoke", operation_id = "grants.revoke", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:write"])),
    request_body(content = Option<RevokeGrant>, description = "May be left out."),
    params(("grant_id" = GrantId, Path, description = "The grant."), EndQuery),
    responses((status = 200, description = "The grant, and what may still be on its way.", body = EndedGrantBody)))]
pub(in crate::http) async fn revoke(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    ApiQuery(query): ApiQuery<EndQuery>,
    body: OptionalJson<RevokeGrant>,
) -> Result<Json<EndedGrantBody>, Problem> {
    let service = &gateway.service;
    let RevokeGrant { reason, leave_lock } = body.value;
    if let Some(violation) = reason.as_deref().and_then(v1::reason) {
        return Err(Problem::invalid(vec![violation]));
    }
    let ending = Ending::Revoke { note: reason.as_deref(), leave_lock };
    let ended = grants::end(&service.base, &caller, grant_id, ending, query.answer_when()).await?;
    Ok(Json(EndedGrantBody::at(ended, service.base.clock.now())))
}
