//! `POST /v1/ends`: ending all grants of a scope now.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::id::{CommandId, EndId, GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::key_scope::KeyScope;
use crate::domain::time::Timestamp;
use crate::domain::user::ShortText;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiQuery, IdempotencyKey, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::grants::EndQuery;
use crate::http::v1::key_scope::{KeyScopeBody, ScopeRequest};
use crate::http::v1::{created, idempotency, reason};
use crate::service::ends::{self, EndedScope, EndingOfScope, MidTrip, Preview};

/// Which grants end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct EndGrants {
    /// What it is over.
    scope: ScopeRequest,
    /// Only grants that were issued before this time; all that there are, if not given.
    issued_before: Option<Timestamp>,
    /// Only grants that carry this reference, such as those of one booking.
    external_ref: Option<ShortText>,
    /// Why, for people; it can be erased.
    #[schema(min_length = 1, max_length = 500, example = "The car was sold.")]
    reason: String,
    /// `true`: end nothing, and say what would end.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

impl EndGrants {
    fn check(self, own: OrganizationId) -> Result<EndingOfScope, Problem> {
        let Self { scope, issued_before, external_ref, reason: text, .. } = self;
        let external_ref = external_ref.map(String::from);
        match (scope.check(own), reason(&text)) {
            (Ok(scope), None) => {
                Ok(EndingOfScope { scope, issued_before, external_ref, reason: text })
            }
            (scope, reason) => {
                Err(Problem::invalid(scope.err().into_iter().chain(reason).collect()))
            }
        }
    }
}

/// Grants that have ended, or would.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct EndBody {
    /// Identifies the end; `null` for a dry run.
    #[schema(example = "end_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    end_id: Option<EndId>,
    /// What it is over.
    scope: KeyScopeBody,
    /// How many grants.
    grants: i64,
    /// In a dry run, the grants with which somebody has a car at present: whose guest was the last to be authorized to unlock it.
    /// At most 100.
    mid_trip: Vec<MidTripBody>,
    /// Commands within the scope that were authorized before and may not have reached the car yet.
    in_flight: Vec<CommandId>,
}

/// A grant with which somebody has a car.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct MidTripBody {
    /// The grant.
    grant_id: GrantId,
    /// The guest.
    grantee_id: UserId,
    /// The car.
    vehicle_id: VehicleId,
}

impl From<MidTrip> for MidTripBody {
    fn from(MidTrip { grant_id, grantee_id, vehicle_id }: MidTrip) -> Self {
        Self { grant_id, grantee_id, vehicle_id }
    }
}

impl EndBody {
    fn of_preview(scope: KeyScope, preview: Preview) -> Self {
        Self {
            end_id: None,
            scope: scope.into(),
            grants: preview.grants,
            mid_trip: preview.mid_trip.into_iter().map(MidTripBody::from).collect(),
            in_flight: preview.in_flight,
        }
    }
}

impl From<EndedScope> for EndBody {
    fn from(EndedScope { end, in_flight }: EndedScope) -> Self {
        Self {
            end_id: Some(end.pending.end_id),
            scope: end.scope.into(),
            grants: end.grants,
            mid_trip: Vec::new(),
            in_flight,
        }
    }
}

/// End all grants of a scope now: one grant, all that a person was lent, that was lent of a car, or in the organization. Nothing
/// is authorized by them after the answer, however many they are. For those who may end each of them. With `dry_run` nothing
/// ends.
#[utoipa::path(post, path = "/v1/ends", operation_id = "ends.create", tag = "ends",
    security(("session" = []), ("api_client" = ["grants:write"])), request_body = EndGrants,
    params(("Idempotency-Key" = IdempotencyKey, Header, description = "Required. Repeats end nothing new, and show the end as it is then."), EndQuery),
    responses((status = 201, description = "They have ended.", body = EndBody),
        (status = 200, description = "They would end.", body = EndBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiQuery(query): ApiQuery<EndQuery>,
    key: IdempotencyKey,
    body: ApiJson<EndGrants>,
) -> Result<Response, Problem> {
    let idempotency = idempotency(Some(key), body.hash);
    let is_dry = body.value.dry_run;
    let ending = body.value.check(caller.actor.organization_id)?;
    let base = &gateway.service.base;
    if is_dry {
        let preview = ends::preview(base, &caller, &ending).await?;
        return Ok(Json(EndBody::of_preview(ending.scope, preview)).into_response());
    }
    let ended = ends::end(base, &caller, &idempotency, &ending, query.answer_when()).await?;
    Ok(created(ended, EndBody::from))
}
