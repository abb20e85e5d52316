//! The name of the log. It stands in every checkpoint and in what verifiers know, so it is the one with which
//! the log began, wherever the service is reached today.

use std::path::PathBuf;

use super::verifier_keys;
use crate::audit::checkpoint;
use crate::config::LogName;
use crate::signing::Keyring;
use crate::signing::last_signed::LastSigned;
use crate::storage::{Reader, StorageError, record};

/// The operator gives the log another name than it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "KEYLEND_RECORD_ORIGIN={given} is not the name of the record, which began as {kept} ({}) and never \
     changes its name: give {kept}, or leave KEYLEND_RECORD_ORIGIN away. Only a record that begins anew \
     has another name (docs/operations.md, backups)",
    .file.display()
)]
pub struct OtherName {
    given: String,
    kept: String,
    file: PathBuf,
}

/// The name that is known without the database: what stands in the last signed checkpoint, or else what the
/// operator says.
///
/// # Errors
/// [`OtherName`] if the two differ.
pub fn kept_name(name: &LogName, last_signed: &LastSigned) -> Result<Option<String>, OtherName> {
    // A file that cannot be read is told by what looks whether the database continues it.
    let note = last_signed.read().ok().flatten();
    let kept = note.and_then(|note| checkpoint::claimed(&note).ok()).map(|(name, _)| name);
    let LogName::Set(given) = name else { return Ok(kept) };
    match kept {
        Some(kept) if kept != given.as_str() => Err(OtherName {
            given: given.as_str().to_owned(),
            kept,
            file: last_signed.path().to_owned(),
        }),
        _ => Ok(Some(given.as_str().to_owned())),
    }
}

/// The name in the newest published checkpoint, if one of these keys has signed it: whoever can write to
/// the database alone gives the log no name.
///
/// # Errors
/// [`StorageError`] if the database does not answer.
pub async fn published_name(
    reader: &mut Reader,
    keys: &Keyring,
) -> Result<Option<String>, StorageError> {
    let note = match record::checkpoint(reader).await {
        // There are no tables yet.
        Err(StorageError::Rejected(_)) => None,
        read => read?,
    };
    let name_of = |note: Vec<u8>| {
        let (name, _) = checkpoint::claimed(&note).ok()?;
        let keys = verifier_keys(keys, &name).ok()?;
        checkpoint::open(&note, &name, &keys).is_ok().then_some(name)
    };
    Ok(note.and_then(name_of))
}
