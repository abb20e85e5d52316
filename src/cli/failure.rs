//! Why a command of the program failed, for the person at the terminal.

use std::error::Error as StdError;

use crate::entropy::NoEntropy;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A step of the demo was not as told.
    #[error("not as told: {0}")]
    Story(String),
    /// At least one check of the doctor failed.
    #[error("{0} of the checks failed")]
    Unwell(usize),
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

    /// Prints the failure and all its causes.
    pub(super) fn print(&self) {
        eprintln!("keylend: {self}");
        let mut cause = self.source();
        while let Some(error) = cause {
            eprintln!("  because: {error}");
            cause = error.source();
        }
    }
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
    crate::domain::user::InvalidText,
    crate::service::Error,
    crate::signing::keyring_file::KeyringFileError,
    crate::simulator::FleetError,
    crate::storage::OpenError,
    crate::storage::StorageError,
    crate::telemetry::TelemetryError,
    super::settings::InvalidSettings,
    crate::config::InvalidAddress,
    crate::config::InvalidLogOrigin,
    crate::audit::note::InvalidVerifierKey,
);
