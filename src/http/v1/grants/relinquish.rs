//! `POST /v1/grants/{grant_id}/relinquish`: giving a key back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use serde::Serialize;
use utoipa::ToSchema;

use super::end_check::ReturnCriterionBody;
use super::token::Nothing;
use super::{EndQuery, EndedGrantBody};
use crate::domain::id::GrantId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, ApiQuery, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants;

/// A grant that was given back.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct RelinquishedGrantBody {
    /// The grant, and what may still be on its way.
    #[serde(flatten)]
    ended: EndedGrantBody,
    /// How the car was given back, as far as the grant asks for something; nothing in it is `false`.
    criteria: Vec<ReturnCriterionBody>,
}

/// Give a key back: for its grantee, or an API client for them.
///
/// If the grant has `return_terms` and opened the car, they are checked: what is not met is `end_criteria_unmet`, and what is
/// unknown does not stand in the way. The owner and support can revoke the grant in any case.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/relinquish", operation_id = "grants.relinquish",
    tag = "grants", security(("session" = []), ("api_client" = ["grants:write"])),
    request_body(content = Option<Nothing>, description = "May be left out."),
    params(("grant_id" = GrantId, Path, description = "The grant."), EndQuery),
    responses((status = 200, description = "The grant, and what may still be on its way.", body = RelinquishedGrantBody)))]
pub(in crate::http) async fn relinquish(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    ApiQuery(query): ApiQuery<EndQuery>,
    _body: OptionalJson<Nothing>,
) -> Result<Json<RelinquishedGrantBody>, Problem> {
    let service = &gateway.service;
    let (ended, judged) =
        grants::relinquish(service, &caller, grant_id, query.answer_when()).await?;
    let ended = EndedGrantBody::at(ended, service.base.clock.now());
    Ok(Json(RelinquishedGrantBody {
        ended,
        criteria: judged.iter().map(ReturnCriterionBody::from).collect(),
    }))
}
