//! The servers of one PostgreSQL database: which of them is the primary now, and a pool of
//! connections to it alone.
//!
//! A connection of its own to each server is asked once a second ([`Servers::find_primary`]). When
//! the primary is another one, or the same one was away, the pool is replaced as a whole: no
//! connection to a server that is the primary no longer, or that stopped answering, is used again. Of two
//! servers that both take writes the one with the later timeline is right, because promotion begins
//! a new one; a timeline that is earlier than one that was seen is never gone back to.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::super::driver::Connections;
use super::super::error::StorageError;
use super::super::open::OpenError;
use super::super::permits::{Permit, Permits, Priority};
use super::super::query::query;
use super::super::row::{FromRow as _, corrupt};
use super::at_hand::{AtHand, PoolNumber};
use super::refusal::unreachable;
use super::run;
use super::standing::{ASK_TIME_MAX, pool, standing};
use crate::domain::time::Timestamp;

/// The one statement that reads a database's clock: it is compared with this machine's and goes
/// into no row (`docs/adr/0016-clocks-must-agree.md`).
const TIME: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";

pub(super) const STATEMENTS: &[&str] = &[TIME];

/// A server ends a statement after ten seconds. One that is silent for longer is not there any
/// more, or waits for a standby that is not: nobody waits with it.
const SILENCE_MAX: Duration = Duration::from_secs(12);
/// At start, so long may no server be the primary: it may be starting as well.
const START_PATIENCE: Duration = Duration::from_secs(5);
const START_SURVEY_AGAIN: Duration = Duration::from_millis(100);
/// So many connections are for what has priority: commands, and the end of a grant.
const RESERVED: u32 = 2;

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
    /// How many surveys of all servers were begun, and the number of the last one that came to its end:
    /// one may be given up.
    surveys_begun: AtomicU64,
    last_survey: AtomicU64,
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
    /// Counts the pools.
    pool_number: PoolNumber,
    at_hand: AtHand,
}

impl Servers {
    /// Finds the primary among servers, and opens a pool of connections to it.
    ///
    /// # Errors
    /// [`OpenError::NotPrimary`] if there are only standbys or read-only servers;
    /// [`OpenError::Unusable`] or [`OpenError::Unprotected`] if none can be reached.
    pub(super) async fn open(
        addresses: Vec<PgConnectOptions>,
        connections_max: u32,
    ) -> Result<Self, OpenError> {
        let address = addresses.first().cloned().unwrap_or_default();
        let pool = pool(address, connections_max);
        let lookouts = tokio::sync::Mutex::new(addresses.iter().map(|_| None).collect());
        let (is_good, pool_number, at_hand) = (false, PoolNumber::default(), AtHand::default());
        let chosen =
            RwLock::new(Chosen { at: 0, timeline: 0, pool, is_good, pool_number, at_hand });
        let replaced = tokio::sync::Notify::new();
        let permits = Permits::of(connections_max, RESERVED);
        let (surveys_begun, last_survey) = (AtomicU64::new(0), AtomicU64::new(0));
        let shared = Shared {
            addresses,
            connections_max,
            permits,
            lookouts,
            surveys_begun,
            last_survey,
            chosen,
            replaced,
        };
        let servers = Self(Arc::new(shared));
        let mut last = OpenError::NotPrimary;
        let found = tokio::time::timeout(START_PATIENCE, async {
            loop {
                let mut lookouts = servers.0.lookouts.lock().await;
                match servers.survey(&mut lookouts).await {
                    Ok(()) => return Ok(()),
                    Err(error) if !may_be_starting(&error) => return Err(error),
                    Err(error) => last = error,
                }
                tokio::time::sleep(START_SURVEY_AGAIN).await;
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

    /// Those to the primary, or to the server that last was it.
    pub(super) fn connections(&self) -> Connections {
        let chosen = self.0.chosen.read().unwrap_or_else(PoisonError::into_inner);
        let idle = u32::try_from(chosen.pool.num_idle()).unwrap_or(u32::MAX);
        let in_use = chosen.pool.size().saturating_sub(idle);
        Connections { in_use, idle, max: self.0.connections_max }
    }

    /// Asks every server what it is, and uses the primary from now on.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if none is it; until one is, nothing is asked of any.
    pub(super) async fn find_primary(&self) -> Result<(), StorageError> {
        self.chosen_mut().at_hand.survey();
        self.survey_once_more().await
    }

    /// Surveys the servers, unless somebody else has done so from beginning to end since this was
    /// called: however many ask, nobody waits for more than two surveys.
    async fn survey_once_more(&self) -> Result<(), StorageError> {
        let begun = self.0.surveys_begun.load(Ordering::SeqCst);
        let mut lookouts = self.0.lookouts.lock().await;
        if self.0.last_survey.load(Ordering::SeqCst) > begun {
            return self.pool().map(drop);
        }
        self.survey(&mut lookouts).await.map_err(|error| match error {
            OpenError::Storage(error) => error,
            OpenError::Unusable { cause, .. } | OpenError::Unprotected { cause, .. } => {
                StorageError::Unavailable(cause)
            }
            _ => StorageError::away(ErrorKind::NotConnected, "no server is the primary"),
        })
    }

    /// Finds the primary, if there are several servers; `false` if there is one alone.
    pub(super) async fn confirm_primary(&self) -> Result<bool, StorageError> {
        let are_several = self.0.addresses.len() > 1;
        if are_several {
            self.survey_once_more().await?;
        }
        Ok(are_several)
    }

    fn chosen_mut(&self) -> RwLockWriteGuard<'_, Chosen> {
        self.0.chosen.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a transaction that begins now needs so that its commit begins the next one; nothing if there
    /// are too few connections to keep one at hand.
    pub(super) fn pool_to_chain(&self) -> Option<PoolNumber> {
        let chosen = self.0.chosen.read().unwrap_or_else(PoisonError::into_inner);
        (self.0.connections_max > RESERVED + 1).then_some(chosen.pool_number)
    }

    /// The transaction that was begun with the last commit, if it can be used.
    pub(super) fn take_at_hand(&self) -> Option<Transaction<'static, Postgres>> {
        self.chosen_mut().at_hand.take()
    }

    pub(super) fn has_none_at_hand(&self) -> bool {
        self.0.chosen.read().unwrap_or_else(PoisonError::into_inner).at_hand.is_none()
    }

    /// Keeps a transaction that was just begun, unless its pool was replaced meanwhile.
    pub(super) fn keep_at_hand(
        &self,
        pool_number: PoolNumber,
        begun: Transaction<'static, Postgres>,
    ) {
        let mut chosen = self.chosen_mut();
        if chosen.pool_number == pool_number && chosen.is_good && chosen.at_hand.is_none() {
            chosen.at_hand.put(begun);
        }
    }

    /// Asks every server what it is. What is chosen then is known before anybody else asks.
    async fn survey(&self, lookouts: &mut [Option<PgConnection>]) -> Result<(), OpenError> {
        let number = self.0.surveys_begun.fetch_add(1, Ordering::SeqCst) + 1;
        let several = self.0.addresses.len() > 1;
        let asked = self.0.addresses.iter().zip(lookouts.iter_mut());
        let asked = asked.map(|(address, lookout)| standing(address, lookout, several));
        let (mut standings, mut failure) = (Vec::new(), None);
        for (at, answer) in join_all(asked).await.into_iter().enumerate() {
            match answer {
                Ok(standing) => standings.push((at, standing)),
                Err(error) => failure = failure.or(Some((at, error))),
            }
        }
        let mut chosen = self.chosen_mut();
        self.0.last_survey.store(number, Ordering::SeqCst);
        let primary = standings
            .iter()
            .filter(|(_, one)| one.is_primary && one.timeline >= chosen.timeline)
            .max_by_key(|&&(at, one)| (one.timeline, at == chosen.at, std::cmp::Reverse(at)));
        let Some(&(at, standing)) = primary else {
            chosen.is_good = false;
            let failure = failure.and_then(|(at, cause)| Some((self.0.addresses.get(at)?, cause)));
            let why = failure.map(|(address, cause)| unreachable(address, cause));
            return Err(why.unwrap_or(OpenError::NotPrimary));
        };
        let is_same = at == chosen.at && standing.timeline == chosen.timeline;
        if !is_same || standing.is_new || !chosen.is_good {
            let address = self.0.addresses.get(at).cloned().unwrap_or_default();
            tracing::info!(host = address.get_host(), port = address.get_port(), "the primary");
            let pool = pool(address, self.0.connections_max);
            let before = std::mem::replace(&mut chosen.pool, pool);
            // From here on it gives no connection; those that are out close when they come back.
            drop(before.close());
            (chosen.pool_number, chosen.at_hand) = (chosen.pool_number.next(), AtHand::default());
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
        let Ok(answer) = tokio::time::timeout(ASK_TIME_MAX, asked).await else {
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
                self.chosen_mut().is_good = false;
                Err(silence())
            }
        }
    }

    /// Waits for what runs, then closes every connection.
    pub(super) async fn close(&self) {
        let pool = {
            let mut chosen = self.chosen_mut();
            (chosen.is_good, chosen.at_hand) = (false, AtHand::default());
            chosen.pool.clone()
        };
        pool.close().await;
        self.0.lookouts.lock().await.iter_mut().for_each(|lookout| drop(lookout.take()));
    }
}

fn silence() -> StorageError {
    StorageError::away(ErrorKind::TimedOut, "the server gave no answer in time")
}

/// Whether the same question may have another answer in a moment.
fn may_be_starting(error: &OpenError) -> bool {
    let OpenError::Unusable { cause, .. } = error else { return false };
    match cause.downcast_ref() {
        Some(sqlx::Error::Io(_)) => true,
        // cannot_connect_now: it starts, or stops.
        Some(sqlx::Error::Database(reported)) => reported.code().as_deref() == Some("57P03"),
        _ => false,
    }
}
