//! Compares what a grant allows before and after a change. What it allows is a set: each action at each time from now on
//! and, for actions that spend uses, each remaining use. A change is narrowing if the set afterwards is a subset of the
//! set before. If the set afterwards contains anything new, the change needs the owner (P8).

use crate::domain::entitlement::{Entitlement, Entitlements};
use crate::domain::grant::{Grace, Grant, Validity};
use crate::domain::time::Timestamp;

/// What a grant allows, as far as it can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What the grantee may do.
    pub entitlements: Entitlements,
    /// When.
    pub validity: Validity,
    /// How long the car can still be locked after that.
    pub grace: Grace,
    /// How many times they may open the car, counted from the first; `None` is no limit.
    pub uses_max: Option<i64>,
    /// Whether everything except `lock` needs a token that is bound to a device.
    pub require_device_key: bool,
}

words! {
    /// What a change does to what a grant allows.
    Effect {
        /// It allows the same.
        None = "none",
        /// It allows less, and nothing new.
        Narrowing = "narrowing",
        /// It allows more, and everything that it allowed.
        Widening = "widening",
        /// It allows something new, and something no more.
        Mixed = "mixed",
    }
}

impl Effect {
    /// Whether something is no longer allowed.
    #[must_use]
    pub const fn narrows(self) -> bool {
        matches!(self, Self::Narrowing | Self::Mixed)
    }

    /// Whether something is allowed that was not.
    #[must_use]
    pub const fn widens(self) -> bool {
        matches!(self, Self::Widening | Self::Mixed)
    }
}

/// The moments `[from, until)` at which something is allowed, and how many times in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Allowed {
    from: Timestamp,
    until: Timestamp,
    /// `None` is no limit.
    times: Option<i64>,
    /// Whether a token that is not bound to a device is enough.
    in_any_way: bool,
}

impl Allowed {
    fn is_within(self, other: Self) -> bool {
        let is_as_often = match (self.times, other.times) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(times), Some(others)) => times <= others,
        };
        let is_as_free = other.in_any_way || !self.in_any_way;
        other.from <= self.from && self.until <= other.until && is_as_often && is_as_free
    }
}

impl Terms {
    /// What a grant says now.
    #[must_use]
    pub fn of(grant: &Grant) -> Self {
        Self {
            entitlements: grant.entitlements.clone(),
            validity: grant.validity,
            grace: grant.grace,
            uses_max: grant.uses_max,
            require_device_key: grant.require_device_key,
        }
    }

    /// What becomes of a grant that says this and was used so often, if it says something else from `now` on.
    #[must_use]
    pub fn effect_of(&self, after: &Self, uses: i64, now: Timestamp) -> Effect {
        let (mut narrows, mut widens) = (false, false);
        let mut compare = |before, after| {
            narrows |= !is_within(before, after);
            widens |= !is_within(after, before);
        };
        for &entitlement in Entitlement::ALL {
            let [before, after] =
                [self, after].map(|terms| terms.in_validity(entitlement, uses, now));
            compare(before, after);
        }
        compare(self.locks_with_grace(now), after.locks_with_grace(now));
        match (narrows, widens) {
            (false, false) => Effect::None,
            (true, false) => Effect::Narrowing,
            (false, true) => Effect::Widening,
            (true, true) => Effect::Mixed,
        }
    }

    /// What is allowed of one thing within the validity, from `now` on; `None` is nothing.
    fn in_validity(&self, entitlement: Entitlement, uses: i64, now: Timestamp) -> Option<Allowed> {
        let times = self.uses_max.filter(|_| entitlement.spends_use());
        let times = times.map(|most| most.saturating_sub(uses));
        self.allowed(entitlement, now, self.validity.not_after(), times)
    }

    /// The times at which the car may be locked, including the grace. Locking in the grace is another right than locking in
    /// the validity: it ends when somebody else unlocks the car.
    fn locks_with_grace(&self, now: Timestamp) -> Option<Allowed> {
        let until = self.validity.not_after().plus(self.grace.duration());
        self.allowed(Entitlement::Lock, now, until, None)
    }

    fn allowed(
        &self,
        entitlement: Entitlement,
        now: Timestamp,
        until: Timestamp,
        times: Option<i64>,
    ) -> Option<Allowed> {
        let from = self.validity.not_before().max(now);
        let is_anything = self.entitlements.contains(entitlement)
            && from < until
            && times.is_none_or(|times| times > 0);
        let in_any_way = !self.require_device_key || entitlement == Entitlement::Lock;
        is_anything.then_some(Allowed { from, until, times, in_any_way })
    }
}

fn is_within(inner: Option<Allowed>, outer: Option<Allowed>) -> bool {
    match (inner, outer) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(inner), Some(outer)) => inner.is_within(outer),
    }
}

#[cfg(test)]
#[path = "amendment_test.rs"]
mod tests;
