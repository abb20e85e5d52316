//! A key file that is missing, not readable, open to others or cut off.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::{ALL, SERVE_AND_DOCTOR, all_say, all_say_without_privileges, installed};
use crate::support::Terminal;

async fn with_key_file() -> (Terminal, PathBuf) {
    let terminal = installed().await;
    let key_file = terminal.folder().join("keylend.keys");
    (terminal, key_file)
}

#[tokio::test]
async fn a_key_file_that_is_missing_is_restored_or_made() {
    let (terminal, key_file) = with_key_file().await;
    fs::remove_file(key_file).unwrap();
    let expected =
        ["cannot open keylend.keys", "restore the key file from your backup", "`keylend migrate`"];
    all_say(&terminal, SERVE_AND_DOCTOR, &expected).await;
}

#[tokio::test]
async fn a_key_file_that_this_user_cannot_read_is_for_its_owner() {
    let (terminal, key_file) = with_key_file().await;
    fs::set_permissions(key_file, Permissions::from_mode(0o000)).unwrap();
    let expected =
        ["cannot open keylend.keys: Permission denied", "run keylend as the owner of the file"];
    all_say_without_privileges(&terminal, ALL, &expected).await;
}

#[tokio::test]
async fn a_key_file_that_others_can_read_is_closed_to_them() {
    let (terminal, key_file) = with_key_file().await;
    fs::set_permissions(key_file, Permissions::from_mode(0o644)).unwrap();
    let expected = ["keylend.keys is open to group or others (mode 644); run chmod 600 on it"];
    all_say(&terminal, ALL, &expected).await;
}

#[tokio::test]
async fn a_key_file_that_is_cut_off_is_restored() {
    let (terminal, key_file) = with_key_file().await;
    let whole = fs::read(&key_file).unwrap();
    for kept in [0, whole.len() / 2, whole.len() - 3] {
        fs::write(&key_file, &whole[..kept]).unwrap();
        let expected = ["keylend.keys: not a key file, or cut off", "restore it from your backup"];
        all_say(&terminal, ALL, &expected).await;
        assert_eq!(fs::read(&key_file).unwrap().len(), kept, "it was written to");
    }
}
