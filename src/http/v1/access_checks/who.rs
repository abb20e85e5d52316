//! `POST /v1/access-checks/who`: who may do something to a car, and when.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::create::BasisBody;
use crate::domain::allowed_times::Period;
use crate::domain::id::{UserId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, SignedIn};
use crate::http::problem::Problem;
use crate::service::access_checks::{self, Allowed, Who};

/// What to ask.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AskWho {
    /// The car.
    vehicle_id: VehicleId,
    /// What would be done, such as `unlock` or `start_charge`.
    action: Action,
    /// The first moment of the period.
    from: Timestamp,
    /// The first moment after the period; at most 400 days after `from`.
    until: Timestamp,
}

/// Everybody who may.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct WhoMayBody {
    /// The owner first, then by grants, the newest first. A person with several grants is there several times.
    data: Vec<AllowedPersonBody>,
    /// Whether all grants were looked at that can allow something in the period; `false` if there are more than 1,000.
    complete: bool,
}

/// Somebody who may.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AllowedPersonBody {
    /// The person.
    user_id: UserId,
    /// By what right.
    basis: BasisBody,
    /// When, within the period, in order.
    times: Vec<PeriodBody>,
}

/// A half-open time.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct PeriodBody {
    /// The first moment in it.
    from: Timestamp,
    /// The first moment after it.
    until: Timestamp,
}

impl From<Allowed> for AllowedPersonBody {
    fn from(Allowed { user_id, basis, times }: Allowed) -> Self {
        let period = |Period { from, until }| PeriodBody { from, until };
        Self { user_id, basis: basis.into(), times: times.into_iter().map(period).collect() }
    }
}

/// Ask who may do something to a car within a period, if everything stays as it is today: for its owner, administrators,
/// support and auditors. Holds, ends, limits of uses and the grace for locking count.
#[utoipa::path(post, path = "/v1/access-checks/who", operation_id = "access_checks.who", tag = "access_checks",
    security(("session" = []), ("api_client" = ["grants:read"])), request_body = AskWho,
    responses((status = 200, description = "Who may, and when.", body = WhoMayBody)))]
pub(in crate::http) async fn who(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    body: ApiJson<AskWho>,
) -> Result<Json<WhoMayBody>, Problem> {
    let AskWho { vehicle_id, action, from, until } = body.value;
    let (base, within) = (&gateway.service.base, Period { from, until });
    let Who { allowed, is_complete } =
        access_checks::who(base, &caller, vehicle_id, action, within).await?;
    let data = allowed.into_iter().map(AllowedPersonBody::from).collect();
    Ok(Json(WhoMayBody { data, complete: is_complete }))
}
