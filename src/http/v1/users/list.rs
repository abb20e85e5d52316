//! `GET /v1/users`: the people of the organization.

use std::sync::Arc;

use axum::extract::State;

use super::UserBody;
use crate::http::Gateway;
use crate::http::extract::SignedIn;
use crate::http::extract::{List, PageParams, Paged};
use crate::http::problem::Problem;
use crate::service::users;

/// List the people of the organization, newest first.
#[utoipa::path(get, path = "/v1/users", operation_id = "users.list", tag = "users",
    security(("session" = []), ("api_client" = ["users:read"])), params(PageParams),
    responses((status = 200, description = "The people.", body = List<UserBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    paged: Paged,
) -> Result<List<UserBody>, Problem> {
    let rows = users::list(&gateway.service.base, &caller, paged.page).await?;
    Ok(paged.list(rows, |user| user.user_id.as_uuid(), UserBody::from))
}
