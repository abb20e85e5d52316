//! Where the browsers of an organization's people may be sent back to after a consent.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use crate::domain::id::OrganizationId;
use crate::domain::return_url::ReturnUrl;

/// Changes nothing, but holds the row, so that two who replace the list do so one after the other.
const LOCK: &str = "UPDATE organizations SET revision = revision WHERE organization_id = $1";
const LIST: &str =
    "SELECT organization_id, url FROM return_urls WHERE organization_id = $1 ORDER BY url";
const FIND: &str =
    "SELECT organization_id, url FROM return_urls WHERE organization_id = $1 AND url = $2";
const CLEAR: &str = "DELETE FROM return_urls WHERE organization_id = $1";
const ADD: &str = "INSERT INTO return_urls (organization_id, url) VALUES {rows:uuid,text}";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[LOCK, LIST, FIND, CLEAR, ADD];

impl FromRow for ReturnUrl {
    const ORIGIN: Origin = Origin::of::<OrganizationId>("return_urls", "organization_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        read(row, "url")?.ok_or_else(|| corrupt("url", "is empty"))
    }
}

/// An address in a column, if there is one.
pub(super) fn read(row: &Row, column: &'static str) -> Result<Option<ReturnUrl>, StorageError> {
    let text: Option<String> = row.optional(column)?;
    text.map(|text| text.parse().map_err(|why| corrupt(column, why))).transpose()
}

/// All of an organization, in alphabetical order.
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
) -> Result<Vec<ReturnUrl>, StorageError> {
    query(LIST).bind(organization_id).fetch_all(on).await
}

/// Whether the organization lists this one.
pub async fn is_listed(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    url: &ReturnUrl,
) -> Result<bool, StorageError> {
    let found = query(FIND).bind(organization_id).bind(url.as_str());
    Ok(found.fetch_optional::<ReturnUrl>(on).await?.is_some())
}

/// Lists these in place of all that were listed before.
pub async fn replace<'u>(
    tx: &mut Tx,
    organization_id: OrganizationId,
    urls: impl IntoIterator<Item = &'u ReturnUrl>,
) -> Result<(), StorageError> {
    query(LOCK).bind(organization_id).execute_one(tx).await?;
    query(CLEAR).bind(organization_id).execute(tx).await?;
    let rows = urls.into_iter().map(|url| [organization_id.into(), url.as_str().into()]);
    query(ADD).rows(rows).execute(tx).await.map(drop)
}
