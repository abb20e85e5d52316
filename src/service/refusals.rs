//! Refusals that come one after the other: the first few of a minute have an entry each, and those after them
//! one entry together, with their exact number. Somebody who goes on asking with a right that has ended
//! must not fill the record with it.
//!
//! The numbers are kept in memory until their minute is over. They are recorded when the service stops; a process
//! that is killed loses those of its last minute, and opens nothing by it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Base, Caller, Error, Service};
use crate::domain::event::Event;
use crate::domain::id::{GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::principal::PrincipalId;
use crate::domain::time::Timestamp;
use crate::storage::Priority;

/// So many refusals of the same in one minute have an entry each.
pub(crate) const SINGLY_MAX: u32 = 5;
/// How long refusals count together.
const WINDOW: Duration = Duration::from_secs(60);
/// So many windows are kept; what is refused beyond them has an entry of its own.
const WINDOWS_MAX: usize = 20_000;

/// What refusals have in common that count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Refused {
    pub(super) organization_id: OrganizationId,
    pub(super) principal: PrincipalId,
    /// Whose right it was, or would have been.
    pub(super) user_id: UserId,
    pub(super) vehicle_id: VehicleId,
    pub(super) grant_id: Option<GrantId>,
}

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Command,
    Read,
}

/// When something was refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) now: Timestamp,
    /// On the monotonic clock.
    pub(super) elapsed: Duration,
}

impl At {
    /// Now.
    pub(super) fn of(base: &Base) -> Self {
        Self { now: base.clock.now(), elapsed: base.clock.monotonic() }
    }
}

/// The refusals of one minute.
#[derive(Debug, Clone)]
struct Window {
    /// Who asked; the request is not named, because it is one of many.
    caller: Caller,
    /// On the monotonic clock.
    opened: Duration,
    /// How many have an entry of their own.
    recorded: u32,
    commands: u64,
    reads: u64,
    /// The times of the first and the last that have none.
    since: Timestamp,
    until: Timestamp,
}

/// The refusals of the last minute.
#[derive(Debug, Default)]
pub struct Refusals {
    windows: Mutex<HashMap<Refused, Window>>,
}

/// The refusals of one attempt at a transaction, before it is known whether it is kept.
#[derive(Debug)]
pub(super) struct Draft<'r> {
    refusals: &'r Refusals,
    /// On the monotonic clock.
    elapsed: Duration,
    recorded: HashMap<Refused, u32>,
}

impl<'r> Draft<'r> {
    pub(super) fn new(refusals: &'r Refusals, elapsed: Duration) -> Self {
        Self { refusals, elapsed, recorded: HashMap::new() }
    }

    /// Whether a refusal has an entry of its own; if it does, that counts for those after it.
    pub(super) fn is_recorded(&mut self, refused: &Refused) -> bool {
        let here = self.recorded.entry(*refused).or_default();
        let before = self.refusals.recorded(refused, self.elapsed);
        let is_recorded = before.is_none_or(|before| before + *here < SINGLY_MAX);
        *here += u32::from(is_recorded);
        is_recorded
    }
}

impl Refusals {
    fn lock(&self) -> MutexGuard<'_, HashMap<Refused, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many refusals of the present minute have an entry of their own; `None` if there is no room to count
    /// others.
    fn recorded(&self, refused: &Refused, elapsed: Duration) -> Option<u32> {
        let windows = self.lock();
        match windows.get(refused) {
            Some(window) if !window.is_over(elapsed) => Some(window.recorded),
            // What it has counted is still to be recorded.
            Some(window) if window.counted() > 0 => Some(SINGLY_MAX),
            Some(_) => Some(0),
            None if windows.len() >= WINDOWS_MAX => None,
            None => Some(0),
        }
    }

    /// Notes that a refusal is in the record.
    pub(super) fn note_recorded(&self, refused: Refused, caller: &Caller, at: At) {
        let mut windows = self.lock();
        if windows.len() >= WINDOWS_MAX && !windows.contains_key(&refused) {
            return;
        }
        let window = windows.entry(refused).or_insert_with(|| Window::open(caller, at));
        if window.is_over(at.elapsed) && window.counted() == 0 {
            *window = Window::open(caller, at);
        }
        window.recorded = window.recorded.saturating_add(1);
    }

    /// Counts a refusal that has no entry of its own.
    pub(super) fn count(&self, refused: Refused, caller: &Caller, asked: Asked, at: At) {
        let mut windows = self.lock();
        let window = windows.entry(refused).or_insert_with(|| Window::open(caller, at));
        if window.counted() == 0 {
            window.since = at.now;
        }
        window.until = at.now.max(window.since);
        match asked {
            Asked::Command => window.commands += 1,
            Asked::Read => window.reads += 1,
        }
    }

    /// Takes out the minutes that are over, or all; those in which nothing was counted are forgotten.
    fn take(&self, elapsed: Option<Duration>) -> Vec<(Refused, Window)> {
        let over = |_: &Refused, window: &mut Window| elapsed.is_none_or(|now| window.is_over(now));
        let taken = self.lock().extract_if(over).collect::<Vec<_>>();
        taken.into_iter().filter(|(_, window)| window.counted() > 0).collect()
    }

    /// Puts a minute back that could not be recorded.
    fn put_back(&self, refused: Refused, window: Window) {
        let mut windows = self.lock();
        match windows.get_mut(&refused) {
            None => drop(windows.insert(refused, window)),
            Some(newer) => {
                newer.commands += window.commands;
                newer.reads += window.reads;
                newer.since = newer.since.min(window.since);
                newer.until = newer.until.max(window.until);
            }
        }
    }
}

impl Window {
    fn open(caller: &Caller, at: At) -> Self {
        let caller = Caller { actor: caller.actor.clone(), request_id: None };
        let (since, until) = (at.now, at.now);
        Self { caller, opened: at.elapsed, recorded: 0, commands: 0, reads: 0, since, until }
    }

    fn is_over(&self, elapsed: Duration) -> bool {
        elapsed.saturating_sub(self.opened) >= WINDOW
    }

    const fn counted(&self) -> u64 {
        self.commands + self.reads
    }

    fn event(&self, refused: &Refused) -> Event {
        Event::RefusalsCounted {
            vehicle_id: refused.vehicle_id,
            grant_id: refused.grant_id,
            user_id: refused.user_id,
            commands: self.commands,
            reads: self.reads,
            since: self.since,
            until: self.until,
        }
    }
}

/// Records how many refusals there were in the minutes that are over; returns in how many.
///
/// # Errors
/// [`Error::Storage`]; what was not recorded is tried again.
pub async fn record_counted(service: &Service) -> Result<u64, Error> {
    record(
        &service.base,
        service.refusals.take(Some(service.base.clock.monotonic())),
        &service.refusals,
    )
    .await
}

/// The same of the minute that is not over, when the service stops.
///
/// # Errors
/// As [`record_counted`].
pub async fn record_the_rest(service: &Service) -> Result<u64, Error> {
    record(&service.base, service.refusals.take(None), &service.refusals).await
}

async fn record(
    base: &Base,
    taken: Vec<(Refused, Window)>,
    refusals: &Refusals,
) -> Result<u64, Error> {
    let mut count = 0;
    let mut failed = None;
    for (refused, window) in taken {
        if failed.is_some() {
            refusals.put_back(refused, window);
            continue;
        }
        let recorded = base.transact("refusals.record", Priority::Ordinary, |work| {
            let (caller, event) = (&window.caller, window.event(&refused));
            Box::pin(async move { work.record(caller, event) })
        });
        match recorded.await {
            Ok(()) => count += 1,
            // Perhaps it is recorded: a number that may be there twice would not be exact.
            Err(error) if error.is_maybe_durable() => {
                tracing::error!(error = ?error, "whether refusals were recorded could not be found out");
            }
            Err(error) => {
                refusals.put_back(refused, window);
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(count), Err)
}

#[cfg(test)]
#[path = "refusals_test.rs"]
mod tests;
