//! How long entries wait to be signed is measured: also while nobody can sign them.

use std::time::Duration;

use keylend::signing::last_signed::LastSigned;

use crate::support::Actor;
use crate::support::databases::Database;
use crate::support::operated::Operated;

/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks the service until its record is behind in this way.
async fn until_behind(operated: &Operated, is_meant: impl Fn(f64) -> bool) {
    let visitor = Actor::visiting(&operated.url);
    let asked = tokio::time::timeout(PATIENCE, async {
        loop {
            let page = visitor.get("/metrics").await.expect(200);
            let mut lines = page.body.as_str().unwrap().lines();
            let line = lines.find_map(|line| line.strip_prefix("keylend_record_lag_seconds "));
            if line.is_some_and(|lag| is_meant(lag.parse().unwrap())) {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    asked.await.expect("the record was never so far behind");
}

async fn who_keeps_the_record_from_being_signed_is_noticed(database: Database) {
    let operated = Operated::start(database).await;
    until_behind(&operated, |lag| lag < 1.0).await;
    let file = LastSigned::of_key_file(&operated.terminal.folder().join("keylend.keys"));
    // As an instance on the same machine holds it that stands still while it signs.
    let turn = loop {
        if let Some(turn) = file.turn().unwrap() {
            break turn;
        }
    };
    operated.work(16).await;
    until_behind(&operated, |lag| lag > 1.0).await;
    drop(turn);
    until_behind(&operated, |lag| lag == 0.0).await;
    operated.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_keeps_the_record_from_being_signed_is_noticed_on_sqlite() {
    who_keeps_the_record_from_being_signed_is_noticed(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_keeps_the_record_from_being_signed_is_noticed_on_postgres() {
    who_keeps_the_record_from_being_signed_is_noticed(Database::Postgres).await;
}
