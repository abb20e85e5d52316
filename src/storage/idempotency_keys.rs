//! Answers to requests that must not be carried out twice (commands keep theirs on their own row).

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, query};
use crate::domain::id::OrganizationId;
use crate::domain::time::Timestamp;

const FIND: &str = "SELECT principal_id, request_hash, sealed_answer FROM idempotency_keys \
    WHERE principal_id = $1 AND route = $2 AND idempotency_key = $3";
const INSERT: &str = "INSERT INTO idempotency_keys \
    (principal_id, route, idempotency_key, organization_id, request_hash, sealed_answer, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const DELETE_OLD: &str = "DELETE FROM idempotency_keys WHERE created_at < $1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[FIND, INSERT, DELETE_OLD];

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

/// What was answered to this key.
pub async fn find(
    on: &mut impl Executor,
    key: KeyRef<'_>,
) -> Result<Option<StoredAnswer>, StorageError> {
    query(FIND).bind(key.principal_id).bind(key.route).bind(key.key).fetch_optional(on).await
}

/// Keeps an answer.
///
/// # Errors
/// [`StorageError::Duplicate`] if another request with this key was first; repeat and find it.
pub async fn insert(
    tx: &mut Tx,
    key: KeyRef<'_>,
    organization_id: OrganizationId,
    answer: StoredAnswer,
    now: Timestamp,
) -> Result<(), StorageError> {
    query(INSERT)
        .bind(key.principal_id)
        .bind(key.route)
        .bind(key.key)
        .bind(organization_id)
        .bind(answer.request_hash)
        .bind(answer.sealed_answer)
        .bind(now)
        .execute_one(tx)
        .await
}

/// Forgets answers older than `before`.
pub async fn delete_old(tx: &mut Tx, before: Timestamp) -> Result<u64, StorageError> {
    query(DELETE_OLD).long().bind(before).execute(tx).await
}
