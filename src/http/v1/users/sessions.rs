//! `/v1/users/{user_id}/sessions`: where somebody is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::id::{SessionId, UserId};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::http::Gateway;
use crate::http::extract::{ApiPath, InSession, List, PageParams, Paged, SignedIn};
use crate::http::problem::Problem;
use crate::service::{sessions, users};

/// A place where the person is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct OpenSessionBody {
    /// The session.
    #[schema(example = "ses_01k0a6v8w5e3tb3q6m1x9r7yzn")]
    session_id: SessionId,
    /// Whether it is the one that asks.
    is_current: bool,
    /// When the person signed in.
    created_at: Timestamp,
    /// When it was last refreshed. After seven days without it is over.
    refreshed_at: Timestamp,
    /// When it is over, however often it is refreshed.
    expires_at: Timestamp,
}

impl OpenSessionBody {
    fn of(session: &Session, current: SessionId) -> Self {
        Self {
            session_id: session.session_id,
            is_current: session.session_id == current,
            created_at: session.created_at,
            refreshed_at: session.refreshed_at,
            expires_at: session.expires_at,
        }
    }
}

/// List one's own sessions that can still be used, newest first.
#[utoipa::path(get, path = "/v1/users/me/sessions", operation_id = "sessions.list", tag = "sessions",
    security(("session" = [])), params(PageParams),
    responses((status = 200, description = "The sessions.", body = List<OpenSessionBody>)))]
pub(in crate::http) async fn list(
    State(gateway): State<Arc<Gateway>>,
    session: InSession,
    paged: Paged,
) -> Result<List<OpenSessionBody>, Problem> {
    let InSession { caller, user_id, session_id } = session;
    let rows = sessions::list(&gateway.service.base, &caller, user_id, paged.page).await?;
    let show = |session: Session| OpenSessionBody::of(&session, session_id);
    Ok(paged.list(rows, |session| session.session_id.as_uuid(), show))
}

/// End one of one's own sessions: its tokens stop working at once.
#[utoipa::path(delete, path = "/v1/users/me/sessions/{session_id}", operation_id = "sessions.end_one",
    tag = "sessions", security(("session" = [])),
    params(("session_id" = SessionId, Path, description = "The session.")),
    responses((status = 204, description = "It is over.")))]
pub(in crate::http) async fn end_one(
    State(gateway): State<Arc<Gateway>>,
    session: InSession,
    ApiPath(session_id): ApiPath<SessionId>,
) -> Result<StatusCode, Problem> {
    let InSession { caller, user_id, .. } = session;
    sessions::end_one(&gateway.service.base, &caller, user_id, session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End every session of a person, for administrators.
#[utoipa::path(delete, path = "/v1/users/{user_id}/sessions", operation_id = "users.end_sessions",
    tag = "users", security(("session" = [])),
    params(("user_id" = UserId, Path, description = "The person.")),
    responses((status = 204, description = "They are over.")))]
pub(in crate::http) async fn end_all(
    State(gateway): State<Arc<Gateway>>,
    SignedIn(caller): SignedIn,
    ApiPath(user_id): ApiPath<UserId>,
) -> Result<StatusCode, Problem> {
    users::end_sessions(&gateway.service.base, &caller, user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
