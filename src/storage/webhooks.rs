//! What the vehicle cloud sent by itself, and when it may verify that this service is the one it
//! sends to.

use super::StorageError;
use super::db::{Executor, Tx, query};
use crate::domain::time::Timestamp;

const OPEN: &str = "INSERT INTO webhook_registrations (webhook_registration_id, address_hash, opened_at, expires_at, answers_left) \
    VALUES ($1, $2, $3, $4, $5)";
const EXPECTED: &str = "SELECT webhook_registration_id FROM webhook_registrations \
    WHERE address_hash = $1 AND expires_at > $2 AND answers_left > 0 LIMIT 1";
const TAKE_ANSWER: &str = "UPDATE webhook_registrations SET answers_left = answers_left - 1 \
    WHERE webhook_registration_id IN (SELECT webhook_registration_id FROM webhook_registrations \
    WHERE address_hash = $1 AND expires_at > $2 AND answers_left > 0 ORDER BY webhook_registration_id LIMIT 1) \
    AND expires_at > $2 AND answers_left > 0";
const IS_KNOWN: &str = "SELECT event_id FROM webhook_events WHERE event_id = $1";
const REMEMBER: &str =
    "INSERT INTO webhook_events (event_id, received_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const FORGET: &str = "DELETE FROM webhook_events WHERE received_at < $1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[OPEN, EXPECTED, TAKE_ANSWER, IS_KNOWN, REMEMBER, FORGET];

/// Lets the vehicle cloud verify this service at one address until `expires_at`, so many times.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn open_registration(
    tx: &mut Tx,
    webhook_registration_id: uuid::Uuid,
    address_hash: [u8; 32],
    now: Timestamp,
    expires_at: Timestamp,
    answers: i64,
) -> Result<(), StorageError> {
    query(OPEN)
        .bind(webhook_registration_id)
        .bind(address_hash)
        .bind(now)
        .bind(expires_at)
        .bind(answers)
        .execute_one(tx)
        .await
}

/// Whether the vehicle cloud may verify this service now at this address.
pub async fn is_verification_expected(
    on: &mut impl Executor,
    address_hash: [u8; 32],
    now: Timestamp,
) -> Result<bool, StorageError> {
    let open: Option<uuid::Uuid> =
        query(EXPECTED).bind(address_hash).bind(now).fetch_optional(on).await?;
    Ok(open.is_some())
}

/// Uses up one answer to a verification at this address; `false` if none is expected.
pub async fn take_answer(
    tx: &mut Tx,
    address_hash: [u8; 32],
    now: Timestamp,
) -> Result<bool, StorageError> {
    Ok(query(TAKE_ANSWER).bind(address_hash).bind(now).execute(tx).await? == 1)
}

/// Whether an event was taken in before.
pub async fn is_known(on: &mut impl Executor, event_id: &str) -> Result<bool, StorageError> {
    let known: Option<String> = query(IS_KNOWN).bind(event_id).fetch_optional(on).await?;
    Ok(known.is_some())
}

/// Remembers that an event was taken in.
pub async fn remember(tx: &mut Tx, event_id: &str, now: Timestamp) -> Result<(), StorageError> {
    query(REMEMBER).bind(event_id).bind(now).execute(tx).await.map(drop)
}

/// Forgets the events that were taken in before this time; returns how many.
pub async fn forget_before(tx: &mut Tx, before: Timestamp) -> Result<u64, StorageError> {
    query(FORGET).long().bind(before).execute(tx).await
}
