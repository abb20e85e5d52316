//! The servers of one PostgreSQL database: which of them is the primary now, and a pool of
//! connections to it alone.
//!
//! A connection of its own to each server is asked once a second ([`Servers::find_primary`]). When
//! the primary is another one, or the same one was away, the pool is replaced as a whole: no
//! connection to a server that lost its office, or that went without a word, is used again. Of two
//! servers that both take writes the one with the later timeline is right, because promotion begins
//! a new one; a timeline that is earlier than one that was seen is never gone back to.

use std::io::ErrorKind;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection, PgPool};

use super::super::error::{Cause, StorageError};
use super::super::open::OpenError;
use super::super::permits::{Permit, Permits, Priority};
use super::super::query::query;
use super::super::row::{FromRow, Origin, Row, corrupt};
use super::run;
use crate::domain::time::Timestamp;

/// Whether a server takes writes, and its timeline if it is asked for (a standby has none yet).
const STANDING: &str = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS is_primary, \
    CASE WHEN $1 AND NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) ELSE '0' END AS timeline";
/// The one statement that reads a database's clock: it is compared with this machine's and goes
/// into no row (`docs/adr/0016-clocks-must-agree.md`).
const TIME: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";

pub(super) const STATEMENTS: &[&str] = &[STANDING, TIME];

/// So long a server may take to say what it is.
const LOOK_TIME_MAX: Duration = Duration::from_secs(2);
/// A server ends a statement after ten seconds. One that is silent for longer is not there any
/// more, or waits for a standby that is not: nobody waits with it.
const SILENCE_MAX: Duration = Duration::from_secs(12);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// At start, so long may no server be the primary: it may be starting as well.
const START_PATIENCE: Duration = Duration::from_secs(5);
const START_LOOK_AGAIN: Duration = Duration::from_millis(100);
/// So many connections are for what has priority: commands, and the end of a key.
const RESERVED: u32 = 2;
/// A connection that was idle longer is tried before it is used.
const IDLE_TRUSTED: Duration = Duration::from_secs(10);

/// The servers of one database. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Servers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    addresses: Vec<PgConnectOptions>,
    connections_max: u32,
    /// Of any pool, also of one that replaces another.
    permits: Permits,
    /// Connections that do nothing but ask each server what it is.
    lookouts: tokio::sync::Mutex<Vec<Option<PgConnection>>>,
    chosen: RwLock<Chosen>,
    /// Told when the pool was replaced: who waits for an answer on the old one waits for nothing.
    replaced: tokio::sync::Notify,
}

/// The server that is used.
#[derive(Debug)]
struct Chosen {
    at: usize,
    timeline: u32,
    pool: PgPool,
    /// Whether it is known to be the primary: the pool is not used otherwise.
    is_good: bool,
}

/// What a server says about itself.
#[derive(Debug, Clone, Copy)]
struct Standing {
    is_primary: bool,
    timeline: u32,
    /// Whether it had to be connected to: it was away, or never asked.
    is_new: bool,
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

impl Servers {
    /// Finds the primary among servers, and opens a pool of connections to it.
    ///
    /// # Errors
    /// [`OpenError::NotPrimary`] if there are only standbys or read-only servers;
    /// [`OpenError::Connect`] if none can be reached.
    pub(super) async fn open(
        addresses: Vec<PgConnectOptions>,
        connections_max: u32,
    ) -> Result<Self, OpenError> {
        let address = addresses.first().cloned().unwrap_or_default();
        let pool = pool(address, connections_max);
        let lookouts = tokio::sync::Mutex::new(addresses.iter().map(|_| None).collect());
        let chosen = RwLock::new(Chosen { at: 0, timeline: 0, pool, is_good: false });
        let replaced = tokio::sync::Notify::new();
        let permits = Permits::of(connections_max, RESERVED);
        let shared = Shared { addresses, connections_max, permits, lookouts, chosen, replaced };
        let servers = Self(Arc::new(shared));
        let mut last = OpenError::NotPrimary;
        let found = tokio::time::timeout(START_PATIENCE, async {
            loop {
                match servers.look().await {
                    Ok(()) => return Ok(()),
                    Err(error) if !may_be_starting(&error) => return Err(error),
                    Err(error) => last = error,
                }
                tokio::time::sleep(START_LOOK_AGAIN).await;
            }
        });
        match found.await {
            Ok(outcome) => outcome.map(|()| servers),
            Err(_) => Err(last),
        }
    }

    /// The permit of something that asks for a connection.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if it does not come in time.
    pub(super) async fn permit(&self, priority: Priority) -> Result<Permit, StorageError> {
        self.0.permits.take(priority).await
    }

    /// The connections to the primary.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] while no server is known to be it.
    pub(super) fn pool(&self) -> Result<PgPool, StorageError> {
        let chosen = self.0.chosen.read().unwrap_or_else(PoisonError::into_inner);
        if chosen.is_good {
            return Ok(chosen.pool.clone());
        }
        Err(StorageError::away(ErrorKind::NotConnected, "no server is known to be the primary"))
    }

    /// Asks every server what it is, and uses the primary from now on.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if none is it; until one is, nothing is asked of any.
    pub(super) async fn find_primary(&self) -> Result<(), StorageError> {
        self.look().await.map_err(|error| match error {
            OpenError::Storage(error) => error,
            OpenError::Connect(cause) => StorageError::Unavailable(cause),
            _ => StorageError::away(ErrorKind::NotConnected, "no server is the primary"),
        })
    }

    async fn look(&self) -> Result<(), OpenError> {
        let mut lookouts = self.0.lookouts.lock().await;
        let several = self.0.addresses.len() > 1;
        let asked = self.0.addresses.iter().zip(lookouts.iter_mut());
        let asked = asked.map(|(address, lookout)| standing(address, lookout, several));
        let (mut standings, mut failure) = (Vec::new(), None);
        for (at, answer) in join_all(asked).await.into_iter().enumerate() {
            match answer {
                Ok(standing) => standings.push((at, standing)),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        drop(lookouts);
        let mut chosen = self.0.chosen.write().unwrap_or_else(PoisonError::into_inner);
        let primary = standings
            .iter()
            .filter(|(_, one)| one.is_primary && one.timeline >= chosen.timeline)
            .max_by_key(|&&(at, one)| (one.timeline, at == chosen.at, std::cmp::Reverse(at)));
        let Some(&(at, standing)) = primary else {
            chosen.is_good = false;
            return Err(failure.map_or(OpenError::NotPrimary, OpenError::Connect));
        };
        let is_same = at == chosen.at && standing.timeline == chosen.timeline;
        if !is_same || standing.is_new || !chosen.is_good {
            let address = self.0.addresses.get(at).cloned().unwrap_or_default();
            tracing::info!(host = address.get_host(), port = address.get_port(), "the primary");
            let pool = pool(address, self.0.connections_max);
            let before = std::mem::replace(&mut chosen.pool, pool);
            // From here on it gives no connection; those that are out close when they come back.
            drop(before.close());
            self.0.replaced.notify_waiters();
            (chosen.at, chosen.timeline, chosen.is_good) = (at, standing.timeline, true);
        }
        Ok(())
    }

    /// What the primary's clock shows.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if it does not say so in time.
    pub(super) async fn time(&self) -> Result<Timestamp, StorageError> {
        let at = self.0.chosen.read().unwrap_or_else(PoisonError::into_inner).at;
        let mut lookouts = self.0.lookouts.lock().await;
        let lookout = lookouts.get_mut(at).and_then(Option::as_mut);
        let lookout = lookout.ok_or_else(|| {
            StorageError::away(ErrorKind::NotConnected, "the primary was not asked yet")
        })?;
        let asked = run::run(lookout, query(TIME));
        let Ok(answer) = tokio::time::timeout(LOOK_TIME_MAX, asked).await else {
            return Err(silence());
        };
        let answer = answer?;
        let time = answer.rows.first().map(Timestamp::from_row).transpose()?;
        time.ok_or_else(|| corrupt("(first)", "the server has no time"))
    }

    /// Waits for an answer of the primary, but not for one that has gone without a word, whose
    /// connections are not used any more then, and not after another one was found.
    pub(super) async fn bounded<T, E>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StorageError>
    where
        StorageError: From<E>,
    {
        let replaced = self.0.replaced.notified();
        tokio::select! {
            biased;
            answer = answer => Ok(answer?),
            () = replaced => Err(silence()),
            () = tokio::time::sleep(SILENCE_MAX) => {
                self.0.chosen.write().unwrap_or_else(PoisonError::into_inner).is_good = false;
                Err(silence())
            }
        }
    }

    /// Waits for what runs, then closes every connection.
    pub(super) async fn close(&self) {
        let pool = self.0.chosen.read().unwrap_or_else(PoisonError::into_inner).pool.clone();
        pool.close().await;
        self.0.lookouts.lock().await.iter_mut().for_each(|lookout| drop(lookout.take()));
    }
}

fn silence() -> StorageError {
    StorageError::away(ErrorKind::TimedOut, "the server gave no answer in time")
}

/// Whether the same question may have another answer in a moment.
fn may_be_starting(error: &OpenError) -> bool {
    let OpenError::Connect(cause) = error else { return false };
    match cause.downcast_ref() {
        Some(sqlx::Error::Io(_)) => true,
        // cannot_connect_now: it starts, or stops.
        Some(sqlx::Error::Database(reported)) => reported.code().as_deref() == Some("57P03"),
        _ => false,
    }
}

/// Asks one server what it is; connects to it if that was not done yet, or got lost.
async fn standing(
    address: &PgConnectOptions,
    lookout: &mut Option<PgConnection>,
    with_timeline: bool,
) -> Result<Standing, Cause> {
    let asked = tokio::time::timeout(LOOK_TIME_MAX, async {
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
    ])
}

/// Connections to one server, made when they are needed.
fn pool(address: PgConnectOptions, connections_max: u32) -> PgPool {
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
