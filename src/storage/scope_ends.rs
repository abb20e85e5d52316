//! Ends by scope, and the grants that they are about.

#[cfg(test)]
pub(crate) mod meaning;

use super::db::{Executor, FromRow, Origin, Row, Tx, Value, corrupt, query};
use super::{StorageError, users};
use crate::domain::id::{EndId, GrantId, OrganizationId};
use crate::domain::key_scope::KeyScope;
use crate::domain::scope_end::{PendingEnd, ScopeEnd, Selection};
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO scope_ends (end_id, organization_id, scope_kind, scope_id, issued_before, external_ref, end_reason, \
    reason, ended_by_kind, ended_by, ended_at, grants) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const FIND: &str = "SELECT * FROM scope_ends WHERE end_id = $1";
const OPEN_OVER: &str =
    "SELECT * FROM scope_ends WHERE scope_id = $1 AND completed_at IS NULL ORDER BY end_id";
const OPEN_SINCE: &str = "SELECT * FROM scope_ends WHERE completed_at IS NULL AND ended_at <= $1 ORDER BY ended_at, end_id LIMIT $2";
const COUNT: &str = "UPDATE scope_ends SET grants = grants + $2 WHERE end_id = $1 RETURNING grants";
const COMPLETE: &str = "UPDATE scope_ends SET completed_at = $2, external_ref = NULL WHERE end_id = $1 AND completed_at IS NULL";

// What may still allow something, by the clock of whoever asks.
const OF_GRANT: &str = "SELECT grant_id FROM grants WHERE organization_id = $1 AND grant_id = $2 AND ended_at IS NULL AND not_after > $3 \
    AND issued_at < $4 AND (CAST($5 AS TEXT) IS NULL OR external_ref = $5) AND grant_id > $6 ORDER BY grant_id LIMIT $7";
const OF_USER: &str = "SELECT grant_id FROM grants WHERE organization_id = $1 AND grantee_id = $2 AND ended_at IS NULL AND not_after > $3 \
    AND issued_at < $4 AND (CAST($5 AS TEXT) IS NULL OR external_ref = $5) AND grant_id > $6 ORDER BY grant_id LIMIT $7";
const OF_VEHICLE: &str = "SELECT grant_id FROM grants WHERE organization_id = $1 AND vehicle_id = $2 AND ended_at IS NULL AND not_after > $3 \
    AND issued_at < $4 AND (CAST($5 AS TEXT) IS NULL OR external_ref = $5) AND grant_id > $6 ORDER BY grant_id LIMIT $7";
const OF_ORGANIZATION: &str = "SELECT grant_id FROM grants WHERE organization_id = $1 AND organization_id = $2 AND ended_at IS NULL AND not_after > $3 \
    AND issued_at < $4 AND (CAST($5 AS TEXT) IS NULL OR external_ref = $5) AND grant_id > $6 ORDER BY grant_id LIMIT $7";

const NEWEST_OF_GRANT: &str = "SELECT issued_at FROM grants WHERE organization_id = $1 AND grant_id = $2 AND ended_at IS NULL \
    ORDER BY issued_at DESC LIMIT 1";
const NEWEST_OF_USER: &str = "SELECT issued_at FROM grants WHERE organization_id = $1 AND grantee_id = $2 AND ended_at IS NULL \
    ORDER BY issued_at DESC LIMIT 1";
const NEWEST_OF_VEHICLE: &str = "SELECT issued_at FROM grants WHERE organization_id = $1 AND vehicle_id = $2 AND ended_at IS NULL \
    ORDER BY issued_at DESC LIMIT 1";
const NEWEST_OF_ORGANIZATION: &str = "SELECT issued_at FROM grants WHERE organization_id = $1 AND organization_id = $2 AND ended_at IS NULL \
    ORDER BY issued_at DESC LIMIT 1";

/// In one order with everybody who decides on several of them, so that there is no deadlock.
const LOCK_GRANTS: &str = "SELECT g.grant_id, g.grantee_id FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    WHERE g.grant_id IN (VALUES {rows:uuid}) ORDER BY g.grant_id FOR SHARE OF u FOR NO KEY UPDATE OF g";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    INSERT,
    FIND,
    OPEN_OVER,
    OPEN_SINCE,
    COUNT,
    COMPLETE,
    OF_GRANT,
    OF_USER,
    OF_VEHICLE,
    OF_ORGANIZATION,
    NEWEST_OF_GRANT,
    NEWEST_OF_USER,
    NEWEST_OF_VEHICLE,
    NEWEST_OF_ORGANIZATION,
    LOCK_GRANTS,
];

impl FromRow for ScopeEnd {
    const ORIGIN: Origin = Origin::of::<EndId>("scope_ends", "end_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let (kind, scope_id): (String, uuid::Uuid) = (row.get("scope_kind")?, row.get("scope_id")?);
        let (issued_before, external_ref) =
            (row.get("issued_before")?, row.optional("external_ref")?);
        Ok(Self {
            pending: PendingEnd {
                end_id: row.get("end_id")?,
                selection: Selection { issued_before, external_ref },
                ended_at: row.get("ended_at")?,
                end_reason: row.get("end_reason")?,
            },
            organization_id: row.get("organization_id")?,
            scope: KeyScope::of(&kind, scope_id).map_err(|why| corrupt("scope_kind", why))?,
            reason: row.optional("reason")?,
            ended_by: users::principal(row, "ended_by_kind", "ended_by")?
                .ok_or_else(|| corrupt("ended_by_kind", "is missing"))?,
            grants: row.get("grants")?,
            completed_at: row.optional("completed_at")?,
        })
    }
}

/// Adds an end.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert(tx: &mut Tx, end: &ScopeEnd) -> Result<(), StorageError> {
    let (ended_by_kind, ended_by) = end.ended_by.parts();
    query(INSERT)
        .bind(end.pending.end_id)
        .bind(end.organization_id)
        .bind(end.scope.kind().as_str())
        .bind(end.scope.as_uuid())
        .bind(end.pending.selection.issued_before)
        .bind(end.pending.selection.external_ref.as_deref())
        .bind(end.pending.end_reason)
        .bind(end.reason.as_deref())
        .bind(ended_by_kind)
        .bind(ended_by)
        .bind(end.pending.ended_at)
        .bind(end.grants)
        .execute_one(tx)
        .await
}

/// One end, whatever became of it.
pub async fn find(on: &mut impl Executor, end_id: EndId) -> Result<Option<ScopeEnd>, StorageError> {
    query(FIND).bind(end_id).fetch_optional(on).await
}

/// The ends over something of which grants may not know yet. What adds or completes one has locked its row before
/// ([`super::key_scopes::lock`]).
pub async fn open_over(tx: &mut Tx, scope: KeyScope) -> Result<Vec<ScopeEnd>, StorageError> {
    query(OPEN_OVER).bind(scope.as_uuid()).fetch_all(tx).await
}

/// Up to `limit` ends that have been open since this time.
pub async fn open_since(
    on: &mut impl Executor,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<ScopeEnd>, StorageError> {
    query(OPEN_SINCE).bind(since).bind(limit).fetch_all(on).await
}

/// Notes that so many more grants have the end; returns how many it is in all.
pub async fn count(tx: &mut Tx, end_id: EndId, grants: usize) -> Result<i64, StorageError> {
    let more = i64::try_from(grants).unwrap_or(i64::MAX);
    let all = query(COUNT).bind(end_id).bind(more).fetch_optional(tx).await?;
    all.ok_or(StorageError::LostRace)
}

/// Notes that all grants have the end; `false` if that was known.
pub async fn complete(tx: &mut Tx, end_id: EndId, now: Timestamp) -> Result<bool, StorageError> {
    Ok(query(COMPLETE).bind(end_id).bind(now).execute(tx).await? == 1)
}

/// Up to `limit` grants of a scope that are selected, that no act has ended and whose validity is not over by `over_by`, in
/// the order of their ids, after this one.
pub async fn selected(
    on: &mut impl Executor,
    (organization_id, scope): (OrganizationId, KeyScope),
    selection: &Selection,
    over_by: Timestamp,
    (after, limit): (GrantId, i64),
) -> Result<Vec<GrantId>, StorageError> {
    let sql = match scope {
        KeyScope::Grant(_) => OF_GRANT,
        KeyScope::User(_) => OF_USER,
        KeyScope::Vehicle(_) => OF_VEHICLE,
        KeyScope::Organization(_) => OF_ORGANIZATION,
    };
    query(sql)
        .long()
        .bind(organization_id)
        .bind(scope.as_uuid())
        .bind(over_by)
        .bind(selection.issued_before)
        .bind(selection.external_ref.as_deref())
        .bind(after)
        .bind(limit)
        .fetch_all(on)
        .await
}

/// Locks grants that are about to end, so that nobody decides on them meanwhile.
pub async fn lock_grants(tx: &mut Tx, grant_ids: &[GrantId]) -> Result<(), StorageError> {
    let ids = grant_ids.iter().map(|&id| [Value::from(id)]);
    let locked: Vec<GrantId> = query(LOCK_GRANTS).rows(ids).fetch_all(tx).await?;
    if locked.len() < grant_ids.len() { Err(StorageError::LostRace) } else { Ok(()) }
}

/// When the newest grant of a scope that no act has ended was issued.
pub async fn newest(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    scope: KeyScope,
) -> Result<Option<Timestamp>, StorageError> {
    let sql = match scope {
        KeyScope::Grant(_) => NEWEST_OF_GRANT,
        KeyScope::User(_) => NEWEST_OF_USER,
        KeyScope::Vehicle(_) => NEWEST_OF_VEHICLE,
        KeyScope::Organization(_) => NEWEST_OF_ORGANIZATION,
    };
    query(sql).long().bind(organization_id).bind(scope.as_uuid()).fetch_optional(on).await
}
