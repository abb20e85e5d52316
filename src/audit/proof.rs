//! A proof that stands on its own (C2SP tlog-proof): one entry, its place in the tree, and the
//! checkpoint of that tree.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{self, Checkpoint, InvalidCheckpoint};
use super::entry::leaf_hash;
use super::note::VerifierKey;
use super::{Hash, tree};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// No tree needs more: one hash for each halving of 2⁶³ entries.
const HASHES_MAX: usize = 63;
/// Longer files are no proofs.
pub const LENGTH_MAX: usize = 128 * 1024;

/// A proof as it stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// The entry itself, byte for byte as it was hashed: the file's `extra` line.
    pub leaf: Vec<u8>,
    /// Its position in the tree: the first entry has 0.
    pub position: u64,
    /// The hashes beside its way to the root.
    pub hashes: Vec<Hash>,
    /// The checkpoint with its signatures, as it was published.
    pub checkpoint: Vec<u8>,
}

/// Why a file proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum InvalidProof {
    /// It does not have the form.
    #[error("not a proof (C2SP tlog-proof with an `extra` line that holds the entry)")]
    Malformed,
    /// Its checkpoint is not one of the log.
    #[error(transparent)]
    Checkpoint(#[from] InvalidCheckpoint),
    /// The hashes do not lead from the entry to the checkpoint.
    #[error("the entry is not at this position of the tree that the checkpoint signs")]
    NotInTree,
}

impl Proof {
    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{HEADER}\nextra {}\n", STANDARD.encode(&self.leaf));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "index {}", self.position);
        for hash in &self.hashes {
            let _ = writeln!(text, "{hash}");
        }
        text.push('\n');
        [text.as_bytes(), self.checkpoint.as_slice()].concat()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`InvalidProof::Malformed`] if the bytes do not have the form of C2SP tlog-proof.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidProof> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LENGTH_MAX);
        let parts = text.and_then(|text| text.split_once("\n\n"));
        parts.and_then(|(head, rest)| parsed(head, rest)).ok_or(InvalidProof::Malformed)
    }

    /// Whether the entry is in the tree that its checkpoint signs; returns the checkpoint.
    ///
    /// # Errors
    /// [`InvalidProof`] if the checkpoint is not signed by these keys or its tree does not hold the
    /// entry.
    pub fn check(&self, origin: &str, keys: &[VerifierKey]) -> Result<Checkpoint, InvalidProof> {
        let checkpoint = checkpoint::open(&self.checkpoint, origin, keys)?;
        let head = checkpoint.head;
        let leaf = leaf_hash(&self.leaf);
        if tree::proves_entry(&self.hashes, head.size, head.root, self.position, leaf) {
            Ok(checkpoint)
        } else {
            Err(InvalidProof::NotInTree)
        }
    }
}

fn parsed(head: &str, checkpoint: &str) -> Option<Proof> {
    let mut lines = head.split('\n');
    if lines.next()? != HEADER {
        return None;
    }
    let leaf = STANDARD.decode(lines.next()?.strip_prefix("extra ")?).ok()?;
    let index = lines.next()?.strip_prefix("index ")?;
    let position: u64 = index.parse().ok()?;
    if position.to_string() != index {
        return None;
    }
    let hashes: Vec<Hash> = lines.map(|line| Hash::parse_hash(line).ok()).collect::<Option<_>>()?;
    let proof = Proof { leaf, position, hashes, checkpoint: checkpoint.as_bytes().to_vec() };
    (proof.hashes.len() <= HASHES_MAX).then_some(proof)
}

#[cfg(test)]
#[path = "proof_test.rs"]
mod tests;
