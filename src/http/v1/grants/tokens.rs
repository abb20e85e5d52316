//! `/v1/grants/{grant_id}/tokens`: the signed forms of a grant that can still be shown.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::device_key::Thumbprint;
use crate::domain::id::{GrantId, TokenId};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants;
use crate::storage::grant_tokens::GrantToken;

/// A grant token that was minted and has not expired.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct MintedTokenBody {
    /// The token (`jti`).
    token_id: TokenId,
    /// The device key to which the token is bound; `null` if it is not bound.
    device_key: Option<Thumbprint>,
    /// When it expires.
    expires_at: Timestamp,
    /// When the token was ended before it expired; `null` if it was not ended.
    ended_at: Option<Timestamp>,
}

impl From<GrantToken> for MintedTokenBody {
    fn from(token: GrantToken) -> Self {
        let GrantToken { token_id, device_key, expires_at, ended_at, .. } = token;
        Self { token_id, device_key, expires_at, ended_at }
    }
}

/// List the tokens of a grant that have not expired, newest first.
#[utoipa::path(get, path = "/v1/grants/{grant_id}/tokens", operation_id = "grants.list_tokens", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:read"])),
    params(("grant_id" = GrantId, Path, description = "The grant."), PageParams),
    responses((status = 200, description = "The tokens.", body = List<MintedTokenBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    paged: Paged,
) -> Result<List<MintedTokenBody>, Problem> {
    let base = &gateway.service.base;
    let rows = grants::list_tokens(base, &caller, grant_id, paged.page).await?;
    Ok(paged.list(rows, |token| token.token_id.as_uuid(), MintedTokenBody::from))
}

/// End one token of a grant. Requests with this token are refused from now on; the grant and its other tokens are not changed.
#[utoipa::path(delete, path = "/v1/grants/{grant_id}/tokens/{token_id}", operation_id = "grants.end_token", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:write"])),
    params(("grant_id" = GrantId, Path, description = "The grant."),
        ("token_id" = TokenId, Path, description = "The token.")),
    responses((status = 204, description = "The token has ended.")))]
pub(in crate::http) async fn end(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath((grant_id, token_id)): ApiPath<(GrantId, TokenId)>,
) -> Result<StatusCode, Problem> {
    grants::end_token(&gateway.service.base, &caller, grant_id, token_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
