//! How old a reading is. A cloud's clock is believed only as far as it can be right.

use crate::domain::reading::{Observation, Reading};
use crate::domain::time::Timestamp;
use crate::smartcar::v3::signal::Moment;

/// A time that a car reports may be this far ahead of ours; beyond it nothing is known of the age.
const AHEAD_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// A reading with the times that the cloud says, as far as they can be right.
pub(super) fn reading(
    observation: Observation,
    reported_at: Option<Timestamp>,
    fetched_at: Option<Timestamp>,
    now: Timestamp,
) -> Reading {
    Reading {
        observation,
        reported_at: reported_at.filter(|at| *at <= now.plus(AHEAD_MAX)),
        fetched_at: fetched_at.unwrap_or(now).min(now),
    }
}

/// A time in either form of API v3 and of events.
pub(super) fn time(moment: &Moment) -> Option<Timestamp> {
    match moment {
        Moment::Millis(millis) => Timestamp::from_unix_micros(millis.checked_mul(1000)?),
        Moment::Text(text) => text.parse().ok(),
    }
}
