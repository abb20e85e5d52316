//! Points in time: microseconds since 1970-01-01T00:00:00Z, printed as RFC 3339 in UTC.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{KnownFormat, SchemaFormat};

use crate::domain::schema;

const MICROSECONDS_PER_SECOND: i64 = 1_000_000;
/// Longer texts are refused before they are parsed.
const TEXT_LENGTH_MAX: usize = 40;

/// A point in time with microsecond resolution, between the years 1 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

described!(
    Timestamp,
    schema::text("A time with a zone (RFC 3339); answers have it in UTC, to the microsecond.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .max_length(Some(TEXT_LENGTH_MAX))
        .examples(["2026-07-01T12:00:00Z"])
);

impl Timestamp {
    /// The time that is this many microseconds after the epoch; `None` outside years 1 to 9999.
    #[must_use]
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&micros).then_some(Self(micros))
    }

    /// The time that is this many whole seconds after the epoch.
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        Self::from_unix_micros(seconds.checked_mul(MICROSECONDS_PER_SECOND)?)
    }

    /// Microseconds since the epoch: the stored form.
    #[must_use]
    pub const fn as_unix_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: the form inside tokens.
    #[must_use]
    pub const fn as_unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROSECONDS_PER_SECOND)
    }

    /// This time moved into the future; stays at the end of time if it would pass it.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_unix_micros(self.0.saturating_add(micros)).unwrap_or(Self::MAX)
    }

    /// This time moved into the past; stays at the beginning of time if it would pass it.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_unix_micros(self.0.saturating_sub(micros)).unwrap_or(Self::MIN)
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800 * MICROSECONDS_PER_SECOND);
    /// The last whole second of the year 9999, less the day that time zones may add: later ones
    /// cannot be printed.
    pub const MAX: Self = Self(253_402_207_200 * MICROSECONDS_PER_SECOND);
}

/// Why a text is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an RFC 3339 time with a zone, such as 2026-07-01T12:00:00Z")]
pub struct InvalidTime;

impl FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        if text.len() > TEXT_LENGTH_MAX {
            return Err(InvalidTime);
        }
        let parsed: jiff::Timestamp = text.parse().map_err(|_| InvalidTime)?;
        Self::from_unix_micros(parsed.as_microsecond()).ok_or(InvalidTime)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => fmt::Display::fmt(&time, f),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[path = "time_test.rs"]
mod tests;
