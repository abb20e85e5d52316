//! Ending a grant. The commit is the line of P2: no authorization on this grant commits after it.
//! What was authorized before may still be on its way; it is listed, and can be waited for (P3).

use super::{find_for, lock};
use crate::domain::access::Operation;
use crate::domain::event::Event;
use crate::domain::grant::{End, EndReason, Grant};
use crate::domain::id::{CommandId, GrantId};
use crate::domain::key_scope::KeyScope;
use crate::domain::return_terms::Judged;
use crate::service::failpoint::{self, Failpoint};
use crate::service::{Base, Caller, Error, PersonalContext, commands};
use crate::storage::{Priority, StorageError, commands as stored_commands, grants};

/// When the end of a grant is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerWhen {
    /// At once, with what is in flight.
    Ended,
    /// When none of the commands that were in flight can still leave.
    Drained,
}

/// A grant that has ended.
#[derive(Debug)]
pub struct EndedGrant {
    /// The grant.
    pub grant: Grant,
    /// Its commands that may still be on their way.
    pub in_flight: Vec<CommandId>,
}

/// How a grant is ended by a person.
#[derive(Debug, Clone, Copy)]
pub enum Ending<'a> {
    /// By the owner, an administrator, or an API client for them.
    Revoke {
        /// Why, in their words.
        note: Option<&'a str>,
        /// Whether the car can still be locked for the grant's grace.
        leave_lock: bool,
    },
    /// By its grantee, or an API client for them.
    Relinquish {
        /// How the car was given back, as far as the grant asks for something.
        judged: &'a [Judged],
    },
}

/// Ends a grant. Ending it twice is ending it once: the second time the answer is the same.
///
/// # Errors
/// [`Error::NotFound`], or a [`crate::service::Denial`].
pub async fn end(
    base: &Base,
    caller: &Caller,
    grant_id: GrantId,
    ending: Ending<'_>,
    wait: AnswerWhen,
) -> Result<EndedGrant, Error> {
    let (operation, end_reason, note, leave_lock) = match ending {
        Ending::Revoke { note, leave_lock } => {
            (Operation::RevokeGrant, EndReason::Revoked, note, leave_lock)
        }
        Ending::Relinquish { .. } => {
            (Operation::RelinquishGrant, EndReason::Relinquished, None, false)
        }
    };
    let mut ended = base
        .transact(operation.as_str(), Priority::Urgent, |work| {
            Box::pin(async move {
                let (before, _, acting_as) =
                    find_for(base, &mut work.tx, caller, operation, grant_id).await?;
                let tx = &mut work.tx;
                let before = lock(tx, before).await?;
                // Once it is locked: the end is later than all that was decided on before it.
                work.now = base.clock.now();
                let in_flight = stored_commands::in_flight(tx, KeyScope::Grant(grant_id)).await?;
                if before.end.is_some() {
                    return Ok(EndedGrant { grant: before, in_flight });
                }
                let end = End { ended_at: work.now, end_reason, leave_lock };
                let ended = grants::end(tx, before.organization_id, grant_id, end, note).await?;
                let grant = ended.ok_or(Error::Storage(StorageError::LostRace))?;
                let event = event(&grant, ending, in_flight.len());
                let context = PersonalContext { note, ..PersonalContext::default() };
                work.record_with(&caller.acting_as(acting_as), event, context)?;
                failpoint::reached(Failpoint::GrantEnded);
                Ok(EndedGrant { grant, in_flight })
            })
        })
        .await?;
    failpoint::reached(Failpoint::GrantEndCommitted);
    if wait == AnswerWhen::Drained && !ended.in_flight.is_empty() {
        ended.in_flight =
            commands::drain(base, KeyScope::Grant(grant_id), &ended.in_flight).await?;
    }
    Ok(ended)
}

fn event(grant: &Grant, ending: Ending<'_>, in_flight: usize) -> Event {
    match ending {
        Ending::Revoke { leave_lock, .. } => revoked(grant, leave_lock, in_flight),
        Ending::Relinquish { judged } => Event::GrantRelinquished {
            grant_id: grant.grant_id,
            vehicle_id: grant.vehicle_id,
            grantee_id: grant.grantee_id,
            grant_revision: grant.revision,
            criteria: judged.iter().map(|judged| (judged.criterion, judged.met)).collect(),
        },
    }
}

/// What the record says of a grant that was revoked.
pub(super) const fn revoked(grant: &Grant, leave_lock: bool, in_flight: usize) -> Event {
    Event::GrantRevoked {
        grant_id: grant.grant_id,
        vehicle_id: grant.vehicle_id,
        grantee_id: grant.grantee_id,
        grant_revision: grant.revision,
        leave_lock,
        in_flight,
    }
}
