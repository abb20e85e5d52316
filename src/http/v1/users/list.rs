//! `GET /v1/users`: the people of the organization.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::UserBody;
use crate::domain::user::{AccountStatus, Email, ShortText};
use crate::http::Gateway;
use crate::http::extract::SignedIn;
use crate::http::extract::{List, PageParams, Paged};
use crate::http::problem::Problem;
use crate::service::users;
use crate::storage::users::UserFilter as Filter;

/// Which people.
#[derive(Debug, Clone, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct UserFilter {
    /// Only the one with this address.
    email: Option<Email>,
    /// Only the one with this name of yours.
    external_ref: Option<ShortText>,
    /// Only those that are `open` or `closed`.
    status: Option<AccountStatus>,
}

impl From<UserFilter> for Filter {
    fn from(asked: UserFilter) -> Self {
        let external_ref = asked.external_ref.map(String::from);
        Self { email: asked.email, external_ref, status: asked.status }
    }
}

/// List the people of the organization, newest first.
#[utoipa::path(get, path = "/v1/users", operation_id = "users.list", tag = "users",
    security(("session" = []), ("api_client" = ["users:read"])), params(PageParams, UserFilter),
    responses((status = 200, description = "The people.", body = List<UserBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged<UserFilter>,
) -> Result<List<UserBody>, Problem> {
    let filter = paged.filter.clone().into();
    let rows = users::list(&gateway.service.base, &caller, &filter, paged.page).await?;
    Ok(paged.list(rows, |user| user.user_id.as_uuid(), UserBody::from))
}
