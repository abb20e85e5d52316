//! What a log asks of a witness, and what a witness must find before it cosigns (C2SP
//! tlog-witness, `add-checkpoint`): the request's bytes, the decision, and how its answers are
//! read. Who keeps the checkpoint that was cosigned last is not known here.

use std::fmt::Write as _;

use signed_note::{Signature, Verifier as _};

use super::Hash;
use super::checkpoint::{self, Checkpoint, InvalidCheckpoint, TreeHead};
use super::note::VerifierKey;
use super::tree::proves_growth;

/// Longer requests are not read: 63 lines of proof and the longest checkpoint fit in.
pub const LENGTH_MAX: usize = 32 * 1024;
/// Longer answers are not read.
pub const ANSWER_LENGTH_MAX: usize = 16 * 1024;
/// The media type of the answer that says how large the tree is that the witness knows.
pub const SIZE_TYPE: &str = "text/x.tlog.size";
/// The protocol allows no more.
const HASHES_MAX: usize = 63;

/// The tree before its first entry: what a witness knows of a log that it never cosigned.
pub const EMPTY: TreeHead = TreeHead { size: 0, root: tlog_tiles::EMPTY_HASH };

/// A checkpoint that is put before a witness.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The size of the tree that the witness is thought to know.
    pub old_size: u64,
    /// The proof that the tree of the checkpoint begins with that one (RFC 6962 2.1.2).
    pub proof: Vec<Hash>,
    /// The checkpoint with its signatures.
    pub checkpoint: Vec<u8>,
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request does not have the form.
    #[error("not a request of the witness protocol (c2sp.org/tlog-witness)")]
    Malformed,
    /// The witness does not watch this log.
    #[error("this log is not among those that are watched here")]
    UnknownLog,
    /// No key of the log has signed, or a signature of one is wrong.
    #[error("the checkpoint is not signed by the log")]
    NotSigned,
    /// The old size is larger than the checkpoint's.
    #[error("the old size is larger than the checkpoint's")]
    OldBeyondNew,
    /// The witness knows a tree of another size than the log thinks.
    #[error("the tree that was cosigned last has {known} entries")]
    OtherSize {
        /// So many entries it has.
        known: u64,
    },
    /// A tree of the same size with other entries was cosigned.
    #[error("another tree of the same size was cosigned")]
    Fork,
    /// The proof does not show that the tree continues the one that was cosigned last.
    #[error("the tree is not shown to continue the one that was cosigned last")]
    NotContinued,
}

impl Submission {
    /// The request.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{hash}");
        }
        text.push('\n');
        [text.as_bytes(), self.checkpoint.as_slice()].concat()
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if the bytes are longer than a request may be or do not have its form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LENGTH_MAX);
        let parts = text.and_then(|text| text.split_once("\n\n"));
        parts.and_then(|(head, rest)| parsed(head, rest)).ok_or(Refusal::Malformed)
    }

    /// Of which log the checkpoint says that it is.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if it is no checkpoint.
    pub fn origin(&self) -> Result<String, Refusal> {
        let claimed = checkpoint::claimed(&self.checkpoint);
        claimed.map(|(origin, _)| origin).map_err(|_| Refusal::Malformed)
    }

    /// The checkpoint, if the log of this origin has signed it with one of these keys.
    ///
    /// # Errors
    /// [`Refusal::NotSigned`], [`Refusal::Malformed`].
    pub fn signed(&self, origin: &str, keys: &[VerifierKey]) -> Result<Checkpoint, Refusal> {
        checkpoint::open(&self.checkpoint, origin, keys).map_err(|error| match error {
            InvalidCheckpoint::NotSigned(_) => Refusal::NotSigned,
            InvalidCheckpoint::Malformed | InvalidCheckpoint::OtherLog(_) => Refusal::Malformed,
        })
    }

    /// Whether a witness that cosigned `known` last may cosign `head`, the head of the
    /// submission's own checkpoint. In the order in which the protocol names its checks.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn examine(&self, head: TreeHead, known: TreeHead) -> Result<(), Refusal> {
        if self.old_size > head.size {
            return Err(Refusal::OldBeyondNew);
        }
        if self.old_size != known.size {
            return Err(Refusal::OtherSize { known: known.size });
        }
        if head.size == known.size && head.root != known.root {
            return Err(Refusal::Fork);
        }
        if proves_growth(&self.proof, head.size, head.root, known.size, known.root) {
            Ok(())
        } else {
            Err(Refusal::NotContinued)
        }
    }
}

fn parsed(head: &str, checkpoint: &str) -> Option<Submission> {
    let mut lines = head.split('\n');
    let old_size = size(lines.next()?.strip_prefix("old ")?)?;
    let proof: Vec<Hash> = lines.map(|line| Hash::parse_hash(line).ok()).collect::<Option<_>>()?;
    let checkpoint = checkpoint.as_bytes().to_vec();
    (proof.len() <= HASHES_MAX).then_some(Submission { old_size, proof, checkpoint })
}

/// A number as the protocol writes it: without sign and leading zeroes.
fn size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

/// The size in the answer of a witness that knows a tree of another size than the request named.
#[must_use]
pub fn known_size(media_type: &str, answer: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(answer).ok()?;
    (media_type == SIZE_TYPE).then(|| size(text.strip_suffix('\n')?)).flatten()
}

/// The cosignature of this witness over a checkpoint's text, if the answer holds a good one.
/// Lines of other keys are passed over, as the protocol wants it.
#[must_use]
pub fn cosignature(answer: &[u8], text: &[u8], witness: &VerifierKey) -> Option<Signature> {
    let answer = std::str::from_utf8(answer).ok().filter(|a| a.len() <= ANSWER_LENGTH_MAX)?;
    let signatures = answer.lines().filter_map(|line| Signature::from_bytes(line.as_bytes()).ok());
    let mut own = signatures.filter(|s| s.name() == witness.name() && s.id() == witness.id());
    own.find(|signature| witness.verify(text, signature.signature()))
}

#[cfg(test)]
#[path = "witness_test.rs"]
mod tests;
