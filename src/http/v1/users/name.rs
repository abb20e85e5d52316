//! `PATCH /v1/users/{user_id}`: the organization's own name for an account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::UserBody;
use crate::domain::id::UserId;
use crate::domain::user::ShortText;
use crate::http::Gateway;
use crate::http::extract::{ApiJson, ApiPath, SignedIn, given};
use crate::http::problem::Problem;
use crate::service::{Violation, users};

/// What is to become of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NameUser {
    /// Your own name for them, which no other account of the organization has; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ShortText>)]
    external_ref: Option<Option<ShortText>>,
}

/// Give an account your own name, by which `GET /v1/users?external_ref=` finds it.
#[utoipa::path(patch, path = "/v1/users/{user_id}", operation_id = "users.name", tag = "users",
    security(("session" = []), ("api_client" = ["users:write"])), request_body = NameUser,
    params(("user_id" = UserId, Path, description = "The person.")),
    responses((status = 200, description = "The account as it is now.", body = UserBody)))]
pub(in crate::http) async fn name(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(user_id): ApiPath<UserId>,
    body: ApiJson<NameUser>,
) -> Result<Json<UserBody>, Problem> {
    let Some(external_ref) = body.value.external_ref else {
        let empty = Violation::of("", "empty", "must name what is to change");
        return Err(Problem::invalid(vec![empty]));
    };
    let external_ref = external_ref.as_ref().map(ShortText::as_str);
    let user = users::name(&gateway.service.base, &caller, user_id, external_ref).await?;
    Ok(Json(user.into()))
}
