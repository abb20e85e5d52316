//! The two databases behind one face. The only file, with its rooms below, that names them.
//!
//! A statement is one text for both, run through [`query`]. Where a statement works on a whole
//! set, its text holds a marker such as `VALUES {rows:uuid,bigint}`, which is replaced by
//! placeholders for as many rows as there are ([`rows`]): generated text is never anything but
//! placeholders.

mod erased;
mod error;
mod open;
mod row;
mod rows;
mod run;
mod value;

use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction, pool::PoolConnection};

pub use error::StorageError;
pub use open::{Location, OpenError, PostgresSettings};
pub use row::{Column, FromRow, Row, corrupt};
pub use value::Value;

const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[APPLIED];

/// Connections to one database.
#[derive(Debug, Clone)]
pub enum Db {
    /// One file; one connection writes, the others read.
    Sqlite {
        /// Exactly one connection: writers queue for it in order of arrival.
        writer: sqlx::SqlitePool,
        /// Connections that cannot write.
        readers: sqlx::SqlitePool,
    },
    /// One primary server.
    Postgres(sqlx::PgPool),
}

impl Db {
    /// Begins a transaction that may write. On SQLite it holds the write lock from the start.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn begin(&self) -> Result<Tx, StorageError> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// A connection for reading outside a transaction.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn read(&self) -> Result<Reader, StorageError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Reader::Sqlite(readers.acquire().await?),
            Self::Postgres(pool) => Reader::Postgres(pool.acquire().await?),
        })
    }

    /// Waits for what runs, then closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// Brings the schema to the newest version.
    ///
    /// # Errors
    /// [`OpenError::Migrate`] if a step fails, or if the database is newer than this program.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        match self {
            Self::Sqlite { writer, .. } => open::MIGRATIONS.run(writer).await?,
            Self::Postgres(pool) => open::MIGRATIONS.run(pool).await?,
        }
        Ok(())
    }

    /// Whether the schema is the one this program was built for.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if the database does not answer.
    pub async fn is_migrated(&self) -> Result<bool, StorageError> {
        let mut reader = self.read().await?;
        let applied = match query(APPLIED).fetch_all::<i64>(&mut reader).await {
            Err(StorageError::Rejected(_)) => return Ok(false),
            other => other?,
        };
        Ok(applied.into_iter().eq(open::MIGRATIONS.iter().map(|migration| migration.version)))
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
    Sqlite(Transaction<'static, Sqlite>),
    /// On the server.
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Makes everything in the transaction durable.
    ///
    /// # Errors
    /// [`StorageError`]; if it is `Unavailable`, whether the transaction is durable is not known.
    pub async fn commit(self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// A connection for reading.
#[derive(Debug)]
pub enum Reader {
    /// Of the file.
    Sqlite(PoolConnection<Sqlite>),
    /// Of the server.
    Postgres(PoolConnection<Postgres>),
}

/// Either database's connection, borrowed for one statement.
#[derive(Debug)]
pub enum Handle<'c> {
    /// Of the file.
    Sqlite(&'c mut SqliteConnection),
    /// Of the server.
    Postgres(&'c mut PgConnection),
}

/// Where a statement can run: a transaction, or a reader.
pub trait Connection: Send {
    /// The connection for one statement.
    fn handle(&mut self) -> Handle<'_>;
}

impl Connection for Tx {
    fn handle(&mut self) -> Handle<'_> {
        match self {
            Self::Sqlite(tx) => Handle::Sqlite(tx),
            Self::Postgres(tx) => Handle::Postgres(tx),
        }
    }
}

impl Connection for Reader {
    fn handle(&mut self) -> Handle<'_> {
        match self {
            Self::Sqlite(connection) => Handle::Sqlite(connection),
            Self::Postgres(connection) => Handle::Postgres(connection),
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
    pub async fn execute(self, on: &mut impl Connection) -> Result<u64, StorageError> {
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
        on: &mut impl Connection,
    ) -> Result<Vec<T>, StorageError> {
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
        on: &mut impl Connection,
    ) -> Result<Option<T>, StorageError> {
        Ok(self.fetch_all(on).await?.into_iter().next())
    }

    /// Runs a statement that must change exactly one row.
    ///
    /// # Errors
    /// [`StorageError::LostRace`] if it changed none or several.
    pub async fn execute_one(self, on: &mut impl Connection) -> Result<(), StorageError> {
        match self.execute(on).await? {
            1 => Ok(()),
            _ => Err(StorageError::LostRace),
        }
    }
}
