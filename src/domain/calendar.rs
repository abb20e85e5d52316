//! When a car is lent, and when it is free. An exclusive car has one holder at a time: two grants that open it do not
//! overlap, and the time between them is at least the car's buffer. Pure.

use std::time::Duration;

use crate::domain::grant::Validity;
use crate::domain::time::Timestamp;

words! {
    /// Whether several people may hold a car at the same time.
    Sharing {
        /// Any number, such as a family.
        Shared = "shared",
        /// One, such as whoever has booked it.
        Exclusive = "exclusive",
    }
}

minutes_up_to_a_day! {
    /// How much time must be between two holders of an exclusive car, in minutes.
    #[derive(Default)]
    Buffer
}

/// A time in which a car can be lent. It says nothing of who has it before or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeWindow {
    /// The first moment at which a grant can begin.
    pub not_before: Timestamp,
    /// The last moment at which it must be over; `None` if nothing follows.
    pub not_after: Option<Timestamp>,
}

/// When a car is lent by grants that open it.
#[derive(Debug, Clone)]
pub struct Calendar {
    buffer: Duration,
    /// In the order of their beginnings.
    lent: Vec<Validity>,
}

impl Calendar {
    /// The calendar of a car.
    #[must_use]
    pub fn new(buffer: Buffer, mut lent: Vec<Validity>) -> Self {
        lent.sort_by_key(|validity| validity.not_before());
        Self { buffer: buffer.duration(), lent }
    }

    /// Whether a grant can be valid in this time beside those there are.
    #[must_use]
    pub fn is_free(&self, wanted: Validity) -> bool {
        let ends_before = |one: Validity, other: Validity| {
            one.not_after().plus(self.buffer) <= other.not_before()
        };
        self.lent.iter().all(|&lent| ends_before(lent, wanted) || ends_before(wanted, lent))
    }

    /// Whether two of those there are have less between them than the buffer.
    #[must_use]
    pub fn overlaps(&self) -> bool {
        let mut latest = None;
        self.lent.iter().any(|lent| {
            let is_too_early = latest.is_some_and(|latest| lent.not_before() < latest);
            latest = latest.max(Some(lent.not_after().plus(self.buffer)));
            is_too_early
        })
    }

    /// The first `count` times from `since` on in which something that takes so long has room, each as long as it can be.
    #[must_use]
    pub fn free_windows(&self, takes: Duration, since: Timestamp, count: usize) -> Vec<FreeWindow> {
        let (mut not_before, mut free) = (since, Vec::new());
        for lent in &self.lent {
            let last = lent.not_before().minus(self.buffer);
            if not_before.plus(takes) <= last {
                free.push(FreeWindow { not_before, not_after: Some(last) });
            }
            not_before = not_before.max(lent.not_after().plus(self.buffer));
        }
        free.push(FreeWindow { not_before, not_after: None });
        free.truncate(count);
        free
    }
}

#[cfg(test)]
#[path = "calendar_test.rs"]
mod tests;
