//! Sessions of people: each is one family of refresh tokens, of which only the newest works.

#[cfg(test)]
pub(super) mod meaning;

use super::db::{Executor, FromRow, Origin, Row, Tx, query};
use super::{Page, StorageError};
use crate::domain::event::SessionEnd;
use crate::domain::id::{OrganizationId, SessionId, UserId};
use crate::domain::session::Session;
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO sessions (session_id, organization_id, user_id, created_at, refreshed_at, expires_at) VALUES ($1, $2, $3, $4, $4, $5)";
const INSERT_REFRESH_TOKEN: &str = "INSERT INTO refresh_tokens (token_hash, organization_id, session_id, issued_at) VALUES ($1, $2, $3, $4)";
const USE_REFRESH_TOKEN: &str = "UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL RETURNING session_id";
const FIND_REFRESH_TOKEN: &str = "SELECT session_id FROM refresh_tokens WHERE token_hash = $1";
const NOTE_REFRESH: &str = "UPDATE sessions SET refreshed_at = $2 WHERE session_id = $1";
const FIND: &str = "SELECT s.*, u.role, u.disabled_at FROM sessions s JOIN users u ON u.user_id = s.user_id WHERE s.session_id = $1";
const LIST_OPEN: &str = "SELECT s.*, u.role, u.disabled_at FROM sessions s JOIN users u ON u.user_id = s.user_id \
    WHERE s.user_id = $1 AND s.session_id < $2 AND s.ended_at IS NULL AND s.expires_at > $4 AND s.refreshed_at > $5 \
    ORDER BY s.session_id DESC LIMIT $3";
const END_OF_USER: &str = "UPDATE sessions SET ended_at = $3, end_reason = $4 \
    WHERE user_id = $1 AND session_id <> $2 AND ended_at IS NULL RETURNING session_id";
const END: &str =
    "UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE session_id = $1 AND ended_at IS NULL";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    INSERT,
    INSERT_REFRESH_TOKEN,
    USE_REFRESH_TOKEN,
    FIND_REFRESH_TOKEN,
    NOTE_REFRESH,
    FIND,
    LIST_OPEN,
    END_OF_USER,
    END,
];

impl FromRow for Session {
    const ORIGIN: Origin = Origin::of::<SessionId>("sessions", "session_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            session_id: row.get("session_id")?,
            organization_id: row.get("organization_id")?,
            user_id: row.get("user_id")?,
            role: row.get("role")?,
            created_at: row.get("created_at")?,
            refreshed_at: row.get("refreshed_at")?,
            expires_at: row.get("expires_at")?,
            ended_at: row.optional("ended_at")?,
            disabled_at: row.optional("disabled_at")?,
        })
    }
}

/// Adds a session.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert(
    tx: &mut Tx,
    session_id: SessionId,
    (organization_id, user_id): (OrganizationId, UserId),
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StorageError> {
    query(INSERT)
        .bind(session_id)
        .bind(organization_id)
        .bind(user_id)
        .bind(now)
        .bind(expires_at)
        .execute_one(tx)
        .await
}

/// Adds the newest refresh token of a session.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert_refresh_token(
    tx: &mut Tx,
    token_hash: [u8; 32],
    (organization_id, session_id): (OrganizationId, SessionId),
    now: Timestamp,
) -> Result<(), StorageError> {
    query(INSERT_REFRESH_TOKEN)
        .bind(token_hash)
        .bind(organization_id)
        .bind(session_id)
        .bind(now)
        .execute_one(tx)
        .await
}

/// What presenting a refresh token came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshUse {
    /// It was the newest and is used up now.
    First(SessionId),
    /// It was used before: somebody copied it.
    Again(SessionId),
    /// It was never issued.
    Unknown,
}

/// Uses up a refresh token; of any number of concurrent tries exactly one is the first.
pub async fn use_refresh_token(
    tx: &mut Tx,
    token_hash: [u8; 32],
    now: Timestamp,
) -> Result<RefreshUse, StorageError> {
    if let Some(session_id) =
        query(USE_REFRESH_TOKEN).bind(token_hash).bind(now).fetch_optional(tx).await?
    {
        return Ok(RefreshUse::First(session_id));
    }
    let known = owner_of_refresh_token(tx, token_hash).await?;
    Ok(known.map_or(RefreshUse::Unknown, RefreshUse::Again))
}

/// The session that a refresh token belongs to, whether it was used or not.
pub async fn owner_of_refresh_token(
    on: &mut impl Executor,
    token_hash: [u8; 32],
) -> Result<Option<SessionId>, StorageError> {
    query(FIND_REFRESH_TOKEN).bind(token_hash).fetch_optional(on).await
}

/// One session.
pub async fn find(
    on: &mut impl Executor,
    session_id: SessionId,
) -> Result<Option<Session>, StorageError> {
    query(FIND).bind(session_id).fetch_optional(on).await
}

/// Notes that the newest refresh token was given out.
pub async fn note_refresh(
    tx: &mut Tx,
    session_id: SessionId,
    now: Timestamp,
) -> Result<(), StorageError> {
    query(NOTE_REFRESH).bind(session_id).bind(now).execute_one(tx).await
}

/// The sessions of a person that can still be used, newest first: those that were refreshed since `idle_since`.
pub async fn list_open(
    on: &mut impl Executor,
    user_id: UserId,
    page: Page,
    now: Timestamp,
    idle_since: Timestamp,
) -> Result<Vec<Session>, StorageError> {
    query(LIST_OPEN)
        .bind(user_id)
        .bind(page.before())
        .bind(page.limit)
        .bind(now)
        .bind(idle_since)
        .fetch_all(on)
        .await
}

/// Ends the sessions of a person, but for one that goes on. Returns those that were not over already.
pub async fn end_of_user(
    tx: &mut Tx,
    user_id: UserId,
    but: Option<SessionId>,
    reason: SessionEnd,
    now: Timestamp,
) -> Result<Vec<SessionId>, StorageError> {
    let but = but.unwrap_or(SessionId::from_uuid(uuid::Uuid::nil()));
    query(END_OF_USER).long().bind(user_id).bind(but).bind(now).bind(reason).fetch_all(tx).await
}

/// Ends a session; `false` if it was over already.
pub async fn end(
    tx: &mut Tx,
    session_id: SessionId,
    reason: SessionEnd,
    now: Timestamp,
) -> Result<bool, StorageError> {
    Ok(query(END).bind(session_id).bind(now).bind(reason).execute(tx).await? == 1)
}
