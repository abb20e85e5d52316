//! `GET /v1/grants/{grant_id}/end-check`: whether the car is as it is to be given back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::GrantId;
use crate::domain::return_terms::{Criterion, Judged, Met};
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::grants;

/// Whether a car is as it is to be given back.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct EndCheckBody {
    /// One for each thing that the grant's `return_terms` ask for.
    criteria: Vec<ReturnCriterionBody>,
}

/// One thing that is asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ReturnCriterionBody {
    /// `locked`, `closed`, `parked`, `place`, `fuel_min`, `charge_min` or `plugged_in`.
    code: Criterion,
    /// `true`, `false`, or `unknown` if the car does not say so, or not within the last 15 minutes.
    met: Met,
    /// When the car reported what that rests on; `null` if it did not.
    observed_at: Option<Timestamp>,
}

impl From<&Judged> for ReturnCriterionBody {
    fn from(judged: &Judged) -> Self {
        Self { code: judged.criterion, met: judged.met, observed_at: judged.observed_at }
    }
}

/// Check whether the car is as the grant asks it to be given back: for its grantee, the owner, support and administrators.
///
/// The car is read within the grant's part of what may be asked of it, by the right of its owner, who asked for it. The
/// answer says whether each thing is so, not what was read.
#[utoipa::path(get, path = "/v1/grants/{grant_id}/end-check", operation_id = "grants.check_end", tag = "grants",
    security(("session" = []), ("api_client" = ["grants:read"])),
    params(("grant_id" = GrantId, Path, description = "The grant.")),
    responses((status = 200, description = "What is so.", body = EndCheckBody)))]
pub(in crate::http) async fn check(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(grant_id): ApiPath<GrantId>,
) -> Result<Json<EndCheckBody>, Problem> {
    let judged = grants::check_end(&gateway.service, &caller, grant_id).await?;
    Ok(Json(EndCheckBody { criteria: judged.iter().map(ReturnCriterionBody::from).collect() }))
}
