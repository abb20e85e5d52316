//! Webhooks to those outside: how often a delivery is tried, and when an address that does not take any is left alone.

use std::time::Duration;

words! {
    /// Why nothing is sent to an endpoint.
    PauseReason {
        /// Somebody paused it.
        Requested = "requested",
        /// It took nothing for five days.
        Unreachable = "unreachable",
        /// It answered 410: it is not there any more.
        Gone = "gone",
    }
}

words! {
    /// Where a delivery stands.
    DeliveryStatus {
        /// It is tried again, or waits for an earlier one of the same grant.
        Waiting = "waiting",
        /// The endpoint took it.
        Delivered = "delivered",
        /// It is not tried any more.
        Failed = "failed",
    }
}

words! {
    /// Why the endpoint did not take a delivery.
    DeliveryFault {
        /// Its name leads to an address that nothing is sent to.
        AddressNotAllowed = "address_not_allowed",
        /// No connection, or one that broke.
        Unreachable = "unreachable",
        /// No whole answer within ten seconds.
        TimedOut = "timed_out",
        /// The answer is too large.
        AnswerTooLarge = "answer_too_large",
        /// The status is not 2xx. Redirects are not followed.
        Status = "status",
    }
}

/// So long after each failed attempt the next one follows, give or take a tenth (Standard Webhooks 1.0, "Retry schedule").
const RETRY_AFTER: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(5 * 60 * 60),
    Duration::from_secs(10 * 60 * 60),
    Duration::from_secs(14 * 60 * 60),
    Duration::from_secs(20 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// An endpoint that took nothing for so long is paused.
pub const UNREACHABLE_AFTER: Duration = Duration::from_secs(5 * 24 * 60 * 60);
/// An event waits so long for an earlier one of the same grant, counted from when that one was first tried.
pub const HELD_BACK: Duration = Duration::from_secs(60 * 60);
/// An endpoint that took nothing for so long was away: when it is back, everything that waits is sent. Also the longest time between two
/// attempts at one that takes nothing.
pub const OUTAGE: Duration = Duration::from_secs(5 * 60);

/// When a delivery is tried again after so many failed attempts; `None` if it is not. `jitter` is a number from 0 to 255 that
/// spreads what failed together.
#[must_use]
pub fn retry_after(attempts: i64, jitter: u8) -> Option<Duration> {
    let failed = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let after = RETRY_AFTER.get(failed)?;
    // From nine to eleven tenths.
    Some(*after * (9 * 255 + 2 * u32::from(jitter)) / (10 * 255))
}

/// When an endpoint that took nothing so many times in a row is tried again, with one event.
#[must_use]
pub fn probe_after(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.max(1) - 1).unwrap_or(u32::MAX).min(6);
    OUTAGE.min(Duration::from_secs(5) * 2_u32.pow(doublings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_ten_times_over_three_days() {
        let all = |jitter| (1..).map_while(move |attempts| retry_after(attempts, jitter));
        assert_eq!(all(0).count(), 9);
        let hours = |jitter| all(jitter).sum::<Duration>().as_secs() / 3600;
        assert_eq!((hours(0), hours(127), hours(255)), (68, 75, 83));
        assert_eq!(retry_after(0, 0), None);
        assert_eq!(retry_after(1, 0), Some(Duration::from_millis(4500)));
        assert_eq!(retry_after(1, 255), Some(Duration::from_millis(5500)));
    }

    #[test]
    fn an_endpoint_that_takes_nothing_is_tried_every_five_minutes_at_least() {
        let seconds = |failures| probe_after(failures).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 6].map(seconds), [5, 10, 20, 40, 80, 160]);
        assert_eq!([7, 8, 1000, i64::MAX].map(seconds), [300; 4]);
        assert_eq!(seconds(0), 5);
    }
}
