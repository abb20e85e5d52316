//! `GET /v1/holds`: the holds that concern one.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::HoldBody;
use crate::http::Gateway;
use crate::http::extract::{List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::holds::{self, ListedHold};

/// Which holds.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct HoldFilter {
    /// `true`: only those that stand now.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    standing: bool,
}

/// List holds, newest first: those over oneself, one's cars and grants and over the organization; all of them for
/// administrators and support.
#[utoipa::path(get, path = "/v1/holds", operation_id = "holds.list", tag = "holds",
    security(("session" = []), ("api_client" = ["grants:read"])), params(PageParams, HoldFilter),
    responses((status = 200, description = "The holds.", body = List<HoldBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged<HoldFilter>,
) -> Result<List<HoldBody>, Problem> {
    let base = &gateway.service.base;
    let rows = holds::list(base, &caller, paged.filter.standing, paged.page).await?;
    let id = |listed: &ListedHold| listed.hold.standing.hold_id.as_uuid();
    Ok(paged.list(rows, id, |listed| HoldBody::of(listed.hold, listed.stands)))
}
