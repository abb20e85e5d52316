//! API clients that act for an organization.

use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use super::{Page, StorageError};
use crate::domain::actor::Scope;
use crate::domain::id::{ApiClientId, OrganizationId, VehicleId};
use crate::domain::time::Timestamp;

const INSERT: &str = "INSERT INTO api_clients (api_client_id, organization_id, name, secret_hash, scopes, created_at, expires_at, vehicles) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const FIND: &str = "SELECT * FROM api_clients WHERE api_client_id = $1";
const LIST: &str = "SELECT * FROM api_clients WHERE organization_id = $1 AND api_client_id < $2 ORDER BY api_client_id DESC LIMIT $3";
const REVOKE: &str = "UPDATE api_clients SET revoked_at = $3 WHERE organization_id = $1 AND api_client_id = $2 AND revoked_at IS NULL";

/// Only if nobody else did so meanwhile.
const ROTATE: &str = "UPDATE api_clients SET previous_secret_hash = secret_hash, previous_secret_until = $4, secret_hash = $3 \
    WHERE api_client_id = $1 AND secret_hash = $2 AND revoked_at IS NULL";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[INSERT, FIND, LIST, REVOKE, ROTATE];

/// An API client as stored.
#[derive(Debug, Clone)]
pub struct ApiClient {
    /// Its name; also its `client_id`.
    pub api_client_id: ApiClientId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// What people call it.
    pub name: String,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// SHA-256 of the secret before, and until when it works.
    pub previous: Option<([u8; 32], Timestamp)>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The cars that it may have to do with; `None` for all.
    pub vehicles: Option<Vec<VehicleId>>,
    /// From when on it may not do anything any more, if that was said when it was made.
    pub expires_at: Option<Timestamp>,
    /// Since when it may not do anything any more.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApiClient {
    /// Whether it may do anything at `now`.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

impl FromRow for ApiClient {
    const ORIGIN: Origin = Origin::of::<ApiClientId>("api_clients", "api_client_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let scopes: String = row.get("scopes")?;
        let scopes: Result<Vec<Scope>, _> = scopes.split_whitespace().map(str::parse).collect();
        let vehicles: Option<String> = row.optional("vehicles")?;
        let vehicles: Option<Result<Vec<VehicleId>, _>> =
            vehicles.map(|ids| ids.split_whitespace().map(str::parse).collect());
        Ok(Self {
            api_client_id: row.get("api_client_id")?,
            organization_id: row.get("organization_id")?,
            name: row.get("name")?,
            secret_hash: row.get("secret_hash")?,
            previous: row
                .optional("previous_secret_hash")?
                .zip(row.optional("previous_secret_until")?),
            scopes: scopes.map_err(|why| corrupt("scopes", why))?,
            vehicles: vehicles.transpose().map_err(|why| corrupt("vehicles", why))?,
            expires_at: row.optional("expires_at")?,
            revoked_at: row.optional("revoked_at")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Adds an API client.
///
/// # Errors
/// [`StorageError::Duplicate`] if a row with the same key exists; another [`StorageError`] if the
/// database does not answer.
pub async fn insert(tx: &mut Tx, client: &ApiClient) -> Result<(), StorageError> {
    let vehicles = client.vehicles.as_ref().map(|ids| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        ids.join(" ")
    });
    let scopes: Vec<&str> = client.scopes.iter().map(|scope| scope.as_str()).collect();
    query(INSERT)
        .bind(client.api_client_id)
        .bind(client.organization_id)
        .bind(client.name.as_str())
        .bind(client.secret_hash)
        .bind(scopes.join(" "))
        .bind(client.created_at)
        .bind(client.expires_at)
        .bind(vehicles)
        .execute_one(tx)
        .await
}

/// Replaces the secret of an API client; `false` if it was replaced or revoked meanwhile.
pub async fn rotate(
    tx: &mut Tx,
    client: &ApiClient,
    secret_hash: [u8; 32],
    previous_until: Timestamp,
) -> Result<bool, StorageError> {
    let rotated = query(ROTATE)
        .bind(client.api_client_id)
        .bind(client.secret_hash)
        .bind(secret_hash)
        .bind(previous_until)
        .execute(tx)
        .await?;
    Ok(rotated == 1)
}

/// One API client, of whatever organization: the caller proves that it is the client.
pub async fn find(
    on: &mut impl Executor,
    api_client_id: ApiClientId,
) -> Result<Option<ApiClient>, StorageError> {
    query(FIND).bind(api_client_id).fetch_optional(on).await
}

/// API clients, newest first.
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    page: Page,
) -> Result<Vec<ApiClient>, StorageError> {
    query(LIST).bind(organization_id).bind(page.before()).bind(page.limit).fetch_all(on).await
}

/// Takes an API client's rights away; `false` if there is none with rights.
pub async fn revoke(
    tx: &mut Tx,
    organization_id: OrganizationId,
    api_client_id: ApiClientId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    Ok(query(REVOKE).bind(organization_id).bind(api_client_id).bind(now).execute(tx).await? == 1)
}
