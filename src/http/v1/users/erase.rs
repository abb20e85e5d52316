//! `DELETE /v1/users/{user_id}/personal-data`: erasing what is known of a person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::UserId;
use crate::http::Gateway;
use crate::http::extract::ApiPath;
use crate::http::extract::SignedIn;
use crate::http::problem::Problem;
use crate::service::users;

/// A person of whom nothing is known any more.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ErasedUserBody {
    /// The id under which the record keeps what they did.
    #[schema(example = "usr_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    user_id: UserId,
    /// Whether the vehicle cloud has ended all their consents too. If not, they can end them there;
    /// from here they cannot be used any more.
    ended_upstream: bool,
}

/// Erase what is known of a person, for good: their address, name and password, the network
/// addresses and texts beside the record, the texts of grants that they gave or received, their
/// consents, destinations and kept answers. Their account is closed first. The record keeps what
/// they did, under their id alone. For themself and for administrators.
#[utoipa::path(delete, path = "/v1/users/{user_id}/personal-data", operation_id = "users.erase", tag = "users",
    security(("session" = [])),
    params(("user_id" = UserId, Path, description = "The person.")),
    responses((status = 200, description = "It is erased.", body = ErasedUserBody)))]
pub(in crate::http) async fn erase(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(user_id): ApiPath<UserId>,
) -> Result<Json<ErasedUserBody>, Problem> {
    let erased = users::erase(&gateway.service, &caller, user_id).await?;
    let (user_id, ended_upstream) = (erased.user_id, erased.ended_upstream);
    Ok(Json(ErasedUserBody { user_id, ended_upstream }))
}
