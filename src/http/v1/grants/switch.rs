//! `POST /v1/grants/{grant_id}/switch-vehicle`: a booking moves to another car.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::GrantBody;
use crate::domain::id::{CommandId, GrantId, VehicleId};
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiPath, IdempotencyKey, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::{created, idempotency};
use crate::service::grants;
use crate::signing::digest::sha256;

/// Where the booking moves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct SwitchVehicle {
    /// Another car of the same owner.
    vehicle_id: VehicleId,
}

/// A booking that has moved.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct SwitchedGrantBody {
    /// The grant for the other car.
    #[serde(flatten)]
    grant: GrantBody,
    /// Commands of the grant before it that were authorized and may not have reached the car yet.
    in_flight: Vec<CommandId>,
}

/// Move a booking to another car of the same owner: this grant ends as if it was revoked with `leave_lock`, and another one
/// begins that allows the same, for as many uses as are left. Both happen or neither. Its holder gets a new token.
#[utoipa::path(post, path = "/v1/grants/{grant_id}/switch-vehicle", operation_id = "grants.switch_vehicle", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:write"])), request_body = SwitchVehicle,
    params(("grant_id" = GrantId, Path, description = "The grant."),
        ("Idempotency-Key" = IdempotencyKey, Header, description = "Required. Repeats give the same answer.")),
    responses((status = 201, description = "The grant for the other car.", body = SwitchedGrantBody)))]
pub(in crate::http) async fn switch(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
    key: IdempotencyKey,
    body: ApiJson<SwitchVehicle>,
) -> Result<Response, Problem> {
    let base = &gateway.service.base;
    // The request names the grant in its path.
    let request = [grant_id.as_uuid().as_bytes(), &body.hash[..]].concat();
    let idempotency = idempotency(Some(key), sha256(&request));
    let answer =
        grants::switch(base, &caller, &idempotency, grant_id, body.value.vehicle_id).await?;
    // A repeated answer is the one that was given then: the grant as it was, at the time it was.
    Ok(created(answer, |switched| SwitchedGrantBody {
        grant: GrantBody::at(switched.grant.clone(), switched.grant.issued_at),
        in_flight: switched.in_flight,
    }))
}
