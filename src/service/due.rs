//! What the clock brings about and nobody asks for, recorded once: a grant is near its end, it is over, its guest left the car
//! unlocked, a hold ran out. Rights do not wait for it: they end by the clock of whoever decides.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Base, Caller, Error, Work};
use crate::domain::actor::Actor;
use crate::domain::command::Command;
use crate::domain::event::{Event, GrantDue, HoldEnd, Subjects};
use crate::domain::grant::Grant;
use crate::domain::hold::Hold;
use crate::domain::id::{OrganizationId, VehicleId};
use crate::domain::instruction::Action;
use crate::domain::key_scope::KeyScope;
use crate::storage::{Priority, commands, due, grants, vehicles};

/// So long before its end a grant is near it.
const NEAR: Duration = Duration::from_secs(15 * 60);
/// What was over so long ago is over by every clock that is trusted: each may be two seconds from the server's.
const CLOCKS_MAY_DIFFER: Duration = Duration::from_secs(4);
/// So many of a kind are recorded in one transaction, and so many times in a run: many bookings end at the full hour.
const TAKEN_MAX: i64 = 64;
const ROUNDS_MAX: usize = 64;

/// Records what is due. Returns how many things that were; nothing while the clock is not trusted.
///
/// # Errors
/// [`Error::Storage`].
pub async fn record_due(base: &Base) -> Result<u64, Error> {
    if base.require_trusted_clock().is_err() {
        return Ok(0);
    }
    let mut count = 0;
    for _ in 0..ROUNDS_MAX {
        let recorded = record_some(base).await?;
        count += recorded;
        if recorded == 0 {
            break;
        }
    }
    Ok(count)
}

/// Records the next of each kind. One transaction for each: it locks its grants in the order in which everybody does.
async fn record_some(base: &Base) -> Result<u64, Error> {
    let ending = base.transact("due.ending", Priority::Ordinary, |work| Box::pin(ending(work)));
    let mut count = ending.await?;
    let expired =
        base.transact("due.expired", Priority::Ordinary, |work| Box::pin(grants_expired(work)));
    count += expired.await?;
    let left = base.transact("due.left", Priority::Ordinary, |work| Box::pin(grants_left(work)));
    count += left.await?;
    let holds = base.transact("due.holds", Priority::Ordinary, |work| Box::pin(holds_over(work)));
    Ok(count + holds.await?)
}

fn system(organization_id: OrganizationId) -> Caller {
    Caller { actor: Actor::system(organization_id), request_id: None }
}

const fn of_grant(grant: &Grant, due: GrantDue) -> Event {
    let Grant { grant_id, vehicle_id, grantee_id, revision: grant_revision, .. } = *grant;
    Event::GrantDue { grant_id, vehicle_id, grantee_id, grant_revision, due }
}

async fn ending(work: &mut Work<'_>) -> Result<u64, Error> {
    let soon = work.now.plus(NEAR);
    let ending = due::take_ending(&mut work.tx, work.now, soon, TAKEN_MAX).await?;
    for grant in &ending.readable {
        let not_after = grant.validity.not_after();
        let event = of_grant(grant, GrantDue::Ending { not_after });
        work.record(&system(grant.organization_id), event)?;
    }
    Ok(ending.count)
}

async fn grants_expired(work: &mut Work<'_>) -> Result<u64, Error> {
    let over = work.now.minus(CLOCKS_MAY_DIFFER);
    let expired = due::take_over(&mut work.tx, over, TAKEN_MAX).await?;
    for grant in &expired.readable {
        let event = of_grant(grant, GrantDue::Expired { lock_until: grant.lock_until() });
        work.record(&system(grant.organization_id), event)?;
    }
    left_unlocked(work, &expired.readable).await?;
    Ok(expired.count)
}

async fn grants_left(work: &mut Work<'_>) -> Result<u64, Error> {
    let over = work.now.minus(CLOCKS_MAY_DIFFER);
    let left = due::take_left(&mut work.tx, over, TAKEN_MAX).await?;
    left_unlocked(work, &left.readable).await?;
    Ok(left.count)
}

/// Records of which grants that are over the car was not locked since it was unlocked with them, as far as commands tell.
async fn left_unlocked(work: &mut Work<'_>, grants: &[Grant]) -> Result<(), Error> {
    let cars: BTreeSet<VehicleId> = grants.iter().map(|grant| grant.vehicle_id).collect();
    let cars: Vec<VehicleId> = cars.into_iter().collect();
    let newest = commands::newest_at_doors(&mut work.tx, &cars).await?;
    for grant in grants {
        let grant_id = grant.grant_id;
        let is_its_unlock = |command: &&Command| {
            command.action() == Action::Unlock && command.grant_id == Some(grant_id)
        };
        let unlock = newest.iter().find(is_its_unlock).map(|command| command.command_id);
        if let Some((command_id, lock_until)) = unlock.zip(grant.lock_until()) {
            let event = of_grant(grant, GrantDue::LeftUnlocked { command_id, lock_until });
            work.record(&system(grant.organization_id), event)?;
        }
    }
    Ok(())
}

async fn holds_over(work: &mut Work<'_>) -> Result<u64, Error> {
    let over = work.now.minus(CLOCKS_MAY_DIFFER);
    let run_out = due::take_run_out(&mut work.tx, over, TAKEN_MAX).await?;
    for hold in &run_out.readable {
        let about = about(work, hold).await?;
        let (hold_id, rank) = (hold.standing.hold_id, hold.standing.rank);
        let (scope, how) = (hold.scope, HoldEnd::Expired);
        let event = Event::HoldEnded { hold_id, scope, about, rank, how };
        work.record(&system(hold.organization_id), event)?;
    }
    Ok(run_out.count)
}

/// What the record says that a hold is about, as it did when it was placed.
async fn about(work: &mut Work<'_>, hold: &Hold) -> Result<Subjects, Error> {
    let (tx, organization_id) = (&mut work.tx, hold.organization_id);
    Ok(match hold.scope {
        KeyScope::Organization(_) => Subjects::NONE,
        KeyScope::User(user_id) => Subjects::of_user(user_id),
        KeyScope::Vehicle(vehicle_id) => {
            let vehicle = vehicles::find(tx, organization_id, vehicle_id).await?;
            vehicle.map_or(Subjects::NONE, |vehicle| {
                Subjects::of_vehicle(vehicle_id, None, vehicle.owner_id)
            })
        }
        KeyScope::Grant(grant_id) => {
            let grant = grants::find(tx, organization_id, grant_id).await?;
            grant.map_or(Subjects::NONE, |grant| {
                Subjects::of_grant(grant_id, grant.vehicle_id, grant.grantee_id)
            })
        }
    })
}
