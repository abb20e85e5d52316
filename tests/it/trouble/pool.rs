//! Every connection is taken, by somebody who does not give it back.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use serde_json::json;

use super::stage::{Stage, assert_wait, today, tomorrow, until, until_status};
use crate::support::postgres::own::OwnServer;
use crate::support::{Actor, Reply};

/// Longer than a lock is waited for by everybody in the two batches that can be under way.
const BOUND: Duration = Duration::from_secs(20);

/// A session of somebody else that keeps tables to itself.
struct Holder<'s> {
    server: &'s OwnServer,
    session: Child,
}

impl<'s> Holder<'s> {
    /// Whoever writes these tables waits from now on, and holds a connection while it does.
    async fn of(server: &'s OwnServer, tables: &str) -> Self {
        // The session keeps its locks as long as its input is open, which ends with the test.
        let mut command = server.session(server.database());
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let session = tokio::task::block_in_place(|| {
            let mut session = command.spawn().unwrap();
            let lock = format!("BEGIN;\nLOCK TABLE {tables};\n");
            session.stdin.as_mut().unwrap().write_all(lock.as_bytes()).unwrap();
            session
        });
        let held = "SELECT COUNT(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted";
        until("the lock", || async { (count(server, held) > 0).then_some(()) }).await;
        Self { server, session }
    }

    fn end(mut self) {
        self.session.kill().unwrap();
        self.session.wait().unwrap();
        let end = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'psql' AND pid <> pg_backend_pid()";
        tokio::task::block_in_place(|| self.server.sql("postgres", end));
    }
}

fn count(server: &OwnServer, sql: &str) -> u64 {
    let answer = tokio::task::block_in_place(|| server.sql(server.database(), sql));
    answer.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the test measures how long an answer takes")]
async fn requests_that_get_no_connection_are_turned_away_in_time() {
    let server = tokio::task::spawn_blocking(OwnServer::start).await.unwrap();
    let stage = Stage::open(Some(&server.url())).await;
    let service = stage.serve(&[("KEYLEND_DATABASE_CONNECTIONS_MAX", "2")]).await;
    let owner = stage.owner(&service).await;
    let holder = Holder::of(&server, "commands, grants, vehicles").await;
    let began = Instant::now();
    let requests = (0..12).map(|_| owner.command(&owner.vehicles[0], "unlock"));
    for refused in join_all(requests).await {
        assert_wait(&refused);
    }
    assert!(began.elapsed() < BOUND, "after {:?}", began.elapsed());
    assert_eq!(stage.executed().await, 0);

    holder.end();
    until_status(200, || owner.command(&owner.vehicles[0], "unlock")).await;
    stage.close(vec![service]).await;
}

async fn lend(owner: &Actor, guest: &str, key: &str) -> Reply {
    let body = json!({
        "vehicle_id": owner.vehicles[0], "grantee_id": guest, "entitlements": ["unlock", "lock"],
        "not_before": today(), "not_after": tomorrow(),
    });
    owner.post_as("/v1/grants", key, body).await
}

/// Others hold every turn there is; commands and the end of a key take the connections that are left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_and_the_end_of_a_key_do_not_wait_behind_a_crowd() {
    let server = tokio::task::spawn_blocking(OwnServer::start).await.unwrap();
    let stage = Stage::open(Some(&server.url())).await;
    let service = stage.serve(&[("KEYLEND_DATABASE_CONNECTIONS_MAX", "4")]).await;
    let owner = stage.owner(&service).await;
    let guest = owner.invite("g@example.com").await.id;
    let grant_id = lend(&owner, &guest, "the-key").await.expect(201).text("grant_id");
    let holder = Holder::of(&server, "idempotency_keys").await;

    let keys: Vec<String> = (0..30).map(|number| format!("crowd-{number}")).collect();
    let crowd = join_all(keys.iter().map(|key| lend(&owner, &guest, key)));
    let urgent = async {
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted";
        until("a crowd", || async { (count(&server, waiting) >= 2).then_some(()) }).await;
        let revoked = owner.post(&format!("/v1/grants/{grant_id}/revoke"), json!({})).await;
        assert!(revoked.expect(200).body["ended_at"].is_string());
        owner.command(&owner.vehicles[0], "lock").await.expect(200);
        assert_eq!(count(&server, waiting), 2, "the crowd was gone by then, and nothing was shown");
    };
    for turned_away in join(crowd, urgent).await.0 {
        assert_wait(&turned_away);
    }
    holder.end();
    lend(&owner, &guest, "after-it").await.expect(201);
    stage.close(vec![service]).await;
}

/// What is begun with a commit has no snapshot and no lock, and is not kept for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_transaction_at_hand_is_in_nobodys_way() {
    const AT_HAND: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'keylend' AND state = 'idle in transaction'";
    let server = tokio::task::spawn_blocking(OwnServer::start).await.unwrap();
    let stage = Stage::open(Some(&server.url())).await;
    let service = stage.serve(&[]).await;
    let owner = stage.owner(&service).await;
    owner.command(&owner.vehicles[0], "unlock").await.expect(200);
    let harmless = format!("{AT_HAND} AND backend_xid IS NULL AND backend_xmin IS NULL");
    // Another one may be under way: whatever is begun with a commit is as harmless.
    assert!(count(&server, &harmless) >= 1);
    until("its end", || async { (count(&server, AT_HAND) == 0).then_some(()) }).await;

    // One that its server ended meanwhile costs a request, and no more.
    owner.command(&owner.vehicles[0], "lock").await.expect(200);
    let end = AT_HAND.replace("COUNT(*)", "COUNT(pg_terminate_backend(pid))");
    assert!(count(&server, &end) >= 1);
    until_status(200, || owner.command(&owner.vehicles[0], "unlock")).await;
    assert_eq!(stage.executed().await, 3);
    stage.close(vec![service]).await;
}
