//! What the clock brings about and nobody asks for: grants near their end or over, holds that ran out. Each is taken once, to be
//! recorded. No right rests on it.

use super::StorageError;
use super::db::{Readable, Tx, Value, query};
use super::scope_ends;
use crate::domain::grant::Grant;
use crate::domain::hold::Hold;
use crate::domain::id::GrantId;
use crate::domain::time::Timestamp;

const ENDING: &str = "SELECT grant_id FROM grants WHERE ended_at IS NULL AND over_told_at IS NULL AND not_before <= $1 AND not_after > $1 \
    AND not_after <= $2 AND (ending_told_for IS NULL OR ending_told_for <> not_after) ORDER BY not_after LIMIT $3";
const TAKE_ENDING: &str = "UPDATE grants SET ending_told_for = not_after WHERE grant_id IN (VALUES {rows:uuid}) AND ended_at IS NULL \
    AND not_after > $1 AND not_after <= $2 AND (ending_told_for IS NULL OR ending_told_for <> not_after) RETURNING *";
const OVER: &str = "SELECT grant_id FROM grants WHERE ended_at IS NULL AND over_told_at IS NULL AND not_after <= $1 ORDER BY not_after LIMIT $2";
const TAKE_OVER: &str = "UPDATE grants SET over_told_at = $1 WHERE grant_id IN (VALUES {rows:uuid}) AND ended_at IS NULL \
    AND over_told_at IS NULL AND not_after <= $1 RETURNING *";
/// Those that were revoked and left the lock.
const LEFT: &str = "SELECT grant_id FROM grants WHERE leave_lock AND over_told_at IS NULL AND ended_at <= $1 ORDER BY ended_at LIMIT $2";
const TAKE_LEFT: &str = "UPDATE grants SET over_told_at = $1 WHERE grant_id IN (VALUES {rows:uuid}) AND leave_lock AND over_told_at IS NULL RETURNING *";
const TAKE_RUN_OUT: &str = "UPDATE holds SET over_told_at = $1 WHERE hold_id IN (SELECT hold_id FROM holds WHERE lifted_at IS NULL AND over_told_at IS NULL \
    AND held_until <= $1 ORDER BY held_until LIMIT $2) AND lifted_at IS NULL AND over_told_at IS NULL AND held_until <= $1 RETURNING *";

/// Every statement of this file.
pub const STATEMENTS: &[&str] =
    &[ENDING, TAKE_ENDING, OVER, TAKE_OVER, LEFT, TAKE_LEFT, TAKE_RUN_OUT];

/// What was taken, of which those are missing that cannot be read, and how many that were in all.
#[derive(Debug)]
pub struct Taken<T> {
    /// What can be read.
    pub readable: Vec<T>,
    /// How many were taken.
    pub count: u64,
}

impl<T> From<Vec<Readable<T>>> for Taken<T> {
    fn from(taken: Vec<Readable<T>>) -> Self {
        let count = taken.len() as u64;
        Self { readable: taken.into_iter().filter_map(Readable::into_inner).collect(), count }
    }
}

fn rows(ids: &[GrantId]) -> impl Iterator<Item = [Value; 1]> {
    ids.iter().map(|&id| [id.into()])
}

/// Takes up to `limit` grants that are valid at `now`, over at `soon`, and of which nobody was told so.
pub async fn take_ending(
    tx: &mut Tx,
    now: Timestamp,
    soon: Timestamp,
    limit: i64,
) -> Result<Taken<Grant>, StorageError> {
    let ids = query(ENDING).long().bind(now).bind(soon).bind(limit);
    let ids: Vec<GrantId> = ids.fetch_all(tx).await?;
    scope_ends::lock_grants(tx, &ids).await?;
    let take = query(TAKE_ENDING).bind(now).bind(soon).rows(rows(&ids));
    Ok(take.fetch_all(tx).await?.into())
}

/// Takes up to `limit` grants whose validity is over at `now`, and which no act ended.
pub async fn take_over(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Taken<Grant>, StorageError> {
    take(tx, [OVER, TAKE_OVER], now, limit).await
}

/// Takes up to `limit` grants that were revoked by `now` so that the car can still be locked.
pub async fn take_left(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Taken<Grant>, StorageError> {
    take(tx, [LEFT, TAKE_LEFT], now, limit).await
}

/// Finds grants, locks them in the order of everybody who decides on several of them, and takes them.
pub(super) async fn take(
    tx: &mut Tx,
    [find, take]: [&'static str; 2],
    now: Timestamp,
    limit: i64,
) -> Result<Taken<Grant>, StorageError> {
    let ids: Vec<GrantId> = query(find).long().bind(now).bind(limit).fetch_all(tx).await?;
    scope_ends::lock_grants(tx, &ids).await?;
    let taken = query(take).bind(now).rows(rows(&ids));
    Ok(taken.fetch_all(tx).await?.into())
}

/// Takes up to `limit` holds that ran out by `now`.
pub async fn take_run_out(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Taken<Hold>, StorageError> {
    Ok(query(TAKE_RUN_OUT).long().bind(now).bind(limit).fetch_all(tx).await?.into())
}
