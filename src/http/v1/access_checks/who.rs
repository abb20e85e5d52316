//! `POST /v1/access-checks/who`: who may do something to a car, and when.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::create::BasisBody;
use crate::domain::allowed_times::Period;
use crate::domain::id::VehicleId;
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
    #[schema(value_type = String, example = "veh_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    vehicle_id: VehicleId,
    /// What would be done, such as `unlock` or `start_charge`.
    #[schema(value_type = String, example = "unlock")]
    action: Action,
    /// The first moment of the period.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The first moment after the period; at most 400 days after `from`.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// Everybody who may.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct WhoBody {
    /// The owner first, then by grants, the newest first. A person with several grants is there several times.
    data: Vec<AllowedBody>,
    /// Whether all grants were looked at that can allow something in the period; `false` if there are more than 1,000.
    complete: bool,
}

/// Somebody who may.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AllowedBody {
    /// The person.
    user_id: String,
    /// By what right.
    basis: BasisBody,
    /// When, within the period, in order.
    times: Vec<PeriodBody>,
}

/// A half-open time.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct PeriodBody {
    /// The first moment in it.
    #[schema(format = DateTime)]
    from: String,
    /// The first moment after it.
    #[schema(format = DateTime)]
    until: String,
}

impl From<Allowed> for AllowedBody {
    fn from(Allowed { user_id, basis, times }: Allowed) -> Self {
        let period = |Period { from, until }| PeriodBody {
            from: Timestamp::to_string(&from),
            until: Timestamp::to_string(&until),
        };
        Self {
            user_id: user_id.to_string(),
            basis: basis.into(),
            times: times.into_iter().map(period).collect(),
        }
    }
}

/// Ask who may do something to a car within a period, if everything stays as it is today: for its owner, administrators,
/// support and auditors. Holds, ends, limits of uses and the grace for locking count.
#[utoipa::path(post, path = "/v1/access-checks/who", operation_id = "access_checks.who", tag = "commands",
    security(("session" = []), ("api_client" = ["grants:read"])), request_body = AskWho,
    responses((status = 200, description = "Who may, and when.", body = WhoBody)))]
pub(in crate::http) async fn who(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    body: ApiJson<AskWho>,
) -> Result<Json<WhoBody>, Problem> {
    let AskWho { vehicle_id, action, from, until } = body.value;
    let (base, within) = (&gateway.service.base, Period { from, until });
    let Who { allowed, is_complete } =
        access_checks::who(base, &caller, vehicle_id, action, within).await?;
    let data = allowed.into_iter().map(AllowedBody::from).collect();
    Ok(Json(WhoBody { data, complete: is_complete }))
}
