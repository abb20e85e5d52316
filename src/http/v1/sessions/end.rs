//! `DELETE /v1/sessions/current`: signing out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::Gateway;
use crate::http::extract::InSession;
use crate::http::problem::Problem;
use crate::service::sessions;

/// Sign out: the session's tokens stop working at once.
#[utoipa::path(delete, path = "/v1/sessions/current", operation_id = "sessions.end", tag = "sessions",
    security(("session" = [])),
    responses((status = 204, description = "Signed out.")))]
pub(in crate::http) async fn end(
    State(gateway): State<Arc<Gateway>>,
    session: InSession,
) -> Result<StatusCode, Problem> {
    let InSession { caller, user_id, session_id } = session;
    sessions::end(&gateway.service.base, &caller, user_id, session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
