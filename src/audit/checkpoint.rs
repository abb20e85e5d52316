//! Checkpoints (C2SP tlog-checkpoint): a note that says how large the tree is and what its root
//! hash is, signed by the log and cosigned by witnesses.

use signed_note::{Note, NoteError, Signature, VerifierList};

use super::Hash;
use super::note::{KeyKind, VerifierKey};

/// Longer files are no checkpoints: this is room for a hundred cosignatures.
pub const LENGTH_MAX: usize = 16 * 1024;

/// The state of a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreeHead {
    /// The number of entries.
    pub size: u64,
    /// The root of the Merkle tree over them.
    pub root: Hash,
}

/// A checkpoint whose log signature was verified.
#[derive(Debug)]
pub struct Checkpoint {
    /// The tree that it signs.
    pub head: TreeHead,
    /// The text that is signed.
    pub text: Vec<u8>,
    /// The signatures of the log that were verified.
    pub signatures: Vec<Signature>,
    /// Every other signature that was verified, each with its key.
    pub cosignatures: Vec<(VerifierKey, Signature)>,
}

/// Why bytes are not a checkpoint of this log.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCheckpoint {
    /// They are no note, or the note is no checkpoint.
    #[error("not a checkpoint")]
    Malformed,
    /// It is another log's.
    #[error("the checkpoint is of the log `{0}`")]
    OtherLog(String),
    /// A signature does not verify, or the log has not signed.
    #[error("the checkpoint is not signed by the log: {0}")]
    NotSigned(String),
}

impl Checkpoint {
    /// How many different witnesses have cosigned.
    #[must_use]
    pub fn witnesses(&self) -> usize {
        let keys: Vec<&VerifierKey> = self.cosignatures.iter().map(|(key, _)| key).collect();
        let is_first =
            |&(at, key): &(usize, &&VerifierKey)| !keys.iter().take(at).any(|k| k == key);
        keys.iter().enumerate().filter(is_first).count()
    }
}

/// The text of a checkpoint, to be signed.
///
/// # Errors
/// [`InvalidCheckpoint::Malformed`] if the origin is empty or more than a line.
pub fn text(origin: &str, head: TreeHead) -> Result<Vec<u8>, InvalidCheckpoint> {
    if origin.chars().any(char::is_control) {
        return Err(InvalidCheckpoint::Malformed);
    }
    tlog_tiles::Checkpoint::new(origin, head.size, head.root, "")
        .map(|checkpoint| checkpoint.to_bytes())
        .map_err(|_| InvalidCheckpoint::Malformed)
}

/// The checkpoint with its signatures, as it is published.
///
/// # Errors
/// [`InvalidCheckpoint::Malformed`] if the text cannot be that of a note.
pub fn note(text: &[u8], signatures: &[Signature]) -> Result<Vec<u8>, InvalidCheckpoint> {
    Note::new(text, signatures)
        .map(|note| note.to_bytes())
        .map_err(|_| InvalidCheckpoint::Malformed)
}

/// Reads a checkpoint of this log. At least one of its keys must have signed, and no signature of
/// a known key may be wrong; signatures of others are left out.
///
/// # Errors
/// [`InvalidCheckpoint`] if the bytes are no checkpoint, name another log, or are not signed as they
/// should be.
pub fn open(
    bytes: &[u8],
    origin: &str,
    keys: &[VerifierKey],
) -> Result<Checkpoint, InvalidCheckpoint> {
    if bytes.len() > LENGTH_MAX {
        return Err(InvalidCheckpoint::Malformed);
    }
    let note = Note::from_bytes(bytes).map_err(|_| InvalidCheckpoint::Malformed)?;
    let head = said(&note, origin)?;
    let verifiers = keys.iter().cloned().map(|key| Box::new(key) as Box<dyn signed_note::Verifier>);
    let (verified, _) = note
        .verify(&VerifierList::new(verifiers.collect()))
        .map_err(|error: NoteError| InvalidCheckpoint::NotSigned(error.to_string()))?;
    let mut checkpoint = Checkpoint {
        head,
        text: note.text().to_vec(),
        signatures: Vec::new(),
        cosignatures: Vec::new(),
    };
    for signature in verified {
        let of = |key: &&VerifierKey| key.name() == signature.name() && key.id() == signature.id();
        match keys.iter().find(of) {
            Some(key) if key.kind() == KeyKind::Witness => {
                checkpoint.cosignatures.push((key.clone(), signature));
            }
            _ => checkpoint.signatures.push(signature),
        }
    }
    if checkpoint.signatures.is_empty() {
        return Err(InvalidCheckpoint::NotSigned("only witnesses have".to_owned()));
    }
    Ok(checkpoint)
}

/// What a checkpoint of this log says, from a file that only its signer can write: no signature is
/// looked at, because the key may have been replaced since.
///
/// # Errors
/// [`InvalidCheckpoint::Malformed`], [`InvalidCheckpoint::OtherLog`].
pub fn own_head(bytes: &[u8], origin: &str) -> Result<TreeHead, InvalidCheckpoint> {
    said(&Note::from_bytes(bytes).map_err(|_| InvalidCheckpoint::Malformed)?, origin)
}

/// The text of a checkpoint that is signed: the note without its signatures.
///
/// # Errors
/// [`InvalidCheckpoint::Malformed`] if the bytes are no signed note.
pub fn text_of(bytes: &[u8]) -> Result<Vec<u8>, InvalidCheckpoint> {
    let note = Note::from_bytes(bytes).map_err(|_| InvalidCheckpoint::Malformed)?;
    Ok(note.text().to_vec())
}

/// The log that a checkpoint names, and its tree. No signature is verified.
///
/// # Errors
/// [`InvalidCheckpoint::Malformed`] if the bytes are no checkpoint.
pub fn claimed(bytes: &[u8]) -> Result<(String, TreeHead), InvalidCheckpoint> {
    if bytes.len() > LENGTH_MAX {
        return Err(InvalidCheckpoint::Malformed);
    }
    let note = Note::from_bytes(bytes).map_err(|_| InvalidCheckpoint::Malformed)?;
    let said = tlog_tiles::Checkpoint::from_bytes(note.text())
        .map_err(|_| InvalidCheckpoint::Malformed)?;
    let head = TreeHead { size: said.size(), root: *said.hash() };
    Ok((said.origin().to_owned(), head))
}

fn said(note: &Note, origin: &str) -> Result<TreeHead, InvalidCheckpoint> {
    let said = tlog_tiles::Checkpoint::from_bytes(note.text())
        .map_err(|_| InvalidCheckpoint::Malformed)?;
    if said.origin() != origin {
        return Err(InvalidCheckpoint::OtherLog(said.origin().chars().take(200).collect()));
    }
    Ok(TreeHead { size: said.size(), root: *said.hash() })
}

#[cfg(test)]
#[path = "checkpoint_test.rs"]
mod tests;
