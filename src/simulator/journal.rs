//! The truth about what cars did: one entry for each command that was really executed, in memory
//! and, if asked for, in a file. Tests hold Keylend's record against it. It does not know what a
//! client was told.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::orders::Order;
use crate::domain::time::Timestamp;

/// Entries kept in memory; older ones go. The file keeps all.
const ENTRIES_MAX: usize = 200_000;

/// A command that a car executed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) vehicle_id: Arc<str>,
    /// `action`, and what belongs to it.
    #[serde(flatten)]
    pub(super) order: Order,
    #[serde(serialize_with = "text")]
    pub(super) request_id: Uuid,
}

fn text<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// Entries of this run.
#[derive(Debug, Default)]
struct Recent {
    total: u64,
    entries: VecDeque<Entry>,
}

/// The journal of all cars.
#[derive(Debug)]
pub(super) struct Journal {
    file: Option<File>,
    recent: Mutex<Recent>,
}

impl Journal {
    /// Opens the file for appending, if there is to be one.
    pub(super) fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path| OpenOptions::new().append(true).create(true).open(path);
        Ok(Self { file: path.map(open).transpose()?, recent: Mutex::default() })
    }

    /// Writes an entry: one line with one call, so that lines of several processes never mix.
    pub(super) fn append(&self, entry: Entry) -> io::Result<()> {
        if let Some(mut file) = self.file.as_ref() {
            let mut line = serde_json::to_vec(&entry)?;
            line.push(b'\n');
            file.write_all(&line)?;
        }
        let mut recent = self.lock();
        recent.total += 1;
        recent.entries.push_back(entry);
        if recent.entries.len() > ENTRIES_MAX {
            recent.entries.pop_front();
        }
        Ok(())
    }

    /// How many commands were executed in this run, also those that are no longer in memory.
    pub(super) fn total(&self) -> u64 {
        self.lock().total
    }

    /// The entries in memory, oldest first; of one car or of all.
    pub(super) fn entries(&self, vehicle: Option<&str>) -> Vec<Entry> {
        let wanted = |entry: &&Entry| vehicle.is_none_or(|id| *entry.vehicle_id == *id);
        self.lock().entries.iter().filter(wanted).cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
