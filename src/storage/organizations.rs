//! Organizations.

use super::StorageError;
use super::db::{Executor, Tx, query};
use crate::domain::id::OrganizationId;
use crate::domain::time::Timestamp;

const INSERT: &str =
    "INSERT INTO organizations (organization_id, name, created_at) VALUES ($1, $2, $3)";
const FIND_BY_NAME: &str =
    "SELECT organization_id FROM organizations WHERE name = $1 ORDER BY organization_id";
const EXISTS: &str = "SELECT organization_id FROM organizations WHERE organization_id = $1";
const ALL: &str = "SELECT organization_id FROM organizations ORDER BY organization_id";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[INSERT, FIND_BY_NAME, EXISTS, ALL];

/// Every organization.
pub async fn all(on: &mut impl Executor) -> Result<Vec<OrganizationId>, StorageError> {
    query(ALL).fetch_all(on).await
}

/// Adds an organization.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert(
    tx: &mut Tx,
    organization_id: OrganizationId,
    name: &str,
    now: Timestamp,
) -> Result<(), StorageError> {
    query(INSERT).bind(organization_id).bind(name).bind(now).execute_one(tx).await
}

/// The oldest organization with this name.
pub async fn find_by_name(
    on: &mut impl Executor,
    name: &str,
) -> Result<Option<OrganizationId>, StorageError> {
    query(FIND_BY_NAME).bind(name).fetch_optional(on).await
}

/// Whether there is such an organization.
pub async fn exists(
    on: &mut impl Executor,
    organization_id: OrganizationId,
) -> Result<bool, StorageError> {
    let found = query(EXISTS).bind(organization_id).fetch_optional::<OrganizationId>(on).await?;
    Ok(found.is_some())
}
