//! Times inside tokens: NumericDate (RFC 7519 section 2), here always whole seconds, within the
//! years 1970 to 9999.

use crate::domain::time::Timestamp;
use crate::signing::error::{SigningError, TokenError};

/// The last whole second at or before this time.
pub(super) fn floor(time: Timestamp) -> Result<i64, SigningError> {
    in_range(time.as_unix_seconds())
}

/// The first whole second at or after this time.
pub(super) fn ceil(time: Timestamp) -> Result<i64, SigningError> {
    let whole = time.as_unix_seconds();
    let is_whole = time.as_unix_micros() % 1_000_000 == 0;
    in_range(if is_whole { whole } else { whole + 1 })
}

/// The time a claim states.
pub(super) fn read(seconds: i64) -> Result<Timestamp, TokenError> {
    Timestamp::from_unix_seconds(seconds)
        .filter(|_| seconds >= 0)
        .ok_or(TokenError::Invalid("a time is outside 1970 to 9999"))
}

fn in_range(seconds: i64) -> Result<i64, SigningError> {
    Timestamp::from_unix_seconds(seconds)
        .filter(|_| seconds >= 0)
        .map(|_| seconds)
        .ok_or(SigningError::TimeOutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_goes_outwards_and_stays_in_range() {
        let time = |micros| Timestamp::from_unix_micros(micros).unwrap();
        assert_eq!(floor(time(1_999_999)), Ok(1));
        assert_eq!(ceil(time(1_000_001)), Ok(2));
        assert_eq!(ceil(time(1_000_000)), Ok(1));
        assert_eq!(floor(time(-1)), Err(SigningError::TimeOutOfRange));
        assert_eq!(ceil(time(-1)), Ok(0));
        assert!(read(-1).is_err());
        assert!(read(i64::MAX).is_err());
        assert!(read(253_402_300_800).is_err(), "the year 10000");
    }
}
