//! The databases behind one interface, [`Database`](driver::Database): `sqlite.rs`, `postgres.rs`
//! and, compiled for tests only, the acted one of the rehearsal. Each is one file and the folder of the
//! same name; nothing else here or above differs between them.
//!
//! A statement is one text for all of them, run through [`query()`].

mod driver;
mod error;
mod migrations;
mod open;
mod permits;
mod postgres;
mod query;
mod readable;
#[cfg(test)]
pub mod rehearsal;
mod row;
mod sqlite;
mod value;

use std::sync::Arc;

use crate::disk::halt::Halt;
use crate::domain::time::Timestamp;
use driver::{Database, DbSession, Transaction};

pub use driver::Connections;
pub use error::{DriverError, StorageError};
pub use open::{InvalidLocation, Location, OpenError, PostgresSettings, SchemaFault};
pub use permits::Priority;
pub use query::{Answer, Query, query};
pub use readable::Readable;
pub use row::{Column, FromRow, Origin, Row, corrupt};
pub use value::Value;

const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";

/// Every statement of this file.
pub const STATEMENTS: &[&str] = &[APPLIED];

/// One database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Db(Arc<dyn Database>);

impl Db {
    /// Opens the database; `create` allows making the file of an SQLite database.
    ///
    /// # Errors
    /// [`OpenError`] says why it cannot be used.
    pub async fn open(
        location: &Location,
        settings: PostgresSettings,
        create: bool,
    ) -> Result<Self, OpenError> {
        Ok(match location {
            Location::Sqlite(path) => Self(Arc::new(sqlite::Sqlite::open(path, create).await?)),
            Location::Postgres(url) => {
                Self(Arc::new(postgres::Postgres::open(url, settings).await?))
            }
        })
    }

    /// Begins a transaction that may write. On SQLite it holds the write lock from the start.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn begin(&self, priority: Priority) -> Result<Tx, StorageError> {
        self.0.begin(priority).await.map(Tx)
    }

    /// A connection for reading outside a transaction.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn read(&self, priority: Priority) -> Result<Reader, StorageError> {
        self.0.read(priority).await.map(Reader)
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> Connections {
        self.0.connections()
    }

    /// Waits for what runs, then closes every connection.
    pub async fn close(&self) {
        self.0.close().await;
    }

    /// Finds out which server is the primary, and uses that one from now on. A file is always it.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if none is.
    pub async fn find_primary(&self) -> Result<(), StorageError> {
        self.0.find_primary().await
    }

    /// Whether what was read may have come from a server that is the primary no longer: it goes on and
    /// knows nothing of what others write. The primary was found when this returns `true`.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if none is the primary.
    pub async fn confirm_primary(&self) -> Result<bool, StorageError> {
        self.0.confirm_primary().await
    }

    /// Whether writes are accepted here: always on a file, on a server only if it is no standby.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if the database does not answer.
    pub async fn is_primary(&self) -> Result<bool, StorageError> {
        self.0.is_primary().await
    }

    /// The time by the primary's clock, to be compared and never stored; `None` for a file, which
    /// has no clock but this computer's.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if it does not answer in time.
    pub async fn time(&self) -> Result<Option<Timestamp>, StorageError> {
        self.0.time().await
    }

    /// What ends the process when the database is broken; a server ends itself.
    #[must_use]
    pub fn halt(&self) -> Halt {
        self.0.halt()
    }

    /// Clears what was erased from where the database keeps old content. `false` if a reader was
    /// in the way for too long: the next call clears it, or the database does as it works.
    ///
    /// # Errors
    /// [`StorageError`]; what was erased stays erased.
    pub async fn clear_erased(&self) -> Result<bool, StorageError> {
        self.0.clear_erased().await
    }

    /// Brings the schema to the newest version.
    ///
    /// # Errors
    /// [`OpenError::Migrate`] if a step fails; [`OpenError::Schema`] if another program made it.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        self.0.migrate().await
    }

    /// Why the schema is not the one this program was built for, if it is not.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if the database does not answer.
    pub async fn schema_fault(&self) -> Result<Option<SchemaFault>, StorageError> {
        let mut reader = self.read(Priority::Ordinary).await?;
        match query(APPLIED).fetch_all::<i64>(&mut reader).await {
            Err(StorageError::Rejected(_)) => Ok(Some(SchemaFault::Outdated)),
            applied => Ok(migrations::fault(&applied?)),
        }
    }

    /// Parses one statement without running it, with one and with two rows in its marker.
    ///
    /// # Errors
    /// [`StorageError::Rejected`] if the database does not understand it.
    pub async fn prepare(&self, sql: &'static str) -> Result<(), StorageError> {
        self.0.prepare(sql).await
    }

    /// The statements that this database alone is given.
    #[must_use]
    pub fn own_statements(&self) -> Vec<&'static str> {
        self.0.statements()
    }
}

/// A transaction that may write. It must be committed by name; dropping it undoes everything.
#[derive(Debug)]
pub struct Tx(Box<dyn Transaction>);

impl Tx {
    /// Makes everything in the transaction durable.
    ///
    /// # Errors
    /// [`StorageError`]; if it is `CommitUnknown`, whether the transaction is durable is not known.
    pub async fn commit(self) -> Result<(), StorageError> {
        self.0.commit().await
    }
}

/// Where a statement can run: a transaction, or a reader.
pub trait Executor: Send {
    /// The connection for one statement.
    fn session(&mut self) -> &mut dyn DbSession;
}

impl Executor for Tx {
    fn session(&mut self) -> &mut dyn DbSession {
        self.0.as_mut()
    }
}

/// A connection for reading.
#[derive(Debug)]
pub struct Reader(Box<dyn DbSession>);

impl Executor for Reader {
    fn session(&mut self) -> &mut dyn DbSession {
        self.0.as_mut()
    }
}

impl Query {
    /// Runs the statement and returns how many rows it changed.
    ///
    /// # Errors
    /// [`StorageError`]; after any error the transaction must not be used any more.
    pub async fn execute(self, on: &mut impl Executor) -> Result<u64, StorageError> {
        Ok(on.session().run(self).await?.count)
    }

    /// Runs the statement and returns its rows.
    ///
    /// # Errors
    /// [`StorageError`]; after any error the transaction must not be used any more.
    pub async fn fetch_all<T: FromRow>(
        self,
        on: &mut impl Executor,
    ) -> Result<Vec<T>, StorageError> {
        on.session().run(self).await?.rows()
    }

    /// Runs the statement and returns its first row, if it has one.
    ///
    /// # Errors
    /// [`StorageError`]; after any error the transaction must not be used any more.
    pub async fn fetch_optional<T: FromRow>(
        self,
        on: &mut impl Executor,
    ) -> Result<Option<T>, StorageError> {
        on.session().run(self).await?.first()
    }

    /// Runs a statement that must change exactly one row.
    ///
    /// # Errors
    /// [`StorageError::LostRace`] if it changed none or several.
    pub async fn execute_one(self, on: &mut impl Executor) -> Result<(), StorageError> {
        on.session().run(self).await?.must_count(1)
    }
}

/// Runs statements of which none needs to see what another one does; on a server, in one trip.
///
/// # Errors
/// [`StorageError`]; after any error the transaction must not be used any more.
pub async fn run_each<const N: usize>(
    on: &mut impl Executor,
    queries: [Query; N],
) -> Result<[Answer; N], StorageError> {
    let answers = on.session().run_each(queries.into()).await?;
    let count = answers.len();
    let fewer = |_| StorageError::Rejected(format!("{count} answers to {N} statements").into());
    answers.try_into().map_err(fewer)
}
