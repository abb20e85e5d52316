//! Tasks that panic: without the one that decides the process ends, the others run again.

use serde_json::json;

use super::stage::{Stage, until, until_ready, until_status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_panics_ends_the_process_and_the_next_start_goes_on() {
    let stage = Stage::open(None).await;
    let service = stage.serve(&[("KEYLEND_FAILPOINT", "gate.decided:1:panic")]).await;
    let owner = stage.owner(&service).await;
    let unlock = json!({ "vehicle_id": owner.vehicles[0], "action": "unlock" });
    let request = owner.request(reqwest::Method::POST, "/v1/commands").json(&unlock);
    // It is refused, or the process is gone before it can say so.
    if let Ok(answer) = request.header("idempotency-key", "one").send().await {
        assert_eq!(answer.status(), 503);
    }
    let (status, said) = service.running.ended().await;
    assert_eq!(status.code(), Some(74), "{said}");
    assert!(said.contains("the gate panicked"), "{said}");
    assert_eq!(stage.executed().await, 0, "sent without a record");

    let service = stage.serve(&[]).await;
    until_ready(&service.url, true).await;
    owner.at(&service.url).post_as("/v1/commands", "one", unlock).await.expect(200);
    assert_eq!(stage.executed().await, 1);
    stage.close(vec![service]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_background_task_that_panics_runs_again() {
    let stage = Stage::open(None).await;
    let mut service = stage.serve(&[("KEYLEND_FAILPOINT", "sequence.placed:1:panic")]).await;
    let owner = stage.owner(&service).await;
    service.running.logged_after("a background task panicked").await;
    until("an entry with a position", || async {
        let path = format!("/v1/audit-entries?vehicle_id={}", owner.vehicles[0]);
        let entries = owner.get(&path).await.expect(200).list("entry_id");
        let proof = owner.get(&format!("/v1/audit-entries/{}/proof", entries.first()?)).await;
        (proof.status == 200).then_some(())
    })
    .await;
    until_status(200, || owner.get("/log/checkpoint")).await;
    stage.close(vec![service]).await;
}
