//! Connections: owners' consents at the vehicle cloud, with their sealed tokens. One that waits to be completed:
//! [`super::consents`].

#[cfg(test)]
pub(super) mod meaning;

use super::db::{Executor, FromRow, Origin, Row, Tx, query};
use super::{Page, StorageError, return_urls};
use crate::domain::connection::{ApiVersion, Connection, ConnectionStatus};
use crate::domain::id::{ConnectionId, OrganizationId, UserId};
use crate::domain::impairment::ConnectionReason;
use crate::domain::return_url::ReturnUrl;
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO connections (connection_id, organization_id, owner_id, status, mode, state_hash, token_revision, created_at, api_version, return_url) \
    VALUES ($1, $2, $3, 'pending', $4, $5, 0, $6, $7, $8)";
const FIND: &str = "SELECT * FROM connections WHERE organization_id = $1 AND connection_id = $2";
const LIST: &str = "SELECT * FROM connections WHERE organization_id = $1 AND connection_id < $2 \
    AND (CAST($4 AS TEXT) IS NULL OR status = $4) ORDER BY connection_id DESC LIMIT $3";
const LIST_OF_OWNER: &str = "SELECT * FROM connections WHERE organization_id = $1 AND connection_id < $2 AND owner_id = $5 \
    AND (CAST($4 AS TEXT) IS NULL OR status = $4) ORDER BY connection_id DESC LIMIT $3";
const TAKE_BY_STATE: &str = "UPDATE connections SET state_hash = NULL WHERE state_hash = $1 AND status = 'pending' \
    AND created_at > $2 RETURNING *";
const FAIL: &str = "UPDATE connections SET status = 'failed', status_reason = $2, state_hash = NULL, sealed_consent = NULL, \
    completion_hash = NULL, sealed_code = NULL, browser_hash = NULL, revision = revision + 1 WHERE connection_id = $1 AND status IN ('pending', 'consented')";
const FIND_TOKENS: &str = "SELECT connection_id, organization_id, owner_id, status, api_version, provider_user_id, sealed_tokens, access_expires_at, token_revision \
    FROM connections WHERE connection_id = $1";
const LEASE_REFRESH: &str = "UPDATE connections SET refresh_lease_until = $3 WHERE connection_id = $1 AND token_revision = $2 \
    AND status = 'active' AND (refresh_lease_until IS NULL OR refresh_lease_until <= $4)";
const STORE_REFRESHED: &str = "UPDATE connections SET sealed_tokens = $3, access_expires_at = $4, refresh_lease_until = NULL, \
    token_revision = token_revision + 1 WHERE connection_id = $1 AND token_revision = $2 AND status = 'active'";
const RELEASE_REFRESH: &str = "UPDATE connections SET refresh_lease_until = NULL WHERE connection_id = $1 AND token_revision = $2";
const LOSE: &str = "UPDATE connections SET status = 'lost', status_reason = $3, sealed_tokens = NULL, \
    sealed_consent = NULL, completion_hash = NULL, sealed_code = NULL, browser_hash = NULL, revision = revision + 1 \
    WHERE connection_id = $1 AND token_revision = $2 AND status = 'active'";
const END: &str = "UPDATE connections SET status = 'lost', status_reason = $2, sealed_tokens = NULL, \
    sealed_consent = NULL, completion_hash = NULL, sealed_code = NULL, browser_hash = NULL, revision = revision + 1 \
    WHERE connection_id = $1 AND status = 'active'";
/// Nobody decides on the connection before the transaction ends.
const LOCK: &str = "UPDATE connections SET revision = revision WHERE connection_id = $1";
const OF_OWNER: &str = "SELECT connection_id FROM connections WHERE organization_id = $1 AND owner_id = $2 ORDER BY connection_id";
const ASK_BACK: &str = "UPDATE connections SET state_hash = $2, asked_back_at = $3 WHERE connection_id = $1 AND status = 'active'";
const TAKE_BACK: &str = "UPDATE connections SET state_hash = NULL WHERE state_hash = $1 AND status = 'active' \
    AND asked_back_at > $2 RETURNING *";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    INSERT,
    FIND,
    LIST,
    LIST_OF_OWNER,
    TAKE_BY_STATE,
    FAIL,
    FIND_TOKENS,
    LEASE_REFRESH,
    STORE_REFRESHED,
    RELEASE_REFRESH,
    LOSE,
    END,
    LOCK,
    OF_OWNER,
    ASK_BACK,
    TAKE_BACK,
];

/// The tokens of a connection as stored.
#[derive(Debug, Clone)]
pub struct StoredTokens {
    /// The organization of the owner.
    pub organization_id: OrganizationId,
    /// The owner who consented.
    pub owner_id: UserId,
    /// Where the connection stands.
    pub status: ConnectionStatus,
    /// How the cloud is spoken to.
    pub api_version: ApiVersion,
    /// The cloud's id of the owner, if it is known.
    pub provider_user_id: Option<String>,
    /// Access and refresh token, sealed.
    pub sealed_tokens: Option<Vec<u8>>,
    /// When the access token stops working.
    pub access_expires_at: Option<Timestamp>,
    /// Rises with each new pair.
    pub token_revision: i64,
}

impl FromRow for StoredTokens {
    const ORIGIN: Origin = Connection::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            organization_id: row.get("organization_id")?,
            owner_id: row.get("owner_id")?,
            status: row.get("status")?,
            api_version: row.get("api_version")?,
            provider_user_id: row.optional("provider_user_id")?,
            sealed_tokens: row.optional("sealed_tokens")?,
            access_expires_at: row.optional("access_expires_at")?,
            token_revision: row.get("token_revision")?,
        })
    }
}

impl FromRow for Connection {
    const ORIGIN: Origin = Origin::of::<ConnectionId>("connections", "connection_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            connection_id: row.get("connection_id")?,
            organization_id: row.get("organization_id")?,
            owner_id: row.get("owner_id")?,
            status: row.get("status")?,
            mode: row.get("mode")?,
            status_reason: row.optional("status_reason")?,
            return_url: return_urls::read(row, "return_url")?,
            api_version: row.get("api_version")?,
            provider_user_id: row.optional("provider_user_id")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Connections of an organization, and of one owner if one is named, that stand so if it is said; newest first.
pub async fn list(
    on: &mut impl Executor,
    (organization_id, owner_id): (OrganizationId, Option<UserId>),
    status: Option<ConnectionStatus>,
    page: Page,
) -> Result<Vec<Connection>, StorageError> {
    let sql = if owner_id.is_some() { LIST_OF_OWNER } else { LIST };
    let mut listing = query(sql)
        .bind(organization_id)
        .bind(page.before())
        .bind(page.limit)
        .bind(status.map(ConnectionStatus::as_str));
    if let Some(owner_id) = owner_id {
        listing = listing.bind(owner_id);
    }
    listing.fetch_all(on).await
}

/// Every connection of an owner, whatever became of it.
pub async fn of_owner(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    owner_id: UserId,
) -> Result<Vec<ConnectionId>, StorageError> {
    query(OF_OWNER).bind(organization_id).bind(owner_id).fetch_all(on).await
}

/// Adds a connection that is under way; `state_hash` is what the browser must bring back.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert(
    tx: &mut Tx,
    connection: &Connection,
    state_hash: [u8; 32],
) -> Result<(), StorageError> {
    query(INSERT)
        .bind(connection.connection_id)
        .bind(connection.organization_id)
        .bind(connection.owner_id)
        .bind(connection.mode)
        .bind(state_hash)
        .bind(connection.created_at)
        .bind(connection.api_version)
        .bind(connection.return_url.as_ref().map(ReturnUrl::as_str))
        .execute_one(tx)
        .await
}

/// One connection.
pub async fn find(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
) -> Result<Option<Connection>, StorageError> {
    query(FIND).bind(organization_id).bind(connection_id).fetch_optional(on).await
}

/// Uses up the state that a browser brought back; `None` if it was never given out, was used
/// before, or was given out at `created_after` or earlier.
pub async fn take_by_state(
    tx: &mut Tx,
    state_hash: [u8; 32],
    created_after: Timestamp,
) -> Result<Option<Connection>, StorageError> {
    query(TAKE_BY_STATE).bind(state_hash).bind(created_after).fetch_optional(tx).await
}

/// Marks a connection as declined, failed or given up, and forgets what it came to; `false` if it is not
/// under way.
pub async fn fail(
    tx: &mut Tx,
    connection_id: ConnectionId,
    reason: &ConnectionReason,
) -> Result<bool, StorageError> {
    Ok(query(FAIL).bind(connection_id).bind(reason.stored()).execute(tx).await? == 1)
}

/// The tokens of a connection.
pub async fn find_tokens(
    on: &mut impl Executor,
    connection_id: ConnectionId,
) -> Result<Option<StoredTokens>, StorageError> {
    query(FIND_TOKENS).bind(connection_id).fetch_optional(on).await
}

/// Takes the right to refresh until `until`; `false` if another instance has it or was faster.
pub async fn lease_refresh(
    tx: &mut Tx,
    connection_id: ConnectionId,
    token_revision: i64,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let leased = query(LEASE_REFRESH)
        .bind(connection_id)
        .bind(token_revision)
        .bind(until)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(leased == 1)
}

/// Replaces the tokens by a new pair; `false` if the old ones were replaced by somebody else.
pub async fn store_refreshed(
    tx: &mut Tx,
    connection_id: ConnectionId,
    token_revision: i64,
    sealed_tokens: Vec<u8>,
    access_expires_at: Timestamp,
) -> Result<bool, StorageError> {
    let stored = query(STORE_REFRESHED)
        .bind(connection_id)
        .bind(token_revision)
        .bind(sealed_tokens)
        .bind(access_expires_at)
        .execute(tx)
        .await?;
    Ok(stored == 1)
}

/// Gives the right to refresh back after a try that may be repeated.
pub async fn release_refresh(
    tx: &mut Tx,
    connection_id: ConnectionId,
    token_revision: i64,
) -> Result<(), StorageError> {
    query(RELEASE_REFRESH).bind(connection_id).bind(token_revision).execute(tx).await.map(drop)
}

/// Marks a connection as lost and forgets its tokens: nothing that rests on it is authorized after this
/// has committed. `false` if the tokens were replaced in the meantime.
pub async fn lose(
    tx: &mut Tx,
    connection_id: ConnectionId,
    token_revision: i64,
    reason: &ConnectionReason,
) -> Result<bool, StorageError> {
    let lost = query(LOSE).bind(connection_id).bind(token_revision).bind(reason.stored());
    Ok(lost.execute(tx).await? == 1)
}

/// Ends a connection that is in use, whatever tokens it has; `false` if it is not in use.
pub async fn end(
    tx: &mut Tx,
    connection_id: ConnectionId,
    reason: &ConnectionReason,
) -> Result<bool, StorageError> {
    Ok(query(END).bind(connection_id).bind(reason.stored()).execute(tx).await? == 1)
}

/// Locks the row of a connection, for what changes its cars and then perhaps itself: decisions lock it before its
/// cars, so that there is no deadlock.
pub async fn lock(tx: &mut Tx, connection_id: ConnectionId) -> Result<(), StorageError> {
    query(LOCK).bind(connection_id).execute(tx).await.map(drop)
}

/// Remembers what the browser of an owner must bring back who was sent to mend their account;
/// `false` if the connection is not in use.
pub async fn ask_back(
    tx: &mut Tx,
    connection_id: ConnectionId,
    state_hash: [u8; 32],
    now: Timestamp,
) -> Result<bool, StorageError> {
    let asked = query(ASK_BACK).bind(connection_id).bind(state_hash).bind(now);
    Ok(asked.execute(tx).await? == 1)
}

/// Uses up the state of a browser that came back from mending an account; `None` if it was never
/// given out, was used before, or was given out at `asked_after` or earlier.
pub async fn take_back(
    tx: &mut Tx,
    state_hash: [u8; 32],
    asked_after: Timestamp,
) -> Result<Option<Connection>, StorageError> {
    query(TAKE_BACK).bind(state_hash).bind(asked_after).fetch_optional(tx).await
}
