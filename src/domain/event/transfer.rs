//! How a car comes to another owner.

use serde_json::{Value, json};

use crate::domain::id::UserId;
use crate::domain::time::Timestamp;

/// What happened between two owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferStep {
    /// The owner lets another person take the car with a consent of their own, until then.
    Offered {
        /// That person.
        to: UserId,
        /// The first moment in which they may not any more.
        until: Timestamp,
    },
    /// The owner took that back.
    Withdrawn,
    /// Another person took a car whose owner had let it go.
    Taken {
        /// That person.
        to: UserId,
    },
}

impl TransferStep {
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::Offered { .. } => "vehicle.transfer_offered",
            Self::Withdrawn => "vehicle.transfer_withdrawn",
            Self::Taken { .. } => "vehicle.transferred",
        }
    }

    pub(super) fn details(self) -> Value {
        match self {
            Self::Offered { to, until } => json!({ "to": to, "until": until }),
            Self::Withdrawn => json!({}),
            Self::Taken { to } => json!({ "to": to }),
        }
    }
}
