//! Reading what a statement returned: typed columns, and errors that name the one that is wrong.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};
use uuid::Uuid;

use super::StorageError;
use crate::domain::connection::Permissions;
use crate::domain::entitlement::Entitlements;
use crate::domain::id::Id;
use crate::domain::time::Timestamp;

/// One row of either database.
#[derive(Debug)]
pub enum Row {
    /// From the file.
    Sqlite(SqliteRow),
    /// From the server.
    Postgres(PgRow),
    /// Acted out.
    #[cfg(test)]
    Rehearsal(super::rehearsal::RehearsalRow),
}

impl Row {
    /// The value of a column that is never NULL.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if it is missing, NULL or not a `T`.
    pub fn get<T: Column>(&self, column: &'static str) -> Result<T, StorageError> {
        self.optional(column)?.ok_or_else(|| corrupt(column, "is NULL"))
    }

    /// The value of a column that may be NULL.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if it is missing or not a `T`.
    pub fn optional<T: Column>(&self, column: &'static str) -> Result<Option<T>, StorageError> {
        let stored: Result<Option<T::Stored>, sqlx::Error> = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
            #[cfg(test)]
            Self::Rehearsal(row) => Ok(T::Stored::acted_out(row.value(column))),
        };
        stored
            .map_err(|error| corrupt(column, error))?
            .map(|stored| T::from_stored(stored).map_err(|why| corrupt(column, why)))
            .transpose()
    }

    /// The first column, whatever its name.
    fn first<T: Column>(&self) -> Result<T, StorageError> {
        let stored: Result<T::Stored, sqlx::Error> = match self {
            Self::Sqlite(row) => row.try_get(0),
            Self::Postgres(row) => row.try_get(0),
            #[cfg(test)]
            Self::Rehearsal(row) => {
                T::Stored::acted_out(row.first()).ok_or(sqlx::Error::RowNotFound)
            }
        };
        let stored = stored.map_err(|error| corrupt("(first)", error))?;
        T::from_stored(stored).map_err(|why| corrupt("(first)", why))
    }
}

/// A stored value is not what this program writes.
pub fn corrupt(column: &'static str, why: impl ToString) -> StorageError {
    StorageError::Corrupt { column, why: why.to_string() }
}

/// Something a row can be read into.
pub trait FromRow: Sized {
    /// Reads one row.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] names the column that is not as it should be.
    fn from_row(row: &Row) -> Result<Self, StorageError>;
}

/// A row that is read for its first column alone.
impl<T: Column> FromRow for T {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        row.first()
    }
}

/// What both databases can give back.
pub trait Stored:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
    /// The value that a rehearsed database keeps.
    #[cfg(test)]
    fn acted_out(value: &super::Value) -> Option<Self>
    where
        Self: Sized;
}

macro_rules! stored {
    ($($kind:ty: $variant:ident),*) => {
        $(
            impl Stored for $kind {
                #[cfg(test)]
                fn acted_out(value: &super::Value) -> Option<Self> {
                    match value {
                        super::Value::$variant(value) => value.clone().map(Into::into),
                        other => panic!("{other:?} where a {} is read", stringify!($variant)),
                    }
                }
            }
        )*
    };
}

stored!(Uuid: Uuid, String: Text, i64: Integer, bool: Boolean, Vec<u8>: Bytes);

/// A type that a column can hold.
pub trait Column: Sized {
    /// What the database keeps for it.
    type Stored: Stored;

    /// The value, if the stored one is a value of this type.
    ///
    /// # Errors
    /// A text for the operator that says what is wrong.
    fn from_stored(stored: Self::Stored) -> Result<Self, String>;
}

macro_rules! plain_columns {
    ($($kind:ty),*) => {
        $(
            impl Column for $kind {
                type Stored = Self;
                fn from_stored(stored: Self) -> Result<Self, String> {
                    Ok(stored)
                }
            }
        )*
    };
}

plain_columns!(Uuid, String, i64, bool, Vec<u8>);

macro_rules! parsed_columns {
    ($($kind:ty),* $(,)?) => {
        $(
            impl Column for $kind {
                type Stored = String;
                fn from_stored(stored: String) -> Result<Self, String> {
                    stored.parse().map_err(|error| format!("{error}"))
                }
            }
        )*
    };
}

parsed_columns!(
    crate::domain::instruction::Action,
    crate::domain::command::CommandStatus,
    crate::domain::command::Evidence,
    crate::domain::connection::ConnectionStatus,
    crate::domain::connection::ApiVersion,
    crate::domain::connection::Mode,
    crate::domain::grant::EndReason,
    crate::domain::user::DisplayName,
    crate::domain::user::Email,
    crate::domain::user::Role,
    Entitlements,
);

impl Column for Permissions {
    type Stored = String;
    fn from_stored(stored: String) -> Result<Self, String> {
        Ok(Self::parse(&stored))
    }
}

impl<K> Column for Id<K> {
    type Stored = Uuid;
    fn from_stored(stored: Uuid) -> Result<Self, String> {
        Ok(Self::from_uuid(stored))
    }
}

impl Column for Timestamp {
    type Stored = i64;
    fn from_stored(stored: i64) -> Result<Self, String> {
        Self::from_unix_micros(stored).ok_or_else(|| format!("{stored} is outside the calendar"))
    }
}

impl Column for [u8; 32] {
    type Stored = Vec<u8>;
    fn from_stored(stored: Vec<u8>) -> Result<Self, String> {
        Self::try_from(stored).map_err(|bytes| format!("{} bytes in place of 32", bytes.len()))
    }
}
