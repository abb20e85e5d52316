//! `GET /v1/users/{user_id}` and `GET /v1/users/me`: one person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::UserBody;
use crate::domain::id::UserId;
use crate::http::Gateway;
use crate::http::extract::ApiPath;
use crate::http::extract::SignedIn;
use crate::http::problem::Problem;
use crate::service::{Denial, Error, users};

/// Show a person: oneself, or anyone for administrators.
#[utoipa::path(get, path = "/v1/users/{user_id}", operation_id = "users.get", tag = "users",
    security(("session" = []), ("api_client" = ["users:read"])),
    params(("user_id" = UserId, Path, description = "The person.")),
    responses((status = 200, description = "The person.", body = UserBody)))]
pub(in crate::http) async fn get(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(user_id): ApiPath<UserId>,
) -> Result<Json<UserBody>, Problem> {
    let user = users::get(&gateway.service.base, &caller, user_id).await?;
    Ok(Json(user.into()))
}

/// Show the person who asks, or for whom an API client asks.
#[utoipa::path(get, path = "/v1/users/me", operation_id = "users.me", tag = "users",
    security(("session" = []), ("api_client" = ["users:read"])),
    responses((status = 200, description = "The person.", body = UserBody)))]
pub(in crate::http) async fn me(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
) -> Result<Json<UserBody>, Problem> {
    let user_id = caller.actor.user_id().ok_or(Error::Forbidden(Denial::ActingForMissing))?;
    let user = users::get(&gateway.service.base, &caller, user_id).await?;
    Ok(Json(user.into()))
}
