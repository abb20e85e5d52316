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
use crate::clock::Clock;
use crate::domain::time::Timestamp;

/// Entries kept in memory; older ones go. The file keeps all.
const ENTRIES_MAX: usize = 200_000;

/// A moment on both clocks.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    /// Microseconds since the simulator started, on the clock that nobody sets: what tells the
    /// order of this and other things that were measured on the same machine.
    elapsed_us: u64,
}

/// The request that made a car do something.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cause {
    /// The cloud's name for it.
    #[serde(serialize_with = "text")]
    pub(crate) request_id: Uuid,
    /// The client's own, from `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_request_id: Option<Arc<str>>,
}

/// A command that a car executed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) moment: Moment,
    pub(crate) vehicle_id: Arc<str>,
    /// `action`, and what belongs to it.
    #[serde(flatten)]
    pub(crate) order: Order,
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

impl Moment {
    /// Now.
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        let elapsed_us = u64::try_from(clock.monotonic().as_micros()).unwrap_or(u64::MAX);
        Self { at: clock.now(), elapsed_us }
    }
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
pub(crate) struct Journal {
    file: Option<File>,
    recent: Mutex<Recent>,
}

impl Journal {
    /// Opens the file for appending, if there is to be one.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
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
    pub(crate) fn total(&self) -> u64 {
        self.lock().total
    }

    /// The entries in memory, oldest first; of one car or of all.
    pub(crate) fn entries(&self, vehicle: Option<&str>) -> Vec<Entry> {
        let wanted = |entry: &&Entry| vehicle.is_none_or(|id| *entry.vehicle_id == *id);
        self.lock().entries.iter().filter(wanted).cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
