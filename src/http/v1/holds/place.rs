//! `POST /v1/holds`: pausing grants now.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HoldBody;
use crate::domain::id::{CommandId, OrganizationId};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiQuery, IdempotencyKey, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::grants::EndQuery;
use crate::http::v1::key_scope::ScopeRequest;
use crate::http::v1::{created, idempotency, reason};
use crate::service::holds::{self, NewHold, PlacedHold};

/// What a hold is made from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PlaceHold {
    /// What it is over.
    scope: ScopeRequest,
    /// Why, for people; it can be erased.
    #[schema(min_length = 1, max_length = 500, example = "The phone was stolen.")]
    reason: String,
    /// The first moment in which it no longer stands; until it is lifted, if not given.
    until: Option<Timestamp>,
    /// Whether cars can be locked all the same. `false` is for a car that must not move at all, not even a lock.
    #[serde(default = "yes")]
    #[schema(default = true)]
    allow_lock: bool,
}

const fn yes() -> bool {
    true
}

impl PlaceHold {
    fn check(self, own: OrganizationId) -> Result<NewHold, Problem> {
        let Self { scope, reason: text, until, allow_lock } = self;
        match (scope.check(own), reason(&text)) {
            (Ok(scope), None) => Ok(NewHold { scope, reason: text, until, allow_lock }),
            (scope, reason) => {
                Err(Problem::invalid(scope.err().into_iter().chain(reason).collect()))
            }
        }
    }
}

/// A hold that was placed, with what may still be on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct PlacedHoldBody {
    /// The hold.
    #[serde(flatten)]
    hold: HoldBody,
    /// Commands within its scope that were authorized before it and may not have reached the car yet.
    in_flight: Vec<CommandId>,
}

impl From<PlacedHold> for PlacedHoldBody {
    fn from(PlacedHold { hold, stands, in_flight }: PlacedHold) -> Self {
        Self { hold: HoldBody::of(hold, stands), in_flight }
    }
}

/// Pause grants now: one, all that a person may do, all that people may do with a car, or all of the organization. For
/// administrators and support; for owners over their cars and what they lent; for guests over their own grants and
/// themselves. It binds guests; the owner's own use is bound only if support or an administrator placed it.
#[utoipa::path(post, path = "/v1/holds", operation_id = "holds.place", tag = "holds",
    security(("session" = []), ("api_client" = ["grants:write"])), request_body = PlaceHold,
    params(("Idempotency-Key" = IdempotencyKey, Header, description = "Required. Repeats place nothing new, and show the hold as it is then."), EndQuery),
    responses((status = 201, description = "The hold, and what may still be on its way.", body = PlacedHoldBody)))]
pub(in crate::http) async fn place(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiQuery(query): ApiQuery<EndQuery>,
    key: IdempotencyKey,
    body: ApiJson<PlaceHold>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(Some(key), body.hash);
    let new = body.value.check(caller.actor.organization_id)?;
    let (base, wait) = (&gateway.service.base, query.answer_when());
    let placed = holds::place(base, &caller, &idempotency, &new, wait).await?;
    Ok(created(placed, PlacedHoldBody::from))
}
