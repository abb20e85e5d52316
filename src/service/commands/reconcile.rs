//! Settling commands: giving them their last status by checking the car. An acknowledged command
//! becomes confirmed or unconfirmed, an unknown one confirmed, contradicted or unresolved (P5). One check
//! serves all commands of a car that wait for one; a command that a later one followed cannot be judged
//! by the car's present state and is settled without one.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::outcomes;
use crate::domain::cause::{Cause, Unseen};
use crate::domain::command::{Command, CommandStatus, Evidence};
use crate::domain::id::{CommandId, VehicleId};
use crate::domain::reading::{Observable, Reading};
use crate::domain::time::Timestamp;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Base, Error, Service, vehicles};
use crate::storage::commands::{self, Due, Outcome, ToCheck};
use crate::storage::{Priority, decisions};

/// At most so many commands are leased at once.
const BATCH_MAX: i64 = 64;
/// At most so many cars are checked at once: a slow car must not keep the others waiting.
const CHECKS_AT_ONCE_MAX: usize = 16;
/// Nobody else checks the car of a leased command for so long. The process that leased it may be gone, so together
/// with a check it is shorter than a minute, in which every command has its end (P6).
const LEASE: Duration = Duration::from_secs(30);
/// When to check again after the first, second, third check that settled nothing.
const CHECK_AGAIN: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(60)];
/// So long after a command was decided on, the last check is due, for the same reason; with a vehicle cloud that
/// may take longer to answer, later.
const LAST_CHECK: Duration = Duration::from_secs(50);
/// No check is the last before this one: after an outage the first may find everything unprepared.
const CHECKS_MIN: i64 = 2;

/// Checks the cars of commands that are due for it, until none is; returns how many commands there
/// were.
///
/// # Errors
/// [`Error::Storage`].
pub async fn reconcile(service: &Service) -> Result<usize, Error> {
    let mut total = 0;
    loop {
        let due = batch(service).await?;
        total += due;
        if due < BATCH_MAX as usize {
            return Ok(total);
        }
    }
}

async fn batch(service: &Service) -> Result<usize, Error> {
    let Leased { count, to_check, overtaken, written } = lease_due(&service.base).await?;
    if count > 0 {
        failpoint::reached(Failpoint::ReconcileLeased);
    }
    outcomes::notify(service, &overtaken, &written);
    let vehicle_ids: Vec<VehicleId> =
        to_check.iter().map(|check| check.command.vehicle_id).collect();
    let mut reader = service.base.store.read().await?;
    let cars = decisions::vehicles(&mut reader, &vehicle_ids).await?;
    drop(reader);
    let cars: HashMap<VehicleId, _> =
        cars.into_iter().map(|row| (row.facts.vehicle_id, row)).collect();
    let checks = to_check.into_iter().filter_map(|check| {
        let car = cars.get(&check.command.vehicle_id)?;
        Some(check_car(service, car, check))
    });
    let checks = stream::iter(checks.collect::<Vec<_>>()).buffer_unordered(CHECKS_AT_ONCE_MAX);
    checks.try_collect::<()>().await?;
    Ok(count)
}

/// Commands that were due.
struct Leased {
    count: usize,
    /// The newest commands of their cars. Until [`LEASE`] is over this process alone checks them.
    to_check: Vec<ToCheck>,
    /// The outcomes of the others, which a later command followed.
    overtaken: Vec<Outcome>,
    /// The commands whose outcome was written here.
    written: HashSet<CommandId>,
}

/// Leases commands that are due to be checked, and settles those that a later one followed.
async fn lease_due(base: &Base) -> Result<Leased, Error> {
    let leased = base.transact("commands.lease_due", Priority::Ordinary, |work| {
        Box::pin(async move {
            let (tx, now) = (&mut work.tx, work.now);
            let due = commands::due(tx, now, BATCH_MAX).await?;
            let count = due.len();
            let (mut to_check, mut overtaken) = (Vec::new(), Vec::new());
            for Due { check, is_overtaken } in due {
                let unobserved =
                    || settle_unobserved(check.command.clone(), Unseen::Overtaken, now);
                match is_overtaken.then(unobserved).flatten() {
                    Some(outcome) => overtaken.push(outcome),
                    None => to_check.push(check),
                }
            }
            let current = to_check.iter().map(|check| check.command.command_id);
            let leased = commands::lease(tx, current, now, now.plus(LEASE)).await?;
            to_check.retain(|check| leased.contains(&check.command.command_id));
            let (written, entries) = outcomes::write_in(base, tx, &overtaken).await?;
            work.record_entries(entries);
            Ok(Leased { count, to_check, overtaken, written })
        })
    });
    leased.await
}

/// Settles the newest command of a car by readings that its cloud has sent, without a check. What
/// has no age may be older than the command and settles nothing.
///
/// # Errors
/// [`Error::Storage`].
pub(crate) async fn settle_by_readings(
    service: &Service,
    car: &decisions::VehicleRow,
    readings: &[Reading],
) -> Result<(), Error> {
    let mut reader = service.base.store.read().await?;
    let newest = commands::newest_of_vehicles(&mut reader, &[car.facts.vehicle_id]).await?;
    drop(reader);
    let Some(command) = newest.into_iter().next() else { return Ok(()) };
    // A check that is still to come settles what this one does not.
    let check = ToCheck { command, checks: 0 };
    let now = service.base.clock.now();
    let judged = readings
        .iter()
        .filter(|seen| seen.reported_at.is_some())
        .find_map(|seen| judge(&check, true, Some(seen), now));
    let Some(outcome) = judged else { return Ok(()) };
    write(service, outcome).await
}

/// Checks a car to settle its newest command.
async fn check_car(
    service: &Service,
    car: &decisions::VehicleRow,
    check: ToCheck,
) -> Result<(), Error> {
    let observable = observable(car, &check.command);
    let seen = match observable {
        Some(observable) => {
            let spender = check.command.grant_id.into();
            vehicles::observe(service, car, spender, observable).await
        }
        None => None,
    };
    failpoint::reached(Failpoint::ReconcileSeen);
    match judge(&check, observable.is_some(), seen.as_ref(), service.base.clock.now()) {
        Some(outcome) => write(service, outcome).await,
        None => put_off(&service.base, &check).await,
    }
}

/// Writes what a command was settled as, and notifies those who wait for it.
async fn write(service: &Service, outcome: Outcome) -> Result<(), Error> {
    let outcomes = [outcome];
    let written = outcomes::write(&service.base, &outcomes).await?;
    outcomes::notify(service, &outcomes, &written);
    Ok(())
}

/// What to read of the car; `None` if no reading shows the effect of the command, or the owner does not
/// permit that one.
fn observable(car: &decisions::VehicleRow, command: &Command) -> Option<Observable> {
    let observable = command.action().observable()?;
    let permission = observable.entitlement().permission();
    car.facts.permissions.contains(permission).then_some(observable)
}

/// What the command is settled as after a check, or `None` to check again later. A state that is older than the
/// command says nothing about it; one from while the car may still have been obeying says nothing against it.
fn judge(
    check: &ToCheck,
    observable: bool,
    seen: Option<&Reading>,
    now: Timestamp,
) -> Option<Outcome> {
    let command = &check.command;
    if !observable {
        return settle_unobserved(command.clone(), Unseen::NotObservable, now);
    }
    let last_check = is_last(check, now);
    let fresh = seen.filter(|seen| seen.reported_at.is_none_or(|at| at >= command.created_at));
    let judged = fresh.and_then(|seen| {
        let agrees = command.instruction.agrees_with(&seen.observation)?;
        Some((seen, agrees))
    });
    if let Some((seen, agrees)) = judged {
        // What has no age may be as old: only the last check contradicts by it.
        let is_after = seen.reported_at.map_or(last_check, |at| at >= command.abandon_at);
        let convinces = agrees || is_after;
        if let Some(status) = command.status.settled_by_observation(agrees).filter(|_| convinces) {
            let mut settled = command.clone();
            settled.status = status;
            settled.evidence = Evidence::StateObserved;
            settled.observed_at = seen.reported_at.or(Some(now));
            settled.changed_at = command.next_moment(now);
            return Some(Outcome { from: command.status, command: settled, check_at: None });
        }
    }
    if last_check { settle_unobserved(command.clone(), Unseen::NotInTime, now) } else { None }
}

/// Settles a command without having seen its car in the state asked for.
fn settle_unobserved(mut command: Command, why: Unseen, now: Timestamp) -> Option<Outcome> {
    let from: CommandStatus = command.status;
    command.status = from.settled_unobserved()?;
    command.causes.push(Cause::Unseen(why));
    command.changed_at = command.next_moment(now);
    Some(Outcome { from, command, check_at: None })
}

/// When the last check is due: not before the car can no longer be obeying.
fn last_due(command: &Command) -> Timestamp {
    command.created_at.plus(LAST_CHECK).max(command.abandon_at)
}

fn is_last(check: &ToCheck, now: Timestamp) -> bool {
    let has_checked = usize::try_from(check.checks).is_ok_and(|checks| checks > CHECK_AGAIN.len());
    let is_due = now >= last_due(&check.command);
    has_checked || (is_due && check.checks >= CHECKS_MIN)
}

/// When to check again after a check that settled nothing.
fn next_check(check: &ToCheck, now: Timestamp) -> Timestamp {
    let place = usize::try_from(check.checks).unwrap_or(0).saturating_sub(1);
    let next = now.plus(CHECK_AGAIN.get(place).copied().unwrap_or(LEASE));
    let last = last_due(&check.command);
    if last > now { next.min(last) } else { next }
}

async fn put_off(base: &Base, check: &ToCheck) -> Result<(), Error> {
    let command_id = check.command.command_id;
    let put_off = base.transact("commands.check_again", Priority::Ordinary, |work| {
        Box::pin(async move {
            let at = next_check(check, work.now);
            Ok(commands::check_again(&mut work.tx, command_id, at).await?)
        })
    });
    put_off.await
}

#[cfg(test)]
#[path = "reconcile_test.rs"]
mod tests;
