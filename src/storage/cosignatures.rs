//! What witnesses have cosigned. Checkpoints are put before all of them in rounds, so that their
//! cosignatures come together on the same ones.

use super::StorageError;
use super::db::{Executor, FromRow, Origin, Row, Tx, corrupt, query};
use crate::domain::time::Timestamp;

const OPEN_ROUND: &str = "INSERT INTO record_rounds (size, checkpoint, opened_at) VALUES ($1, $2, $3) \
    ON CONFLICT (size) DO NOTHING";
const NEWEST_ROUND: &str =
    "SELECT size, checkpoint, opened_at FROM record_rounds ORDER BY size DESC LIMIT 1";
const KEEP: &str = "INSERT INTO record_cosignatures (witness, size, cosignature, cosigned_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (witness, size) DO UPDATE SET cosignature = excluded.cosignature, cosigned_at = excluded.cosigned_at";
const NEWEST_OF: &str = "SELECT size, cosigned_at FROM record_cosignatures WHERE witness = $1 ORDER BY size DESC LIMIT 1";
const ALL: &str = "SELECT r.size, r.checkpoint, c.witness, c.cosignature FROM record_rounds r \
    JOIN record_cosignatures c ON c.size = r.size ORDER BY r.size DESC, c.witness";
const FORGET_ROUNDS: &str = "DELETE FROM record_rounds WHERE size < $1 OR (size > $1 AND size NOT IN \
    (SELECT size FROM record_rounds ORDER BY size DESC LIMIT $2))";
// The newest of each witness stays, for its lag.
const FORGET_COSIGNATURES: &str = "DELETE FROM record_cosignatures WHERE size NOT IN (SELECT size FROM record_rounds) \
    AND size < (SELECT MAX(n.size) FROM record_cosignatures n WHERE n.witness = record_cosignatures.witness)";
const FORGET_ALL_ROUNDS: &str = "DELETE FROM record_rounds";
const FORGET_ALL_COSIGNATURES: &str = "DELETE FROM record_cosignatures";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[
    OPEN_ROUND,
    NEWEST_ROUND,
    KEEP,
    NEWEST_OF,
    ALL,
    FORGET_ROUNDS,
    FORGET_COSIGNATURES,
    FORGET_ALL_ROUNDS,
    FORGET_ALL_COSIGNATURES,
];

/// A checkpoint that is put before the witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// How many entries it covers.
    pub size: u64,
    /// The checkpoint as it was published.
    pub checkpoint: Vec<u8>,
    /// The time since which it is before the witnesses.
    pub opened_at: Timestamp,
}

impl FromRow for Round {
    const ORIGIN: Origin = Origin::of::<i64>("record_rounds", "size");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            size: size(row)?,
            checkpoint: row.get("checkpoint")?,
            opened_at: row.get("opened_at")?,
        })
    }
}

/// A cosignature, with the checkpoint that it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// How many entries the checkpoint covers.
    pub size: u64,
    /// The checkpoint as it was published.
    pub checkpoint: Vec<u8>,
    /// The public key of the witness.
    pub witness: String,
    /// The cosignature's line.
    pub cosignature: Vec<u8>,
}

impl FromRow for Cosigned {
    const ORIGIN: Origin = Origin::of::<i64>("record_cosignatures", "size");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            size: size(row)?,
            checkpoint: row.get("checkpoint")?,
            witness: row.get("witness")?,
            cosignature: row.get("cosignature")?,
        })
    }
}

/// How far a witness has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many entries the newest checkpoint covers that it cosigned.
    pub size: u64,
    /// The time of that cosignature, on the clock of the witness.
    pub cosigned_at: Timestamp,
}

impl FromRow for Progress {
    const ORIGIN: Origin = Cosigned::ORIGIN;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { size: size(row)?, cosigned_at: row.get("cosigned_at")? })
    }
}

fn size(row: &Row) -> Result<u64, StorageError> {
    u64::try_from(row.get::<i64>("size")?).map_err(|error| corrupt("size", error))
}

/// No database holds more rows than this.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Puts a checkpoint before the witnesses; nothing happens if it was before.
pub async fn open_round(tx: &mut Tx, round: &Round) -> Result<(), StorageError> {
    let open = query(OPEN_ROUND).bind(signed(round.size)).bind(round.checkpoint.clone());
    open.bind(round.opened_at).execute(tx).await.map(drop)
}

/// The checkpoint that is before the witnesses.
pub async fn newest_round(on: &mut impl Executor) -> Result<Option<Round>, StorageError> {
    query(NEWEST_ROUND).fetch_optional(on).await
}

/// Keeps the cosignature of a witness, a newer one in place of an older.
pub async fn keep(
    tx: &mut Tx,
    witness: &str,
    size: u64,
    cosignature: &[u8],
    cosigned_at: Timestamp,
) -> Result<(), StorageError> {
    let keep = query(KEEP).bind(witness).bind(signed(size)).bind(cosignature.to_vec());
    keep.bind(cosigned_at).execute_one(tx).await
}

/// How far a witness has come; `None` if it never cosigned.
pub async fn newest_of(
    on: &mut impl Executor,
    witness: &str,
) -> Result<Option<Progress>, StorageError> {
    query(NEWEST_OF).bind(witness).fetch_optional(on).await
}

/// Every cosignature on a checkpoint that is kept, the newest checkpoints first.
pub async fn all(on: &mut impl Executor) -> Result<Vec<Cosigned>, StorageError> {
    query(ALL).fetch_all(on).await
}

/// Forgets the rounds before the one of this size, and of those after it all but the newest
/// `rounds_max`; and the cosignatures that are on none of those that stay, but for the newest of
/// each witness.
pub async fn forget(tx: &mut Tx, before: u64, rounds_max: i64) -> Result<(), StorageError> {
    query(FORGET_ROUNDS).bind(signed(before)).bind(rounds_max).execute(tx).await?;
    query(FORGET_COSIGNATURES).execute(tx).await.map(drop)
}

/// Forgets every round and every cosignature: those of a tree that is not this one any more.
pub async fn forget_all(tx: &mut Tx) -> Result<(), StorageError> {
    query(FORGET_ALL_ROUNDS).execute(tx).await?;
    query(FORGET_ALL_COSIGNATURES).execute(tx).await.map(drop)
}
