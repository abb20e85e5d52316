//! What cars were seen as at both ends of a grant, for its statement.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, Value, query};
use super::due::{self, Taken};
use super::scope_ends;
use crate::domain::grant::Grant;
use crate::domain::id::GrantId;
use crate::domain::statement::Side;
use crate::domain::time::Timestamp;

const BEGUN: &str = "SELECT grant_id FROM grants WHERE statement AND uses > 0 AND start_read_at IS NULL AND ended_at IS NULL AND not_after > $1 \
    ORDER BY grant_id LIMIT $2";
const TAKE_BEGUN: &str = "UPDATE grants SET start_read_at = $1 WHERE grant_id IN (VALUES {rows:uuid}) AND statement AND start_read_at IS NULL RETURNING *";
const ENDED: &str = "SELECT grant_id FROM grants WHERE statement AND uses > 0 AND end_read_at IS NULL AND (ended_at <= $1 OR not_after <= $1) \
    ORDER BY not_after LIMIT $2";
const TAKE_ENDED: &str = "UPDATE grants SET end_read_at = $1 WHERE grant_id IN (VALUES {rows:uuid}) AND statement AND end_read_at IS NULL RETURNING *";
const GIVE_BACK_BEGUN: &str = "UPDATE grants SET start_read_at = NULL WHERE grant_id = $1";
const GIVE_BACK_ENDED: &str = "UPDATE grants SET end_read_at = NULL WHERE grant_id = $1";
const IS_WANTED: &str = "SELECT grant_id FROM grants WHERE grant_id = $1 AND statement";
const INSERT: &str = "INSERT INTO grant_readings (grant_id, side, observable, reading, fetched_at) \
    VALUES {rows:uuid,text,text,text,bigint} ON CONFLICT DO NOTHING";
const OF_GRANT: &str = "SELECT side, observable, reading FROM grant_readings WHERE grant_id = $1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    BEGUN,
    TAKE_BEGUN,
    ENDED,
    TAKE_ENDED,
    GIVE_BACK_BEGUN,
    GIVE_BACK_ENDED,
    IS_WANTED,
    INSERT,
    OF_GRANT,
];

/// One reading of a car, as JSON text.
#[derive(Debug, Clone)]
pub struct GrantReading {
    /// At which end.
    pub side: Side,
    /// The word for what was read.
    pub observable: String,
    /// What was read, and how old it is.
    pub reading: String,
}

impl FromRow for GrantReading {
    const ORIGIN: Origin = Origin::of::<GrantId>("grant_readings", "grant_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            side: row.get("side")?,
            observable: row.get("observable")?,
            reading: row.get("reading")?,
        })
    }
}

/// Takes up to `limit` grants whose car is to be read at this end; nobody else takes them, unless they are given back.
pub async fn take(
    tx: &mut Tx,
    side: Side,
    now: Timestamp,
    limit: i64,
) -> Result<Taken<Grant>, StorageError> {
    let statements = match side {
        Side::Start => [BEGUN, TAKE_BEGUN],
        Side::End => [ENDED, TAKE_ENDED],
    };
    due::take(tx, statements, now, limit).await
}

/// Has a grant be taken once more, because its car could not be read.
pub async fn give_back(tx: &mut Tx, side: Side, grant_id: GrantId) -> Result<(), StorageError> {
    let give_back = match side {
        Side::Start => GIVE_BACK_BEGUN,
        Side::End => GIVE_BACK_ENDED,
    };
    query(give_back).bind(grant_id).execute(tx).await.map(drop)
}

/// Keeps what a car was seen as, with the time at which it was asked, unless the grant no longer has a statement: its guest or
/// its owner may have been erased meanwhile.
pub async fn insert(
    tx: &mut Tx,
    grant_id: GrantId,
    readings: &[(GrantReading, Timestamp)],
) -> Result<(), StorageError> {
    scope_ends::lock_grants(tx, &[grant_id]).await?;
    if query(IS_WANTED).bind(grant_id).fetch_optional::<GrantId>(tx).await?.is_none() {
        return Ok(());
    }
    let row = |(reading, fetched_at): &(GrantReading, Timestamp)| -> [Value; 5] {
        [
            grant_id.into(),
            reading.side.into(),
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
