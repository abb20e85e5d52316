//! Which version of something a caller wants to change, so that nobody changes what they have not seen.

use super::Error;

/// The versions that a change is meant for (RFC 9110 section 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whichever there is.
    Any,
    /// One of these.
    OneOf(Vec<i64>),
}

impl Expected {
    /// Goes on only if this is a version that was meant.
    ///
    /// # Errors
    /// [`Error::VersionChanged`] with the version there is.
    pub(super) fn require(&self, version: i64) -> Result<(), Error> {
        match self {
            Self::OneOf(versions) if !versions.contains(&version) => {
                Err(Error::VersionChanged { version })
            }
            Self::Any | Self::OneOf(_) => Ok(()),
        }
    }
}
