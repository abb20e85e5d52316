//! `/v1/grants/{grant_id}/extension-requests`: a guest asks to keep a car for longer, and its owner decides.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::token::Nothing;
use crate::domain::extension::{ExtensionDecision, ExtensionStatus};
use crate::domain::id::{ExtensionRequestId, GrantId};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{
    ApiJson, ApiPath, IdempotencyKey, List, OptionalJson, PageParams, Paged, SignedIn,
};
use crate::http::problem::Problem;
use crate::http::v1::{created, idempotency, reason};
use crate::service::Caller;
use crate::service::grants::{self, KnownExtension, WantedExtension};
use crate::signing::digest::sha256;

/// For how long a guest wants a car.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RequestExtension {
    /// The first moment in which they no longer need it: later than the grant's, at most 400 days after its beginning.
    not_after: Timestamp,
    /// Why, for the owner.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

/// A guest's wish to keep a car for longer.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ExtensionRequestBody {
    /// Identifies the request.
    extension_request_id: ExtensionRequestId,
    /// The grant.
    grant_id: GrantId,
    /// Until when the guest wants to use it.
    not_after: Timestamp,
    /// Why, in their words; `null` if it was erased.
    reason: Option<String>,
    /// `open`, `approved`, `declined` or `expired`, at the time of the answer.
    status: ExtensionStatus,
    /// When it was made.
    requested_at: Timestamp,
    /// From then on it is not decided any more: after a day, or when the grant is over.
    expires_at: Timestamp,
    /// When the owner decided.
    decided_at: Option<Timestamp>,
}

impl From<KnownExtension> for ExtensionRequestBody {
    fn from(KnownExtension { request, status }: KnownExtension) -> Self {
        Self {
            extension_request_id: request.extension_request_id,
            grant_id: request.grant_id,
            not_after: request.not_after,
            status,
            reason: request.reason,
            requested_at: request.requested_at,
            expires_at: request.expires_at,
            decided_at: request.decided.map(|(_, at)| at),
        }
    }
}

/// Ask to use a grant for longer: for its grantee, or an API client for them. Another request takes the place of one that
/// is undecided.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/extension-requests", operation_id = "grants.request_extension",
    tag = "grants", security(("session" = []), ("api_client" = ["grants:write"])), request_body = RequestExtension,
    params(("grant_id" = GrantId, Path, description = "The grant."),
        ("Idempotency-Key" = IdempotencyKey, Header, description = "Required. Repeats ask for nothing new, and show the request as it is then.")),
    responses((status = 201, description = "The request.", body = ExtensionRequestBody)))]
pub(in crate::http) async fn request(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    key: IdempotencyKey,
    body: ApiJson<RequestExtension>,
) -> Result<Response, Problem> {
    // The request names the grant in its path.
    let request = [grant_id.as_uuid().as_bytes(), &body.hash[..]].concat();
    let idempotency = idempotency(Some(key), sha256(&request));
    let (base, asked) = (&gateway.service.base, body.value);
    if let Some(violation) = asked.reason.as_deref().and_then(reason) {
        return Err(Problem::invalid(vec![violation]));
    }
    let wanted = WantedExtension { not_after: asked.not_after, reason: asked.reason.as_deref() };
    let made = grants::request_extension(base, &caller, &idempotency, grant_id, wanted).await?;
    Ok(created(made, ExtensionRequestBody::from))
}

/// List what a guest asked for, newest first: for those who see the grant.
#[utoipa::path(get, path = "/v1/grants/{grant_id}/extension-requests", operation_id = "grants.extension_requests",
    tag = "grants", security(("session" = []), ("api_client" = ["grants:read"])),
    params(("grant_id" = GrantId, Path, description = "The grant."), PageParams),
    responses((status = 200, description = "The requests.", body = List<ExtensionRequestBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    paged: Paged,
) -> Result<List<ExtensionRequestBody>, Problem> {
    let base = &gateway.service.base;
    let rows = grants::list_extensions(base, &caller, grant_id, paged.page).await?;
    let id = |known: &KnownExtension| known.request.extension_request_id.as_uuid();
    Ok(paged.list(rows, id, ExtensionRequestBody::from))
}

/// Approve a request: the grant is valid until then, as if its owner had changed it. For the owner, or an API client for
/// them.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/extension-requests/{extension_request_id}/approve",
    operation_id = "grants.approve_extension", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:write"])),
    request_body(content = Option<Nothing>, description = "May be left out."),
    params(("grant_id" = GrantId, Path, description = "The grant."),
        ("extension_request_id" = ExtensionRequestId, Path, description = "The request.")),
    responses((status = 200, description = "The request as it is now.", body = ExtensionRequestBody)))]
pub(in crate::http) async fn approve(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(ids): ApiPath<(GrantId, ExtensionRequestId)>,
    _body: OptionalJson<Nothing>,
) -> Result<Json<ExtensionRequestBody>, Problem> {
    decide(&gateway, &caller, ids, ExtensionDecision::Approved).await
}

/// Decline a request: the grant stays as it is. For the owner, or an API client for them.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/extension-requests/{extension_request_id}/decline",
    operation_id = "grants.decline_extension", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:write"])),
    request_body(content = Option<Nothing>, description = "May be left out."),
    params(("grant_id" = GrantId, Path, description = "The grant."),
        ("extension_request_id" = ExtensionRequestId, Path, description = "The request.")),
    responses((status = 200, description = "The request as it is now.", body = ExtensionRequestBody)))]
pub(in crate::http) async fn decline(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(ids): ApiPath<(GrantId, ExtensionRequestId)>,
    _body: OptionalJson<Nothing>,
) -> Result<Json<ExtensionRequestBody>, Problem> {
    decide(&gateway, &caller, ids, ExtensionDecision::Declined).await
}

async fn decide(
    gateway: &Gateway,
    caller: &Caller,
    (grant_id, id): (GrantId, ExtensionRequestId),
    decision: ExtensionDecision,
) -> Result<Json<ExtensionRequestBody>, Problem> {
    let base = &gateway.service.base;
    let decided = grants::decide_extension(base, caller, grant_id, id, decision).await?;
    Ok(Json(decided.into()))
}
