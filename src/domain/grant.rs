//! The right of one grantee to use one vehicle, its facts and what follows from them.
//!
//! A status is never stored: it follows from the facts and the time, so that no missed tick of
//! any worker can keep a key alive.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::entitlement::{Entitlement, Entitlements};
use crate::domain::id::{GrantId, OrganizationId, UserId, VehicleId};
use crate::domain::time::Timestamp;

/// The longest validity of one grant.
pub const VALIDITY_MAX: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// The most uses a limited grant may have.
pub const USES_MAX: i64 = 1_000_000;

/// The half-open time `[not_before, not_after)` in which a grant can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(Timestamp, Timestamp)", into = "(Timestamp, Timestamp)")]
pub struct Validity {
    not_before: Timestamp,
    not_after: Timestamp,
}

/// Why two times are no validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValidity {
    /// It would end before, or when, it starts.
    #[error("must be later than not_before")]
    EndsBeforeStart,
    /// It would last longer than [`VALIDITY_MAX`].
    #[error("must be at most 400 days after not_before")]
    TooLong,
}

impl Validity {
    /// A validity that starts before it ends and lasts at most [`VALIDITY_MAX`].
    ///
    /// # Errors
    /// [`InvalidValidity`] says which of the two does not hold.
    pub fn new(not_before: Timestamp, not_after: Timestamp) -> Result<Self, InvalidValidity> {
        if not_after <= not_before {
            return Err(InvalidValidity::EndsBeforeStart);
        }
        if not_after.since(not_before) > VALIDITY_MAX {
            return Err(InvalidValidity::TooLong);
        }
        Ok(Self { not_before, not_after })
    }

    /// The first moment in which the grant can be used.
    #[must_use]
    pub const fn not_before(self) -> Timestamp {
        self.not_before
    }

    /// The first moment in which the grant can no longer be used.
    #[must_use]
    pub const fn not_after(self) -> Timestamp {
        self.not_after
    }

    /// The first moment at which a grant allows nothing, even with the longest extension and the longest [`Grace`].
    #[must_use]
    pub fn over_at_most(self) -> Timestamp {
        self.not_before.plus(VALIDITY_MAX).plus(Grace::MAX.duration())
    }
}

impl TryFrom<(Timestamp, Timestamp)> for Validity {
    type Error = InvalidValidity;

    fn try_from((not_before, not_after): (Timestamp, Timestamp)) -> Result<Self, InvalidValidity> {
        Self::new(not_before, not_after)
    }
}

impl From<Validity> for (Timestamp, Timestamp) {
    fn from(validity: Validity) -> Self {
        (validity.not_before, validity.not_after)
    }
}

minutes_up_to_a_day! {
    /// How long a grant that has ended still allows locking, in minutes, so that nobody is left unable to close a car.
    Grace
}

impl Default for Grace {
    fn default() -> Self {
        Self(15)
    }
}

words! {
    /// Where a grant stands at a given time.
    GrantStatus {
        /// Its validity has not begun.
        Upcoming = "upcoming",
        /// It can be used, as far as time and its own facts go.
        Active = "active",
        /// It can never be used again.
        Ended = "ended",
    }
}

words! {
    /// Why a grant ended.
    EndReason {
        /// Its validity is over.
        Expired = "expired",
        /// The owner or an admin ended it.
        Revoked = "revoked",
        /// The grantee gave it back.
        Relinquished = "relinquished",
        /// The car was taken out of the service.
        VehicleRemoved = "vehicle_removed",
        /// The owner's consent at the vehicle cloud is gone.
        ConsentLost = "consent_lost",
    }
}

/// The act that ended a grant before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The time of that act; the grant allows nothing from then on.
    pub ended_at: Timestamp,
    /// The kind of act.
    pub end_reason: EndReason,
    /// Whether the car can still be locked for a while, after a revocation.
    pub leave_lock: bool,
}

/// A grant as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// Identifies the grant; UUIDv7.
    pub grant_id: GrantId,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The car.
    pub vehicle_id: VehicleId,
    /// The owner who issued it.
    pub issuer_id: UserId,
    /// The grantee, who may use it.
    pub grantee_id: UserId,
    /// What the grantee may do; at least one.
    pub entitlements: Entitlements,
    /// The half-open time `[not_before, not_after)` in which it may be used.
    pub validity: Validity,
    /// How long the car can still be locked after it.
    pub grace: Grace,
    /// How many times it may open the car; `None` is no limit.
    pub uses_max: Option<i64>,
    /// How many times it was authorized to open the car.
    pub uses: i64,
    /// Whether it can be used only with a token that is bound to a device; `lock` works without one.
    pub require_device_key: bool,
    /// The act that ended it, if one did.
    pub end: Option<End>,
    /// Rises when the grant ends, and with everything else on which decisions rest: what it allows, holds, the owner's
    /// confirmation. A use does not raise it.
    pub revision: i64,
    /// Rises with every change that somebody made to it; a use and the owner's confirmation do not raise it.
    pub version: i64,
    /// What describes it.
    pub description: Description,
    /// The time at which it was issued.
    pub issued_at: Timestamp,
}

/// What the issuer says of a grant; what it allows does not rest on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// A short text for people.
    pub label: Option<String>,
    /// Data of the issuer's as JSON text; the service never looks inside.
    pub metadata: Option<String>,
    /// The issuer's own name for what it belongs to, such as a booking; several grants may carry the same.
    pub external_ref: Option<String>,
    /// What the person at the car should know: where it stands, where the papers are.
    pub instructions: Option<String>,
    /// What the person at the car should do when it does not open.
    pub fallback_text: Option<String>,
    /// How the car is to be given back, as JSON text: decisions do not look inside.
    pub return_terms: Option<String>,
    /// Whether the car is read at both ends, for its statement.
    pub statement: bool,
}

impl Grant {
    /// Where the grant stands at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> GrantStatus {
        if self.ended_by(now).is_some() {
            GrantStatus::Ended
        } else if now < self.validity.not_before {
            GrantStatus::Upcoming
        } else {
            GrantStatus::Active
        }
    }

    /// The grant as it is if this act has ended it too; the first act counts.
    #[must_use]
    pub fn ended_with(&self, end: Option<End>) -> Cow<'_, Self> {
        match end {
            Some(end) if self.end.is_none() => Cow::Owned(Self { end: Some(end), ..self.clone() }),
            _ => Cow::Borrowed(self),
        }
    }

    /// What ended the grant, seen from `now`: an act, or the end of its validity.
    #[must_use]
    pub fn ended_by(&self, now: Timestamp) -> Option<End> {
        let (ended_at, end_reason) = (self.validity.not_after, EndReason::Expired);
        let expiry = End { ended_at, end_reason, leave_lock: true };
        self.end.or((now >= self.validity.not_after).then_some(expiry))
    }

    /// The first moment at which the car can no longer be locked with it: the [`Grace`] after its validity, or after a
    /// revocation with `leave_lock`. `None` if it does not allow locking, or if its end left no lock.
    #[must_use]
    pub fn lock_until(&self) -> Option<Timestamp> {
        let over = self.validity.not_after;
        let ended_at = match self.end {
            None => over,
            Some(End { leave_lock: true, ended_at, .. }) => ended_at.min(over),
            Some(End { leave_lock: false, .. }) => return None,
        };
        let locks = self.entitlements.contains(Entitlement::Lock);
        locks.then(|| ended_at.plus(self.grace.duration()))
    }

    /// Whether it may still be used at `now` or later, as far as time and its own facts go.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.status(now) != GrantStatus::Ended
    }

    /// A grant whose validity ended by this time is not alive at `now`. Storage leaves such grants out, and
    /// decides nothing else.
    #[must_use]
    pub const fn over_by(now: Timestamp) -> Timestamp {
        now
    }

    /// How many more times it may open the car; `None` is no limit.
    #[must_use]
    pub fn uses_left(&self) -> Option<i64> {
        self.uses_max.map(|max| max.saturating_sub(self.uses).max(0))
    }
}

#[cfg(test)]
#[path = "grant_test.rs"]
mod tests;
