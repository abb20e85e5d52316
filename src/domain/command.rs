//! Requests to a car and the life each one has.
//!
//! ```text
//! refused
//! sending → acknowledged → confirmed | unconfirmed
//!         → failed                        provably not executed
//!         → unknown → confirmed | contradicted | unresolved
//!         → cancelled | expired           never left
//! ```

mod told;

use std::time::Duration;

use crate::domain::cause::Cause;
use crate::domain::id::{CommandId, GrantId, InstanceId, OrganizationId, UserId, VehicleId};
use crate::domain::instruction::{Action, Instruction};
use crate::domain::policy::Reason;
use crate::domain::time::Timestamp;

pub use told::Known;

/// A command whose sending has not begun this long after its authorization is never sent.
pub const SEND_TIME: Duration = Duration::from_secs(2);

words! {
    /// Where a command stands.
    CommandStatus {
        /// The policy said no; nothing was sent.
        Refused = "refused",
        /// Authorized and recorded; it may be on its way.
        Sending = "sending",
        /// The cloud took it. Whether the car moved is not known yet.
        Acknowledged = "acknowledged",
        /// The car was seen in the state asked for.
        Confirmed = "confirmed",
        /// Acknowledged, and the car was not seen in the state asked for in time.
        Unconfirmed = "unconfirmed",
        /// It provably did not happen.
        Failed = "failed",
        /// It may have happened.
        Unknown = "unknown",
        /// It may have happened, and the car was seen in the other state.
        Contradicted = "contradicted",
        /// It may have happened, and no state of the car said in time whether it did.
        Unresolved = "unresolved",
        /// Withdrawn before it left.
        Cancelled = "cancelled",
        /// Not sent in time; it never left.
        Expired = "expired",
    }
}

impl CommandStatus {
    /// Whether this is the end of the command's life.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Sending | Self::Acknowledged | Self::Unknown)
    }

    /// Whether a command in this state may go to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Sending => matches!(
                next,
                Self::Acknowledged | Self::Failed | Self::Unknown | Self::Cancelled | Self::Expired
            ),
            Self::Acknowledged => matches!(next, Self::Confirmed | Self::Unconfirmed),
            Self::Unknown => {
                matches!(next, Self::Confirmed | Self::Contradicted | Self::Unresolved)
            }
            _ => false,
        }
    }

    /// The last status of a command once the car's state was read, which agrees with what was asked or
    /// not; `None` if a command in this status waits for no reading, or must go on waiting.
    #[must_use]
    pub const fn settled_by_observation(self, agrees: bool) -> Option<Self> {
        match (self, agrees) {
            (Self::Acknowledged | Self::Unknown, true) => Some(Self::Confirmed),
            (Self::Unknown, false) => Some(Self::Contradicted),
            _ => None,
        }
    }

    /// The last status of a command of which no reading of the car said in time what became of it; `None` if a command in this
    /// status does not wait for that.
    #[must_use]
    pub const fn settled_unobserved(self) -> Option<Self> {
        match self {
            Self::Acknowledged => Some(Self::Unconfirmed),
            Self::Unknown => Some(Self::Unresolved),
            _ => None,
        }
    }
}

words! {
    /// What a command's status rests on.
    Evidence {
        /// Nothing from the car or its cloud.
        None = "none",
        /// The vehicle cloud said that it took the request.
        ProviderAck = "provider_ack",
        /// The car's state was read afterwards.
        StateObserved = "state_observed",
    }
}

/// A request to a car, as stored.
#[derive(Debug, Clone)]
pub struct Command {
    /// Identifies the command; UUIDv7.
    pub command_id: CommandId,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The car.
    pub vehicle_id: VehicleId,
    /// The grant it rests on; `None` for the owner's own.
    pub grant_id: Option<GrantId>,
    /// The person whose right it was.
    pub user_id: UserId,
    /// What was asked.
    pub instruction: Instruction,
    /// Its place in the state machine of commands.
    pub status: CommandStatus,
    /// What the status rests on.
    pub evidence: Evidence,
    /// The time at which the car reported the state that settles it, or at which it was read where the car
    /// does not say.
    pub observed_at: Option<Timestamp>,
    /// Why it stands there, most important first.
    pub causes: Vec<Cause>,
    /// The cloud's own sentence for the person at the car, where it gave one when it did not do it.
    pub user_message: Option<String>,
    /// How long to wait before asking again, where the cloud said so.
    pub retry_after_ms: Option<i64>,
    /// The time of the decision.
    pub created_at: Timestamp,
    /// After this it never leaves.
    pub send_by: Timestamp,
    /// After this nobody can still be waiting for the cloud's answer.
    pub abandon_at: Timestamp,
    /// The process that may send it.
    pub instance_id: InstanceId,
    /// When it reached its present status.
    pub changed_at: Timestamp,
}

impl Command {
    /// The time of a change of status that is noticed now: after the one before, also if the clock was set
    /// back or is another machine's, so that the record has them in their order.
    #[must_use]
    pub fn next_moment(&self, now: Timestamp) -> Timestamp {
        now.max(self.changed_at.plus(std::time::Duration::from_micros(1)))
    }

    /// Why the policy refused it, if it did.
    #[must_use]
    pub fn refusal(&self) -> Option<&[Reason]> {
        self.causes.iter().find_map(|cause| match cause {
            Cause::Refused(reasons) => Some(reasons.as_slice()),
            Cause::Connector { .. } | Cause::NotSent(_) | Cause::Abandoned | Cause::Unseen(_) => {
                None
            }
        })
    }

    /// Which action was asked.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.instruction.action()
    }
}

#[cfg(test)]
#[path = "command_test.rs"]
mod tests;
