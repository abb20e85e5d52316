//! The name of the log, and how it is known.

use std::str::FromStr;

use super::PublicUrl;

/// The name of a log (C2SP tlog-checkpoint): an address without scheme that its operator owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOrigin(String);

/// Why a text cannot name a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 200 letters, digits and . - _ ~ : / such as keys.example.org/log")]
pub struct InvalidLogOrigin;

impl LogOrigin {
    const LENGTH_MAX: usize = 200;

    /// The name that follows from where the service is reached.
    ///
    /// # Errors
    /// [`InvalidLogOrigin`] if the address is too long.
    pub fn of(public_url: &PublicUrl) -> Result<Self, InvalidLogOrigin> {
        let url = public_url.as_str();
        let address = url.split_once("://").map_or(url, |(_, address)| address);
        let name: String = address.chars().map(|c| if Self::takes(c) { c } else { '_' }).collect();
        format!("{name}/log").parse()
    }

    fn takes(character: char) -> bool {
        character.is_ascii_alphanumeric() || ".-_~:/".contains(character)
    }

    /// The name as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogOrigin {
    type Err = InvalidLogOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidLogOrigin> {
        let good =
            !text.is_empty() && text.len() <= Self::LENGTH_MAX && text.chars().all(Self::takes);
        good.then(|| Self(text.to_owned())).ok_or(InvalidLogOrigin)
    }
}

/// How the name of the log is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogName {
    /// The operator says it: a log that has begun must have it.
    Set(LogOrigin),
    /// It follows from the public address: a log that has begun keeps the name that it has.
    Following(LogOrigin),
}

impl LogName {
    /// The name of a log that has not begun.
    #[must_use]
    pub const fn origin(&self) -> &LogOrigin {
        let (Self::Set(origin) | Self::Following(origin)) = self;
        origin
    }
}
