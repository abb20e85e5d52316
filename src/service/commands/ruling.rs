//! Ruling on one request: the policy's decision as a command, or that there is nothing to decide, because
//! it was decided before, reuses a key or names nothing that is there. And what the record says of it.

use std::sync::Arc;
use std::time::Duration;

use super::batch_state::BatchState;
use super::request::Pending;
use crate::domain::cause::Cause;
use crate::domain::command::{Command, CommandStatus, Evidence, SEND_TIME};
use crate::domain::event::Event;
use crate::domain::instruction::Action;
use crate::domain::policy::{Basis, Decision, Reason};
use crate::domain::row_facts::RestsOn;
use crate::domain::time::Timestamp;
use crate::service::budget::Budget;
use crate::service::refusals::Draft;
use crate::service::{Base, CredentialFault, Error};
use crate::storage::decisions::VehicleRow;

/// After the time to leave and the cloud's time to answer, this much passes before anybody else
/// may think that a command's sender is gone.
const ANSWER_MARGIN: Duration = Duration::from_secs(5);

/// A request that has waited longer is not decided: the person may have left the car by then. A lock is
/// decided however long it waited.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// When a batch is ruled on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    /// On the monotonic clock.
    pub(super) elapsed: Duration,
    /// By when what is allowed must leave, on the monotonic clock.
    pub(super) deadline: Duration,
}

/// What bounds what is sent and what is recorded.
#[derive(Debug)]
pub(super) struct Limits<'a> {
    pub(super) budget: &'a Budget,
    pub(super) refusals: Draft<'a>,
}

/// A command that may leave, once.
#[derive(Debug)]
pub(super) struct SendOrder {
    pub(super) command: Command,
    pub(super) vehicle: Arc<VehicleRow>,
    pub(super) rests_on: Option<RestsOn>,
    /// By when it must leave, on the monotonic clock.
    pub(super) deadline: Duration,
}

/// A command that may not leave.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) command: Command,
    pub(super) rests_on: Option<RestsOn>,
}

/// What was ruled on one request.
#[derive(Debug)]
pub(super) enum Ruling {
    Send(Box<SendOrder>),
    Refused(Box<Refusal>),
    /// It is refused, and counted without a command, a key or an entry of its own.
    RefusedAgain(Vec<Reason>),
    Replayed(Box<Command>),
    KeyReused,
    /// The grant token that was shown does not count: nothing is decided.
    TokenRefused(CredentialFault),
    WaitedTooLong,
    /// It is allowed, and could not be sent before so much time has passed.
    OverBudget(Duration),
    NotFound,
}

/// Rules on a request by the state as the batch has read and changed it.
pub(super) fn rule(
    base: &Base,
    limits: &mut Limits<'_>,
    state: &mut BatchState,
    pending: &Pending,
    at: Moment,
) -> Result<Ruling, Error> {
    let request = &pending.request;
    // Before the idempotency key: a copied request that is sent again does not get the stored answer.
    if let Some(fault) = request.token.as_ref().and_then(|shown| state.tokens.fault(shown)) {
        return Ok(Ruling::TokenRefused(fault));
    }
    let key = (request.caller.principal_id(), request.idempotency_key.clone());
    if let Some((hash, command)) = state.replay(&key) {
        let same = *hash == pending.request_hash;
        return Ok(if same {
            Ruling::Replayed(Box::new(command.clone()))
        } else {
            Ruling::KeyReused
        });
    }
    let (action, waited) =
        (request.instruction.action(), at.elapsed.saturating_sub(pending.asked_at));
    if waited_too_long(action, waited) {
        return Ok(Ruling::WaitedTooLong);
    }
    let organization_id = request.caller.actor.organization_id;
    let Some(facts) = state.facts.of(organization_id, request.named()) else {
        return Ok(Ruling::NotFound);
    };
    let question = request.question();
    let decision = facts.decide(&question, at.now);
    let token_id = request.token.map(|shown| shown.token_id);
    let rests_on = facts.rests_on(&question).map(|facts| facts.by_token(token_id));
    let vehicle = Arc::clone(facts.vehicle);
    let command = new_command(base, pending, at.now)?;
    match decision {
        Decision::Allow(_) => {
            let (spender, purpose) = (request.grant_id.into(), action.into());
            let count = state.count_with_next(request.named());
            let wait = limits.budget.wait(request.vehicle_id, spender, count, purpose, at.elapsed);
            if let Some(wait) = wait {
                return Ok(Ruling::OverBudget(wait));
            }
            state.note_allowed(request.named());
            let order =
                SendOrder { command: command.clone(), vehicle, rests_on, deadline: at.deadline };
            if let Some(grant_id) = request.grant_id.filter(|_| question.spends_use) {
                state.facts.spend(grant_id);
            }
            if action == Action::Unlock {
                state.facts.note_unlock(request.vehicle_id, request.user_id);
            }
            state.remember(key, pending.request_hash, command);
            Ok(Ruling::Send(Box::new(order)))
        }
        Decision::Deny(reasons) => {
            if !limits.refusals.is_recorded(&request.refused()) {
                return Ok(Ruling::RefusedAgain(reasons));
            }
            let refused = refuse(command, reasons);
            state.remember(key, pending.request_hash, refused.clone());
            Ok(Ruling::Refused(Box::new(Refusal { command: refused, rests_on })))
        }
    }
}

fn waited_too_long(action: Action, waited: Duration) -> bool {
    action != Action::Lock && waited > WAIT_MAX
}

/// How long after its decision somebody can still be waiting for the cloud's answer to a command.
pub(super) const fn in_flight_max(connector_timeout: Duration) -> Duration {
    SEND_TIME.saturating_add(connector_timeout).saturating_add(ANSWER_MARGIN)
}

/// A command as it begins, before it is known whether it is allowed.
fn new_command(base: &Base, pending: &Pending, now: Timestamp) -> Result<Command, Error> {
    let request = &pending.request;
    let send_by = now.plus(SEND_TIME);
    Ok(Command {
        command_id: base.entropy.id(now)?,
        organization_id: request.caller.actor.organization_id,
        vehicle_id: request.vehicle_id,
        grant_id: request.grant_id,
        user_id: request.user_id,
        instruction: request.instruction,
        status: CommandStatus::Sending,
        evidence: Evidence::None,
        observed_at: None,
        causes: Vec::new(),
        user_message: None,
        retry_after_ms: None,
        created_at: now,
        send_by,
        abandon_at: now.plus(in_flight_max(base.settings.connector_timeout)),
        instance_id: base.settings.instance_id,
        changed_at: now,
    })
}

fn refuse(mut command: Command, reasons: Vec<Reason>) -> Command {
    command.status = CommandStatus::Refused;
    command.causes = vec![Cause::Refused(reasons)];
    command
}

/// What the record says of a command that may leave.
pub(super) fn authorized(order: &SendOrder) -> Event {
    let command = &order.command;
    Event::CommandAuthorized {
        command_id: command.command_id,
        vehicle_id: command.vehicle_id,
        user_id: command.user_id,
        action: command.action(),
        basis: command.grant_id.map_or(Basis::Ownership, Basis::Grant),
        rests_on: order.rests_on,
    }
}

/// What the record says of a command that was refused.
pub(super) fn refused(Refusal { command, rests_on }: &Refusal) -> Event {
    Event::CommandRefused {
        command_id: command.command_id,
        vehicle_id: command.vehicle_id,
        grant_id: command.grant_id,
        user_id: command.user_id,
        action: command.action(),
        reasons: command.refusal().unwrap_or_default().to_vec(),
        rests_on: *rests_on,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_ten_seconds_only_a_lock_is_still_decided_on() {
        let (ten, more) = (Duration::from_secs(10), Duration::from_millis(10_001));
        for action in Action::ALL.iter().copied() {
            assert!(!waited_too_long(action, ten), "{action}");
            assert_eq!(waited_too_long(action, more), action != Action::Lock, "{action}");
        }
    }
}
