//! Which API clients people have allowed to act for them.

use super::db::{Executor, FromRow, Origin, Row, Tx, query};
use super::{Page, StorageError};
use crate::domain::id::{ApiClientId, OrganizationId, UserId};
use crate::domain::time::Timestamp;

/// What was allowed before somebody else gave the account new credentials is allowed anew with these.
const ALLOW: &str = "INSERT INTO allowed_clients (user_id, api_client_id, organization_id, recoveries, allowed_at) \
    VALUES ($1, $2, $3, (SELECT recoveries FROM users WHERE user_id = $1), $4) ON CONFLICT (user_id, api_client_id) \
    DO UPDATE SET recoveries = excluded.recoveries, allowed_at = excluded.allowed_at";
const FIND: &str = "SELECT a.api_client_id, a.allowed_at, c.name FROM allowed_clients a JOIN users u ON u.user_id = a.user_id \
    JOIN api_clients c ON c.api_client_id = a.api_client_id \
    WHERE a.user_id = $1 AND a.api_client_id = $2 AND a.recoveries = u.recoveries AND c.revoked_at IS NULL";
const LIST: &str = "SELECT a.api_client_id, a.allowed_at, c.name FROM allowed_clients a JOIN users u ON u.user_id = a.user_id \
    JOIN api_clients c ON c.api_client_id = a.api_client_id \
    WHERE a.user_id = $1 AND a.api_client_id < $2 AND a.recoveries = u.recoveries AND c.revoked_at IS NULL \
    ORDER BY a.api_client_id DESC LIMIT $3";
const DISALLOW: &str = "DELETE FROM allowed_clients WHERE user_id = $1 AND api_client_id = $2";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[ALLOW, FIND, LIST, DISALLOW];

/// An API client that a person has allowed.
#[derive(Debug, Clone)]
pub struct AllowedClient {
    /// The API client.
    pub api_client_id: ApiClientId,
    /// What people call it.
    pub name: String,
    /// Since when it may act for the person.
    pub allowed_at: Timestamp,
}

impl FromRow for AllowedClient {
    const ORIGIN: Origin = Origin::of::<ApiClientId>("allowed_clients", "api_client_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            api_client_id: row.get("api_client_id")?,
            name: row.get("name")?,
            allowed_at: row.get("allowed_at")?,
        })
    }
}

/// Lets an API client act for a person.
pub async fn allow(
    tx: &mut Tx,
    (organization_id, user_id): (OrganizationId, UserId),
    api_client_id: ApiClientId,
    now: Timestamp,
) -> Result<(), StorageError> {
    query(ALLOW)
        .bind(user_id)
        .bind(api_client_id)
        .bind(organization_id)
        .bind(now)
        .execute_one(tx)
        .await
}

/// The API client, if the person has allowed it and nobody else has given their account new credentials since.
pub async fn find(
    on: &mut impl Executor,
    user_id: UserId,
    api_client_id: ApiClientId,
) -> Result<Option<AllowedClient>, StorageError> {
    query(FIND).bind(user_id).bind(api_client_id).fetch_optional(on).await
}

/// The API clients that a person has allowed, newest first.
pub async fn list(
    on: &mut impl Executor,
    user_id: UserId,
    page: Page,
) -> Result<Vec<AllowedClient>, StorageError> {
    query(LIST).bind(user_id).bind(page.before()).bind(page.limit).fetch_all(on).await
}

/// Takes it back; `false` if it was not allowed.
pub async fn disallow(
    tx: &mut Tx,
    user_id: UserId,
    api_client_id: ApiClientId,
) -> Result<bool, StorageError> {
    Ok(query(DISALLOW).bind(user_id).bind(api_client_id).execute(tx).await? == 1)
}
