//! A database in a file that cannot be used.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use keylend::storage::db::query;
use keylend::storage::{Db, Location, PostgresSettings, Priority};

use super::{ALL, SERVE_AND_DOCTOR, all_say, all_say_without_privileges, installed};
use crate::support::{Terminal, preloaded};

const DATABASE: &str = "KEYLEND_DATABASE_URL";

/// Makes the database that of a newer program.
pub(super) async fn make_newer(location: &Location) {
    const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                         VALUES (9999, 'newer', TRUE, $1, 0)";
    let db = Db::open(location, PostgresSettings::default(), false).await.unwrap();
    let mut tx = db.begin(Priority::Ordinary).await.unwrap();
    query(NEWER).bind(vec![0_u8]).execute(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    db.close().await;
}

pub(super) const OF_A_NEWER_PROGRAM: [&str; 2] = [
    "the schema of the database is of a newer program (version 9999, this one knows ",
    "start that program, or restore a backup from before it",
];
pub(super) const NOT_MIGRATED: [&str; 2] = [
    "the schema of the database is older than this program, or not made yet",
    "run `keylend migrate`",
];

#[tokio::test]
async fn a_folder_that_is_missing_is_made() {
    let mut terminal = installed().await;
    terminal.export(DATABASE, "sqlite:nowhere/keylend.db");
    let expected =
        ["there is no folder for the database nowhere/keylend.db: make the folder", DATABASE];
    all_say(&terminal, ALL, &expected).await;
}

#[tokio::test]
async fn a_file_or_a_folder_that_cannot_be_written_is_given_to_this_user() {
    let mut terminal = installed().await;
    let folder = terminal.folder().join("closed");
    fs::create_dir(&folder).unwrap();
    let database = folder.join("keylend.db");
    fs::copy(terminal.folder().join("keylend.db"), &database).unwrap();
    let expected = [
        "this user cannot write to the database file closed/",
        "read and write the file",
        DATABASE,
    ];

    fs::set_permissions(&database, Permissions::from_mode(0o400)).unwrap();
    terminal.export(DATABASE, "sqlite:closed/keylend.db");
    all_say_without_privileges(&terminal, ALL, &expected).await;
    // No file beside it can be made.
    fs::set_permissions(&database, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o500)).unwrap();
    all_say_without_privileges(&terminal, ALL, &expected).await;
    terminal.export(DATABASE, "sqlite:closed/new.db");
    all_say_without_privileges(&terminal, &["migrate"], &expected).await;
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_disk_that_is_full_needs_room() {
    let mut terminal = installed().await;
    let library = preloaded::disk().to_str().unwrap();
    let folder = terminal.folder().to_str().unwrap().to_owned();
    terminal.export("LD_PRELOAD", library);
    terminal.export("KEYLEND_TEST_DISK", &folder);
    fs::write(terminal.folder().join("full"), "").unwrap();
    terminal.export(DATABASE, "sqlite:new.db");
    let expected = ["the disk that holds new.db is full: make room on it", DATABASE];
    all_say(&terminal, &["migrate"], &expected).await;
    let said = terminal.run(&["serve", "--create"]).await.failed();
    assert!(said.contains(expected[0]), "{said}");

    terminal.export("KEYLEND_KEY_FILE", "new.keys");
    all_say(&terminal, &["migrate"], &["cannot write new.keys.new", "make room on the disk"]).await;
    assert!(!terminal.folder().join("new.keys").exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let terminal = installed().await;
    let text = "a letter to a friend, long enough to be read as a file of some kind".repeat(20);
    for left in ["keylend.db", "keylend.db-wal", "keylend.db-shm"] {
        let _ = fs::remove_file(terminal.folder().join(left));
    }
    let path = terminal.folder().join("keylend.db");
    fs::write(&path, &text).unwrap();
    let expected = ["keylend.db is not an SQLite database, or it is damaged", "restore a backup"];
    all_say(&terminal, ALL, &expected).await;
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_database_that_was_not_migrated_and_one_of_a_newer_program_are_told_apart() {
    let terminal: Terminal = installed().await;
    let path = terminal.folder().join("keylend.db");
    make_newer(&Location::Sqlite(path.clone())).await;
    all_say(&terminal, ALL, &OF_A_NEWER_PROGRAM).await;
    fs::write(&path, "").unwrap();
    // One after the other: each has the empty file to itself.
    for command in SERVE_AND_DOCTOR {
        all_say(&terminal, &[command], &NOT_MIGRATED).await;
    }
    fs::remove_file(&path).unwrap();
    let expected = ["there is no database at keylend.db; `keylend migrate` makes one"];
    all_say(&terminal, SERVE_AND_DOCTOR, &expected).await;
}
