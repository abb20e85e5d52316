//! `POST /v1/users/{user_id}/claims`: another link to an account.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::claim::ClaimPurpose;
use crate::domain::id::{ClaimId, UserId};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, IdempotencyKey, OptionalJson, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::{created, idempotency};
use crate::service::claims::{self, NewClaim};

/// How the link is made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::http) struct CreateClaim {
    /// Whether it shall need a PIN, which you give them another way. No if not given.
    with_pin: bool,
}

/// A link to an account, with its secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ClaimBody {
    /// Identifies the link, also in the record.
    #[schema(example = "clm_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    claim_id: ClaimId,
    /// `join`, or `recover` for an account that had credentials.
    claim_purpose: ClaimPurpose,
    /// The secret of the link, for `POST /v1/claims/redeem`.
    claim_token: String,
    /// The link to give to the person. The secret is its fragment, which browsers send nowhere.
    #[schema(example = "https://keys.example.com/c#kl_claim_…")]
    claim_url: String,
    /// Six digits to give to them another way; five wrong ones cancel the link.
    claim_pin: Option<String>,
    /// After this the link does not work: 7 days to join, one hour to recover.
    claim_expires_at: Timestamp,
}

impl From<NewClaim> for ClaimBody {
    fn from(claim: NewClaim) -> Self {
        Self {
            claim_id: claim.claim_id,
            claim_purpose: claim.purpose,
            claim_token: claim.claim_token,
            claim_url: claim.claim_url,
            claim_pin: claim.pin,
            claim_expires_at: claim.expires_at,
        }
    }
}

/// Make another link to an account; the earlier one stops working. If the person had credentials, their
/// password and their sessions end now: that is the recovery, for administrators alone. It restores
/// signing in and nothing more: what they could open before waits until its owner confirms it, and their
/// own cars until they are connected again.
#[utoipa::path(post, path = "/v1/users/{user_id}/claims", operation_id = "users.claim", tag = "users",
    security(("session" = []), ("api_client" = ["users:write"])),
    request_body(content = Option<CreateClaim>, description = "May be left out."),
    params(("user_id" = UserId, Path, description = "The person."),
        ("Idempotency-Key" = Option<IdempotencyKey>, Header, description = "Repeats give the same answer.")),
    responses((status = 201, description = "The link.", body = ClaimBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(user_id): ApiPath<UserId>,
    key: Option<IdempotencyKey>,
    body: OptionalJson<CreateClaim>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(key, body.hash);
    let (base, with_pin) = (&gateway.service.base, body.value.with_pin);
    let answer = claims::create(base, &caller, &idempotency, user_id, with_pin).await?;
    Ok(created(answer, ClaimBody::from))
}
