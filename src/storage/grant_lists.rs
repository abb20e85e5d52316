//! Lists of grants. Each statement asks for everything that can be asked for, and begins at another index: what is named
//! narrows the search as far as it can.

use super::db::{Executor, query};
use super::{Page, StorageError};
use crate::domain::grant::{Grant, GrantStatus};
use crate::domain::id::{OrganizationId, UserId, VehicleId};
use crate::domain::time::Timestamp;

const LIST: &str = "SELECT g.* FROM grants g JOIN vehicles v ON v.vehicle_id = g.vehicle_id WHERE g.organization_id = $1 AND g.grant_id < $2 \
    AND (CAST($4 AS UUID) IS NULL OR g.vehicle_id = $4) AND (CAST($5 AS UUID) IS NULL OR g.grantee_id = $5) \
    AND (CAST($6 AS UUID) IS NULL OR v.owner_id = $6) AND (CAST($7 AS UUID) IS NULL OR g.grantee_id = $7 OR v.owner_id = $7) \
    AND (CAST($8 AS TEXT) IS NULL OR g.external_ref = $8) AND (CAST($9 AS TEXT) IS NULL OR $9 = CASE WHEN g.ended_at IS NOT NULL \
    OR g.not_after <= $10 THEN 'ended' WHEN g.not_before > $10 THEN 'upcoming' ELSE 'active' END) AND g.not_after > $11 AND g.not_before < $12 \
    ORDER BY g.grant_id DESC LIMIT $3";
const LIST_OF_REFERENCE: &str = "SELECT g.* FROM grants g JOIN vehicles v ON v.vehicle_id = g.vehicle_id WHERE g.organization_id = $1 AND g.grant_id < $2 \
    AND g.external_ref = $13 AND (CAST($4 AS UUID) IS NULL OR g.vehicle_id = $4) AND (CAST($5 AS UUID) IS NULL OR g.grantee_id = $5) \
    AND (CAST($6 AS UUID) IS NULL OR v.owner_id = $6) AND (CAST($7 AS UUID) IS NULL OR g.grantee_id = $7 OR v.owner_id = $7) \
    AND (CAST($8 AS TEXT) IS NULL OR g.external_ref = $8) AND (CAST($9 AS TEXT) IS NULL OR $9 = CASE WHEN g.ended_at IS NOT NULL \
    OR g.not_after <= $10 THEN 'ended' WHEN g.not_before > $10 THEN 'upcoming' ELSE 'active' END) AND g.not_after > $11 AND g.not_before < $12 \
    ORDER BY g.grant_id DESC LIMIT $3";
const LIST_OF_VEHICLE: &str = "SELECT g.* FROM grants g JOIN vehicles v ON v.vehicle_id = g.vehicle_id WHERE g.organization_id = $1 AND g.grant_id < $2 \
    AND g.vehicle_id = $13 AND (CAST($4 AS UUID) IS NULL OR g.vehicle_id = $4) AND (CAST($5 AS UUID) IS NULL OR g.grantee_id = $5) \
    AND (CAST($6 AS UUID) IS NULL OR v.owner_id = $6) AND (CAST($7 AS UUID) IS NULL OR g.grantee_id = $7 OR v.owner_id = $7) \
    AND (CAST($8 AS TEXT) IS NULL OR g.external_ref = $8) AND (CAST($9 AS TEXT) IS NULL OR $9 = CASE WHEN g.ended_at IS NOT NULL \
    OR g.not_after <= $10 THEN 'ended' WHEN g.not_before > $10 THEN 'upcoming' ELSE 'active' END) AND g.not_after > $11 AND g.not_before < $12 \
    ORDER BY g.grant_id DESC LIMIT $3";
/// Those that a person holds, and those for their cars.
const LIST_OF_PERSON: &str = "SELECT g.* FROM grants g JOIN vehicles v ON v.vehicle_id = g.vehicle_id WHERE g.organization_id = $1 AND g.grant_id < $2 \
    AND g.grant_id IN (SELECT grant_id FROM grants WHERE grantee_id = $13 UNION SELECT x.grant_id FROM grants x \
    JOIN vehicles o ON o.vehicle_id = x.vehicle_id WHERE o.owner_id = $13) \
    AND (CAST($4 AS UUID) IS NULL OR g.vehicle_id = $4) AND (CAST($5 AS UUID) IS NULL OR g.grantee_id = $5) \
    AND (CAST($6 AS UUID) IS NULL OR v.owner_id = $6) AND (CAST($7 AS UUID) IS NULL OR g.grantee_id = $7 OR v.owner_id = $7) \
    AND (CAST($8 AS TEXT) IS NULL OR g.external_ref = $8) AND (CAST($9 AS TEXT) IS NULL OR $9 = CASE WHEN g.ended_at IS NOT NULL \
    OR g.not_after <= $10 THEN 'ended' WHEN g.not_before > $10 THEN 'upcoming' ELSE 'active' END) AND g.not_after > $11 AND g.not_before < $12 \
    ORDER BY g.grant_id DESC LIMIT $3";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[LIST, LIST_OF_REFERENCE, LIST_OF_VEHICLE, LIST_OF_PERSON];

/// Which grants to list: those for which everything that is named is so.
#[derive(Debug, Clone, Default)]
pub struct GrantFilter {
    /// Only those this person holds, or that are for a car they own.
    pub concerning: Option<UserId>,
    /// Only those for this car.
    pub vehicle_id: Option<VehicleId>,
    /// Only those that this person holds.
    pub grantee_id: Option<UserId>,
    /// Only those for the cars of this person.
    pub owner_id: Option<UserId>,
    /// Only those that carry this reference.
    pub external_ref: Option<String>,
    /// Only those of which their own rows say this.
    pub status: Option<GrantStatus>,
    /// Only those that are valid at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that are valid before this time.
    pub until: Option<Timestamp>,
}

/// Grants, newest first.
pub async fn list(
    on: &mut impl Executor,
    organization_id: OrganizationId,
    filter: &GrantFilter,
    page: Page,
    now: Timestamp,
) -> Result<Vec<Grant>, StorageError> {
    let GrantFilter { concerning, vehicle_id, grantee_id, owner_id, .. } = *filter;
    let reference = filter.external_ref.as_deref();
    // Nobody has more looked through than what concerns them.
    let person = concerning.or(grantee_id).or(owner_id);
    let sql = match (reference, vehicle_id, person) {
        (Some(_), ..) => LIST_OF_REFERENCE,
        (None, Some(_), _) => LIST_OF_VEHICLE,
        (None, None, Some(_)) => LIST_OF_PERSON,
        (None, None, None) => LIST,
    };
    let listing = query(sql)
        .bind(organization_id)
        .bind(page.before())
        .bind(page.limit)
        .bind(vehicle_id)
        .bind(grantee_id)
        .bind(owner_id)
        .bind(concerning)
        .bind(reference)
        .bind(filter.status.map(GrantStatus::as_str))
        .bind(now)
        .bind(filter.from.unwrap_or(Timestamp::MIN))
        .bind(filter.until.unwrap_or(Timestamp::MAX));
    let listing = match (reference, vehicle_id, person) {
        (Some(reference), ..) => listing.bind(reference),
        (None, Some(vehicle_id), _) => listing.bind(vehicle_id),
        (None, None, Some(person)) => listing.bind(person),
        (None, None, None) => listing,
    };
    listing.fetch_all(on).await
}
