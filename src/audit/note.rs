//! Signed notes (C2SP signed-note) and the keys that sign them: the log's, and the cosignatures of
//! witnesses (C2SP tlog-cosignature). Verification is `ring`'s; the secret halves live elsewhere.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use signed_note::{Signature, Verifier, is_key_name_valid, key_id};

use crate::domain::time::Timestamp;

/// Longer texts are no verifier keys.
const LENGTH_MAX: usize = 512;
/// The time in front of a cosignature is written in so many bytes.
const TIME_LENGTH: usize = 8;

/// The kind of signature that a key makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Ed25519 over the note: the log's own.
    Log,
    /// A cosignature: Ed25519 over the note and the time at which a witness saw it.
    Witness,
}

impl KeyKind {
    /// The byte that precedes the key (C2SP signed-note, "Signature types").
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// A public key with the name under which it signs: `NAME+ID+KEY`, a *vkey*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    public: [u8; 32],
}

/// Why a text is no verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVerifierKey {
    /// It does not have the form.
    #[error("not a verifier key: it reads NAME+ID+KEY, the id in 8 hexadecimal digits")]
    Malformed,
    /// The id does not follow from name and key.
    #[error("the id of the verifier key is not that of its name and key")]
    WrongId,
    /// The signatures of this key are of another type.
    #[error("only Ed25519 log keys and Ed25519 cosignature keys are known")]
    UnknownKind,
}

impl VerifierKey {
    /// The key of this name.
    ///
    /// # Errors
    /// [`InvalidVerifierKey::Malformed`] if the name is empty or holds white space or a plus.
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self, InvalidVerifierKey> {
        if !is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(InvalidVerifierKey::Malformed);
        }
        Ok(Self { name: name.to_owned(), kind, public })
    }

    /// The name under which the key signs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of signature that the key makes.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The first bytes of the digest over name and key: which key of that name it is.
    #[must_use]
    pub fn id(&self) -> u32 {
        key_id(&self.name, &self.typed())
    }

    fn typed(&self) -> Vec<u8> {
        [&[self.kind.byte()], self.public.as_slice()].concat()
    }

    /// What the secret half signs for this note: the note itself, or the note below a line with
    /// the time (C2SP tlog-cosignature).
    #[must_use]
    pub fn message(&self, text: &[u8], now: Timestamp) -> Vec<u8> {
        match self.kind {
            KeyKind::Log => text.to_vec(),
            KeyKind::Witness => cosigned(text, seconds(now)),
        }
    }

    /// The signature's line, from what the secret half made of [`VerifierKey::message`] at the
    /// same time.
    ///
    /// # Errors
    /// Never for a key that [`VerifierKey::new`] took.
    pub fn signature(
        &self,
        signed: &[u8],
        now: Timestamp,
    ) -> Result<Signature, signed_note::NoteError> {
        let bytes = match self.kind {
            KeyKind::Log => signed.to_vec(),
            KeyKind::Witness => [&seconds(now).to_be_bytes(), signed].concat(),
        };
        Signature::new(self.name.clone(), self.id(), bytes)
    }
}

fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_unix_seconds()).unwrap_or(0)
}

fn cosigned(text: &[u8], seconds: u64) -> Vec<u8> {
    [format!("cosignature/v1\ntime {seconds}\n").as_bytes(), text].concat()
}

/// When a witness signed; `None` for what cannot be a cosignature.
#[must_use]
pub fn cosigned_at(signature: &Signature) -> Option<Timestamp> {
    let (time, _) = signature.signature().split_first_chunk::<TIME_LENGTH>()?;
    Timestamp::from_unix_seconds(i64::try_from(u64::from_be_bytes(*time)).ok()?)
}

impl Verifier for VerifierKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id()
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        match self.kind {
            KeyKind::Log => key.verify(text, signature).is_ok(),
            KeyKind::Witness => {
                signature.split_first_chunk::<TIME_LENGTH>().is_some_and(|(time, signature)| {
                    key.verify(&cosigned(text, u64::from_be_bytes(*time)), signature).is_ok()
                })
            }
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, self.id(), STANDARD.encode(self.typed()))
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidVerifierKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LENGTH_MAX {
            return Err(InvalidVerifierKey::Malformed);
        }
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidVerifierKey::Malformed);
        };
        let typed = STANDARD.decode(key).map_err(|_| InvalidVerifierKey::Malformed)?;
        let (&byte, public) = typed.split_first().ok_or(InvalidVerifierKey::Malformed)?;
        let kind = [KeyKind::Log, KeyKind::Witness].into_iter().find(|kind| kind.byte() == byte);
        let kind = kind.ok_or(InvalidVerifierKey::UnknownKind)?;
        let public = public.try_into().map_err(|_| InvalidVerifierKey::Malformed)?;
        let parsed = Self::new(name, kind, public)?;
        if format!("{:08x}", parsed.id()) != id {
            return Err(InvalidVerifierKey::WrongId);
        }
        Ok(parsed)
    }
}

#[cfg(test)]
#[path = "note_test.rs"]
mod tests;
