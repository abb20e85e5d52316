//! `POST /v1/grants/{grant_id}/token`: the signed form of a grant, for its grantee's app.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::id::GrantId;
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants;

/// An empty object.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Nothing {}

/// A grant token.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct GrantTokenBody {
    /// What the guest's app carries; it is specified in docs/grant-token.md.
    grant_token: String,
    /// Until when the token can be shown: nothing can be done with the grant later, however it is extended. Until when
    /// it opens the car, `not_after` of the grant says.
    expires_at: Timestamp,
}

/// Get the signed form of a grant: for its grantee, or an API client for them.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/token", operation_id = "grants.token", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:write"])),
    request_body(content = Option<Nothing>, description = "May be left out."),
    params(("grant_id" = GrantId, Path, description = "The grant.")),
    responses((status = 200, description = "The token.", body = GrantTokenBody)))]
pub(in crate::http) async fn mint(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    _body: OptionalJson<Nothing>,
) -> Result<Json<GrantTokenBody>, Problem> {
    let minted = grants::mint_token(&gateway.service.base, &caller, grant_id).await?;
    Ok(Json(GrantTokenBody {
        grant_token: minted.grant_token.expose_secret().to_owned(),
        expires_at: minted.expires_at,
    }))
}
