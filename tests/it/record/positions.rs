//! Giving positions, by whoever is there to do it.

use keylend::audit::Hash;
use keylend::domain::id::Id;
use keylend::domain::time::Timestamp;
use keylend::service::record;
use keylend::storage::record_queue::{self, QueuedEntry};
use serde_json::json;
use uuid::Uuid;

use crate::support::record::{checkpoint, sequence_and_sign, verify};
use crate::support::{Database, TestApp, on_both};

const ENTRIES: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM audit_entries";
const POSITIONS: &str =
    "SELECT CAST(COALESCE(SUM(LENGTH(entries)), 0) / 32 AS BIGINT) FROM record_bundles";

on_both! {
    async fn every_entry_gets_one_position_and_is_covered_by_the_next_checkpoint(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        owner.lend(app, &guest).await;
        assert_eq!(app.count(POSITIONS).await, 0);
        sequence_and_sign(app.service()).await;
        let entries = app.count(ENTRIES).await;
        assert_eq!(app.count(POSITIONS).await, entries);
        assert_eq!(checkpoint(app.service()).await.head.size, entries as u64);
        assert_eq!(record::sequence(&app.service().base).await.unwrap(), 0);
        assert!(!record::sign(&app.service().record).await.unwrap(), "signed again what had not grown");
    }

    async fn entries_of_transactions_that_overlap_are_taken_in_their_order(app) {
        let entry = |at: i64, name: u128| QueuedEntry {
            occurred_at: Timestamp::from_unix_seconds(at).unwrap(),
            organization_id: Id::from_uuid(Uuid::from_u128(1)),
            entry_id: Id::from_uuid(Uuid::from_u128(name)),
            leaf_hash: Hash([0; 32]),
            subjects: Vec::new(),
        };
        sequence_and_sign(app.service()).await;
        let mut tx = app.service().base.store.begin().await.unwrap();
        for number in 0..20 {
            // Each begins before and ends after many others.
            let entries = vec![entry(100 - number, 7), entry(number, 8), entry(50, number as u128 + 9)];
            record_queue::add(&mut tx, entries).await.unwrap();
        }
        let mut taken = Vec::new();
        loop {
            let part = record_queue::take(&mut tx, 4).await.unwrap();
            if part.is_empty() {
                break;
            }
            taken.extend(part.iter().map(|entry| (entry.occurred_at, entry.entry_id)));
        }
        assert_eq!(taken.len(), 60);
        assert!(taken.is_sorted(), "{taken:?}");
    }

    async fn a_record_of_many_tiles_verifies(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let grant_id = owner.lend(app, &guest).await;
        for round in 0..3 {
            for _ in 0..60 {
                let path = format!("/v1/grants/{grant_id}/token");
                guest.post(&path, json!({})).await.expect(200);
            }
            app.advance(std::time::Duration::from_millis(round));
            sequence_and_sign(app.service()).await;
        }
        let verified = verify(app.service()).await.unwrap();
        assert!(verified.head.size > 180 && verified.unsigned == 0);
    }
}

/// Sequencers of three instances at once, while entries go on coming.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_sequencers_at_once_leave_no_gap_and_no_duplicate() {
    let mut app = TestApp::start(Database::Postgres).await;
    app.add_instance().await;
    app.add_instance().await;
    let (owner, guest) = (app.owner().await, app.guest().await);
    let grant_id = owner.lend(&app, &guest).await;
    let path = format!("/v1/grants/{grant_id}/token");
    let placed = futures_util::future::join_all((0..3).map(|instance| {
        let service = app.service_of(instance).clone();
        async move {
            let mut placed = 0;
            for _ in 0..40 {
                placed += record::sequence(&service.base).await.unwrap();
                record::sign(&service.record).await.unwrap();
            }
            placed
        }
    }));
    let entries = futures_util::future::join_all((0..8).map(|_| async {
        for _ in 0..20 {
            guest.post(&path, json!({})).await.expect(200);
        }
    }));
    let (placed, _) = futures_util::future::join(placed, entries).await;
    let rest = record::sequence(&app.service().base).await.unwrap();
    record::sign(&app.service().record).await.unwrap();
    let total: u64 = placed.iter().sum::<u64>() + rest;
    assert_eq!(total, app.count(ENTRIES).await as u64);
    assert_eq!(checkpoint(app.service()).await.head.size, total);
    verify(app.service()).await.unwrap();
    app.finish().await;
}
