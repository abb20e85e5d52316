//! A set for PostgreSQL: `SELECT * FROM UNNEST($1::uuid[],$2::bigint[])`, one parameter for each
//! column. The text is the same for every number of rows, so one statement is prepared, and nothing
//! is parsed or bound a thousand times over.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, AssertSqlSafe, SqlSafeStr, SqlStr};
use uuid::Uuid;

use super::super::query::{Marked, Rows};
use super::super::value::{Text, Value};
use super::StorageError;

/// A statement has at most so many rows, to bound its size in memory.
pub(super) const LENGTH_MAX: usize = 4096;

/// The texts that were made so far.
type ArrayTexts = RwLock<HashMap<&'static str, SqlStr>>;

/// The text of a statement about a set, with its arrays numbered after the `fixed` parameters.
pub(super) fn text(sql: &'static str, fixed: usize) -> Result<SqlStr, StorageError> {
    static TEXTS: LazyLock<ArrayTexts> = LazyLock::new(ArrayTexts::default);
    if let Some(text) = TEXTS.read().unwrap_or_else(PoisonError::into_inner).get(sql) {
        return Ok(text.clone());
    }
    let text: Arc<str> = expand(&Marked::of(sql)?, fixed).into();
    let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
    Ok(texts.entry(sql).or_insert_with(|| AssertSqlSafe(text).into_sql_str()).clone())
}

/// The columns are named as those of a list are.
fn expand(marked: &Marked, fixed: usize) -> String {
    let mut text = format!("{}SELECT * FROM UNNEST(", marked.before);
    for (place, kind) in marked.kinds.iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let number = fixed + place + 1;
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}${number}::{kind}[]");
    }
    text.push_str(") AS rows (");
    for place in 1..=marked.kinds.len() {
        let separator = if place == 1 { "" } else { "," };
        let _ = write!(text, "{separator}column{place}");
    }
    text.push(')');
    text.push_str(marked.after);
    text
}

/// The values of one column of a set.
enum Array {
    Uuid(Vec<Option<Uuid>>),
    Text(Vec<Option<Text>>),
    Integer(Vec<Option<i64>>),
    Boolean(Vec<Option<bool>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Array {
    /// An empty column for values like this one.
    fn like(value: &Value, length: usize) -> Self {
        match value {
            Value::Uuid(_) => Self::Uuid(Vec::with_capacity(length)),
            Value::Text(_) => Self::Text(Vec::with_capacity(length)),
            Value::Integer(_) => Self::Integer(Vec::with_capacity(length)),
            Value::Boolean(_) => Self::Boolean(Vec::with_capacity(length)),
            Value::Bytes(_) => Self::Bytes(Vec::with_capacity(length)),
        }
    }

    fn push(&mut self, value: Value) -> Result<(), StorageError> {
        match (self, value) {
            (Self::Uuid(column), Value::Uuid(value)) => column.push(value),
            (Self::Text(column), Value::Text(value)) => column.push(value),
            (Self::Integer(column), Value::Integer(value)) => column.push(value),
            (Self::Boolean(column), Value::Boolean(value)) => column.push(value),
            (Self::Bytes(column), Value::Bytes(value)) => column.push(value),
            _ => return Err(StorageError::Rejected("a column has values of several kinds".into())),
        }
        Ok(())
    }

    fn add_to(self, arguments: &mut PgArguments) -> Result<(), StorageError> {
        match self {
            Self::Uuid(column) => arguments.add(column),
            Self::Text(column) => arguments.add(column),
            Self::Integer(column) => arguments.add(column),
            Self::Boolean(column) => arguments.add(column),
            Self::Bytes(column) => arguments.add(column),
        }
        .map_err(StorageError::Rejected)
    }
}

/// Binds one array for each column.
pub(super) fn bind(arguments: &mut PgArguments, rows: Rows) -> Result<(), StorageError> {
    let length = rows.len();
    let first = rows.values.iter().take(rows.width);
    let mut columns: Vec<Array> = first.map(|value| Array::like(value, length)).collect();
    let mut values = rows.values.into_iter();
    for _ in 0..length {
        for (column, value) in columns.iter_mut().zip(&mut values) {
            column.push(value)?;
        }
    }
    columns.into_iter().try_for_each(|column| column.add_to(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_numbered_after_the_fixed_parameters() {
        let lookup = "SELECT a FROM t WHERE o = $1 AND (a, b) IN (VALUES {rows:uuid,bigint})";
        let text = expand(&Marked::of(lookup).unwrap(), 1);
        let arrays = "IN (SELECT * FROM UNNEST($2::uuid[],$3::bigint[]) AS rows (column1,column2))";
        assert!(text.ends_with(arrays), "{text}");
    }

    #[test]
    fn a_column_has_values_of_one_kind() {
        let mixed = Rows::of([[Value::from(1)], [Value::from("one")]]);
        let refused = bind(&mut PgArguments::default(), mixed).unwrap_err();
        assert!(matches!(refused, StorageError::Rejected(_)), "{refused:?}");
    }
}
