//! The key file: who may read it, what it must hold, and that nothing half-written remains.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::domain::time::Timestamp;
use crate::entropy::SeededEntropy;
use crate::signing::Keyring;
use crate::signing::keyring_file::{
    FormatError, KeyringFileError, Rotation, complete, create, load, rotate,
};

const NOW: Timestamp = Timestamp::MAX;

fn with_file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    create(&path, &SeededEntropy::from_seed(1), NOW).unwrap();
    (directory, path)
}

fn names(directory: &TempDir) -> Vec<String> {
    fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_is_private_and_survives_reading_and_rotation() {
    let (directory, path) = with_file();
    assert_eq!(mode(&path), 0o600);
    let first = load(&path).unwrap();
    let rotated = rotate(&path, Rotation::Tokens, &SeededEntropy::from_seed(2), NOW).unwrap();
    assert_eq!(mode(&path), 0o600);
    let read = load(&path).unwrap();
    assert_eq!(format!("{read:?}"), format!("{rotated:?}"));
    assert!(read.grants().get(first.grants().active().kid()).is_some());
    assert!(read.seals().get(first.seals().active().kid()).is_some());
    assert_eq!(names(&directory), ["keys.json"]);
}

#[test]
fn checkpoint_keys_are_rotated_by_themselves() {
    let (_directory, path) = with_file();
    let first = load(&path).unwrap();
    let kids = |keyring: &Keyring| {
        (
            keyring.grants().active().kid().to_owned(),
            keyring.checkpoints().active().kid().to_owned(),
        )
    };
    let tokens = rotate(&path, Rotation::Tokens, &SeededEntropy::from_seed(2), NOW).unwrap();
    assert_ne!(kids(&tokens).0, kids(&first).0);
    assert_eq!(kids(&tokens).1, kids(&first).1);
    let both = rotate(&path, Rotation::Checkpoints, &SeededEntropy::from_seed(3), NOW).unwrap();
    assert_eq!(kids(&both).0, kids(&tokens).0);
    assert_ne!(kids(&both).1, kids(&tokens).1);
    assert_eq!(both.checkpoints().iter().count(), 2, "the old one signs too");
}

#[test]
fn an_older_file_is_completed_once_and_keeps_its_keys() {
    let (_directory, path) = with_file();
    let first = load(&path).unwrap();
    let mut content: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    content["version"] = json!(1);
    content.as_object_mut().unwrap().remove("checkpoint_signing");
    fs::write(&path, content.to_string()).unwrap();
    let refused = load(&path).unwrap_err().to_string();
    assert!(refused.contains("keylend migrate"), "{refused}");
    assert!(complete(&path, &SeededEntropy::from_seed(2), NOW).unwrap());
    let completed = load(&path).unwrap();
    assert_eq!(completed.grants().active().kid(), first.grants().active().kid());
    assert!(!complete(&path, &SeededEntropy::from_seed(3), NOW).unwrap());
    let again = load(&path).unwrap();
    assert_eq!(again.checkpoints().active().kid(), completed.checkpoints().active().kid());
}

#[test]
fn keys_are_never_overwritten() {
    let (directory, path) = with_file();
    let before = fs::read(&path).unwrap();
    let refused = create(&path, &SeededEntropy::from_seed(2), NOW);
    assert!(matches!(refused, Err(KeyringFileError::Exists { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(&directory), ["keys.json"]);
}

#[test]
fn a_file_open_to_others_is_refused() {
    let (_directory, path) = with_file();
    for bits in [0o640, 0o604, 0o620, 0o601, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
        let refused = load(&path).unwrap_err();
        assert!(matches!(refused, KeyringFileError::TooOpen { mode, .. } if mode == bits));
        assert!(refused.to_string().contains("chmod 600"));
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(load(&path).is_ok());
}

#[test]
fn a_change_that_was_cut_off_is_named_and_does_no_harm() {
    let (directory, path) = with_file();
    let left = directory.path().join("keys.json.new");
    fs::write(&left, "{").unwrap();
    let refused = rotate(&path, Rotation::Tokens, &SeededEntropy::from_seed(2), NOW).unwrap_err();
    assert!(matches!(refused, KeyringFileError::Busy { .. }));
    assert!(load(&path).is_ok());
    fs::remove_file(left).unwrap();
    assert!(rotate(&path, Rotation::Tokens, &SeededEntropy::from_seed(2), NOW).is_ok());
}

#[test]
fn a_failed_rotation_leaves_the_file_as_it_was() {
    let (directory, path) = with_file();
    fs::write(&path, "damaged").unwrap();
    assert!(rotate(&path, Rotation::Tokens, &SeededEntropy::from_seed(2), NOW).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"damaged");
    assert_eq!(names(&directory), ["keys.json"]);
    assert!(matches!(
        load(&directory.path().join("none")),
        Err(KeyringFileError::Io { what: "open", .. })
    ));
    let inner = directory.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(load(&inner), Err(KeyringFileError::NotAKeyFile { .. })));
}

/// What is said about a key file after this change to it.
fn after(change: impl FnOnce(&mut Value)) -> FormatError {
    let (_directory, path) = with_file();
    let mut content: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut content);
    fs::write(&path, content.to_string()).unwrap();
    match load(&path).unwrap_err() {
        KeyringFileError::Format { source, .. } => source,
        other => panic!("{other}"),
    }
}

#[test]
fn short_garbled_and_unknown_content_is_refused() {
    use FormatError::{Garbled, NotAKeyFile, NotOneActive, ShortKey, UnknownVersion};
    for set in ["grant_signing", "session_signing", "checkpoint_signing", "sealing"] {
        let with_key = |key: &str| {
            let key = json!(key);
            after(|file| file[set][0]["key"] = key)
        };
        assert_eq!(with_key("AAAAAAAAAAAAAAAAAAAAAA"), ShortKey(set));
        assert_eq!(with_key(""), ShortKey(set));
        assert_eq!(with_key("not base64!"), ShortKey(set));
        assert_eq!(with_key(&"A".repeat(43)), Garbled(set));
        let other_kid = after(|file| file[set][0]["kid"] = json!("x"));
        assert_eq!(other_kid, Garbled(set));
        let none = after(|file| file[set][0]["retired_at"] = json!("2026-01-01T00:00:00Z"));
        assert_eq!(none, NotOneActive(set));
        let empty = after(|file| file[set] = json!([]));
        assert_eq!(empty, NotOneActive(set));
        let two = after(|file| {
            let key = file[set][0].clone();
            file[set].as_array_mut().unwrap().push(key);
        });
        assert_eq!(two, NotOneActive(set));
    }
    assert_eq!(after(|file| file["version"] = json!(3)), UnknownVersion(3));
    let no_key_file = |error| matches!(error, NotAKeyFile { .. });
    assert!(no_key_file(after(|file| file["version"] = json!("1"))));
    assert!(no_key_file(after(|file| file["more"] = json!(1))));
    assert!(no_key_file(after(|file| *file = json!([]))));
}
