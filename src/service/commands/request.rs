//! A request for a command: what is asked, its place in a batch, and the answer.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::command::Command;
use crate::domain::id::{GrantId, UserId, VehicleId};
use crate::domain::instruction::Instruction;
use crate::domain::policy::Request;
use crate::service::facts::Named;
use crate::service::idempotency::hash_for;
use crate::service::pace::{Shown, Use};
use crate::service::refusals::Refused;
use crate::service::shown_token::ShownToken;
use crate::service::{Caller, Error};
use crate::storage::commands::Outcome;

/// A request for a command.
#[derive(Debug, Clone)]
pub struct CommandRequest {
    /// Who asks.
    pub caller: Caller,
    /// Whose right it rests on.
    pub user_id: UserId,
    /// The car.
    pub vehicle_id: VehicleId,
    /// The grant; without one the person must be the owner.
    pub grant_id: Option<GrantId>,
    /// The grant token that shows that it is theirs; without one they are signed in, or a program acts for them.
    pub token: Option<ShownToken>,
    /// What to do.
    pub instruction: Instruction,
    /// Tells repeated requests from new ones, per caller.
    pub idempotency_key: String,
    /// SHA-256 of what was asked, without the person.
    pub asked_hash: [u8; 32],
}

impl CommandRequest {
    /// Which car, and by which grant.
    pub(super) const fn named(&self) -> Named {
        (self.vehicle_id, self.grant_id)
    }

    /// What the policy is asked.
    pub(super) fn question(&self) -> Request {
        let action = self.instruction.action();
        Request {
            user_id: self.user_id,
            vehicle_id: self.vehicle_id,
            entitlement: action.entitlement(),
            spends_use: action.spends_use(),
            device_key: self.token.and_then(|shown| shown.device_key),
        }
    }

    /// What refusals of this and of others have in common.
    pub(super) const fn refused(&self) -> Refused {
        Refused {
            organization_id: self.caller.actor.organization_id,
            principal: self.caller.actor.principal_id(),
            user_id: self.user_id,
            vehicle_id: self.vehicle_id,
            grant_id: self.grant_id,
        }
    }

    /// That a right is used.
    pub(super) const fn used(&self) -> Use<'_> {
        let Self { caller, user_id, grant_id, token, .. } = self;
        Use { caller, user_id: *user_id, grant_id: *grant_id, shown: Shown::by(token.is_some()) }
    }

    /// The hash of the request, for the person whose right it rests on: an API client that sends the
    /// same for somebody else sends another request.
    pub(super) fn hash(&self) -> [u8; 32] {
        hash_for(self.asked_hash, Some(self.user_id))
    }
}

/// What was decided on a request.
#[derive(Debug)]
pub enum Reply {
    /// Allowed and recorded; the receiver tells the outcome.
    Sending(Command, oneshot::Receiver<Command>),
    /// Refused and recorded.
    Refused(Command),
    /// The same request was decided on before.
    Replayed(Command),
}

/// A request on its way through the gate.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) request: CommandRequest,
    /// [`CommandRequest::hash`], made once.
    pub(super) request_hash: [u8; 32],
    /// On the monotonic clock.
    pub(super) asked_at: Duration,
    pub(super) reply: oneshot::Sender<Result<Reply, Error>>,
}

/// What goes into one transaction.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) requests: Vec<Pending>,
    pub(super) outcomes: Vec<Outcome>,
}

impl Batch {
    pub(super) const fn len(&self) -> usize {
        self.requests.len() + self.outcomes.len()
    }
}
