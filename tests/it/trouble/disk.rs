//! A database in a file on a disk that is full, and on one that fails.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::stage::{Instance, Stage, assert_wait, today, tomorrow, until, until_ready};
use crate::support::{Actor, preloaded};

/// A service on a disk that can be brought into trouble.
struct Disk {
    stage: Stage,
    service: Instance,
    owner: Actor,
    folder: PathBuf,
}

async fn serve(stage: &Stage, folder: &Path) -> Instance {
    let library = preloaded::disk().to_str().unwrap();
    let settings = [("LD_PRELOAD", library), ("KEYLEND_TEST_DISK", folder.to_str().unwrap())];
    stage.serve(&settings).await
}

/// Brings a disk into trouble, or out of it.
fn set(folder: &Path, trouble: &str, is_there: bool) {
    let file = folder.join(trouble);
    if is_there { std::fs::write(file, "").unwrap() } else { std::fs::remove_file(file).unwrap() }
}

impl Disk {
    async fn open() -> Self {
        let stage = Stage::open(None).await;
        let folder = stage.terminal.folder().join("disk");
        std::fs::create_dir(&folder).unwrap();
        let service = serve(&stage, &folder).await;
        let owner = stage.owner(&service).await;
        Self { stage, service, owner, folder }
    }

    async fn lend(&self) -> String {
        let guest = self.owner.invite("g@example.com").await.id;
        let body = json!({
            "vehicle_id": self.owner.vehicles[0], "grantee_id": guest, "entitlements": ["unlock", "lock"],
            "not_before": today(), "not_after": tomorrow(),
        });
        self.owner.post("/v1/grants", body).await.expect(201).text("grant_id")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_loudly_and_is_forgotten_when_there_is_room() {
    let disk = Disk::open().await;
    let (owner, car) = (&disk.owner, &disk.owner.vehicles[0]);
    owner.command(car, "unlock").await.expect(200);
    let grant_id = disk.lend().await;
    let revoke = format!("/v1/grants/{grant_id}/revoke");
    let executed = disk.stage.executed().await;

    set(&disk.folder, "full", true);
    assert_wait(&owner.command(car, "unlock").await);
    assert_wait(&owner.command(car, "lock").await);
    let refused = owner.post(&revoke, json!({})).await;
    assert_wait(&refused);
    assert_eq!(refused.text("code"), "storage_unavailable");
    assert_eq!(disk.stage.executed().await, executed, "sent without a record");
    let grant = owner.get(&format!("/v1/grants/{grant_id}")).await.expect(200);
    assert_eq!(grant.text("status"), "active");

    set(&disk.folder, "full", false);
    owner.post(&revoke, json!({})).await.expect(200);
    owner.command(car, "unlock").await.expect(200);
    assert_eq!(disk.stage.executed().await, executed + 1);
    until_ready(&disk.service.url, true).await;
    disk.stage.close(vec![disk.service]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_ends_the_process_and_nothing_is_sent() {
    let Disk { stage, service, owner, folder } = Disk::open().await;
    let car = &owner.vehicles[0];
    let done =
        owner.post_as("/v1/commands", "before", json!({ "vehicle_id": car, "action": "unlock" }));
    let done = done.await.expect(200).text("command_id");
    let executed = stage.executed().await;

    set(&folder, "broken", true);
    let unlock = json!({ "vehicle_id": car, "action": "unlock" });
    let request = owner.request(reqwest::Method::POST, "/v1/commands").json(&unlock);
    // It is refused, or the process is gone before it can say so.
    if let Ok(answer) = request.header("idempotency-key", "broken").send().await {
        assert_eq!(answer.status(), 503);
    }
    let (status, said) = service.running.ended().await;
    assert_eq!(status.code(), Some(74), "{said}");
    assert!(said.contains("nothing more can be promised"), "{said}");
    assert_eq!(stage.executed().await, executed, "sent by a process that had to end");

    set(&folder, "broken", false);
    let service = serve(&stage, &folder).await;
    let owner = owner.at(&service.url);
    let kept = owner.get(&format!("/v1/commands/{done}")).await.expect(200);
    assert_eq!(kept.text("command_id"), done, "an acknowledged write is lost");
    // What the log of the file kept of the other one was never sent.
    let told = until("an answer under the same key", || async {
        let told = owner.post_as("/v1/commands", "broken", unlock.clone()).await.command();
        (!told.text("command_id").is_empty() && told.text("status") != "sending").then_some(told)
    });
    let told = told.await;
    let is_honest = match told.headers.contains_key("idempotency-replayed") {
        true => stage.executed().await == executed,
        false => stage.executed().await == executed + 1,
    };
    assert!(is_honest, "{}", told.body);
    stage.close(vec![service]).await;
}
