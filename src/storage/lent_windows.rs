//! When a car is lent by grants that open it.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, corrupt, query};
use crate::domain::grant::{Grant, Validity};
use crate::domain::id::{GrantId, VehicleId};
use crate::domain::time::Timestamp;

/// Grants that an act has ended leave their time free. What is one word of the text stands between blanks.
const LENT: &str = "SELECT grant_id, not_before, not_after FROM grants WHERE vehicle_id = $1 AND ended_at IS NULL AND not_after > $2 \
    AND not_before < $3 AND (' ' || entitlements || ' ') LIKE '% unlock %' ORDER BY not_before, grant_id LIMIT $4";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[LENT];

/// When a grant may open a car.
#[derive(Debug, Clone, Copy)]
pub struct LentWindow {
    /// The grant.
    pub grant_id: GrantId,
    /// Its time.
    pub validity: Validity,
}

impl FromRow for LentWindow {
    const ORIGIN: Origin = Grant::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let validity = Validity::new(row.get("not_before")?, row.get("not_after")?);
        Ok(Self {
            grant_id: row.get("grant_id")?,
            validity: validity.map_err(|why| corrupt("not_after", why))?,
        })
    }
}

/// Up to `limit` grants that may open a car, in the order of their beginnings: those that are over after `from` and begin
/// before `until`.
pub async fn of_vehicle(
    on: &mut impl Executor,
    vehicle_id: VehicleId,
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<LentWindow>, StorageError> {
    query(LENT).bind(vehicle_id).bind(from).bind(until).bind(limit).fetch_all(on).await
}
