//! Connecting to one server, and asking it what it is.

use std::io::ErrorKind;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection, PgPool};

use super::super::error::{DriverError, StorageError};
use super::super::query::query;
use super::super::row::{FromRow, Origin, Row, corrupt};
use super::run;

/// Whether a server takes writes, and its timeline if it is asked for (a standby has none yet).
const STANDING: &str = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS is_primary, \
    CASE WHEN $1 AND NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) ELSE '0' END AS timeline";

pub(super) const STATEMENTS: &[&str] = &[STANDING];

/// How long a server may take to say what it is.
pub(super) const ASK_TIME_MAX: Duration = Duration::from_secs(2);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was idle longer is tried before it is used.
const IDLE_TRUSTED: Duration = Duration::from_secs(10);

/// What a server says about itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) is_primary: bool,
    pub(super) timeline: u32,
    /// Whether it had to be connected to: it was away, or never asked.
    pub(super) is_new: bool,
}

impl FromRow for Standing {
    const ORIGIN: Origin = Origin::UNNAMED;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let timeline: String = row.get("timeline")?;
        let timeline =
            u32::from_str_radix(&timeline, 16).map_err(|error| corrupt("timeline", error))?;
        Ok(Self { is_primary: row.get("is_primary")?, timeline, is_new: false })
    }
}

/// Asks one server what it is; connects to it if that was not done yet, or got lost.
pub(super) async fn standing(
    address: &PgConnectOptions,
    lookout: &mut Option<PgConnection>,
    with_timeline: bool,
) -> Result<Standing, DriverError> {
    let asked = tokio::time::timeout(ASK_TIME_MAX, async {
        if let Some(known) = lookout
            && let Ok(standing) = ask(known, with_timeline).await
        {
            return Ok(standing);
        }
        let options = limited(address.clone()).application_name("keylend lookout");
        let mut new = options.connect().await?;
        let standing = ask(&mut new, with_timeline).await?;
        *lookout = Some(new);
        Ok(Standing { is_new: true, ..standing })
    });
    let outcome = asked.await.unwrap_or_else(|_| {
        let silent = std::io::Error::new(ErrorKind::TimedOut, "no answer in time");
        Err(sqlx::Error::Io(silent).into())
    });
    if outcome.is_err() {
        *lookout = None;
    }
    outcome
}

async fn ask(on: &mut PgConnection, with_timeline: bool) -> Result<Standing, StorageError> {
    let answer = run::run(on, query(STANDING).bind(with_timeline)).await?;
    let standing = answer.rows.first();
    standing
        .map_or_else(|| Err(corrupt("(first)", "the server has no standing")), Standing::from_row)
}

/// A way to connect with the limits that every connection has.
fn limited(address: PgConnectOptions) -> PgConnectOptions {
    address.application_name("keylend").statement_cache_capacity(128).options([
        ("statement_timeout", "10s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "15s"),
        // Every statement finds its rows by an index, one after the other. Left to itself, the
        // server decides once for a prepared statement: if it was first run while a table was
        // small, it reads the whole table ever after.
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        // So there is one plan, and making it anew for each set took ten times as long as what is
        // planned (1.0 ms and 0.1 ms for the facts of a decision).
        ("plan_cache_mode", "force_generic_plan"),
    ])
}

/// Connections to one server, made when they are needed.
pub(super) fn pool(address: PgConnectOptions, connections_max: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(must_be_primary(connection)))
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for > IDLE_TRUSTED {
                    sqlx::Connection::ping(connection).await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(limited(address))
}

/// A server may have come back as a standby since it was asked last.
async fn must_be_primary(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let standing = ask(connection, false).await;
    if standing.map_err(|error| sqlx::Error::Protocol(error.to_string()))?.is_primary {
        return Ok(());
    }
    Err(sqlx::Error::Io(std::io::Error::new(ErrorKind::PermissionDenied, "it is not the primary")))
}
