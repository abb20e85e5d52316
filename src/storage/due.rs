//! What the clock brings about and nobody asks for: grants near their end or over, holds that ran out. Each is taken once, to be
//! recorded. No right rests on it.

use super::StorageError;
use super::db::{Tx, query};
use crate::domain::grant::Grant;
use crate::domain::hold::Hold;
use crate::domain::time::Timestamp;

/// Those that are valid and over by `$2`, and of which this end was not told.
const TAKE_ENDING: &str = "UPDATE grants SET ending_told_for = not_after WHERE grant_id IN (SELECT grant_id FROM grants WHERE ended_at IS NULL AND over_told_at IS NULL \
    AND not_before <= $1 AND not_after > $1 AND not_after <= $2 AND (ending_told_for IS NULL OR ending_told_for <> not_after) ORDER BY not_after LIMIT $3) \
    AND ended_at IS NULL AND not_after > $1 AND not_after <= $2 AND (ending_told_for IS NULL OR ending_told_for <> not_after) RETURNING *";
const TAKE_OVER: &str = "UPDATE grants SET over_told_at = $1 WHERE grant_id IN (SELECT grant_id FROM grants WHERE ended_at IS NULL AND over_told_at IS NULL \
    AND not_after <= $1 ORDER BY not_after LIMIT $2) AND ended_at IS NULL AND over_told_at IS NULL AND not_after <= $1 RETURNING *";
/// Those that were revoked and left the lock.
const TAKE_LEFT: &str = "UPDATE grants SET over_told_at = $1 WHERE grant_id IN (SELECT grant_id FROM grants WHERE leave_lock AND over_told_at IS NULL \
    AND ended_at <= $1 ORDER BY ended_at LIMIT $2) AND leave_lock AND over_told_at IS NULL RETURNING *";
const TAKE_RUN_OUT: &str = "UPDATE holds SET over_told_at = $1 WHERE hold_id IN (SELECT hold_id FROM holds WHERE lifted_at IS NULL AND over_told_at IS NULL \
    AND held_until <= $1 ORDER BY held_until LIMIT $2) AND lifted_at IS NULL AND over_told_at IS NULL AND held_until <= $1 RETURNING *";
/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[TAKE_ENDING, TAKE_OVER, TAKE_LEFT, TAKE_RUN_OUT];

/// Takes up to `limit` grants that are valid at `now`, over at `soon`, and of which nobody was told so.
pub async fn take_ending(
    tx: &mut Tx,
    now: Timestamp,
    soon: Timestamp,
    limit: i64,
) -> Result<Vec<Grant>, StorageError> {
    query(TAKE_ENDING).long().bind(now).bind(soon).bind(limit).fetch_all(tx).await
}

/// Takes up to `limit` grants whose validity is over at `now`, and which no act ended.
pub async fn take_over(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Grant>, StorageError> {
    query(TAKE_OVER).long().bind(now).bind(limit).fetch_all(tx).await
}

/// Takes up to `limit` grants that were revoked by `now` so that the car can still be locked.
pub async fn take_left(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Grant>, StorageError> {
    query(TAKE_LEFT).long().bind(now).bind(limit).fetch_all(tx).await
}

/// Takes up to `limit` holds that ran out by `now`.
pub async fn take_run_out(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Hold>, StorageError> {
    query(TAKE_RUN_OUT).bind(now).bind(limit).fetch_all(tx).await
}
