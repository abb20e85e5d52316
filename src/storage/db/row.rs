//! Reading what a statement returned: typed columns, and errors that name the one that is wrong.

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use super::error::StorageError;
use super::value::Value;
use crate::domain::connection::Permissions;
use crate::domain::entitlement::Entitlements;
use crate::domain::id::Id;
use crate::domain::kept::Kept;
use crate::domain::time::Timestamp;

/// The names of the columns that a statement returns, shared by its rows.
pub(super) type Names = Arc<[Cow<'static, str>]>;

/// One row that a statement returned.
#[derive(Debug)]
pub struct Row {
    names: Names,
    values: Vec<Value>,
}

impl Row {
    pub(super) const fn new(names: Names, values: Vec<Value>) -> Self {
        Self { names, values }
    }

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
        let mut columns = self.columns();
        let found = columns.find(|(name, _)| *name == column);
        let (_, value) = found.ok_or_else(|| corrupt(column, "is missing"))?;
        if value.is_null() {
            return Ok(None);
        }
        T::from_value(value).map(Some).map_err(|why| corrupt(column, why))
    }

    /// The list that a column keeps, if it can be read: who decides goes on with what it finds.
    pub fn kept<T: serde::Serialize + serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Kept<T> {
        match self.optional::<String>(column) {
            Ok(text) => Kept::of_text(text.as_deref()),
            Err(_) => Kept::Unreadable,
        }
    }

    /// The first column, whatever its name.
    fn first<T: Column>(&self) -> Result<T, StorageError> {
        match self.columns().next() {
            Some((name, value)) if value.is_null() => Err(corrupt(name, "is NULL")),
            Some((name, value)) => T::from_value(value).map_err(|why| corrupt(name, why)),
            None => Err(corrupt("the first column", "is missing")),
        }
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.names.iter().map(AsRef::as_ref).zip(&self.values)
    }
}

/// A stored value is not what this program writes. [`FromRow`] names the column alone: of which row it
/// is, is added for all of them.
pub fn corrupt(column: &str, why: impl ToString) -> StorageError {
    StorageError::Corrupt { place: column.to_owned(), why: why.to_string() }
}

/// What a row is called in an error: the table that it comes from, and its id.
#[derive(Debug, Clone, Copy)]
pub struct Origin(Option<Named>);

#[derive(Debug, Clone, Copy)]
struct Named {
    table: &'static str,
    id: &'static str,
    show: fn(&Row, &'static str) -> Result<String, StorageError>,
}

impl Origin {
    /// A row that is read for one column alone, or is of no table: nothing names it.
    pub(super) const UNNAMED: Self = Self(None);

    /// A row of this table with its id in this column.
    #[must_use]
    pub const fn of<T: Column + ToString>(table: &'static str, id: &'static str) -> Self {
        Self(Some(Named { table, id, show: |row, id| row.get::<T>(id).map(|id| id.to_string()) }))
    }

    /// The full name of a column of this row.
    pub(super) fn place(self, column: &str, row: &Row) -> String {
        let Some(Named { table, id, show }) = self.0 else { return column.to_owned() };
        match show(row, id) {
            Ok(id) => format!("{table}.{column} of {id}"),
            Err(_) => format!("{table}.{column} of a row without a readable {id}"),
        }
    }
}

/// Something a row can be read into.
pub trait FromRow: Sized {
    /// The row it is read from.
    const ORIGIN: Origin;

    /// Reads one row.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] names the column that is not as it should be.
    fn from_row(row: &Row) -> Result<Self, StorageError>;
}

/// A row that is read for its first column alone.
impl<T: Column> FromRow for T {
    const ORIGIN: Origin = Origin::UNNAMED;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        row.first()
    }
}

/// A type that a column can hold.
pub trait Column: Sized {
    /// The value, if the stored one is a value of this type. It is never NULL.
    ///
    /// # Errors
    /// A text for the operator that says what is wrong.
    fn from_value(value: &Value) -> Result<Self, String>;
}

/// A value of another kind; the value itself may be secret and is not shown.
fn not_a(kind: &str, value: &Value) -> String {
    format!("{} where {kind} is expected", value.kind())
}

impl Column for Uuid {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Uuid(Some(id)) => Ok(*id),
            other => Err(not_a("an id", other)),
        }
    }
}

impl Column for i64 {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Integer(Some(number)) => Ok(*number),
            other => Err(not_a("a number", other)),
        }
    }
}

impl Column for bool {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Boolean(Some(is_so)) => Ok(*is_so),
            // SQLite has no booleans of its own.
            Value::Integer(Some(number @ (0 | 1))) => Ok(*number == 1),
            other => Err(not_a("a boolean", other)),
        }
    }
}

impl Column for Vec<u8> {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bytes(Some(bytes)) => Ok(bytes.clone()),
            // SQLite does not tell 16 bytes from an id.
            Value::Uuid(Some(id)) => Ok(id.as_bytes().to_vec()),
            other => Err(not_a("bytes", other)),
        }
    }
}

impl Column for [u8; 32] {
    fn from_value(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bytes(Some(bytes)) => Self::try_from(bytes.as_slice())
                .map_err(|_| format!("{} bytes in place of 32", bytes.len())),
            other => Err(not_a("32 bytes", other)),
        }
    }
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(Some(text)) => Ok(text),
        other => Err(not_a("a text", other)),
    }
}

impl Column for String {
    fn from_value(value: &Value) -> Result<Self, String> {
        text(value).map(ToOwned::to_owned)
    }
}

impl Column for Permissions {
    fn from_value(value: &Value) -> Result<Self, String> {
        text(value).map(Self::parse)
    }
}

impl<K> Column for Id<K> {
    fn from_value(value: &Value) -> Result<Self, String> {
        Uuid::from_value(value).map(Self::from_uuid)
    }
}

impl Column for Timestamp {
    fn from_value(value: &Value) -> Result<Self, String> {
        let micros = i64::from_value(value)?;
        Self::from_unix_micros(micros).ok_or_else(|| format!("{micros} is outside the calendar"))
    }
}

macro_rules! parsed_columns {
    ($($kind:ty),* $(,)?) => {
        $(
            impl Column for $kind {
                fn from_value(value: &Value) -> Result<Self, String> {
                    text(value)?.parse().map_err(|error| format!("{error}"))
                }
            }
        )*
    };
}

macro_rules! restored_columns {
    ($($kind:ty),* $(,)?) => {
        $(
            impl Column for $kind {
                fn from_value(value: &Value) -> Result<Self, String> {
                    Self::restore(text(value)?).map_err(|error| error.to_string())
                }
            }
        )*
    };
}

restored_columns!(
    crate::domain::impairment::ConnectionReason,
    crate::domain::impairment::Suspension,
);

parsed_columns!(
    crate::domain::calendar::Sharing,
    crate::domain::instruction::Action,
    crate::domain::claim::ClaimEnd,
    crate::domain::claim::ClaimPurpose,
    crate::domain::command::CommandStatus,
    crate::domain::command::Evidence,
    crate::domain::connection::ConnectionStatus,
    crate::domain::connection::ApiVersion,
    crate::domain::connection::Mode,
    crate::domain::device_key::Thumbprint,
    crate::domain::extension::ExtensionDecision,
    crate::domain::grant::EndReason,
    crate::domain::user::ShortText,
    crate::domain::user::Email,
    crate::domain::hold::Rank,
    crate::domain::statement::Side,
    crate::domain::published::EventType,
    crate::domain::user::Role,
    crate::domain::webhook::DeliveryFault,
    crate::domain::webhook::DeliveryStatus,
    crate::domain::webhook::PauseReason,
    Entitlements,
);
