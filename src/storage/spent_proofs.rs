//! Proofs of devices that were used (RFC 9449 section 11.1). A proof is accepted once across all instances. Rows are deleted
//! when no instance accepts the nonce of the proof.

use std::collections::HashMap;

use uuid::Uuid;

use super::StorageError;
use super::db::{Answer, FromRow, Origin, Query, Row, Tx, query};
use crate::domain::time::Timestamp;

/// Waits for another transaction that spends the same, and then returns that it did.
const SPEND: &str = "INSERT INTO spent_proofs (proof_digest, spent_by, fresh_until) VALUES {rows:bytea,uuid,bigint} \
    ON CONFLICT (fresh_until, proof_digest) DO UPDATE SET spent_by = spent_proofs.spent_by RETURNING proof_digest, spent_by";
const DELETE_OLD: &str = "DELETE FROM spent_proofs WHERE (fresh_until, proof_digest) IN \
    (SELECT fresh_until, proof_digest FROM spent_proofs WHERE fresh_until < $1 ORDER BY fresh_until LIMIT $2)";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[SPEND, DELETE_OLD];

/// A proof that a request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProofToSpend {
    /// Tells it from every other.
    pub digest: [u8; 32],
    /// Names the request, however often it is tried: a request may find that it spent the proof itself, by a commit whose
    /// answer was lost.
    pub spent_by: Uuid,
    /// When it may be forgotten.
    pub fresh_until: Timestamp,
}

/// Which request spent each proof.
#[derive(Debug, Default)]
pub struct Spenders(HashMap<[u8; 32], Uuid>);

struct Spent {
    digest: [u8; 32],
    spent_by: Uuid,
}

impl FromRow for Spent {
    const ORIGIN: Origin = Origin::of::<Uuid>("spent_proofs", "spent_by");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { digest: row.get("proof_digest")?, spent_by: row.get("spent_by")? })
    }
}

impl Spenders {
    /// What [`spending`] found.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`].
    pub(super) fn of(answer: &Answer) -> Result<Self, StorageError> {
        Ok(Self::by(answer.rows()?))
    }

    fn by(spent: Vec<Spent>) -> Self {
        Self(spent.into_iter().map(|row| (row.digest, row.spent_by)).collect())
    }

    /// Whether the proof was spent by the request that brings it, and by no other.
    #[must_use]
    pub fn include(&self, proof: &ProofToSpend) -> bool {
        self.0.get(&proof.digest) == Some(&proof.spent_by)
    }
}

/// Spends proofs, in one order for all transactions, and returns by which request each was spent. Of several requests that
/// bring the same, one spends it.
pub(super) fn spending(mut proofs: Vec<ProofToSpend>) -> Query {
    proofs.sort_unstable();
    proofs.dedup_by_key(|proof| proof.digest);
    let rows = |proof: &ProofToSpend| {
        [proof.digest.into(), proof.spent_by.into(), proof.fresh_until.into()]
    };
    query(SPEND).rows(proofs.iter().map(rows))
}

/// Spends proofs.
pub async fn spend(tx: &mut Tx, proofs: Vec<ProofToSpend>) -> Result<Spenders, StorageError> {
    Ok(Spenders::by(spending(proofs).fetch_all(tx).await?))
}

/// Forgets at most so many that were fresh before; returns how many.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    query(DELETE_OLD).long().bind(before).bind(limit).execute(tx).await
}
