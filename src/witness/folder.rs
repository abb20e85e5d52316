//! The folder of a witness: its key, and for each log the checkpoint that it cosigned last. The
//! folder is the witness. Where it is lost, or put back as it was before, the witness has
//! forgotten what it vouched for, and must not go on under the same key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use signed_note::Signature;

use crate::audit::checkpoint::{self, Checkpoint};
use crate::audit::note::{InvalidVerifierKey, KeyKind, VerifierKey};
use crate::audit::witness::{EMPTY, Refusal, Submission};
use crate::clock::Clock;
use crate::domain::time::Timestamp;
use crate::entropy::Entropy;
use crate::signing::digest::sha256;
use crate::signing::keyring_file::KeyringFileError;
use crate::signing::last_signed::LastSigned;
use crate::signing::witness_key::{self, WitnessKey};

const KEY_FILE: &str = "witness.key";

/// A witness's key and memory.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    key: Arc<WitnessKey>,
    public: VerifierKey,
}

/// Why a folder is not that of a witness.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be made.
    #[error("cannot make the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The key cannot be read or written.
    #[error("the witness's key cannot be used: {0}")]
    Key(#[from] KeyringFileError),
    /// The name cannot be that of a key.
    #[error("a witness's name has no spaces and no plus, such as witness.example.org/w1")]
    Name(#[from] InvalidVerifierKey),
}

impl Folder {
    /// Makes a new witness: a folder that is its owner's alone, with a new key.
    ///
    /// # Errors
    /// [`FolderError`]; a key that is there is never replaced.
    pub fn create(
        path: &Path,
        name: &str,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Self, FolderError> {
        // The name is tried before anything is written.
        VerifierKey::new(name, KeyKind::Witness, [0; 32])?;
        let failed = |source| FolderError::Folder { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        only_for_the_owner(path).map_err(failed)?;
        Self::with(path, witness_key::create(&path.join(KEY_FILE), name, entropy, now)?)
    }

    /// The witness of this folder.
    ///
    /// # Errors
    /// [`FolderError::Key`] also if there is no folder: a witness is never made by accident,
    /// because a new one remembers nothing.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        Self::with(path, witness_key::load(&path.join(KEY_FILE))?)
    }

    fn with(path: &Path, key: WitnessKey) -> Result<Self, FolderError> {
        let public = VerifierKey::new(&key.name, KeyKind::Witness, key.key.public())?;
        Ok(Self { path: path.to_owned(), key: Arc::new(key), public })
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> &VerifierKey {
        &self.public
    }

    /// What is remembered of the log of this origin.
    pub(super) fn watched(&self, origin: &str) -> Watched {
        let file = self.path.join(format!("{}.checkpoint", origin_hash(origin)));
        Watched {
            origin: origin.to_owned(),
            keys: Vec::new(),
            file: LastSigned::at(file),
            turn: Arc::default(),
        }
    }
}

/// How a log is named in paths and files: the SHA-256 of its origin, in hexadecimal.
pub(super) fn origin_hash(origin: &str) -> String {
    sha256(origin.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A log that is watched.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    origin: String,
    keys: Vec<VerifierKey>,
    file: LastSigned,
    /// Requests about one log take turns; the file's own lock keeps out other processes.
    turn: Arc<Mutex<()>>,
}

/// Why nothing was cosigned.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotCosigned {
    /// The protocol does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another process is cosigning for this log.
    #[error("another process has the turn")]
    Busy,
    /// What was cosigned last cannot be read, or what is cosigned now cannot be kept.
    #[error("{}: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Watched {
    /// Takes a key of the log, once.
    pub(super) fn add(&mut self, key: VerifierKey) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }

    /// Where the checkpoint is kept that was cosigned last.
    pub(super) const fn file(&self) -> &LastSigned {
        &self.file
    }

    /// Cosigns, if that continues what was cosigned last. What is cosigned is durable when this
    /// returns, and nothing was given away before: between reading the old state and keeping the
    /// new one no other request about this log does anything.
    pub(super) fn cosign(
        &self,
        submission: &Submission,
        folder: &Folder,
        clock: &dyn Clock,
    ) -> Result<Signature, NotCosigned> {
        let checkpoint = submission.signed(&self.origin, &self.keys)?;
        let _one_at_a_time = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = self.file.turn().map_err(|e| self.unusable(&e))?.ok_or(NotCosigned::Busy)?;
        let known = self.file.read().map_err(|error| self.unusable(&error))?;
        let known = known.map(|note| checkpoint::own_head(&note, &self.origin));
        let known = known.transpose().map_err(|error| self.unusable(&error))?;
        submission.examine(checkpoint.head, known.unwrap_or(EMPTY))?;
        let (cosignature, note) = self.signed(&checkpoint, folder, clock.now())?;
        // The same tree again needs no new memory, and costs nobody a write.
        if known != Some(checkpoint.head) {
            turn.replace(&note).map_err(|error| self.unusable(&error))?;
        }
        Ok(cosignature)
    }

    fn signed(
        &self,
        checkpoint: &Checkpoint,
        folder: &Folder,
        now: Timestamp,
    ) -> Result<(Signature, Vec<u8>), NotCosigned> {
        let message = folder.public.message(&checkpoint.text, now);
        let cosignature = folder.public.signature(&folder.key.key.sign(&message), now);
        let cosignature = cosignature.map_err(|error| self.unusable(&error))?;
        let mut signatures = checkpoint.signatures.clone();
        signatures.push(cosignature.clone());
        let note = checkpoint::note(&checkpoint.text, &signatures);
        Ok((cosignature, note.map_err(|error| self.unusable(&error))?))
    }

    fn unusable(&self, error: &dyn std::error::Error) -> NotCosigned {
        NotCosigned::Unusable { path: self.file.path().to_owned(), why: error.to_string() }
    }
}

#[cfg(unix)]
fn only_for_the_owner(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn only_for_the_owner(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[path = "folder_test.rs"]
mod tests;
