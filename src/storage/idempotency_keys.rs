//! Answers to requests that must not be carried out twice (commands keep theirs on their own row).

use super::StorageError;
use super::db::{FromRow, Origin, Row, Tx, Value, query};
use crate::domain::id::OrganizationId;
use crate::domain::time::Timestamp;

const FIND: &str = "SELECT principal_id, request_hash, sealed_answer FROM idempotency_keys \
    WHERE principal_id = $1 AND route = $2 AND idempotency_key = $3";
/// Waits for another transaction that has taken the key, and then takes nothing.
const TAKE: &str = "INSERT INTO idempotency_keys \
    (principal_id, route, idempotency_key, organization_id, request_hash, sealed_answer, created_at) \
    VALUES {rows:uuid,text,text,uuid,bytea,bytea,bigint} ON CONFLICT DO NOTHING";
const ANSWER: &str = "UPDATE idempotency_keys SET sealed_answer = $4 \
    WHERE principal_id = $1 AND route = $2 AND idempotency_key = $3";
const DELETE_OLD: &str = "DELETE FROM idempotency_keys WHERE created_at < $1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[FIND, TAKE, ANSWER, DELETE_OLD];

/// The request a key belongs to.
#[derive(Debug, Clone, Copy)]
pub struct KeyRef<'a> {
    /// Identifies the user or API client that sent it.
    pub principal_id: uuid::Uuid,
    /// The method and path of the operation.
    pub route: &'static str,
    /// The key.
    pub key: &'a str,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct StoredAnswer {
    /// SHA-256 of the request.
    pub request_hash: [u8; 32],
    /// The answer, sealed: it may hold a secret that is shown once.
    pub sealed_answer: Vec<u8>,
}

impl FromRow for StoredAnswer {
    const ORIGIN: Origin = Origin::of::<uuid::Uuid>("idempotency_keys", "principal_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            request_hash: row.get("request_hash")?,
            sealed_answer: row.get("sealed_answer")?,
        })
    }
}

/// Takes a key for a request whose answer follows in the same transaction; `false` if it is taken. Whoever else asks for it
/// waits until this transaction is over.
pub async fn take(
    tx: &mut Tx,
    key: KeyRef<'_>,
    organization_id: OrganizationId,
    request_hash: [u8; 32],
    now: Timestamp,
) -> Result<bool, StorageError> {
    let row: [Value; 7] = [
        key.principal_id.into(),
        key.route.into(),
        key.key.into(),
        organization_id.into(),
        request_hash.into(),
        Vec::new().into(),
        now.into(),
    ];
    Ok(query(TAKE).rows([row]).execute(tx).await? == 1)
}

/// What was answered to this key.
pub async fn find(tx: &mut Tx, key: KeyRef<'_>) -> Result<Option<StoredAnswer>, StorageError> {
    query(FIND).bind(key.principal_id).bind(key.route).bind(key.key).fetch_optional(tx).await
}

/// Keeps the answer to a key that this transaction has taken.
pub async fn answer(
    tx: &mut Tx,
    key: KeyRef<'_>,
    sealed_answer: Vec<u8>,
) -> Result<(), StorageError> {
    let answer = query(ANSWER).bind(key.principal_id).bind(key.route).bind(key.key);
    answer.bind(sealed_answer).execute_one(tx).await
}

/// Forgets answers older than `before`.
pub async fn delete_old(tx: &mut Tx, before: Timestamp) -> Result<u64, StorageError> {
    query(DELETE_OLD).long().bind(before).execute(tx).await
}
