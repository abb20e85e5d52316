//! What cars were seen as at both ends of a grant, for its statement.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, Value, query};
use crate::domain::grant::Grant;
use crate::domain::id::GrantId;
use crate::domain::statement::ReadAt;
use crate::domain::time::Timestamp;

const TAKE_BEGUN: &str = "UPDATE grants SET start_read_at = $1 WHERE grant_id IN (SELECT grant_id FROM grants WHERE statement AND uses > 0 AND start_read_at IS NULL \
    AND ended_at IS NULL AND not_after > $1 ORDER BY grant_id LIMIT $2) AND start_read_at IS NULL RETURNING *";
const TAKE_ENDED: &str = "UPDATE grants SET end_read_at = $1 WHERE grant_id IN (SELECT grant_id FROM grants WHERE statement AND uses > 0 AND end_read_at IS NULL \
    AND (ended_at <= $1 OR not_after <= $1) ORDER BY not_after LIMIT $2) AND end_read_at IS NULL RETURNING *";
const INSERT: &str = "INSERT INTO grant_readings (grant_id, read_at, observable, reading, fetched_at) \
    VALUES {rows:uuid,text,text,text,bigint} ON CONFLICT DO NOTHING";
const OF_GRANT: &str =
    "SELECT read_at, observable, reading FROM grant_readings WHERE grant_id = $1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[TAKE_BEGUN, TAKE_ENDED, INSERT, OF_GRANT];

/// One reading of a car, as JSON text.
#[derive(Debug, Clone)]
pub struct GrantReading {
    /// At which end.
    pub read_at: ReadAt,
    /// The word for what was read.
    pub observable: String,
    /// What was read, and how old it is.
    pub reading: String,
}

impl FromRow for GrantReading {
    const ORIGIN: Origin = Origin::of::<GrantId>("grant_readings", "grant_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            read_at: row.get("read_at")?,
            observable: row.get("observable")?,
            reading: row.get("reading")?,
        })
    }
}

/// Takes up to `limit` grants whose car is to be read at this end; nobody else takes them any more.
pub async fn take(
    tx: &mut Tx,
    read_at: ReadAt,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Grant>, StorageError> {
    let take = match read_at {
        ReadAt::Start => TAKE_BEGUN,
        ReadAt::End => TAKE_ENDED,
    };
    query(take).long().bind(now).bind(limit).fetch_all(tx).await
}

/// Keeps what a car was seen as, with the time at which it was asked.
pub async fn insert(
    tx: &mut Tx,
    grant_id: GrantId,
    readings: &[(GrantReading, Timestamp)],
) -> Result<(), StorageError> {
    let row = |(reading, fetched_at): &(GrantReading, Timestamp)| -> [Value; 5] {
        [
            grant_id.into(),
            reading.read_at.as_str().into(),
            reading.observable.as_str().into(),
            reading.reading.as_str().into(),
            (*fetched_at).into(),
        ]
    };
    query(INSERT).rows(readings.iter().map(row)).execute(tx).await.map(drop)
}

/// What the car of a grant was seen as.
pub async fn of_grant(
    on: &mut impl Executor,
    grant_id: GrantId,
) -> Result<Vec<GrantReading>, StorageError> {
    query(OF_GRANT).bind(grant_id).fetch_all(on).await
}
