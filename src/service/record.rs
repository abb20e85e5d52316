//! The record as a tree: giving entries their positions, signing what it has become, and proving
//! things from it. Everything here can be done by any instance at any time; the database's one row
//! of state lets one at a time give positions.

pub mod archive;
pub mod export;
mod lag;
mod name;
mod proof;
mod published;
mod quorum;
mod rollback;
mod rounds;
mod sequence;
mod sign;
mod tiles;
mod witnesses;

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;
use tokio::sync::watch;

use crate::audit::note::{InvalidVerifierKey, KeyKind, VerifierKey};
use crate::disk::halt::Halt;
use crate::service::Base;
use crate::signing::last_signed::LastSigned;

pub use lag::measure_lag;
pub use name::{OtherName, kept_name, published_name};
pub use proof::prove;
pub use published::{checkpoint, entries, newest_checkpoint, tile};
pub use quorum::Quorum;
pub use rollback::{RolledBack, accept_rollback, examine};
pub use rounds::open_round;
pub use sequence::sequence;
pub use sign::sign;
pub use witnesses::{Witnesses, ask_witness};

/// The record as this process signs, shows and has it witnessed.
pub struct Record {
    base: Base,
    /// What ends the process when a disk fails.
    halt: Halt,
    origin: String,
    last_signed: LastSigned,
    reader_token: Option<SecretString>,
    witnesses: Witnesses,
    /// How many entries have a position, as far as this process knows.
    size: watch::Sender<u64>,
    /// The largest tree that this process has seen signed.
    seen: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl Record {
    /// The record of this origin, whose last signed checkpoint is kept there, and whose entries
    /// can be read with this token, and who watches it.
    #[must_use]
    pub fn new(
        base: Base,
        halt: Halt,
        origin: String,
        last_signed: LastSigned,
        reader_token: Option<SecretString>,
        witnesses: Witnesses,
    ) -> Self {
        let (seen, trouble) = (AtomicU64::default(), Mutex::default());
        let size = watch::Sender::default();
        Self { base, halt, origin, last_signed, reader_token, witnesses, size, seen, trouble }
    }

    /// The name of the log: the first line of its checkpoints.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Who watches it.
    #[must_use]
    pub const fn witnesses(&self) -> &Witnesses {
        &self.witnesses
    }

    /// How many entries have a position; it changes as soon as this process learns of more.
    #[must_use]
    pub fn growth(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    /// Lets those who wait for new entries know how many have a position.
    fn announce(&self, size: u64) {
        self.size.send_if_modified(|known| std::mem::replace(known, size) != size);
    }

    /// Why nothing is signed at present, if that is so.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// The public keys of the record's checkpoints, the newest first: what a verifier needs.
///
/// # Errors
/// [`InvalidVerifierKey`] if the origin cannot be the name of a key.
pub fn verifier_keys(
    keys: &crate::signing::Keyring,
    origin: &str,
) -> Result<Vec<VerifierKey>, InvalidVerifierKey> {
    let keys = keys.checkpoints().iter();
    keys.map(|key| VerifierKey::new(origin, KeyKind::Log, key.public())).collect()
}
