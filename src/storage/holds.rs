//! Holds. The row of what a hold is over keeps those that stand once more, as text: a decision that had to wait for that row
//! sees them as they are by then, which rows of another table would not be (docs/adr/0033).

#[cfg(test)]
pub(crate) mod meaning;

use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use super::{Page, StorageError, users};
use crate::domain::hold::{Hold, StandingHold};
use crate::domain::id::{HoldId, OrganizationId, UserId};
use crate::domain::key_scope::KeyScope;
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO holds (hold_id, organization_id, scope_kind, scope_id, rank, reason, held_until, allow_lock, \
    placed_by_kind, placed_by, placed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const FIND: &str = "SELECT * FROM holds WHERE organization_id = $1 AND hold_id = $2";
const LIFT: &str = "UPDATE holds SET lifted_at = $3 WHERE organization_id = $1 AND hold_id = $2 AND lifted_at IS NULL RETURNING *";
const NOT_LIFTED: &str = "SELECT * FROM holds WHERE scope_id = $1 AND lifted_at IS NULL AND (held_until IS NULL OR held_until > $2) \
    ORDER BY hold_id";
const LIST: &str = "SELECT * FROM holds WHERE organization_id = $1 AND hold_id < $2 \
    AND (NOT $4 OR (lifted_at IS NULL AND (held_until IS NULL OR held_until > $5))) AND (CAST($6 AS UUID) IS NULL OR scope_id = $6) \
    ORDER BY hold_id DESC LIMIT $3";
const LIST_FOR: &str = "SELECT h.* FROM holds h LEFT JOIN grants g ON h.scope_kind = 'grant' AND g.grant_id = h.scope_id \
    LEFT JOIN vehicles v ON v.vehicle_id = CASE WHEN h.scope_kind = 'grant' THEN g.vehicle_id ELSE h.scope_id END \
    WHERE h.organization_id = $1 AND h.hold_id < $2 \
    AND (NOT $4 OR (h.lifted_at IS NULL AND (h.held_until IS NULL OR h.held_until > $5))) \
    AND (CAST($6 AS UUID) IS NULL OR h.scope_id = $6) \
    AND (h.scope_kind = 'organization' OR h.scope_id = $7 OR g.grantee_id = $7 OR v.owner_id = $7) ORDER BY h.hold_id DESC LIMIT $3";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[INSERT, FIND, LIFT, NOT_LIFTED, LIST, LIST_FOR];

impl FromRow for Hold {
    const ORIGIN: Origin = Origin::of::<HoldId>("holds", "hold_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let (kind, scope_id): (String, uuid::Uuid) = (row.get("scope_kind")?, row.get("scope_id")?);
        Ok(Self {
            standing: StandingHold {
                hold_id: row.get("hold_id")?,
                rank: row.get("rank")?,
                until: row.optional("held_until")?,
                allow_lock: row.get("allow_lock")?,
            },
            organization_id: row.get("organization_id")?,
            scope: KeyScope::of(&kind, scope_id).map_err(|why| corrupt("scope_kind", why))?,
            reason: row.optional("reason")?,
            placed_by: users::principal(row, "placed_by_kind", "placed_by")?
                .ok_or_else(|| corrupt("placed_by_kind", "is missing"))?,
            placed_at: row.get("placed_at")?,
            lifted_at: row.optional("lifted_at")?,
        })
    }
}

/// Adds a hold.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert(tx: &mut Tx, hold: &Hold) -> Result<(), StorageError> {
    let (placed_by_kind, placed_by) = hold.placed_by.parts();
    query(INSERT)
        .bind(hold.standing.hold_id)
        .bind(hold.organization_id)
        .bind(hold.scope.kind().as_str())
        .bind(hold.scope.as_uuid())
        .bind(hold.standing.rank)
        .bind(hold.reason.as_deref())
        .bind(hold.standing.until)
        .bind(hold.standing.allow_lock)
        .bind(placed_by_kind)
        .bind(placed_by)
        .bind(hold.placed_at)
        .execute_one(tx)
        .await
}

/// One hold, whatever became of it.
pub async fn find(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    hold_id: HoldId,
) -> Result<Option<Hold>, StorageError> {
    query(FIND).bind(organization_id).bind(hold_id).fetch_optional(on).await
}

/// Lifts a hold and returns it as it is then; `None` if it was lifted before.
pub async fn lift(tx: &mut Tx, hold: &Hold, now: Timestamp) -> Result<Option<Hold>, StorageError> {
    let (organization_id, hold_id) = (hold.organization_id, hold.standing.hold_id);
    query(LIFT).bind(organization_id).bind(hold_id).bind(now).fetch_optional(tx).await
}

/// The holds over something that stand at `now`. What places or lifts one has locked its row before
/// ([`super::key_scopes::lock`]).
pub async fn standing_over(
    tx: &mut Tx,
    scope: KeyScope,
    now: Timestamp,
) -> Result<Vec<Hold>, StorageError> {
    query(NOT_LIFTED).bind(scope.as_uuid()).bind(now).fetch_all(tx).await
}

/// Which holds to list.
#[derive(Debug, Clone, Copy)]
pub struct HoldFilter {
    /// Only those over this person, their grants, their cars and grants for these, and over the organization.
    pub concerning: Option<UserId>,
    /// Only those over this.
    pub scope: Option<KeyScope>,
    /// Only those that stand at this time.
    pub standing_at: Option<Timestamp>,
}

/// Holds, newest first.
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    filter: HoldFilter,
    page: Page,
) -> Result<Vec<Hold>, StorageError> {
    let HoldFilter { concerning, scope, standing_at } = filter;
    let sql = if concerning.is_some() { LIST_FOR } else { LIST };
    let mut listing = query(sql)
        .bind(organization_id)
        .bind(page.before())
        .bind(page.limit)
        .bind(standing_at.is_some())
        .bind(standing_at.unwrap_or(Timestamp::MIN))
        .bind(scope.map(KeyScope::as_uuid));
    if let Some(user_id) = concerning {
        listing = listing.bind(user_id);
    }
    listing.fetch_all(on).await
}
