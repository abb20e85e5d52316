//! What is kept, and how: one file per noun, each a list of statements and the functions that run
//! them. Nothing here decides anything.
//!
//! [`Store::begin`] gives a transaction that must be committed by name; [`Store::read`] gives a
//! connection for reading. "Not found" is `None`, a lost race is an outcome, and every update
//! checks how many rows it changed.
//!
//! # Errors
//! Every function that takes a [`Tx`] or an [`Executor`] fails with [`StorageError`] if the database does not
//! answer, another transaction is in the way, or a row is corrupt. A function says what it fails with
//! besides.

pub mod allowed_clients;
pub mod allowed_origins;
pub mod api_clients;
pub mod audit_entries;
pub mod claims;
pub mod client_moves;
pub mod commands;
pub mod connections;
pub mod consents;
pub mod cosignatures;
pub mod db;
pub mod decisions;
pub mod device_keys;
pub mod due;
pub mod extension_requests;
pub mod grant_lists;
pub mod grant_readings;
pub mod grant_tokens;
pub mod grants;
pub mod holds;
pub mod idempotency_keys;
pub mod key_scopes;
pub mod lent_windows;
#[cfg(test)]
pub(crate) mod meanings;
pub mod organization_entries;
pub mod organizations;
pub mod personal_data;
pub mod record;
pub mod record_archive;
pub mod record_queue;
pub mod retention;
pub mod return_urls;
pub mod row_facts;
pub mod scope_ends;
pub mod sessions;
pub mod spent_proofs;
pub mod users;
pub mod vehicle_connections;
pub mod vehicles;
pub mod webhook_deliveries;
pub mod webhook_endpoints;
pub mod webhooks;

pub use db::{
    Db, Executor, InvalidLocation, Location, OpenError, PostgresSettings, Priority, Reader,
    SchemaFault, StorageError, Tx,
};

/// The database of one service.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
}

impl Store {
    /// A store on an open database.
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    /// Begins a transaction that may write; dropping it undoes everything.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn begin(&self) -> Result<Tx, StorageError> {
        self.db.begin(Priority::Ordinary).await
    }

    /// As [`Store::begin`], with priority: for commands, and for ending a key.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn begin_urgent(&self) -> Result<Tx, StorageError> {
        self.db.begin(Priority::Urgent).await
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn read(&self) -> Result<Reader, StorageError> {
        self.db.read(Priority::Ordinary).await
    }

    /// As [`Store::read`], with priority: for a short look that a command or the end of a grant
    /// waits for.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if no connection could be had in time.
    pub async fn read_urgent(&self) -> Result<Reader, StorageError> {
        self.db.read(Priority::Urgent).await
    }

    /// The database itself, for migrations and health.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }
}

/// Every statement of every noun, so that each can be tried on both databases.
#[must_use]
pub fn statements() -> Vec<&'static str> {
    [
        allowed_clients::STATEMENTS,
        allowed_origins::STATEMENTS,
        api_clients::STATEMENTS,
        audit_entries::STATEMENTS,
        row_facts::STATEMENTS,
        device_keys::STATEMENTS,
        due::STATEMENTS,
        grant_readings::STATEMENTS,
        claims::STATEMENTS,
        client_moves::STATEMENTS,
        commands::STATEMENTS,
        connections::STATEMENTS,
        consents::STATEMENTS,
        cosignatures::STATEMENTS,
        db::STATEMENTS,
        decisions::STATEMENTS,
        extension_requests::STATEMENTS,
        grant_lists::STATEMENTS,
        grant_tokens::STATEMENTS,
        grants::STATEMENTS,
        holds::STATEMENTS,
        idempotency_keys::STATEMENTS,
        key_scopes::STATEMENTS,
        lent_windows::STATEMENTS,
        organization_entries::STATEMENTS,
        organizations::STATEMENTS,
        personal_data::STATEMENTS,
        record::STATEMENTS,
        record_archive::STATEMENTS,
        record_queue::STATEMENTS,
        retention::STATEMENTS,
        return_urls::STATEMENTS,
        scope_ends::STATEMENTS,
        sessions::STATEMENTS,
        spent_proofs::STATEMENTS,
        users::STATEMENTS,
        vehicle_connections::STATEMENTS,
        vehicles::STATEMENTS,
        webhook_deliveries::STATEMENTS,
        webhook_endpoints::STATEMENTS,
        webhooks::STATEMENTS,
    ]
    .concat()
}

/// Which part of a list to return: what comes after a row, newest first.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Rows with a smaller id than this one; `None` starts with the newest.
    pub before: Option<uuid::Uuid>,
    /// At most so many rows.
    pub limit: i64,
}

impl Page {
    /// The id below which rows are wanted; the greatest of all if there is none.
    fn before(self) -> uuid::Uuid {
        self.before.unwrap_or(uuid::Uuid::max())
    }
}
