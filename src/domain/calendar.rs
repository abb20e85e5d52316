//! When a car is lent, and when it is free. An exclusive car has one holder at a time: two grants that open it do not
//! overlap, and the time between them is at least the car's buffer. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// How much time must be between two holders of an exclusive car, in minutes: 0 to 1440.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Buffer(u16);

/// A number of minutes is no buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 0 to 1440 minutes")]
pub struct InvalidBuffer;

impl Buffer {
    const MINUTES_MAX: u16 = 24 * 60;

    /// In minutes.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// The same as a time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64 * 60)
    }
}

impl TryFrom<i64> for Buffer {
    type Error = InvalidBuffer;

    fn try_from(minutes: i64) -> Result<Self, InvalidBuffer> {
        let minutes = u16::try_from(minutes).map_err(|_| InvalidBuffer)?;
        if minutes <= Self::MINUTES_MAX { Ok(Self(minutes)) } else { Err(InvalidBuffer) }
    }
}

impl From<Buffer> for i64 {
    fn from(buffer: Buffer) -> Self {
        buffer.0.into()
    }
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
