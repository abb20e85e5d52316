//! `POST /v1/sessions`: signing in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::SessionBody;
use crate::domain::user::Email;
use crate::http::Gateway;
use crate::http::client_address::ClientAddress;
use crate::http::extract::ApiJson;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::service::sessions::{self, Origin, SignIn};

/// What a person signs in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CreateSession {
    /// The address of the account.
    email: Email,
    /// The password.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    password: SecretString,
    /// Needed only if several organizations know the address.
    organization_id: Option<crate::domain::id::OrganizationId>,
}

/// Sign in with an address and a password.
#[utoipa::path(post, path = "/v1/sessions", operation_id = "sessions.create", tag = "sessions",
    security(()), request_body = CreateSession,
    responses((status = 201, description = "Signed in.", body = SessionBody)))]
pub(in crate::http) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    request_id: RequestId,
    body: ApiJson<CreateSession>,
) -> Result<(StatusCode, Json<SessionBody>), Problem> {
    let sign_in = SignIn {
        email: body.value.email,
        password: body.value.password,
        organization_id: body.value.organization_id,
        origin: Origin { address, request_id: Some(request_id.recorded().to_owned()) },
    };
    let tokens = sessions::create(&gateway.service, sign_in).await?;
    Ok((StatusCode::CREATED, Json(tokens.into())))
}
