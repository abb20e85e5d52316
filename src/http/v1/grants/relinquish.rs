//! `POST /v1/grants/{grant_id}/relinquish`: giving a key back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::token::Nothing;
use super::{EndQuery, EndedBody};
use crate::domain::id::GrantId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, ApiQuery, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants::{self, Ending};

/// Give a key back: for its grantee, or an API client for them.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/relinquish", operation_id = "grants.relinquish",
    tag = "grants", security(("session" = []), ("api_client" = ["grants:write"])),
    request_body(content = Nothing, description = "May be left out."),
    params(("grant_id" = String, Path, description = "The grant."), EndQuery),
    responses((status = 200, description = "The grant, and what may still be on its way.", body = EndedBody)))]
pub(in crate::http) async fn relinquish(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    ApiQuery(query): ApiQuery<EndQuery>,
    _body: OptionalJson<Nothing>,
) -> Result<Json<EndedBody>, Problem> {
    let service = &gateway.service;
    let ended =
        grants::end(&service.base, &caller, grant_id, Ending::Relinquish, query.answer_when())
            .await?;
    Ok(Json(EndedBody::at(ended, service.base.clock.now())))
}
