//! Whom a verifier trusts: the public keys of the log and of its witnesses.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::audit::checkpoint::{self, Checkpoint, InvalidCheckpoint, LENGTH_MAX};
use crate::audit::files::Files as _;
use crate::audit::note::{KeyKind, VerifierKey};
use crate::disk::folder::Folder;

/// The keys, as `keylend keys show` and witnesses print them.
#[derive(Debug, Args)]
pub(super) struct TrustArgs {
    /// Public key of the record, as `keylend keys show` prints it; more than one while or after
    /// it is rotated.
    #[arg(long = "key", value_name = "VKEY", required = true)]
    keys: Vec<VerifierKey>,
    /// Public key of a witness; any number.
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<VerifierKey>,
    /// So many of the witnesses must have cosigned; by default all that are given.
    #[arg(long, value_name = "COUNT", requires = "witnesses")]
    witnesses_min: Option<usize>,
}

/// Keys that fit together.
#[derive(Debug)]
pub(super) struct Trust {
    /// Name of the log.
    pub(super) origin: String,
    /// Its keys and those of its witnesses.
    pub(super) keys: Vec<VerifierKey>,
    witnesses_min: usize,
}

/// Too few of the witnesses have seen a checkpoint.
#[derive(Debug, thiserror::Error)]
#[error("{wanted} of the witnesses must have cosigned the checkpoint, and {found} did")]
pub(super) struct TooFewWitnesses {
    found: usize,
    wanted: usize,
}

impl TrustArgs {
    /// The keys, if they fit together.
    ///
    /// # Errors
    /// [`Failure::Unverifiable`].
    pub(super) fn into_trust(self) -> Result<Trust, Failure> {
        let Self { keys, witnesses, witnesses_min } = self;
        let Some(origin) = keys.first().map(|key| key.name().to_owned()) else {
            return Err(Failure::unverifiable("no --key is given"));
        };
        if keys.iter().any(|key| key.kind() != KeyKind::Log || key.name() != origin) {
            return Err(Failure::unverifiable("each --key must be of the same log"));
        }
        if witnesses.iter().any(|key| key.kind() != KeyKind::Witness) {
            return Err(Failure::unverifiable("a --witness is no key of a witness"));
        }
        let witnesses_min = witnesses_min.unwrap_or(witnesses.len());
        if witnesses_min > witnesses.len() {
            return Err(Failure::unverifiable("--witnesses-min is more than there are witnesses"));
        }
        Ok(Trust { origin, keys: [keys, witnesses].concat(), witnesses_min })
    }
}

impl Trust {
    /// A checkpoint of the log.
    ///
    /// # Errors
    /// [`InvalidCheckpoint`] if it is no checkpoint of this log, or its signatures are not good.
    pub(super) fn open(&self, note: &[u8]) -> Result<Checkpoint, InvalidCheckpoint> {
        checkpoint::open(note, &self.origin, &self.keys)
    }

    /// Whether enough witnesses have seen a checkpoint.
    ///
    /// # Errors
    /// [`TooFewWitnesses`] if fewer have cosigned it than are asked for.
    pub(super) fn witnessed(&self, checkpoint: &Checkpoint) -> Result<(), TooFewWitnesses> {
        let (found, wanted) = (checkpoint.witnesses(), self.witnesses_min);
        if found < wanted { Err(TooFewWitnesses { found, wanted }) } else { Ok(()) }
    }

    /// A checkpoint that was kept in a file: it has to be good, or nothing can be said.
    ///
    /// # Errors
    /// [`Failure::Unverifiable`] if the file cannot be read or holds no checkpoint of this log.
    pub(super) fn kept(&self, file: &Path) -> Result<Checkpoint, Failure> {
        let note = read(file, LENGTH_MAX)?;
        self.open(&note).map_err(|error| {
            Failure::unverifiable(format!("the checkpoint in {}: {error}", file.display()))
        })
    }
}

/// The bytes of a file.
///
/// # Errors
/// [`Failure::Unverifiable`] if the file is missing or cannot be read.
pub(super) fn read(file: &Path, length_max: usize) -> Result<Vec<u8>, Failure> {
    let folder = Folder::at(&PathBuf::new());
    let bytes = folder.read(&file.to_string_lossy(), length_max).map_err(Failure::unverifiable)?;
    bytes.ok_or_else(|| Failure::unverifiable(format!("{} is not there", file.display())))
}
