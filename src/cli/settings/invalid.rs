//! What can be wrong with settings that were read. Everything that is wrong is told at once, so that nobody
//! starts the program once for each mistake.

use std::fmt;
use std::net::SocketAddr;

use crate::config::{InvalidLogOrigin, InvalidWitnesses};
use crate::storage::InvalidLocation;

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// A setting is missing that nothing else makes up for.
    #[error(
        "{0} is not set: give the credentials of a Smartcar application, \
         or the address of a simulator as KEYLEND_SIMULATOR_URL"
    )]
    Missing(&'static str),
    /// A secret is given as it is and as a file.
    #[error("{0} and {0}_FILE are both set: keep one of them")]
    Both(&'static str),
    /// The file of a secret cannot be used.
    #[error(
        "{name}_FILE={path}: {why}; name a file that holds the secret and that this user can read"
    )]
    SecretFile {
        /// The setting without `_FILE`.
        name: &'static str,
        /// Where the file was looked for.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A secret could be guessed.
    #[error(
        "{name} must have at least {characters_min} characters, or it could be guessed: give it \
         another value, such as what `openssl rand -hex 32` prints"
    )]
    ShortSecret {
        /// The setting.
        name: &'static str,
        /// As many as it must have.
        characters_min: usize,
    },
    /// What is in the file of the database's URL is none.
    #[error("KEYLEND_DATABASE_URL_FILE: the text in this file {0}")]
    DatabaseUrl(#[from] InvalidLocation),
    /// Tokens and passwords would cross a network in clear.
    #[error(
        "KEYLEND_PUBLIC_URL={0} is not encrypted: give an https:// address, or say \
         KEYLEND_PUBLIC_URL_INSECURE=true"
    )]
    PublicUrlInClear(String),
    /// The address to listen at is nothing that clients could be sent to.
    #[error(
        "KEYLEND_PUBLIC_URL is not set, and no address follows from KEYLEND_LISTEN={0}: give the \
         address at which clients reach the service, such as https://keys.example.org"
    )]
    PublicUrl(SocketAddr),
    /// No name for the record follows from the public address.
    #[error(
        "KEYLEND_RECORD_ORIGIN is not set, and the one that follows from KEYLEND_PUBLIC_URL {0}"
    )]
    RecordOrigin(#[from] InvalidLogOrigin),
    /// The witnesses of the record cannot be together.
    #[error("KEYLEND_RECORD_WITNESSES: {0}")]
    RecordWitnesses(#[from] InvalidWitnesses),
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSettings(Vec<InvalidSetting>);

impl InvalidSettings {
    /// Each thing that is wrong.
    #[must_use]
    pub fn all(&self) -> &[InvalidSetting] {
        &self.0
    }
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = &self.0[..] {
            return only.fmt(f);
        }
        write!(f, "{} settings are wrong:", self.0.len())?;
        self.0.iter().try_for_each(|wrong| write!(f, "\n  {wrong}"))
    }
}

impl std::error::Error for InvalidSettings {}

/// What was found to be wrong so far.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<InvalidSetting>);

impl Faults {
    /// The value if it is good; if not, what is wrong with it is noted.
    pub(super) fn good<T>(&mut self, checked: Result<T, InvalidSetting>) -> Option<T> {
        checked.map_err(|wrong| self.note(wrong)).ok()
    }

    pub(super) fn note(&mut self, wrong: InvalidSetting) {
        self.0.push(wrong);
    }

    pub(super) const fn are_some(&self) -> bool {
        !self.0.is_empty()
    }
}

impl From<Faults> for InvalidSettings {
    fn from(faults: Faults) -> Self {
        Self(faults.0)
    }
}
