//! `POST /v1/sessions/refresh`: going on with a session.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::SessionBody;
use crate::http::Gateway;
use crate::http::extract::ApiJson;
use crate::http::problem::Problem;
use crate::http::request_id::RequestId;
use crate::service::sessions;

/// What a session goes on with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RefreshSession {
    /// The newest refresh token. Using an older one ends the session.
    #[schema(max_length = 256)]
    refresh_token: String,
}

/// Exchange a refresh token for new tokens.
#[utoipa::path(post, path = "/v1/sessions/refresh", operation_id = "sessions.refresh", tag = "sessions",
    security(()), request_body = RefreshSession,
    responses((status = 201, description = "New tokens.", body = SessionBody)))]
pub(in crate::http) async fn refresh(
    State(gateway): State<Arc<Gateway>>,
    request_id: RequestId,
    body: ApiJson<RefreshSession>,
) -> Result<(StatusCode, Json<SessionBody>), Problem> {
    let request_id = Some(request_id.recorded().to_owned());
    let tokens =
        sessions::refresh(&gateway.service.base, &body.value.refresh_token, request_id).await?;
    Ok((StatusCode::CREATED, Json(tokens.into())))
}
