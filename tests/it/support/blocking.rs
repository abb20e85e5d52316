//! Sessions beside the service's that hold what it waits for.

#![expect(clippy::disallowed_methods, reason = "these are sessions beside the service's")]

use std::time::Duration;

use sqlx::PgConnection;

const PATIENCE: Duration = Duration::from_secs(60);

async fn number(watch: &mut PgConnection, sql: &'static str, of: i32) -> i64 {
    sqlx::query_scalar(sql).bind(of).fetch_one(watch).await.unwrap()
}

/// Waits until the number that this asks for is not zero.
pub(crate) async fn until_some(watch: &mut PgConnection, sql: &'static str, of: i32) {
    let found = async {
        while number(watch, sql, of).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("never: {sql}"));
}

/// Waits until a session waits for what this one has locked.
pub(crate) async fn until_blocking(watch: &mut PgConnection, blocker: i32) {
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))";
    until_some(watch, waiting, blocker).await;
}

pub(crate) async fn pid(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await.unwrap()
}
