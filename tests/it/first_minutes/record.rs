//! A database that is older than what was signed, and a file with what was signed that is damaged.

use std::fs;

use serde_json::json;

use super::{SERVE_AND_DOCTOR, all_say, installed};
use crate::support::operated::Operated;
use crate::support::people::PASSWORD;
use crate::support::{Actor, Database};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_backup_is_told_with_what_it_lacks() {
    let service = Operated::start(Database::Sqlite).await;
    let path = service.terminal.folder().join("keylend.db");
    let backup = service.terminal.folder().join("backup.db");
    service.work(16).await;
    let terminal = service.end().await;
    fs::copy(&path, &backup).unwrap();
    let signed = terminal.folder().join("keylend.keys.checkpoint");
    let before = fs::read(&signed).ok();

    let mut later = terminal.start(&["serve"]);
    let address = later.logged_after("address=").await;
    let url = format!("http://{}", address.split_whitespace().next().unwrap());
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    Actor::visiting(&url).post("/v1/sessions", body).await.expect(201);
    while fs::read(&signed).ok() == before {
        tokio::task::yield_now().await;
    }
    assert!(later.terminate().await.success());

    fs::copy(&backup, &path).unwrap();
    for left in ["keylend.db-wal", "keylend.db-shm"] {
        let _ = fs::remove_file(terminal.folder().join(left));
    }
    let expected = [
        "does not continue the checkpoint over",
        "keylend.keys.checkpoint",
        "restore the newest backup, or start with --accept-rollback",
    ];
    all_say(&terminal, SERVE_AND_DOCTOR, &expected).await;
}

#[tokio::test]
async fn a_damaged_checkpoint_is_verified_before_it_is_moved_away() {
    let terminal = installed().await;
    fs::write(terminal.folder().join("keylend.keys.checkpoint"), "no checkpoint").unwrap();
    let expected = [
        "keylend.keys.checkpoint, which holds the last signed checkpoint, cannot be used: not a checkpoint",
        "verify a copy of the record (`keylend audit verify`) and move the file away",
    ];
    all_say(&terminal, SERVE_AND_DOCTOR, &expected).await;
}
