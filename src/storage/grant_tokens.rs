//! Grant tokens that were minted and have not expired: a token is proof and pointer, and its row says whether it still counts.

use super::db::{Answer, Executor, FromRow, Origin, Query, Row, Tx, Value, query};
use super::{Page, StorageError};
use crate::domain::device_key::Thumbprint;
use crate::domain::id::{GrantId, Id, OrganizationId, TokenId, UserId};
use crate::domain::time::Timestamp;

const ADD: &str = "INSERT INTO grant_tokens (token_id, organization_id, grant_id, user_id, device_key, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const FIND: &str = "SELECT * FROM grant_tokens WHERE token_id = $1";
const LIST: &str = "SELECT * FROM grant_tokens WHERE grant_id = $1 AND token_id < $2 AND expires_at > $3 \
    ORDER BY token_id DESC LIMIT $4";
/// A deciding transaction locks its tokens. The end of a token is committed before the lock, and seen, or after the decision (P2).
const LOCK: &str = "SELECT k.* FROM grant_tokens k WHERE k.token_id IN (VALUES {rows:uuid}) ORDER BY k.token_id FOR SHARE OF k";
const END: &str = "UPDATE grant_tokens SET ended_at = $2 WHERE token_id = $1 AND ended_at IS NULL";
const END_OF_DEVICE: &str = "UPDATE grant_tokens SET ended_at = $3 WHERE user_id = $1 AND device_key = $2 AND ended_at IS NULL";
const DELETE_OLD: &str = "DELETE FROM grant_tokens WHERE token_id IN (SELECT token_id FROM grant_tokens \
    WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[ADD, FIND, LIST, LOCK, END, END_OF_DEVICE, DELETE_OLD];

/// A token that was minted.
#[derive(Debug, Clone)]
pub struct GrantToken {
    /// Identifies it (`jti`); UUIDv7, so that it says when it was minted.
    pub token_id: TokenId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its grant.
    pub grant_id: GrantId,
    /// The grantee.
    pub user_id: UserId,
    /// The key of the device that alone may show it.
    pub device_key: Option<Thumbprint>,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When somebody ended it before.
    pub ended_at: Option<Timestamp>,
}

impl FromRow for GrantToken {
    const ORIGIN: Origin = Origin::of::<TokenId>("grant_tokens", "token_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            token_id: row.get("token_id")?,
            organization_id: row.get("organization_id")?,
            grant_id: row.get("grant_id")?,
            user_id: row.get("user_id")?,
            device_key: row.optional("device_key")?,
            expires_at: row.get("expires_at")?,
            ended_at: row.optional("ended_at")?,
        })
    }
}

/// Keeps a token that is minted.
pub async fn add(tx: &mut Tx, token: &GrantToken) -> Result<(), StorageError> {
    let add = query(ADD).bind(token.token_id).bind(token.organization_id).bind(token.grant_id);
    let device_key = token.device_key.map(|key| key.to_string());
    add.bind(token.user_id).bind(device_key).bind(token.expires_at).execute_one(tx).await
}

/// A token.
pub async fn find(
    on: &mut impl Executor,
    token_id: TokenId,
) -> Result<Option<GrantToken>, StorageError> {
    query(FIND).bind(token_id).fetch_optional(on).await
}

/// The tokens of a grant that have not expired, newest first.
pub async fn list(
    on: &mut impl Executor,
    grant_id: GrantId,
    now: Timestamp,
    page: Page,
) -> Result<Vec<GrantToken>, StorageError> {
    query(LIST).bind(grant_id).bind(page.before()).bind(now).bind(page.limit).fetch_all(on).await
}

/// Locks and reads the tokens that requests show, in one order for all transactions.
pub(super) fn locking(token_ids: &[TokenId]) -> Query {
    let id = |&id: &Id<_>| -> [Value; 1] { [Value::from(id)] };
    query(LOCK).rows(token_ids.iter().map(id))
}

/// Those of [`locking`] that still count.
pub(super) fn living(answer: &Answer) -> Result<Vec<TokenId>, StorageError> {
    Ok(still_counting(answer.rows()?))
}

/// Locks tokens, and returns those that still count.
pub async fn lock_living(tx: &mut Tx, token_ids: &[TokenId]) -> Result<Vec<TokenId>, StorageError> {
    Ok(still_counting(locking(token_ids).fetch_all(tx).await?))
}

fn still_counting(tokens: Vec<GrantToken>) -> Vec<TokenId> {
    let living = tokens.into_iter().filter(|token| token.ended_at.is_none());
    living.map(|token| token.token_id).collect()
}

/// Ends a token; `false` if it has ended before.
pub async fn end(tx: &mut Tx, token_id: TokenId, now: Timestamp) -> Result<bool, StorageError> {
    Ok(query(END).bind(token_id).bind(now).execute(tx).await? == 1)
}

/// Ends all tokens that are bound to a device of a person.
pub async fn end_of_device(
    tx: &mut Tx,
    user_id: UserId,
    device_key: Thumbprint,
    now: Timestamp,
) -> Result<u64, StorageError> {
    query(END_OF_DEVICE).bind(user_id).bind(device_key.to_string()).bind(now).execute(tx).await
}

/// Forgets at most so many that expired before; returns how many.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    query(DELETE_OLD).long().bind(before).bind(limit).execute(tx).await
}
