//! Ending a grant. The commit is the line of P2: no authorization on this grant commits after it.
//! What was authorized before may still be on its way; it is listed, and can be waited for (P3).

use std::time::Duration;

use super::{Relation, find_with_vehicle, relation};
use crate::domain::actor::Scope;
use crate::domain::event::Event;
use crate::domain::grant::{End, EndReason, Grant};
use crate::domain::id::{CommandId, GrantId};
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Caller, Denial, Error, PersonalContext, Service, commands};
use crate::storage::{Executor, commands as stored_commands, grants, repeat_until_known};

/// Longer than any command can stay in flight: its time to leave, the vehicle cloud's time to
/// answer, and the recovery's period.
const DRAIN_MAX: Duration = Duration::from_secs(50);

/// Whether to answer at once or when nothing is in flight any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// At once, with what is in flight.
    Not,
    /// When none of the grant's commands can still leave.
    Drain,
}

/// A grant that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The grant.
    pub grant: Grant,
    /// Its commands that may still be on their way.
    pub in_flight: Vec<CommandId>,
}

/// Ends a grant for the owner, an administrator, or a machine for them. Ending it twice is ending
/// it once: the second time the answer is the same.
///
/// # Errors
/// [`Error::NotFound`], [`Denial::NotTheOwner`], [`Denial::ScopeMissing`].
pub async fn revoke(
    service: &Service,
    caller: &Caller,
    grant_id: GrantId,
    note: Option<&str>,
    wait: Wait,
) -> Result<Ended, Error> {
    let ended =
        repeat_until_known(|| end_once(service, caller, grant_id, EndReason::Revoked, note));
    let ended = ended.await?;
    drained(service, ended, wait).await
}

/// Gives a grant back: for its grantee, or a machine for them.
///
/// # Errors
/// [`Error::NotFound`], [`Denial::NotTheGrantee`], [`Denial::ScopeMissing`].
pub async fn relinquish(
    service: &Service,
    caller: &Caller,
    grant_id: GrantId,
    wait: Wait,
) -> Result<Ended, Error> {
    let ended =
        repeat_until_known(|| end_once(service, caller, grant_id, EndReason::Relinquished, None));
    let ended = ended.await?;
    drained(service, ended, wait).await
}

async fn end_once(
    service: &Service,
    caller: &Caller,
    grant_id: GrantId,
    end_reason: EndReason,
    note: Option<&str>,
) -> Result<Ended, Error> {
    let now = service.clock.now();
    let mut tx = service.store.begin_urgent().await?;
    let ender = may_end(&mut tx, caller, grant_id, end_reason).await?;
    let organization_id = caller.actor.organization_id;
    let end = End { ended_at: now, end_reason };
    let ended = grants::end(&mut tx, organization_id, grant_id, end, note).await?;
    let in_flight = stored_commands::in_flight(&mut tx, grant_id).await?;
    let Some(grant) = ended else {
        let grant = grants::find(&mut tx, organization_id, grant_id).await?;
        return Ok(Ended { grant: grant.ok_or(Error::NotFound)?, in_flight });
    };
    let event = event(&grant, end_reason, in_flight.len());
    let known = PersonalContext { note, ..PersonalContext::default() };
    service.record_with(&mut tx, &ender, now, event, known).await?;
    failpoint::reached(Failpoint::GrantEnded);
    tx.commit().await?;
    failpoint::reached(Failpoint::GrantEndCommitted);
    Ok(Ended { grant, in_flight })
}

fn event(grant: &Grant, end_reason: EndReason, in_flight: usize) -> Event {
    let (grant_id, vehicle_id, grantee_id) = (grant.grant_id, grant.vehicle_id, grant.grantee_id);
    let grant_revision = grant.revision;
    match end_reason {
        EndReason::Relinquished => {
            Event::GrantRelinquished { grant_id, vehicle_id, grantee_id, grant_revision }
        }
        _ => Event::GrantRevoked { grant_id, vehicle_id, grantee_id, grant_revision, in_flight },
    }
}

/// Whether the caller may end the grant in this way, and the caller as the record names them.
async fn may_end(
    on: &mut impl Executor,
    caller: &Caller,
    grant_id: GrantId,
    end_reason: EndReason,
) -> Result<Caller, Error> {
    let (grant, vehicle) = find_with_vehicle(on, caller, grant_id).await?;
    let by_grantee = end_reason == EndReason::Relinquished;
    let person = if by_grantee { grant.grantee_id } else { vehicle.owner_id };
    if caller.actor.is_api_client() {
        if !caller.actor.has_scope(Scope::GrantsWrite) {
            return Err(Error::Forbidden(Denial::ScopeMissing(Scope::GrantsWrite.as_str())));
        }
        if caller.actor.user_id().is_none_or(|user_id| user_id == person) {
            return Ok(caller.acting_for(person));
        }
    }
    match (relation(caller, &grant, &vehicle), by_grantee) {
        (Relation::Owner | Relation::Administrator, false) | (Relation::Grantee, true) => {
            Ok(caller.clone())
        }
        (Relation::Stranger, _) => Err(Error::NotFound),
        (Relation::Grantee, false) => Err(Error::Forbidden(Denial::NotTheOwner)),
        (Relation::Owner | Relation::Administrator, true) => {
            // An administrator who is also the grantee is a `Grantee` above.
            Err(Error::Forbidden(Denial::NotTheGrantee))
        }
    }
}

async fn drained(service: &Service, mut ended: Ended, wait: Wait) -> Result<Ended, Error> {
    if wait == Wait::Drain && !ended.in_flight.is_empty() {
        let grant_id = ended.grant.grant_id;
        ended.in_flight = commands::drain(service, grant_id, DRAIN_MAX).await?;
    }
    Ok(ended)
}
