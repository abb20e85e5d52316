//! Why a command of the program failed, for the person at the terminal.

use std::error::Error as StdError;
use std::process::ExitCode;

use crate::entropy::NoEntropy;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
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
            Self::Unverifiable(_) => ExitCode::from(2),
            Self::Story(_) | Self::Unwell(_) | Self::NotVerified(_) | Self::Other(_) => {
                ExitCode::FAILURE
            }
        }
    }

    /// Prints the failure and all its causes.
    pub(super) fn print(&self) {
        let mut said = said_of(self).into_iter();
        eprintln!("keylend: {}", said.next().unwrap_or_default());
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
