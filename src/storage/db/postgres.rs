//! PostgreSQL: the servers of one database, of which the primary alone is used.

mod address;
mod arrays;
mod at_hand;
mod error;
mod protection;
mod refusal;
mod run;
mod servers;
mod standing;
mod together;

use std::fmt::Debug;
use std::ops::DerefMut;

use async_trait::async_trait;
use sqlx::PgConnection;
use sqlx::pool::PoolConnection;

use super::driver::{Connections, Database, DbSession, Transaction};
use super::error::StorageError;
use super::migrations::{MIGRATIONS, refused};
use super::open::{OpenError, PostgresSettings};
use super::permits::{Permit, Priority};
use super::query::{Answer, Query, query};
use super::row::FromRow as _;
use crate::domain::time::Timestamp;
use at_hand::PoolNumber;
use servers::Servers;

/// Whether the server takes writes.
const IS_PRIMARY: &str =
    "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'";
/// Rows as they were stay in the tables until this.
const VACUUM: &str = "VACUUM users, sessions, refresh_tokens, personal_data, grants, connections, vehicles, commands, idempotency_keys";

/// Commits, and begins the next transaction in the same trip.
const COMMIT_AND_CHAIN: &str = "COMMIT AND CHAIN";

/// Of another one than UTF8, names of people do not fit in.
const ENCODING: &str = "SELECT current_setting('server_encoding')";

const STATEMENTS: &[&str] = &[IS_PRIMARY, VACUUM, COMMIT_AND_CHAIN, ENCODING];

/// Connections to the primary.
#[derive(Debug)]
pub(super) struct Postgres {
    servers: Servers,
}

impl Postgres {
    /// Finds the primary among the servers that the URL names.
    ///
    /// # Errors
    /// [`OpenError::Url`] if the URL is wrong; [`OpenError::Unusable`] if no server can be reached;
    /// [`OpenError::Unprotected`] if none can be reached with the protection that is asked for;
    /// [`OpenError::NotPrimary`] if no server takes writes; [`OpenError::Encoding`].
    pub(super) async fn open(url: &str, settings: PostgresSettings) -> Result<Self, OpenError> {
        let addresses = address::servers(url).map_err(|error| OpenError::Url(error.into()))?;
        let opened = Self { servers: Servers::open(addresses, settings.connections_max).await? };
        let answer = opened.reader(Priority::Ordinary).await?.run(query(ENCODING)).await?;
        match answer.rows.first().map(String::from_row).transpose()? {
            Some(encoding) if encoding != "UTF8" => Err(OpenError::Encoding(encoding)),
            _ => Ok(opened),
        }
    }

    async fn reader(
        &self,
        priority: Priority,
    ) -> Result<ServerSession<PoolConnection<sqlx::Postgres>>, StorageError> {
        let permit = self.servers.permit(priority).await?;
        let pool = self.servers.pool()?;
        let on = self.servers.bounded(pool.acquire()).await?;
        Ok(ServerSession { on, servers: self.servers.clone(), chained_in: None, _permit: permit })
    }
}

#[async_trait]
impl Database for Postgres {
    async fn begin(&self, priority: Priority) -> Result<Box<dyn Transaction>, StorageError> {
        let permit = self.servers.permit(priority).await?;
        // Before the pool: of one that is replaced in between, nothing is kept.
        let chained_in =
            (priority == Priority::Urgent).then(|| self.servers.pool_to_chain()).flatten();
        let pool = self.servers.pool()?;
        let at_hand = chained_in.and_then(|_| self.servers.take_at_hand());
        let on = match at_hand {
            Some(begun) => begun,
            None => self.servers.bounded(pool.begin()).await?,
        };
        Ok(Box::new(ServerSession {
            on,
            servers: self.servers.clone(),
            chained_in,
            _permit: permit,
        }))
    }

    async fn read(&self, priority: Priority) -> Result<Box<dyn DbSession>, StorageError> {
        Ok(Box::new(self.reader(priority).await?))
    }

    async fn migrate(&self) -> Result<(), OpenError> {
        let pool = self.servers.pool()?;
        let migrated = MIGRATIONS.run(&pool).await;
        migrated.map_err(|error| refused(error.into()).unwrap_or_else(OpenError::Migrate))
    }

    async fn prepare(&self, sql: &'static str) -> Result<(), StorageError> {
        let mut reader = self.reader(Priority::Ordinary).await?;
        run::prepare(&mut reader.on, sql).await
    }

    fn statements(&self) -> Vec<&'static str> {
        [STATEMENTS, servers::STATEMENTS, standing::STATEMENTS].concat()
    }

    async fn clear_erased(&self) -> Result<bool, StorageError> {
        self.reader(Priority::Ordinary).await?.run(query(VACUUM)).await?;
        Ok(true)
    }

    async fn is_primary(&self) -> Result<bool, StorageError> {
        let answer = self.reader(Priority::Urgent).await?.run(query(IS_PRIMARY)).await?;
        Ok(answer.rows.first().map(bool::from_row).transpose()? == Some(true))
    }

    async fn find_primary(&self) -> Result<(), StorageError> {
        self.servers.find_primary().await
    }

    async fn confirm_primary(&self) -> Result<bool, StorageError> {
        self.servers.confirm_primary().await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StorageError> {
        self.servers.time().await.map(Some)
    }

    fn connections(&self) -> Connections {
        self.servers.connections()
    }

    async fn close(&self) {
        self.servers.close().await;
    }
}

/// A connection, or a transaction at READ COMMITTED on one.
#[derive(Debug)]
struct ServerSession<C> {
    on: C,
    servers: Servers,
    /// For what has priority: its commit begins the next transaction.
    chained_in: Option<PoolNumber>,
    _permit: Permit,
}

#[async_trait]
impl<C> DbSession for ServerSession<C>
where
    C: DerefMut<Target = PgConnection> + Debug + Send,
{
    async fn run(&mut self, query: Query) -> Result<Answer, StorageError> {
        self.servers.bounded(run::run(&mut self.on, query)).await
    }

    async fn run_each(&mut self, queries: Vec<Query>) -> Result<Vec<Answer>, StorageError> {
        self.servers.bounded(together::run_each(&mut self.on, queries)).await
    }
}

#[async_trait]
impl Transaction for ServerSession<sqlx::Transaction<'static, sqlx::Postgres>> {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        let Self { mut on, servers, chained_in, _permit } = *self;
        let Some(pool_number) = chained_in.filter(|_| servers.has_none_at_hand()) else {
            return servers.bounded(on.commit()).await.map_err(StorageError::of_commit);
        };
        let committed = run::command(&mut on, COMMIT_AND_CHAIN);
        servers.bounded(committed).await.map_err(StorageError::of_commit)?;
        servers.keep_at_hand(pool_number, on);
        Ok(())
    }
}
