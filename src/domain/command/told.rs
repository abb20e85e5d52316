//! What people and programs are told of a command, by its status alone, now and later: what was settled does
//! not carry the sentence of before. [`docs/commands.md`](../../../docs/commands.md) shows all of it.

use super::{Command, CommandStatus};
use crate::domain::cause::Cause;
use crate::domain::fault::{Fault, Resolution};

/// What is known of whether a command happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The vehicle cloud took it, or the car was seen as it was asked to be.
    Done,
    /// It may have happened, or may still happen.
    Open,
    /// It did not happen, or the car was seen in another state afterwards.
    NotDone,
}

impl CommandStatus {
    /// What is known of whether a command in this status happened.
    #[must_use]
    pub const fn known(self) -> Known {
        match self {
            Self::Acknowledged | Self::Confirmed | Self::Unconfirmed => Known::Done,
            Self::Sending | Self::Unknown | Self::Unresolved => Known::Open,
            Self::Refused | Self::Failed | Self::Contradicted | Self::Cancelled | Self::Expired => {
                Known::NotDone
            }
        }
    }

    /// What the person at the car should know, where it is the same for every command in this status.
    #[must_use]
    pub const fn sentence(self) -> Option<&'static str> {
        match self {
            // The reasons of the policy and the faults of the vehicle cloud have their own.
            Self::Refused | Self::Failed | Self::Acknowledged | Self::Confirmed => None,
            Self::Sending => {
                Some("The car has not answered yet. Please wait, and do not try again.")
            }
            Self::Unconfirmed => Some(
                "The car was told to do it, and nobody can say whether it did. Please look at the car.",
            ),
            Self::Unknown => {
                Some("It may have happened. Please look at the car, and do not try again for now.")
            }
            Self::Unresolved => {
                Some("It may have happened. Please look at the car before you try again.")
            }
            Self::Contradicted => {
                Some("The car did not look as you asked. Please look at it before you try again.")
            }
            Self::Cancelled | Self::Expired => {
                Some("Nothing was sent to the car. Please try again.")
            }
        }
    }
}

impl Command {
    /// What the person at the car should know, where there is something to say.
    #[must_use]
    pub fn sentence(&self) -> Option<&str> {
        match self.status {
            CommandStatus::Failed => {
                let told = self.user_message.as_deref();
                told.or_else(|| self.causes.first().map(of_cause))
            }
            status => status.sentence(),
        }
    }

    /// Why it did not happen, or is not known to have: what explains only an earlier status is left out.
    #[must_use]
    pub fn causes_now(&self) -> &[Cause] {
        match self.status {
            CommandStatus::Acknowledged | CommandStatus::Confirmed => &[],
            _ => &self.causes,
        }
    }

    /// Who must act so that it can be done, where something went wrong at the vehicle cloud.
    #[must_use]
    pub fn resolution(&self) -> Option<Resolution> {
        match self.status {
            // Nobody can do anything about what may have happened.
            CommandStatus::Failed => self.causes.first().and_then(Cause::resolution),
            _ => None,
        }
    }

    /// How long to wait before asking again, in milliseconds, where the vehicle cloud said so.
    #[must_use]
    pub fn retry_after_now_ms(&self) -> Option<i64> {
        self.retry_after_ms.filter(|_| self.status == CommandStatus::Failed)
    }
}

fn of_cause(cause: &Cause) -> &'static str {
    match cause {
        // It is known here that it did not happen.
        Cause::Connector { fault: Fault::TimedOut | Fault::Garbled | Fault::Upstream, .. } => {
            "The car did not do it. Please try again in a moment."
        }
        Cause::Connector { fault, .. } => fault.user_message(),
        Cause::Refused(_) | Cause::NotSent(_) | Cause::Abandoned | Cause::Unseen(_) => {
            "Nothing was sent to the car. Please try again."
        }
    }
}

#[cfg(test)]
#[path = "told_test.rs"]
mod tests;
