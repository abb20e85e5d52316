//! Why a command of the program failed, for the person at the terminal, and with which status it
//! ends. `docs/command-line.md` lists the statuses.

use std::error::Error as StdError;
use std::process::ExitCode;

use crate::entropy::NoEntropy;

/// What became of a request to a server, if it is not what was asked for. Each has a status of its
/// own, so that scripts need not read sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Unmet {
    /// Nobody is signed in, or the login is over.
    SignedOut = 3,
    /// The server or the policy refused it: the caller has no permission for it, or not at this time.
    Refused = 4,
    /// What it is about does not exist, or is not theirs.
    NotFound = 5,
    /// The request does not fit the rules or the state of things.
    NotAccepted = 6,
    /// No server can be reached, it is in trouble, or its answer is not one of a Keylend.
    Unreachable = 7,
    /// A command was sent to the car and did not succeed, or its outcome is not known yet.
    NotDone = 8,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The arguments are not complete or do not fit together, in a way that clap does not check.
    #[error("{0}")]
    Usage(String),
    /// A server was asked for something and did not do it.
    #[error("{said}")]
    Unmet {
        /// Which status the program ends with.
        why: Unmet,
        /// A sentence for the person.
        said: String,
        /// More lines about it, for those who look into it.
        notes: Vec<String>,
    },
    /// A step of the demo failed.
    #[error("a step failed: {0}")]
    Story(String),
    /// At least one check of the doctor failed.
    #[error("{0} of the checks failed")]
    Unwell(usize),
    /// The record, or a proof, is not what was signed. What is wrong with it was printed.
    #[error("{0}")]
    NotVerified(&'static str),
    /// Whether it is what was signed could not be found out.
    #[error("it could not be verified")]
    Unverifiable(#[source] Box<dyn StdError + Send + Sync>),
    /// Anything else, with its causes.
    #[error(transparent)]
    Other(Box<dyn StdError + Send + Sync>),
}

impl Failure {
    /// A failure that is a sentence.
    #[must_use]
    pub fn because(sentence: impl Into<String>) -> Self {
        Self::Other(sentence.into().into())
    }

    /// A request that was not met, as a sentence.
    #[must_use]
    pub fn unmet(why: Unmet, said: impl Into<String>) -> Self {
        Self::Unmet { why, said: said.into(), notes: Vec::new() }
    }

    /// A verification that could not be made, for this reason.
    #[must_use]
    pub fn unverifiable(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unverifiable(reason.into())
    }

    /// The status with which the program ends: 2, as for wrong usage, if a verification could not
    /// be made, so that 1 says that something is wrong with what was to be verified.
    #[must_use]
    pub fn status(&self) -> ExitCode {
        match self {
            Self::Unverifiable(_) | Self::Usage(_) => ExitCode::from(2),
            Self::Unmet { why, .. } => ExitCode::from(*why as u8),
            Self::Story(_) | Self::Unwell(_) | Self::NotVerified(_) | Self::Other(_) => {
                ExitCode::FAILURE
            }
        }
    }

    /// Prints the failure and all its causes.
    pub(super) fn print(&self) {
        let mut said = said_of(self).into_iter();
        eprintln!("keylend: {}", said.next().unwrap_or_default());
        if let Self::Unmet { notes, .. } = self {
            notes.iter().for_each(|note| eprintln!("  {note}"));
        }
        said.for_each(|cause| eprintln!("  because: {cause}"));
    }
}

/// An error with all its causes, on one line.
pub(super) fn with_causes(error: &dyn StdError) -> String {
    said_of(error).join(": ")
}

/// What an error and its causes say, without those that only say again what was said before.
fn said_of(error: &dyn StdError) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |error| StdError::source(*error)) {
        let cause = cause.to_string();
        if !said.iter().any(|before| before.contains(&cause)) {
            said.push(cause);
        }
    }
    said
}

macro_rules! failures {
    ($($error:ty),* $(,)?) => {
        $(
            impl From<$error> for Failure {
                fn from(error: $error) -> Self {
                    Self::Other(Box::new(error))
                }
            }
        )*
    };
}

failures!(
    NoEntropy,
    std::io::Error,
    reqwest::Error,
    serde_json::Error,
    crate::app::AssembleError,
    crate::app::CannotListen,
    crate::app::Halted,
    crate::domain::user::InvalidText,
    crate::service::Error,
    crate::service::record::OtherName,
    crate::signing::keyring_file::KeyringFileError,
    crate::simulator::FleetError,
    crate::storage::OpenError,
    crate::storage::StorageError,
    crate::telemetry::TelemetryError,
    super::settings::InvalidSetting,
    super::settings::InvalidSettings,
    crate::config::InvalidAddress,
    crate::config::InvalidLogOrigin,
    crate::audit::note::InvalidVerifierKey,
    crate::disk::folder::FolderError,
    crate::service::record::archive::ArchiveError,
    crate::service::record::export::CopyError,
    crate::witness::FolderError,
);
