//! Running statements on one connection to the file.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use super::super::row::{Names, Row};
use super::list::{self, Statement};
use super::{Answer, Query, StorageError, Value};

/// Runs a statement.
pub(super) fn run(on: &mut Connection, query: Query) -> Result<Answer, StorageError> {
    let mut answer = Answer::default();
    for statement in list::statements(query)? {
        let mut prepared = bound(on, &statement)?;
        let found = found(&mut prepared)?;
        // SQLite counts what was changed last, and a lookup changes nothing.
        answer.count += match prepared.readonly() {
            true => u64::try_from(found.len()).unwrap_or(u64::MAX),
            false => on.changes(),
        };
        answer.rows.extend(found);
    }
    Ok(answer)
}

fn found(prepared: &mut CachedStatement<'_>) -> Result<Vec<Row>, StorageError> {
    let (mut found, mut names) = (Vec::new(), None);
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next()? {
        let names = names.get_or_insert_with(|| names_of(row));
        let values = (0..names.len()).map(|place| Ok(decoded(row.get_ref(place)?)));
        let values = values.collect::<Result<_, rusqlite::Error>>()?;
        found.push(Row::new(Names::clone(names), values));
    }
    Ok(found)
}

fn names_of(row: &rusqlite::Row<'_>) -> Names {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    statement.column_names().into_iter().map(|name| name.to_owned().into()).collect()
}

/// Parses a statement without running it.
pub(super) fn prepare(on: &mut Connection, sql: &'static str) -> Result<(), StorageError> {
    for text in list::samples(sql)? {
        on.prepare(&text)?;
    }
    Ok(())
}

fn bound<'c>(
    on: &'c Connection,
    statement: &Statement,
) -> Result<CachedStatement<'c>, StorageError> {
    let mut prepared = on.prepare_cached(&statement.text)?;
    // A parameter that nothing is bound to would be NULL.
    if prepared.parameter_count() != statement.values.len() {
        let (named, bound) = (prepared.parameter_count(), statement.values.len());
        let why = format!("{named} parameters and {bound} values: {}", statement.text);
        return Err(StorageError::Rejected(why.into()));
    }
    for (value, number) in statement.values.iter().zip(1..) {
        prepared.raw_bind_parameter::<usize, _>(number, value)?;
    }
    Ok(prepared)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Uuid(Some(id)) => ValueRef::Blob(id.as_bytes()),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Integer(Some(number)) => ValueRef::Integer(*number),
            Self::Boolean(Some(is_so)) => ValueRef::Integer(i64::from(*is_so)),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            _ => ValueRef::Null,
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// The value without the kind that it was stored as: SQLite keeps fewer of them.
fn decoded(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Text(None),
        ValueRef::Integer(number) => Value::from(number),
        // What is no UTF-8 is no text of this program.
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::from(text),
            Err(_) => Value::from(text.to_vec()),
        },
        // An id, or any 16 bytes: the reader knows.
        ValueRef::Blob(bytes) => match uuid::Uuid::from_slice(bytes) {
            Ok(id) => Value::from(id),
            Err(_) => Value::from(bytes.to_vec()),
        },
        // No column holds one.
        ValueRef::Real(number) => Value::from(number.to_string()),
    }
}
