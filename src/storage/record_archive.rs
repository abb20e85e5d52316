//! What of the record is in an archive, and dropping that from the database. Names, positions and
//! hashes stay.

use super::StorageError;
use super::db::{Tx, query};
use super::record::{names, signed};
use crate::audit::entry::RecordedEntry;
use crate::storage::audit_entries;

const ARCHIVE: &str = "UPDATE record_state SET archived = $2 WHERE only_row = 1 AND archived = $1 AND checkpoint_size >= $2";
// Nothing goes that an archive does not hold, whatever it is called with.
const SET_DROPPED: &str =
    "UPDATE record_state SET dropped = $2 WHERE only_row = 1 AND dropped = $1 AND archived >= $2";
const DROP_ENTRY: &str = "DELETE FROM audit_entries WHERE organization_id = $1 AND entry_id = $2";
const DROP_SUBJECTS: &str =
    "DELETE FROM record_subjects WHERE entry_id = $1 AND subject_id IN ($2, $3, $4, $5)";
const DROP_PERSONAL_DATA: &str = "DELETE FROM personal_data WHERE entry_id = $1";

/// Every statement of this file.
pub const STATEMENTS: &[&str] =
    &[ARCHIVE, SET_DROPPED, DROP_ENTRY, DROP_SUBJECTS, DROP_PERSONAL_DATA];

/// Notes that an archive holds the entries from `archived`, the value so far, to `end`.
///
/// # Errors
/// [`StorageError::LostRace`] if the value so far is another, or no checkpoint covers them.
pub async fn archive(tx: &mut Tx, archived: u64, end: u64) -> Result<(), StorageError> {
    query(ARCHIVE).bind(signed(archived)).bind(signed(end)).execute_one(tx).await
}

/// Drops the entries from `dropped`, the value so far, to `end`, with what is kept beside them;
/// their positions and hashes stay. Returns how many there were.
///
/// # Errors
/// [`StorageError::LostRace`] if the value so far is another, or not all are archived.
pub async fn drop_archived(tx: &mut Tx, dropped: u64, end: u64) -> Result<u64, StorageError> {
    query(SET_DROPPED).bind(signed(dropped)).bind(signed(end)).execute_one(tx).await?;
    let mut total = 0;
    for (_, (organization_id, entry_id)) in names(tx, dropped..end).await? {
        let Some(entry) = audit_entries::find(tx, organization_id, entry_id).await? else {
            continue;
        };
        drop_subjects(tx, &entry).await?;
        query(DROP_PERSONAL_DATA).bind(entry_id).execute(tx).await?;
        let drop = query(DROP_ENTRY).bind(organization_id).bind(entry_id);
        total += drop.execute(tx).await?;
    }
    Ok(total)
}

async fn drop_subjects(tx: &mut Tx, entry: &RecordedEntry) -> Result<(), StorageError> {
    let subjects = query(DROP_SUBJECTS).bind(entry.entry_id).bind(entry.vehicle_id);
    let subjects = subjects.bind(entry.user_id).bind(entry.actor_id).bind(entry.acting_for);
    subjects.execute(tx).await.map(drop)
}
