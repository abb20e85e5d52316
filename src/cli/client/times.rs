//! Times as a person types them: `now`, `+2h`, or an RFC 3339 time.

use std::time::Duration;

use crate::clock::{Clock as _, SystemClock};
use crate::domain::time::Timestamp;

/// How a time may be written, for whoever wrote another.
const FORMS: &str = "must be `now`, a time from now such as +90s, +30m, +2h or -7d, \
                     or an RFC 3339 time with a zone, such as 2026-07-01T12:00:00Z";
/// Ten years: a number of more digits is a mistake.
const SECONDS_MAX: u64 = 10 * 366 * 24 * 3600;

/// Reads a time of the command line.
///
/// # Errors
/// A sentence that says how times are written.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    time_at(text, SystemClock::start().now())
}

fn time_at(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(later) = text.strip_prefix('+') {
        return Ok(now.plus(duration(later).ok_or(FORMS)?));
    }
    if let Some(earlier) = text.strip_prefix('-') {
        return Ok(now.minus(duration(earlier).ok_or(FORMS)?));
    }
    text.parse().map_err(|_| FORMS.to_owned())
}

/// A whole number and its unit.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<u64>().ok()?.checked_mul(seconds)?;
    (seconds <= SECONDS_MAX).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_absolute_or_relative_to_now() {
        let now: Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("now", "2026-07-01T12:00:00Z"),
            ("+0s", "2026-07-01T12:00:00Z"),
            ("+90s", "2026-07-01T12:01:30Z"),
            ("+30m", "2026-07-01T12:30:00Z"),
            ("+2h", "2026-07-01T14:00:00Z"),
            ("-7d", "2026-06-24T12:00:00Z"),
            ("2026-07-01T12:00:00+02:00", "2026-07-01T10:00:00Z"),
        ] {
            let expected: Timestamp = expected.parse().unwrap();
            assert_eq!(time_at(text, now), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_said_with_how_times_are_written() {
        let now = Timestamp::MIN;
        for text in [
            "",
            "+",
            "-",
            "+h",
            "2h",
            "+2",
            "+2w",
            "+-2h",
            "++2h",
            "+2.5h",
            "tomorrow",
            "+é",
            "+99999999999999999999h",
            "+9999999999d",
            "2026-07-01",
            "2026-07-01T12:00:00",
        ] {
            assert_eq!(time_at(text, now), Err(FORMS.to_owned()), "{text}");
        }
    }
}
