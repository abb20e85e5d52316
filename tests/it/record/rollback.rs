//! An old backup must not revive revoked keys, nor a forged record be signed.

use keylend::service::record::{self, accept_rollback, examine};
use serde_json::json;

use crate::support::record::{checkpoint, queue_again, sequence_and_sign, verify};
use crate::support::{Actor, Database, TestApp, on_both};

async fn is_ready(app: &TestApp) -> u16 {
    Actor::nobody(app).get("/readyz").await.status
}

async fn an_old_backup_is_refused_until_somebody_accepts_it(database: Database) {
    let mut app = TestApp::start(database).await;
    let (owner, guest) = (app.owner().await, app.guest().await);
    let grant_id = owner.lend(&app, &guest).await;
    sequence_and_sign(app.service()).await;
    let backup = app.backup().await;

    let owner = app.sign_in("owner@story.example").await;
    owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await.expect(200);
    sequence_and_sign(app.service()).await;
    let signed = checkpoint(app.service()).await.head.size;
    assert_eq!(examine(&app.service().record).await.unwrap(), None);

    app.restore(backup).await;
    let rolled_back = examine(&app.service().record).await.unwrap().expect("an old database");
    assert_eq!(rolled_back.signed, signed);
    assert!(rolled_back.found < signed);
    assert!(rolled_back.to_string().contains("--accept-rollback"));
    let refused = record::sign(&app.service().record).await.unwrap_err().to_string();
    assert!(refused.contains("does not continue"), "{refused}");
    assert_eq!(is_ready(&app).await, 503);

    accept_rollback(&app.service().record, &rolled_back).await.unwrap();
    sequence_and_sign(app.service()).await;
    assert_eq!(is_ready(&app).await, 200);
    assert_eq!(examine(&app.service().record).await.unwrap(), None);
    verify(app.service()).await.unwrap();
    let admin = app.admin().await;
    let entries = admin.get("/v1/audit-entries?event=record.rollback_accepted").await.expect(200);
    let details = &entries.body["data"][0]["details"];
    assert_eq!(*details, json!({ "signed": signed, "found": rolled_back.found }));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_backup_is_refused_until_somebody_accepts_it_on_sqlite() {
    an_old_backup_is_refused_until_somebody_accepts_it(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_backup_is_refused_until_somebody_accepts_it_on_postgres() {
    an_old_backup_is_refused_until_somebody_accepts_it(Database::Postgres).await;
}

on_both! {
    async fn a_tree_that_was_rewritten_is_not_signed(app) {
        app.owner().await;
        sequence_and_sign(app.service()).await;
        let signed = checkpoint(app.service()).await.head;
        // Somebody who owns the database puts the entries in another order and has it sequenced
        // again from the beginning.
        let mut reader = app.service().base.store.read().await.unwrap();
        let placed = keylend::storage::record::entries(&mut reader, 0..signed.size).await.unwrap();
        drop(reader);
        let entries: Vec<_> = placed.into_iter().rev().map(|placed| placed.entry).collect();
        for statement in [
            "DELETE FROM record_bundles",
            "DELETE FROM record_subjects",
            "DELETE FROM record_tiles",
            "UPDATE record_state SET size = 0, checkpoint_size = 0",
        ] {
            app.execute(statement).await;
        }
        queue_again(app.service(), &entries).await;
        record::sequence(&app.service().base).await.unwrap();
        let refused = record::sign(&app.service().record).await.unwrap_err().to_string();
        assert!(refused.contains("nothing more is signed"), "{refused}");
        assert_eq!(is_ready(app).await, 503);
        assert_eq!(checkpoint(app.service()).await.head, signed, "another checkpoint was published");
        let rolled_back = examine(&app.service().record).await.unwrap().expect("another tree");
        accept_rollback(&app.service().record, &rolled_back).await.unwrap();
        sequence_and_sign(app.service()).await;
    }
}
