//! The rows that holds and ends by scope are over: the line of P2 is one change of such a row. Nobody decides on the row, or
//! has decided on it, while it is changed.

#[cfg(test)]
pub(crate) mod meaning;

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, Value, corrupt, query};
use crate::domain::grant::Grant;
use crate::domain::hold::{StandingHold, StandingHolds};
use crate::domain::id::{GrantId, OrganizationId};
use crate::domain::kept::Kept;
use crate::domain::key_scope::KeyScope;
use crate::domain::scope_end::{PendingEnd, PendingEnds};

const LOCK_GRANT: &str =
    "UPDATE grants SET revision = revision WHERE organization_id = $1 AND grant_id = $2";
const LOCK_USER: &str =
    "UPDATE users SET revision = revision WHERE organization_id = $1 AND user_id = $2";
const LOCK_VEHICLE: &str =
    "UPDATE vehicles SET revision = revision WHERE organization_id = $1 AND vehicle_id = $2";
const LOCK_ORGANIZATION: &str = "UPDATE organizations SET revision = revision WHERE organization_id = $1 AND organization_id = $2";
const HOLDS_OVER_GRANT: &str =
    "UPDATE grants SET holds = $2, revision = revision + 1 WHERE grant_id = $1";
const HOLDS_OVER_USER: &str =
    "UPDATE users SET holds = $2, revision = revision + 1 WHERE user_id = $1";
const HOLDS_OVER_VEHICLE: &str =
    "UPDATE vehicles SET holds = $2, revision = revision + 1 WHERE vehicle_id = $1";
const HOLDS_OVER_ORGANIZATION: &str =
    "UPDATE organizations SET holds = $2, revision = revision + 1 WHERE organization_id = $1";
const ENDS_OVER_USER: &str =
    "UPDATE users SET ends = $2, revision = revision + 1 WHERE user_id = $1";
const ENDS_OVER_VEHICLE: &str =
    "UPDATE vehicles SET ends = $2, revision = revision + 1 WHERE vehicle_id = $1";
const ENDS_OVER_ORGANIZATION: &str =
    "UPDATE organizations SET ends = $2, revision = revision + 1 WHERE organization_id = $1";

const OVER_GRANTS: &str = "SELECT g.grant_id, g.grantee_id, g.vehicle_id, g.organization_id, g.holds, u.holds AS grantee_holds, \
    v.holds AS vehicle_holds, n.holds AS organization_holds, u.ends AS grantee_ends, v.ends AS vehicle_ends, \
    n.ends AS organization_ends FROM grants g JOIN users u ON u.user_id = g.grantee_id \
    JOIN vehicles v ON v.vehicle_id = g.vehicle_id JOIN organizations n ON n.organization_id = g.organization_id \
    WHERE g.grant_id IN (VALUES {rows:uuid})";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    LOCK_GRANT,
    LOCK_USER,
    LOCK_VEHICLE,
    LOCK_ORGANIZATION,
    HOLDS_OVER_GRANT,
    HOLDS_OVER_USER,
    HOLDS_OVER_VEHICLE,
    HOLDS_OVER_ORGANIZATION,
    ENDS_OVER_USER,
    ENDS_OVER_VEHICLE,
    ENDS_OVER_ORGANIZATION,
    OVER_GRANTS,
];

/// Locks the row of a scope; `false` if it is not there.
pub async fn lock(
    tx: &mut Tx,
    organization_id: OrganizationId,
    scope: KeyScope,
) -> Result<bool, StorageError> {
    let lock = match scope {
        KeyScope::Grant(_) => LOCK_GRANT,
        KeyScope::User(_) => LOCK_USER,
        KeyScope::Vehicle(_) => LOCK_VEHICLE,
        KeyScope::Organization(_) => LOCK_ORGANIZATION,
    };
    Ok(query(lock).bind(organization_id).bind(scope.as_uuid()).execute(tx).await? == 1)
}

/// Writes the holds that stand beside what they are over, whose row this transaction has locked, and raises its revision.
pub async fn keep_holds(
    tx: &mut Tx,
    scope: KeyScope,
    holds: &[StandingHold],
) -> Result<(), StorageError> {
    let keep = match scope {
        KeyScope::Grant(_) => HOLDS_OVER_GRANT,
        KeyScope::User(_) => HOLDS_OVER_USER,
        KeyScope::Vehicle(_) => HOLDS_OVER_VEHICLE,
        KeyScope::Organization(_) => HOLDS_OVER_ORGANIZATION,
    };
    query(keep).bind(scope.as_uuid()).bind(StandingHolds::text(holds)).execute_one(tx).await
}

/// Writes the ends of which grants may not know yet beside what they are over, whose row this transaction has locked, and
/// raises its revision. A grant has its end on its own row at once.
pub async fn keep_ends(
    tx: &mut Tx,
    scope: KeyScope,
    ends: &[PendingEnd],
) -> Result<(), StorageError> {
    let keep = match scope {
        KeyScope::Grant(_) => return Ok(()),
        KeyScope::User(_) => ENDS_OVER_USER,
        KeyScope::Vehicle(_) => ENDS_OVER_VEHICLE,
        KeyScope::Organization(_) => ENDS_OVER_ORGANIZATION,
    };
    query(keep).bind(scope.as_uuid()).bind(PendingEnds::text(ends)).execute_one(tx).await
}

/// What stands over a grant.
#[derive(Debug, Clone)]
pub struct OverGrant {
    /// The grant.
    pub grant_id: GrantId,
    /// What each list of holds is over.
    pub holds: Vec<(KeyScope, StandingHolds)>,
    /// The ends by scope that may not be on the grant's row yet.
    pub ends: Vec<PendingEnds>,
}

impl FromRow for OverGrant {
    const ORIGIN: Origin = Grant::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let grant_id = row.get("grant_id")?;
        let organization = KeyScope::Organization(row.get("organization_id")?);
        let holds = [
            (KeyScope::Grant(grant_id), "holds"),
            (KeyScope::User(row.get("grantee_id")?), "grantee_holds"),
            (KeyScope::Vehicle(row.get("vehicle_id")?), "vehicle_holds"),
            (organization, "organization_holds"),
        ];
        let holds = holds.map(|(scope, column)| Ok((scope, readable(row, column)?)));
        let ends = ["grantee_ends", "vehicle_ends", "organization_ends"];
        let ends = ends.map(|column| readable(row, column));
        Ok(Self {
            grant_id,
            holds: holds.into_iter().collect::<Result<_, StorageError>>()?,
            ends: ends.into_iter().collect::<Result<_, StorageError>>()?,
        })
    }
}

/// A list that is shown: one that cannot be read is not shown as empty.
fn readable<T: serde::Serialize + serde::de::DeserializeOwned>(
    row: &Row,
    column: &'static str,
) -> Result<Kept<T>, StorageError> {
    match row.kept(column) {
        Kept::Unreadable => Err(corrupt(column, "is no such list")),
        list => Ok(list),
    }
}

/// What stands over each of these grants.
pub async fn over_grants(
    on: &mut impl Executor,
    grant_ids: impl Iterator<Item = GrantId>,
) -> Result<Vec<OverGrant>, StorageError> {
    query(OVER_GRANTS).rows(grant_ids.map(|id| [Value::from(id)])).fetch_all(on).await
}
