//! Guests' wishes to keep a car for longer.

use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use super::{Page, StorageError};
use crate::domain::extension::{ExtensionDecision, ExtensionRequest};
use crate::domain::id::{ExtensionRequestId, GrantId, OrganizationId};
use crate::domain::time::Timestamp;

/// One that is undecided gives its place to another one, whose id is its own: who has seen the one does not decide the
/// other.
const INSERT: &str = "INSERT INTO extension_requests (extension_request_id, organization_id, grant_id, not_after, reason, requested_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (grant_id) WHERE decision IS NULL DO UPDATE SET \
    extension_request_id = excluded.extension_request_id, not_after = excluded.not_after, reason = excluded.reason, \
    requested_at = excluded.requested_at, expires_at = excluded.expires_at";
const FIND: &str = "SELECT * FROM extension_requests WHERE organization_id = $1 AND grant_id = $2 AND extension_request_id = $3";
const LIST: &str = "SELECT * FROM extension_requests WHERE organization_id = $1 AND grant_id = $4 AND extension_request_id < $2 \
    ORDER BY extension_request_id DESC LIMIT $3";
const DECIDE: &str = "UPDATE extension_requests SET decision = $2, decided_at = $3 \
    WHERE extension_request_id = $1 AND decision IS NULL RETURNING *";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[INSERT, FIND, LIST, DECIDE];

impl FromRow for ExtensionRequest {
    const ORIGIN: Origin =
        Origin::of::<ExtensionRequestId>("extension_requests", "extension_request_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let decided = match (row.optional("decision")?, row.optional("decided_at")?) {
            (Some(decision), Some(at)) => Some((decision, at)),
            (None, None) => None,
            _ => return Err(corrupt("decision", "is not there exactly when decided_at is")),
        };
        Ok(Self {
            extension_request_id: row.get("extension_request_id")?,
            organization_id: row.get("organization_id")?,
            grant_id: row.get("grant_id")?,
            not_after: row.get("not_after")?,
            reason: row.optional("reason")?,
            requested_at: row.get("requested_at")?,
            expires_at: row.get("expires_at")?,
            decided,
        })
    }
}

/// Adds a request, in the place of the grant's undecided one.
pub async fn put(tx: &mut Tx, request: &ExtensionRequest) -> Result<(), StorageError> {
    query(INSERT)
        .bind(request.extension_request_id)
        .bind(request.organization_id)
        .bind(request.grant_id)
        .bind(request.not_after)
        .bind(request.reason.as_deref())
        .bind(request.requested_at)
        .bind(request.expires_at)
        .execute_one(tx)
        .await
}

/// One request about a grant.
pub async fn find(
    on: &mut impl Executor,
    (organization_id, grant_id): (OrganizationId, GrantId),
    id: ExtensionRequestId,
) -> Result<Option<ExtensionRequest>, StorageError> {
    query(FIND).bind(organization_id).bind(grant_id).bind(id).fetch_optional(on).await
}

/// The requests about a grant, newest first.
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    grant_id: GrantId,
    page: Page,
) -> Result<Vec<ExtensionRequest>, StorageError> {
    let listing = query(LIST).bind(organization_id).bind(page.before()).bind(page.limit);
    listing.bind(grant_id).fetch_all(on).await
}

/// Decides a request, and returns it as it is then; `None` if it was decided, or gave its place to another one.
pub async fn decide(
    tx: &mut Tx,
    id: ExtensionRequestId,
    decision: ExtensionDecision,
    now: Timestamp,
) -> Result<Option<ExtensionRequest>, StorageError> {
    query(DECIDE).bind(id).bind(decision).bind(now).fetch_optional(tx).await
}
