//! What a statement of a grant says of the car at both ends: how far it was driven, what was in tank and battery, and where it
//! stood. Pure.

use std::time::Duration;

use crate::domain::reading::Observable;
use crate::domain::time::Timestamp;

/// What a car is read for at both ends.
pub const STATED: [Observable; 4] =
    [Observable::Odometer, Observable::Fuel, Observable::Battery, Observable::Location];

/// A car is read no longer than this after an end: somebody else may have driven it by then.
pub const READ_WITHIN: Duration = Duration::from_secs(15 * 60);

words! {
    /// At which end of a grant a car is read.
    Side {
        /// After it was unlocked with it for the first time.
        Start = "start",
        /// After the grant was over.
        End = "end",
    }
}

/// How many seconds after a moment something was reported; negative if it was before.
#[must_use]
pub fn seconds_after(moment: Timestamp, reported_at: Timestamp) -> i64 {
    let micros = reported_at.as_unix_micros().saturating_sub(moment.as_unix_micros());
    micros.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_in_whole_seconds_and_has_a_sign() {
        let at = |micros| Timestamp::from_unix_micros(micros).unwrap();
        let moment = at(10_000_000);
        for (micros, seconds) in [(10_000_000, 0), (11_999_999, 1), (9_999_999, -1), (0, -10)] {
            assert_eq!(seconds_after(moment, at(micros)), seconds);
        }
    }
}
