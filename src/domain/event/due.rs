//! What the clock brings about and nobody asks for.

use serde_json::{Value, json};

use crate::domain::id::CommandId;
use crate::domain::time::Timestamp;

/// What a grant has come to by time alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantDue {
    /// It is over soon.
    Ending {
        /// When.
        not_after: Timestamp,
    },
    /// Its validity is over.
    Expired {
        /// Until then the car can still be locked.
        lock_until: Option<Timestamp>,
    },
    /// It is over, and the newest command that may have moved the car's doors unlocked it with it.
    LeftUnlocked {
        /// That command.
        command_id: CommandId,
        /// Until then the car can still be locked.
        lock_until: Timestamp,
    },
}

impl GrantDue {
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::Ending { .. } => "grant.ending",
            Self::Expired { .. } => "grant.expired",
            Self::LeftUnlocked { .. } => "grant.left_unlocked",
        }
    }

    pub(super) fn details(self, grant_revision: i64) -> Value {
        match self {
            Self::Ending { not_after } => {
                json!({ "not_after": not_after, "grant_revision": grant_revision })
            }
            Self::Expired { lock_until } => {
                json!({ "lock_until": lock_until, "grant_revision": grant_revision })
            }
            Self::LeftUnlocked { lock_until, .. } => {
                json!({ "lock_until": lock_until, "grant_revision": grant_revision })
            }
        }
    }

    pub(super) const fn command_id(self) -> Option<CommandId> {
        match self {
            Self::Ending { .. } | Self::Expired { .. } => None,
            Self::LeftUnlocked { command_id, .. } => Some(command_id),
        }
    }
}

/// Why a hold stands no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldEnd {
    /// Somebody lifted it.
    Lifted,
    /// It ran out.
    Expired,
}

impl HoldEnd {
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::Lifted => "hold.lifted",
            Self::Expired => "hold.expired",
        }
    }
}
