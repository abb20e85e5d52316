//! `PUT /v1/users/me/password`: changing one's password.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::Gateway;
use crate::http::client_address::ClientAddress;
use crate::http::extract::{ApiJson, InSession};
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::service::sessions::Origin;
use crate::service::users::{self, NewPassword};

/// What a password is changed with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ChangePassword {
    /// The password of today.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    current_password: SecretString,
    /// The password from now on: at least 15 characters.
    #[schema(value_type = String, format = Password, min_length = 15, max_length = 256)]
    new_password: SecretString,
}

/// Change one's own password. Every other session of the person ends.
#[utoipa::path(put, path = "/v1/users/me/password", operation_id = "users.change_password", tag = "users",
    security(("session" = [])), request_body = ChangePassword,
    responses((status = 204, description = "The new password holds.")))]
pub(in crate::http) async fn change(
    State(gateway): State<Arc<Gateway>>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    request_id: RequestId,
    session: InSession,
    body: ApiJson<ChangePassword>,
) -> Result<StatusCode, Problem> {
    let InSession { caller, user_id, session_id } = session;
    let ChangePassword { current_password: current, new_password: new } = body.value;
    let request_id = Some(request_id.recorded().to_owned());
    let origin = Origin { address, request_id };
    let change = NewPassword { user_id, session_id, current, new, origin };
    users::change_password(&gateway.service, &caller, change).await?;
    Ok(StatusCode::NO_CONTENT)
}
