//! The rows of a rehearsed database, its open transactions and who holds which lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use super::meaning::{Mode, Seen};
use super::row::{RehearsalRow, Table};
use super::{Value, Written};

#[derive(Debug)]
struct Lock {
    mode: Mode,
    holders: BTreeSet<u64>,
}

/// What can be held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The right to write at all.
    Writer,
    Row(Table, Uuid),
    /// The right to insert a row with these values in a set of unique columns.
    Unique(Table, usize, String),
}

impl Key {
    pub(super) fn unique(table: Table, place: usize, row: &RehearsalRow, of: &[&str]) -> Self {
        Self::Unique(table, place, format!("{:?}", values(row, of)))
    }
}

fn values<'r>(row: &'r RehearsalRow, of: &[&str]) -> Vec<&'r Value> {
    of.iter().map(|column| row.value(column)).collect()
}

/// Whether a lock could be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claimed {
    Held,
    ByAnother,
    WouldWaitForItself,
}

#[derive(Debug)]
struct Open {
    process: u64,
    active_at: Instant,
    writes: BTreeMap<(Table, Uuid), Arc<RehearsalRow>>,
    is_committing: bool,
    waits_for: Vec<u64>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    committed: BTreeMap<(Table, Uuid), Arc<RehearsalRow>>,
    open: BTreeMap<u64, Open>,
    locks: BTreeMap<Key, Lock>,
    begun: u64,
}

impl State {
    pub(super) fn put(&mut self, table: Table, row: Arc<RehearsalRow>) {
        self.committed.insert((table, row.key()), row);
    }

    pub(super) fn begin(&mut self, process: u64, now: Instant) -> u64 {
        self.begun += 1;
        let writes = BTreeMap::new();
        let waits_for = Vec::new();
        let open = Open { process, active_at: now, writes, is_committing: false, waits_for };
        self.open.insert(self.begun, open);
        self.begun
    }

    /// When the transaction last did something; `None` if it has ended.
    pub(super) fn idle_since(&self, number: u64) -> Option<Instant> {
        self.open.get(&number).map(|open| open.active_at)
    }

    pub(super) fn is_active(&mut self, number: u64, now: Instant) {
        if let Some(open) = self.open.get_mut(&number) {
            open.active_at = now;
        }
    }

    pub(super) fn holders(&self, key: &Key) -> Vec<u64> {
        let holders = self.locks.get(key).map(|lock| lock.holders.iter().copied().collect());
        holders.unwrap_or_default()
    }

    pub(super) fn open_of(&self, process: u64) -> Vec<u64> {
        let of = |(&number, open): (&u64, &Open)| (open.process == process).then_some(number);
        self.open.iter().filter_map(of).collect()
    }

    /// Whether the transaction is being committed; `None` if it has ended.
    pub(super) fn is_committing(&self, number: u64) -> Option<bool> {
        self.open.get(&number).map(|open| open.is_committing)
    }

    pub(super) fn set_committing(&mut self, number: u64) {
        if let Some(open) = self.open.get_mut(&number) {
            open.is_committing = true;
        }
    }

    pub(super) fn seen(&self, number: Option<u64>) -> Seen<'_> {
        let own = number.and_then(|number| self.open.get(&number)).map(|open| &open.writes);
        Seen { committed: &self.committed, own }
    }

    pub(super) fn write(&mut self, number: u64, table: Table, row: Arc<RehearsalRow>) {
        if let Some(open) = self.open.get_mut(&number) {
            open.writes.insert((table, row.key()), row);
        }
    }

    /// Whether a row with the same unique values is there.
    pub(super) fn is_taken(
        &self,
        number: u64,
        table: Table,
        unique: &[&[&str]],
        row: &RehearsalRow,
    ) -> bool {
        let rows = self.seen(Some(number)).rows(table);
        rows.iter().any(|other| unique.iter().any(|of| values(other, of) == values(row, of)))
    }

    /// Makes a transaction durable; `None` if it has ended.
    pub(super) fn commit(&mut self, number: u64) -> Option<Vec<Written>> {
        let open = self.open.remove(&number)?;
        self.release(number);
        let written = open.writes.iter().map(|((table, _), row)| (*table, Arc::clone(row)));
        let written = written.collect();
        self.committed.extend(open.writes);
        Some(written)
    }

    pub(super) fn roll_back(&mut self, number: u64) {
        self.open.remove(&number);
        self.release(number);
    }

    fn release(&mut self, number: u64) {
        self.locks.retain(|_, lock| {
            lock.holders.remove(&number);
            !lock.holders.is_empty()
        });
    }

    pub(super) fn claim(&mut self, number: u64, key: &Key, mode: Mode) -> Claimed {
        let free = || Lock { mode, holders: BTreeSet::new() };
        let lock = self.locks.entry(key.clone()).or_insert_with(free);
        let others: Vec<u64> =
            lock.holders.iter().copied().filter(|holder| *holder != number).collect();
        if others.is_empty() || (mode == Mode::Shared && lock.mode == Mode::Shared) {
            if mode == Mode::Alone {
                lock.mode = mode;
            }
            lock.holders.insert(number);
            return Claimed::Held;
        }
        let (mut next, mut looked_at) = (others.clone(), BTreeSet::new());
        while let Some(waited_for) = next.pop() {
            if waited_for == number {
                return Claimed::WouldWaitForItself;
            }
            if let Some(open) = self.open.get(&waited_for).filter(|_| looked_at.insert(waited_for))
            {
                next.extend(&open.waits_for);
            }
        }
        if let Some(open) = self.open.get_mut(&number) {
            open.waits_for = others;
        }
        Claimed::ByAnother
    }

    pub(super) fn waits_no_longer(&mut self, number: u64) {
        if let Some(open) = self.open.get_mut(&number) {
            open.waits_for.clear();
        }
    }
}
