//! What was erased leaves the database's files too, as far as a program can see to that: two texts,
//! because each database keeps old content in places of its own.

use super::{Db, Priority, Reader, StorageError, judged, query};

/// When a page of an index was split, cells that moved stay readable in its free space, also with
/// `secure_delete` (seen twice in 3,600 rows). These are the indexes that hold what people are called;
/// building them anew leaves nothing.
const REBUILD: [&str; 2] = ["REINDEX users", "REINDEX vehicles"];
/// The write-ahead log still holds pages as they were; this empties it.
const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// Rows as they were stay in the tables until this.
const VACUUM: &str = "VACUUM users, sessions, refresh_tokens, personal_data, grants, connections, vehicles, commands, idempotency_keys";

/// The statements of this file; each is for one of the databases alone.
#[expect(dead_code, reason = "the list is for readers; the tests of erasure run both")]
const STATEMENTS: &[&str] = &[REBUILD[0], REBUILD[1], EMPTY_LOG, VACUUM];

impl Db {
    /// Clears what was erased from where the database keeps old content. `false` if somebody was
    /// reading it for too long: then it goes with the next time, or as it does anyway.
    ///
    /// # Errors
    /// [`StorageError`]; what was erased stays erased.
    pub async fn clear_erased(&self) -> Result<bool, StorageError> {
        match self {
            Self::Sqlite { writer, permits, halt, .. } => {
                let permit = permits.to_write.take(Priority::Ordinary).await?;
                let mut on =
                    Reader::Sqlite(judged(halt, writer.acquire()).await?, halt.clone(), permit);
                for rebuild in REBUILD {
                    query(rebuild).execute(&mut on).await?;
                }
                let busy: Option<i64> = query(EMPTY_LOG).fetch_optional(&mut on).await?;
                Ok(busy == Some(0))
            }
            Self::Postgres(_) => {
                let mut on = self.read(Priority::Ordinary).await?;
                query(VACUUM).execute(&mut on).await?;
                Ok(true)
            }
            #[cfg(test)]
            Self::Rehearsal(..) => Ok(true),
        }
    }
}
