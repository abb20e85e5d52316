//! Holds: while one stands, what grants allow is paused. A hold narrows and nothing else; lifting it brings back what
//! the grants say by then. Time goes on under a hold, and the end of a grant is an end also there.

use serde::{Deserialize, Serialize};

use crate::domain::access::ActingAs;
use crate::domain::actor::{Actor, Principal};
use crate::domain::entitlement::Entitlement;
use crate::domain::id::{HoldId, OrganizationId, UserId};
use crate::domain::kept::Kept;
use crate::domain::key_scope::KeyScope;
use crate::domain::principal::PrincipalId;
use crate::domain::time::Timestamp;
use crate::domain::user::Role;

/// So many holds of one rank can stand over one thing: the lower ranks cannot use up the room of the others.
pub const HOLDS_PER_RANK_MAX: usize = 8;

words! {
    /// Who placed a hold, lowest first.
    Rank {
        /// The person whose right it is.
        Guest = "guest",
        /// The owner of the car.
        Owner = "owner",
        /// Support of the organization.
        Support = "support",
        /// An administrator.
        Admin = "admin",
    }
}

impl Rank {
    /// Whether somebody of this rank can lift a hold of that one. A hold is the word of who placed it, which no office takes
    /// back for a guest or an owner; support is the administrators'.
    #[must_use]
    pub fn may_lift(self, placed: Self) -> bool {
        self == placed || (self == Self::Admin && placed == Self::Support)
    }

    /// The rank of who was permitted to place or lift a hold over something that this person owns, if anybody does.
    #[must_use]
    pub fn of(actor: &Actor, acting_as: ActingAs, owner: Option<UserId>) -> Self {
        match (acting_as, &actor.principal) {
            (ActingAs::Organization, Principal::User { role: Role::Admin, .. }) => Self::Admin,
            (ActingAs::Organization, _) => Self::Support,
            (ActingAs::Person(user_id), _) if owner == Some(user_id) => Self::Owner,
            (ActingAs::Person(_), _) => Self::Guest,
        }
    }
}

/// Whose use of a car is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The grantee's, by a grant.
    Guest,
    /// The owner's own.
    Owner,
}

/// What decisions need to know of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingHold {
    /// The hold.
    pub hold_id: HoldId,
    /// Who placed it.
    pub rank: Rank,
    /// The first moment in which it no longer stands; `None` is until it is lifted.
    pub until: Option<Timestamp>,
    /// Whether the car can be locked all the same.
    pub allow_lock: bool,
}

impl StandingHold {
    /// Whether it stands at `now`, as far as time goes.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn forbids(&self, holder: Holder, entitlement: Entitlement, now: Timestamp) -> bool {
        let binds = holder == Holder::Guest || self.rank >= Rank::Support;
        binds && self.stands(now) && !(self.allow_lock && entitlement == Entitlement::Lock)
    }
}

/// The holds over one thing that were not lifted, as its row keeps them. What cannot be read is a hold that allows nothing
/// to anybody.
pub type StandingHolds = Kept<StandingHold>;

impl StandingHolds {
    /// Those that stand at `now`, as far as they can be read.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Vec<StandingHold> {
        self.known().iter().filter(|hold| hold.stands(now)).copied().collect()
    }

    /// Whether one of them keeps the car with its owner at `now`: who placed it for the organization holds the car, and not an
    /// account.
    #[must_use]
    pub fn keep_car(&self, now: Timestamp) -> bool {
        match self {
            Self::Nothing => false,
            Self::Known(holds) => {
                holds.iter().any(|hold| hold.rank >= Rank::Support && hold.stands(now))
            }
            Self::Unreadable => true,
        }
    }

    /// Whether one of them keeps somebody from doing this at `now`.
    #[must_use]
    pub fn forbid(&self, holder: Holder, entitlement: Entitlement, now: Timestamp) -> bool {
        match self {
            Self::Nothing => false,
            Self::Known(holds) => holds.iter().any(|hold| hold.forbids(holder, entitlement, now)),
            Self::Unreadable => true,
        }
    }
}

/// A hold as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hold {
    /// What decisions need to know of it.
    #[serde(flatten)]
    pub standing: StandingHold,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// What it is over.
    pub scope: KeyScope,
    /// Why, in the words of who placed it; it can be erased.
    pub reason: Option<String>,
    /// Who placed it.
    pub placed_by: PrincipalId,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it was lifted.
    pub lifted_at: Option<Timestamp>,
}

impl Hold {
    /// Whether it stands at `now`.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> bool {
        self.lifted_at.is_none() && self.standing.stands(now)
    }
}

#[cfg(test)]
#[path = "hold_test.rs"]
mod tests;
