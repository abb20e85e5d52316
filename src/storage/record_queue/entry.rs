//! An entry as the queue holds it, and the bytes that it is there.

use uuid::Uuid;

use crate::audit::Hash;
use crate::audit::entry::RecordedEntry;
use crate::domain::id::{AuditEntryId, OrganizationId};
use crate::domain::time::Timestamp;

/// Time, organization, name and hash of one entry, one after the other.
pub(super) const ENTRY_BYTES: usize = 8 + 16 + 16 + 32;
const SUBJECT_BYTES: usize = 16;

/// An entry that waits for its position.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedEntry {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Its tenant.
    pub organization_id: OrganizationId,
    /// Its name.
    pub entry_id: AuditEntryId,
    /// The hash of the leaf that it is.
    pub leaf_hash: Hash,
    /// The car and the people it is about or who did it, each once.
    pub subjects: Vec<Uuid>,
}

impl QueuedEntry {
    /// What the queue needs to know of an entry.
    #[must_use]
    pub fn of(entry: &RecordedEntry) -> Self {
        Self {
            occurred_at: entry.occurred_at,
            organization_id: entry.organization_id,
            entry_id: entry.entry_id,
            leaf_hash: entry.leaf_hash(),
            subjects: subjects(entry),
        }
    }

    /// Positions follow this order.
    pub(super) const fn order(&self) -> (Timestamp, AuditEntryId) {
        (self.occurred_at, self.entry_id)
    }

    /// Adds the entry without its subjects.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.occurred_at.as_unix_micros().to_be_bytes());
        bytes.extend_from_slice(self.organization_id.as_uuid().as_bytes());
        bytes.extend_from_slice(self.entry_id.as_uuid().as_bytes());
        bytes.extend_from_slice(&self.leaf_hash.0);
    }

    /// Adds how many subjects there are, in one byte, and which.
    pub(super) fn write_subjects(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::try_from(self.subjects.len()).unwrap_or(u8::MAX));
        for subject in self.subjects.iter().take(u8::MAX.into()) {
            bytes.extend_from_slice(subject.as_bytes());
        }
    }

    /// Takes the subjects of the next entry off the bytes that hold those of all entries.
    pub(super) fn read_subjects(&mut self, bytes: &mut &[u8]) -> Option<()> {
        let (&count, rest) = bytes.split_first()?;
        let (subjects, rest) = rest.split_at_checked(usize::from(count) * SUBJECT_BYTES)?;
        let subjects = subjects.as_chunks::<SUBJECT_BYTES>().0;
        self.subjects = subjects.iter().copied().map(Uuid::from_bytes).collect();
        *bytes = rest;
        Some(())
    }

    /// The entry without its subjects.
    pub(super) fn read(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (at, rest) = bytes.split_first_chunk()?;
        let (organization, rest) = rest.split_first_chunk()?;
        let (entry, hash) = rest.split_first_chunk()?;
        Some(Self {
            occurred_at: Timestamp::from_unix_micros(i64::from_be_bytes(*at))?,
            organization_id: OrganizationId::from_uuid(Uuid::from_bytes(*organization)),
            entry_id: AuditEntryId::from_uuid(Uuid::from_bytes(*entry)),
            leaf_hash: Hash(hash.try_into().ok()?),
            subjects: Vec::new(),
        })
    }
}

/// Whom the lists of entries about a car or a person have to show it to.
fn subjects(entry: &RecordedEntry) -> Vec<Uuid> {
    let vehicle = entry.vehicle_id.map(|id| id.as_uuid());
    let people = [entry.user_id, entry.acting_for].map(|id| id.map(|id| id.as_uuid()));
    let mut subjects: Vec<Uuid> =
        [vehicle, entry.actor_id].into_iter().chain(people).flatten().collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let entry = QueuedEntry {
            occurred_at: Timestamp::from_unix_micros(1_800_000_000_123_456).unwrap(),
            organization_id: OrganizationId::from_uuid(Uuid::from_u128(1)),
            entry_id: AuditEntryId::from_uuid(Uuid::from_u128(2)),
            leaf_hash: Hash([3; 32]),
            subjects: vec![Uuid::from_u128(4), Uuid::from_u128(5)],
        };
        let (mut bytes, mut subjects) = (Vec::new(), Vec::new());
        entry.write(&mut bytes);
        entry.write_subjects(&mut subjects);
        let bytes: [u8; ENTRY_BYTES] = bytes.try_into().unwrap();
        let mut read = QueuedEntry::read(&bytes).unwrap();
        let mut rest = subjects.as_slice();
        read.read_subjects(&mut rest).unwrap();
        assert_eq!((read, rest.len()), (entry, 0));
    }
}
