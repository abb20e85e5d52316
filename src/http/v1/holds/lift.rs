//! `DELETE /v1/holds/{hold_id}`: lifting a hold.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::domain::id::HoldId;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, SignedIn};
use crate::http::problem::Problem;
use crate::service::holds;

/// Lift a hold: for those who may place the same and have its rank; administrators also lift those of support. Other holds
/// stand as before.
#[utoipa::path(delete, path = "/v1/holds/{hold_id}", operation_id = "holds.lift", tag = "holds",
    security(("session" = []), ("api_client" = ["grants:write"])),
    params(("hold_id" = HoldId, Path, description = "The hold.")),
    responses((status = 204, description = "It stands no more.")))]
pub(in crate::http) async fn lift(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(hold_id): ApiPath<HoldId>,
) -> Result<StatusCode, Problem> {
    holds::lift(&gateway.service.base, &caller, hold_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
