//! What the clock brings about and nobody asks for, recorded once: a grant is near its end, it is over, its guest left the car
//! unlocked, a hold ran out. Rights do not wait for it: they end by the clock of whoever decides.

use std::time::Duration;

use super::{Base, Caller, Error, Work};
use crate::domain::actor::Actor;
use crate::domain::event::{Event, GrantDue, HoldEnd, Subjects};
use crate::domain::grant::Grant;
use crate::domain::hold::Hold;
use crate::domain::id::OrganizationId;
use crate::domain::instruction::Action;
use crate::domain::key_scope::KeyScope;
use crate::domain::time::Timestamp;
use crate::storage::{Priority, commands, due, grants, vehicles};

/// So long before its end a grant is near it.
const NEAR: Duration = Duration::from_secs(15 * 60);
/// What was over so long ago is over by every clock that is trusted.
const CLOCKS_MAY_DIFFER: Duration = Duration::from_secs(2);
/// So many of a kind are recorded in one transaction.
const TAKEN_MAX: i64 = 64;

/// Records what is due. Returns how many things that were; nothing while the clock is not trusted.
///
/// # Errors
/// [`Error::Storage`].
pub async fn record_due(base: &Base) -> Result<u64, Error> {
    if base.require_trusted_clock().is_err() {
        return Ok(0);
    }
    let recorded = base.transact("due.record", Priority::Ordinary, |work| {
        Box::pin(async move {
            let over = work.now.minus(CLOCKS_MAY_DIFFER);
            Ok(ending(work).await?
                + grants_over(work, over).await?
                + holds_over(work, over).await?)
        })
    });
    recorded.await
}

fn system(organization_id: OrganizationId) -> Caller {
    Caller { actor: Actor::system(organization_id), request_id: None }
}

async fn ending(work: &mut Work<'_>) -> Result<u64, Error> {
    let soon = work.now.plus(NEAR);
    let ending = due::take_ending(&mut work.tx, work.now, soon, TAKEN_MAX).await?;
    for grant in &ending {
        let Grant { grant_id, vehicle_id, grantee_id, .. } = *grant;
        let not_after = grant.validity.not_after();
        let due = GrantDue::Ending { not_after };
        let event = Event::GrantDue { grant_id, vehicle_id, grantee_id, due };
        work.record(&system(grant.organization_id), event)?;
    }
    Ok(ending.len() as u64)
}

async fn grants_over(work: &mut Work<'_>, over: Timestamp) -> Result<u64, Error> {
    let expired = due::take_over(&mut work.tx, over, TAKEN_MAX).await?;
    for grant in &expired {
        let Grant { grant_id, vehicle_id, grantee_id, .. } = *grant;
        let lock_until = grant.lock_until();
        let due = GrantDue::Expired { lock_until };
        let event = Event::GrantDue { grant_id, vehicle_id, grantee_id, due };
        work.record(&system(grant.organization_id), event)?;
    }
    let left = due::take_left(&mut work.tx, over, TAKEN_MAX).await?;
    for grant in expired.iter().chain(&left) {
        left_unlocked(work, grant).await?;
    }
    Ok((expired.len() + left.len()) as u64)
}

/// Records that the car of a grant that is over was not locked since it was unlocked with it, as far as commands tell.
async fn left_unlocked(work: &mut Work<'_>, grant: &Grant) -> Result<(), Error> {
    let Some(lock_until) = grant.lock_until() else { return Ok(()) };
    let newest = commands::newest_at_doors(&mut work.tx, grant.vehicle_id).await?;
    let unlock = newest.filter(|command| command.action() == Action::Unlock);
    if let Some(unlock) = unlock.filter(|unlock| unlock.grant_id == Some(grant.grant_id)) {
        let Grant { grant_id, vehicle_id, grantee_id, .. } = *grant;
        let command_id = unlock.command_id;
        let due = GrantDue::LeftUnlocked { command_id, lock_until };
        let event = Event::GrantDue { grant_id, vehicle_id, grantee_id, due };
        work.record(&system(grant.organization_id), event)?;
    }
    Ok(())
}

async fn holds_over(work: &mut Work<'_>, over: Timestamp) -> Result<u64, Error> {
    let run_out = due::take_run_out(&mut work.tx, over, TAKEN_MAX).await?;
    for hold in &run_out {
        let about = about(work, hold).await?;
        let (hold_id, rank) = (hold.standing.hold_id, hold.standing.rank);
        let (scope, how) = (hold.scope, HoldEnd::Expired);
        let event = Event::HoldEnded { hold_id, scope, about, rank, how };
        work.record(&system(hold.organization_id), event)?;
    }
    Ok(run_out.len() as u64)
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
