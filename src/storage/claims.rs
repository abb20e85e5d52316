//! Claims: single-use links to accounts without credentials.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use super::users::principal;
use crate::domain::claim::{Claim, ClaimEnd, PIN_TRIES_MAX};
use crate::domain::id::{ClaimId, UserId};
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO claims (claim_id, organization_id, user_id, purpose, made_by_kind, made_by, token_hash, pin_hash, \
    pin_tries_left, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const FIND_BY_TOKEN: &str = "SELECT * FROM claims WHERE token_hash = $1";
const END_OF_USER: &str =
    "UPDATE claims SET ended_at = $2, end_reason = $3 WHERE user_id = $1 AND ended_at IS NULL";
/// Of any number of concurrent tries exactly one is the first.
const END: &str =
    "UPDATE claims SET ended_at = $2, end_reason = $3 WHERE claim_id = $1 AND ended_at IS NULL";
const SPEND_TRY: &str = "UPDATE claims SET pin_tries_left = pin_tries_left - 1 \
    WHERE claim_id = $1 AND ended_at IS NULL AND pin_tries_left > 0 RETURNING pin_hash, pin_tries_left";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[INSERT, FIND_BY_TOKEN, END_OF_USER, END, SPEND_TRY];

impl FromRow for Claim {
    const ORIGIN: Origin = Origin::of::<ClaimId>("claims", "claim_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            claim_id: row.get("claim_id")?,
            organization_id: row.get("organization_id")?,
            user_id: row.get("user_id")?,
            purpose: row.get("purpose")?,
            made_by: principal(row, "made_by_kind", "made_by")?
                .ok_or_else(|| corrupt("made_by_kind", "is missing"))?,
            has_pin: row.optional::<[u8; 32]>("pin_hash")?.is_some(),
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            end_reason: row.optional("end_reason")?,
        })
    }
}

/// One try of a PIN.
#[derive(Debug, Clone, Copy)]
pub struct PinTry {
    /// What is stored of the right one.
    pub pin_hash: [u8; 32],
    /// How many tries are left after this one.
    pub tries_left: i64,
}

impl FromRow for PinTry {
    const ORIGIN: Origin = Claim::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { pin_hash: row.get("pin_hash")?, tries_left: row.get("pin_tries_left")? })
    }
}

/// Adds a claim, with what is stored of its secrets.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert(
    tx: &mut Tx,
    claim: &Claim,
    token_hash: [u8; 32],
    pin_hash: Option<[u8; 32]>,
) -> Result<(), StorageError> {
    let (made_by_kind, made_by) = claim.made_by.parts();
    query(INSERT)
        .bind(claim.claim_id)
        .bind(claim.organization_id)
        .bind(claim.user_id)
        .bind(claim.purpose)
        .bind(made_by_kind)
        .bind(made_by)
        .bind(token_hash)
        .bind(pin_hash)
        .bind(PIN_TRIES_MAX)
        .bind(claim.created_at)
        .bind(claim.expires_at)
        .execute_one(tx)
        .await
}

/// The claim with this secret, whatever became of it.
pub async fn find_by_token(
    on: &mut impl Executor,
    token_hash: [u8; 32],
) -> Result<Option<Claim>, StorageError> {
    query(FIND_BY_TOKEN).bind(token_hash).fetch_optional(on).await
}

/// Ends the claims of an account that are open.
pub async fn end_of_user(
    tx: &mut Tx,
    user_id: UserId,
    reason: ClaimEnd,
    now: Timestamp,
) -> Result<u64, StorageError> {
    query(END_OF_USER).bind(user_id).bind(now).bind(reason).execute(tx).await
}

/// Ends a claim; `false` if it was over already.
pub async fn end(
    tx: &mut Tx,
    claim_id: ClaimId,
    reason: ClaimEnd,
    now: Timestamp,
) -> Result<bool, StorageError> {
    Ok(query(END).bind(claim_id).bind(now).bind(reason).execute(tx).await? == 1)
}

/// Spends one of the tries of a PIN, before it is compared; `None` if none is left.
pub async fn spend_try(tx: &mut Tx, claim_id: ClaimId) -> Result<Option<PinTry>, StorageError> {
    query(SPEND_TRY).bind(claim_id).fetch_optional(tx).await
}
