//! `POST /v1/users/{user_id}/disable`: closing an account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::UserBody;
use crate::domain::id::UserId;
use crate::http::Gateway;
use crate::http::extract::ApiPath;
use crate::http::extract::SignedIn;
use crate::http::problem::Problem;
use crate::service::users;

/// Close an account: its sessions and what it was lent end at once, and its cars stop working.
#[utoipa::path(post, path = "/v1/users/{user_id}/disable", operation_id = "users.disable", tag = "users",
    security(("session" = [])),
    params(("user_id" = UserId, Path, description = "The person.")),
    responses((status = 200, description = "The account.", body = UserBody)))]
pub(in crate::http) async fn disable(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(user_id): ApiPath<UserId>,
) -> Result<Json<UserBody>, Problem> {
    let user = users::disable(&gateway.service.base, &caller, user_id).await?;
    Ok(Json(user.into()))
}
