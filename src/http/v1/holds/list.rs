//! `GET /v1/holds`: the holds that concern one.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::HoldBody;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::key_scope::KeyScope;
use crate::http::Gateway;
use crate::http::extract::{List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::http::v1::only_one;
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
    /// Only those over this grant itself.
    grant_id: Option<GrantId>,
    /// Only those over this car itself.
    vehicle_id: Option<VehicleId>,
    /// Only those over this person themself.
    user_id: Option<UserId>,
}

impl HoldFilter {
    /// What the holds are to be over, if it is said.
    fn scope(&self) -> Result<Option<KeyScope>, Problem> {
        let named = [
            self.grant_id.map(KeyScope::Grant),
            self.vehicle_id.map(KeyScope::Vehicle),
            self.user_id.map(KeyScope::User),
        ];
        only_one(named)
    }
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
    let (scope, only_standing) = (paged.filter.scope()?, paged.filter.standing);
    let rows = holds::list(base, &caller, scope, only_standing, paged.page).await?;
    let id = |listed: &ListedHold| listed.hold.standing.hold_id.as_uuid();
    Ok(paged.list(rows, id, |listed| HoldBody::of(listed.hold, listed.stands)))
}
