//! Every connection is taken, by somebody who does not give it back.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::stage::{Stage, assert_wait, until, until_status};
use crate::support::postgres::own::OwnServer;

/// Longer than a lock is waited for by everybody in the two batches that can be under way.
const BOUND: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the test measures how long an answer takes")]
async fn requests_that_get_no_connection_are_turned_away_in_time() {
    let server = tokio::task::spawn_blocking(OwnServer::start).await.unwrap();
    let stage = Stage::open(Some(&server.url())).await;
    let service = stage.serve(&[("KEYLEND_DATABASE_CONNECTIONS_MAX", "2")]).await;
    let owner = stage.owner(&service).await;
    // Whoever writes waits for this lock, and holds a connection while it does.
    let lock =
        "BEGIN; LOCK TABLE commands, grants, vehicles; SELECT 'locked'; SELECT pg_sleep(120)";
    let mut holder = tokio::task::block_in_place(|| {
        server.psql(server.database(), lock).stdout(Stdio::null()).spawn().unwrap()
    });
    let held = "SELECT COUNT(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted";
    let locked = || async {
        let count = tokio::task::block_in_place(|| server.sql(server.database(), held));
        (count.trim() != "0").then_some(())
    };
    until("the lock", locked).await;
    let began = Instant::now();
    let requests = (0..12).map(|_| owner.command(&owner.vehicles[0], "unlock"));
    for refused in futures_util::future::join_all(requests).await {
        assert_wait(&refused);
    }
    assert!(began.elapsed() < BOUND, "after {:?}", began.elapsed());
    assert_eq!(stage.executed().await, 0);

    holder.kill().unwrap();
    holder.wait().unwrap();
    let end = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'psql' AND pid <> pg_backend_pid()";
    tokio::task::block_in_place(|| server.sql("postgres", end));
    until_status(200, || owner.command(&owner.vehicles[0], "unlock")).await;
    stage.close(vec![service]).await;
}
