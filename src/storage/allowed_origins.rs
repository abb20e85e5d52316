//! The origins of web apps whose scripts may read answers to an organization's people.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use crate::domain::allowed_origin::AllowedOrigin;
use crate::domain::id::OrganizationId;

/// Changes nothing, but holds the row, so that two who replace the list do so one after the other.
const LOCK: &str = "UPDATE organizations SET revision = revision WHERE organization_id = $1";
const LIST: &str = "SELECT organization_id, origin FROM allowed_origins WHERE organization_id = $1 ORDER BY origin";
const ALL: &str = "SELECT organization_id, origin FROM allowed_origins";
const CLEAR: &str = "DELETE FROM allowed_origins WHERE organization_id = $1";
const ADD: &str = "INSERT INTO allowed_origins (organization_id, origin) VALUES {rows:uuid,text}";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[LOCK, LIST, ALL, CLEAR, ADD];

/// An origin, and who lists it.
#[derive(Debug, Clone)]
pub struct ListedOrigin {
    /// Who lists it.
    pub organization_id: OrganizationId,
    /// The origin.
    pub origin: AllowedOrigin,
}

impl FromRow for ListedOrigin {
    const ORIGIN: Origin = Origin::of::<OrganizationId>("allowed_origins", "organization_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let text: String = row.get("origin")?;
        let origin = text.parse().map_err(|why| corrupt("origin", why))?;
        Ok(Self { organization_id: row.get("organization_id")?, origin })
    }
}

/// All of an organization, in alphabetical order.
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
) -> Result<Vec<AllowedOrigin>, StorageError> {
    let listed: Vec<ListedOrigin> = query(LIST).bind(organization_id).fetch_all(on).await?;
    Ok(listed.into_iter().map(|listed| listed.origin).collect())
}

/// All of every organization: at most 20 of each.
pub async fn all(on: &mut impl Executor) -> Result<Vec<ListedOrigin>, StorageError> {
    query(ALL).fetch_all(on).await
}

/// Lists these in place of all that were listed before.
pub async fn replace<'o>(
    tx: &mut Tx,
    organization_id: OrganizationId,
    origins: impl IntoIterator<Item = &'o AllowedOrigin>,
) -> Result<(), StorageError> {
    query(LOCK).bind(organization_id).execute_one(tx).await?;
    query(CLEAR).bind(organization_id).execute(tx).await?;
    let rows = origins.into_iter().map(|origin| [organization_id.into(), origin.as_str().into()]);
    query(ADD).rows(rows).execute(tx).await.map(drop)
}
