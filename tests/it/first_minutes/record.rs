//! A database that is older than what was signed.

use std::fs;

use super::{SERVE_AND_DOCTOR, all_say};
use crate::support::databases::Database;
use crate::support::operated::Operated;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_backup_is_told_with_what_it_lacks() {
    let service = Operated::start(Database::Sqlite).await;
    let path = service.terminal.folder().join("keylend.db");
    let backup = service.terminal.folder().join("backup.db");
    service.work(16).await;
    let terminal = service.end().await;
    fs::copy(&path, &backup).unwrap();

    let mut later = terminal.start(&["serve"]);
    let address = later.logged_after("address=").await;
    let url = format!("http://{}", address.split_whitespace().next().unwrap());
    let actor = crate::support::Actor::visiting(&url);
    let body = serde_json::json!({ "email": "ada@example.com", "password": crate::support::people::PASSWORD });
    actor.post("/v1/sessions", body).await.expect(201);
    let key = terminal.folder().join("keylend.keys.checkpoint");
    let before = fs::read(&key).unwrap();
    while fs::read(&key).unwrap() == before {
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
