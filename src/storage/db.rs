//! The two databases behind one face. The only file, with its rooms below, that names them.
//!
//! A statement is one text for both, run through [`query`]. Where a statement works on a whole
//! set, its text holds a marker such as `VALUES {rows:uuid,bigint}`, which is replaced by
//! placeholders for as many rows as there are ([`rows`]): generated text is never anything but
//! placeholders.

mod address;
mod erased;
mod error;
mod migrations;
mod open;
mod permits;
#[cfg(test)]
pub mod rehearsal;
mod row;
mod rows;
mod run;
mod servers;
mod value;

use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction, pool::PoolConnection};

use crate::disk::halt::Halt;
use crate::domain::time::Timestamp;

pub use error::StorageError;
use migrations::MIGRATIONS;
pub use open::{Location, OpenError, PostgresSettings};
use permits::Permits;
pub use permits::{Permit, Priority};
pub use row::{Column, FromRow, Row, corrupt};
pub use servers::Servers;
pub use value::Value;

const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[APPLIED];

/// The permits of a file.
#[derive(Debug, Clone)]
pub struct FilePermits {
    /// One, so that who has priority waits for one transaction and not for a queue of them.
    to_write: Permits,
    to_read: Permits,
}

/// Connections to one database.
#[derive(Debug, Clone)]
pub enum Db {
    /// One file; one connection writes, the others read.
    Sqlite {
        /// Exactly one connection: writers queue for it in order of arrival.
        writer: sqlx::SqlitePool,
        /// Connections that cannot write.
        readers: sqlx::SqlitePool,
        /// Who may write, and who may read.
        permits: FilePermits,
        /// Called when the file is broken; from then on nothing is asked of it.
        halt: Halt,
    },
    /// The servers of one database, of which one is the primary.
    Postgres(Servers),
    /// In memory, acted out; and the process that it is seen from.
    #[cfg(test)]
    Rehearsal(rehearsal::RehearsalDb, u64),
}

impl Db {
    /// Begins a transaction that may write. On SQLite it holds the write lock from the start.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn begin(&self, priority: Priority) -> Result<Tx, StorageError> {
        Ok(match self {
            Self::Sqlite { writer, permits, halt, .. } => {
                let permit = permits.to_write.take(priority).await?;
                let tx = judged(halt, writer.begin_with("BEGIN IMMEDIATE")).await?;
                Tx::Sqlite(tx, halt.clone(), permit)
            }
            Self::Postgres(servers) => {
                let permit = servers.permit(priority).await?;
                let pool = servers.pool()?;
                Tx::Postgres(servers.bounded(pool.begin()).await?, servers.clone(), permit)
            }
            #[cfg(test)]
            Self::Rehearsal(db, process) => Tx::Rehearsal(db.begin(*process).await?),
        })
    }

    /// A connection for reading outside a transaction.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn read(&self, priority: Priority) -> Result<Reader, StorageError> {
        Ok(match self {
            Self::Sqlite { readers, permits, halt, .. } => {
                let permit = permits.to_read.take(priority).await?;
                Reader::Sqlite(judged(halt, readers.acquire()).await?, halt.clone(), permit)
            }
            Self::Postgres(servers) => {
                let permit = servers.permit(priority).await?;
                let pool = servers.pool()?;
                Reader::Postgres(servers.bounded(pool.acquire()).await?, servers.clone(), permit)
            }
            #[cfg(test)]
            Self::Rehearsal(db, _) => Reader::Rehearsal(db.read().await?),
        })
    }

    /// Waits for what runs, then closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(servers) => servers.close().await,
            #[cfg(test)]
            Self::Rehearsal(..) => {}
        }
    }

    /// Finds out which server is the primary, and uses that one from now on. A file is always it.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if none is.
    pub async fn find_primary(&self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            Self::Postgres(servers) => servers.find_primary().await,
            #[cfg(test)]
            Self::Rehearsal(..) => Ok(()),
        }
    }

    /// What the primary's clock shows, to be compared and never stored; `None` for a file, which
    /// has no clock but this machine's.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if it does not say so in time.
    pub async fn time(&self) -> Result<Option<Timestamp>, StorageError> {
        match self {
            Self::Sqlite { .. } => Ok(None),
            Self::Postgres(servers) => servers.time().await.map(Some),
            #[cfg(test)]
            Self::Rehearsal(..) => Ok(None),
        }
    }

    /// What ends the process when the database is broken; a server ends itself.
    #[must_use]
    pub fn halt(&self) -> Halt {
        match self {
            Self::Sqlite { halt, .. } => halt.clone(),
            Self::Postgres(_) => Halt::default(),
            #[cfg(test)]
            Self::Rehearsal(..) => Halt::default(),
        }
    }

    /// Brings the schema to the newest version.
    ///
    /// # Errors
    /// [`OpenError::Migrate`] if a step fails, or if the database is newer than this program.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        match self {
            Self::Sqlite { writer, .. } => MIGRATIONS.run(writer).await?,
            Self::Postgres(servers) => MIGRATIONS.run(&servers.pool()?).await?,
            #[cfg(test)]
            Self::Rehearsal(..) => {}
        }
        Ok(())
    }

    /// Whether the schema is the one this program was built for.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if the database does not answer.
    pub async fn is_migrated(&self) -> Result<bool, StorageError> {
        let mut reader = self.read(Priority::Ordinary).await?;
        let applied = match query(APPLIED).fetch_all::<i64>(&mut reader).await {
            Err(StorageError::Rejected(_)) => return Ok(false),
            other => other?,
        };
        Ok(applied.into_iter().eq(MIGRATIONS.iter().map(|migration| migration.version)))
    }

    /// Prepares one statement without running it, with one and with two rows in its marker.
    ///
    /// # Errors
    /// [`StorageError::Rejected`] if the database does not understand it.
    pub async fn prepare(&self, sql: &'static str) -> Result<(), StorageError> {
        for count in [1, 2] {
            run::prepare(self, sql, count).await?;
        }
        Ok(())
    }
}

/// A transaction that may write. It must be committed by name; dropping it undoes everything.
#[derive(Debug)]
pub enum Tx {
    /// In the file.
    Sqlite(Transaction<'static, Sqlite>, Halt, Permit),
    /// On the server.
    Postgres(Transaction<'static, Postgres>, Servers, Permit),
    /// Acted out.
    #[cfg(test)]
    Rehearsal(rehearsal::RehearsalConnection),
}

impl Tx {
    /// Makes everything in the transaction durable.
    ///
    /// # Errors
    /// [`StorageError`]; if it is `Unknown`, whether the transaction is durable is not known.
    pub async fn commit(self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite(tx, halt, _turn) => judged(&halt, tx.commit()).await,
            Self::Postgres(tx, servers, _turn) => {
                servers.bounded(tx.commit()).await.map_err(StorageError::of_commit)
            }
            #[cfg(test)]
            Self::Rehearsal(tx) => tx.commit().await,
        }
    }
}

/// A connection for reading.
#[derive(Debug)]
pub enum Reader {
    /// Of the file.
    Sqlite(PoolConnection<Sqlite>, Halt, Permit),
    /// Of the server.
    Postgres(PoolConnection<Postgres>, Servers, Permit),
    /// Acted out.
    #[cfg(test)]
    Rehearsal(rehearsal::RehearsalConnection),
}

/// Waits for an answer of the file, and calls the halt if it says that the file is broken. After
/// that it is not asked any more: whether the last write is there, only the next start can tell.
async fn judged<T>(
    halt: &Halt,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StorageError> {
    if halt.is_called() {
        return Err(StorageError::away(std::io::ErrorKind::Other, "the process is ending"));
    }
    let answer = answer.await.map_err(StorageError::from);
    if let Err(StorageError::Broken(error)) = &answer {
        halt.call(format!("the database file is broken: {error}"));
    }
    answer
}

/// Either database's connection, borrowed for one statement.
#[derive(Debug)]
pub enum Handle<'c> {
    /// Of the file.
    Sqlite(&'c mut SqliteConnection, &'c Halt),
    /// Of the server; without its servers, who uses it waits with a patience of their own.
    Postgres(&'c mut PgConnection, Option<&'c Servers>),
    /// Acted out.
    #[cfg(test)]
    Rehearsal(&'c mut rehearsal::RehearsalConnection),
}

/// Where a statement can run: a transaction, or a reader.
pub trait Executor: Send {
    /// The connection for one statement.
    fn handle(&mut self) -> Handle<'_>;
}

impl Executor for Tx {
    fn handle(&mut self) -> Handle<'_> {
        match self {
            Self::Sqlite(tx, halt, _) => Handle::Sqlite(tx, halt),
            Self::Postgres(tx, servers, _) => Handle::Postgres(tx, Some(servers)),
            #[cfg(test)]
            Self::Rehearsal(tx) => Handle::Rehearsal(tx),
        }
    }
}

impl Executor for Reader {
    fn handle(&mut self) -> Handle<'_> {
        match self {
            Self::Sqlite(connection, halt, _) => Handle::Sqlite(connection, halt),
            Self::Postgres(connection, servers, _) => Handle::Postgres(connection, Some(servers)),
            #[cfg(test)]
            Self::Rehearsal(connection) => Handle::Rehearsal(connection),
        }
    }
}

/// A statement and what is bound to it.
#[derive(Debug)]
pub struct Query {
    sql: &'static str,
    values: Vec<Value>,
    rows: Option<rows::Rows>,
}

/// Starts a statement.
#[must_use]
pub const fn query(sql: &'static str) -> Query {
    Query { sql, values: Vec::new(), rows: None }
}

impl Query {
    /// Binds the next parameter (`$1`, `$2`, …).
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds the rows of the statement's `{rows:…}` marker. They are sent in as many statements
    /// as the limits of the databases ask for, within the caller's transaction; no rows, no
    /// statement.
    #[must_use]
    pub fn rows<const WIDTH: usize>(
        mut self,
        rows: impl IntoIterator<Item = [Value; WIDTH]>,
    ) -> Self {
        self.rows = Some(rows::Rows::of(rows));
        self
    }

    fn statements(self, on: &Handle<'_>) -> Result<Vec<rows::Statement>, StorageError> {
        rows::statements(self.sql, self.values, self.rows, run::style(on))
    }

    /// Runs the statement and returns how many rows it changed.
    ///
    /// # Errors
    /// [`StorageError`]; after any error the transaction must not be used any more.
    pub async fn execute(self, on: &mut impl Executor) -> Result<u64, StorageError> {
        #[cfg(test)]
        if let Handle::Rehearsal(connection) = on.handle() {
            return connection.run(self.sql, self.values, self.rows).await.map(|(count, _)| count);
        }
        let mut changed = 0;
        for statement in self.statements(&on.handle())? {
            changed += run::execute(on.handle(), statement).await?;
        }
        Ok(changed)
    }

    /// Runs the statement and returns its rows.
    ///
    /// # Errors
    /// [`StorageError`]; after any error the transaction must not be used any more.
    pub async fn fetch_all<T: FromRow>(
        self,
        on: &mut impl Executor,
    ) -> Result<Vec<T>, StorageError> {
        #[cfg(test)]
        if let Handle::Rehearsal(connection) = on.handle() {
            let (_, rows) = connection.run(self.sql, self.values, self.rows).await?;
            return rows.into_iter().map(|row| T::from_row(&Row::Rehearsal(row))).collect();
        }
        let mut found = Vec::new();
        for statement in self.statements(&on.handle())? {
            for row in run::fetch_all(on.handle(), statement).await? {
                found.push(T::from_row(&row)?);
            }
        }
        Ok(found)
    }

    /// Runs the statement and returns its first row, if it has one.
    ///
    /// # Errors
    /// [`StorageError`]; after any error the transaction must not be used any more.
    pub async fn fetch_optional<T: FromRow>(
        self,
        on: &mut impl Executor,
    ) -> Result<Option<T>, StorageError> {
        Ok(self.fetch_all(on).await?.into_iter().next())
    }

    /// Runs a statement that must change exactly one row.
    ///
    /// # Errors
    /// [`StorageError::LostRace`] if it changed none or several.
    pub async fn execute_one(self, on: &mut impl Executor) -> Result<(), StorageError> {
        match self.execute(on).await? {
            1 => Ok(()),
            _ => Err(StorageError::LostRace),
        }
    }
}
