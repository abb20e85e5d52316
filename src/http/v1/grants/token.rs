//! `POST /v1/grants/{grant_id}/token`: the signed form of a grant, for its grantee's app.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::device_key::Thumbprint;
use crate::domain::id::{GrantId, TokenId};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, OptionalJson, OptionalProof, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants;

/// An empty object.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Nothing {}

/// How a token is shown.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
enum TokenType {
    /// Anyone who has the token can use it (RFC 6750).
    Bearer,
    /// Only the device to which the token is bound can use it, with a proof (RFC 9449).
    #[serde(rename = "DPoP")]
    Dpop,
}

/// A grant token.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct GrantTokenBody {
    /// What the guest's app carries; it is specified in docs/grant-token.md.
    grant_token: String,
    /// Identifies the token (`jti`). Use it to end the token.
    token_id: TokenId,
    /// How it is shown: `Bearer`, or `DPoP` with a proof of the device for each request (RFC 9449).
    token_type: TokenType,
    /// The device key to which the token is bound; `null` if it is not bound.
    device_key: Option<Thumbprint>,
    /// When the token expires: after ten minutes if it is bound to a device; otherwise only when no extension of the grant could
    /// still need it. How long the grant opens the car is in `not_after` of the grant.
    expires_at: Timestamp,
}

/// Get the signed form of a grant: for its grantee, or an API client for them.
///
/// With a proof in the header `DPoP` the token is bound to the key of the device and expires after ten minutes. Only this device can
/// use it: each request needs a new proof.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/token", operation_id = "grants.token", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:write"])),
    request_body(content = Option<Nothing>, description = "May be left out."),
    params(("grant_id" = GrantId, Path, description = "The grant."),
        ("DPoP" = Option<String>, Header, description = "A proof of the device (RFC 9449), with the nonce of `DPoP-Nonce`.")),
    responses((status = 200, description = "The token.", body = GrantTokenBody)))]
pub(in crate::http) async fn mint(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    OptionalProof(proof): OptionalProof,
    _body: OptionalJson<Nothing>,
) -> Result<Json<GrantTokenBody>, Problem> {
    let minted = grants::mint_token(&gateway.service.base, &caller, grant_id, proof).await?;
    Ok(Json(GrantTokenBody {
        grant_token: minted.grant_token.expose_secret().to_owned(),
        token_id: minted.token_id,
        token_type: if minted.device_key.is_some() { TokenType::Dpop } else { TokenType::Bearer },
        device_key: minted.device_key,
        expires_at: minted.expires_at,
    }))
}
