//! Running statements on one connection to a server.

use sqlx::TypeInfo as _;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{
    Arguments as _, Column as _, Executor as _, PgConnection, Row as _, SqlSafeStr, SqlStr,
};

use super::super::query::{Marked, Query, Rows};
use super::super::row::{Names, Row, corrupt};
use super::super::value::Value;
use super::{StorageError, arrays};

/// Runs a statement and returns how many rows it changed.
#[expect(clippy::disallowed_methods, reason = "the room in which statements are run")]
pub(super) async fn execute(on: &mut PgConnection, query: Query) -> Result<u64, StorageError> {
    let mut changed = 0;
    for (text, arguments) in statements(query)? {
        changed += sqlx::query_with(text, arguments).execute(&mut *on).await?.rows_affected();
    }
    Ok(changed)
}

/// Runs a statement and returns its rows.
#[expect(clippy::disallowed_methods, reason = "the room in which statements are run")]
pub(super) async fn fetch_all(
    on: &mut PgConnection,
    query: Query,
) -> Result<Vec<Row>, StorageError> {
    let mut found = Vec::new();
    for (text, arguments) in statements(query)? {
        let rows = sqlx::query_with(text, arguments).fetch_all(&mut *on).await?;
        let Some(first) = rows.first() else { continue };
        let names: Names = first.columns().iter().map(|one| one.name().to_owned().into()).collect();
        for row in &rows {
            found.push(Row::new(Names::clone(&names), decoded(row)?));
        }
    }
    Ok(found)
}

/// Parses a statement without running it.
pub(super) async fn prepare(on: &mut PgConnection, sql: &'static str) -> Result<(), StorageError> {
    let text = match Marked::find(sql) {
        Some(marked) => arrays::text(sql, marked.fixed())?,
        None => sql.into_sql_str(),
    };
    on.prepare(text).await?;
    Ok(())
}

/// The statements to run one after the other.
fn statements(query: Query) -> Result<Vec<(SqlStr, PgArguments)>, StorageError> {
    let Query { sql, values, rows } = query;
    let Some(rows) = rows else {
        return Ok(vec![(sql.into_sql_str(), arguments(values)?)]);
    };
    let text = arrays::text(sql, values.len())?;
    let of_part = |part| {
        let mut arguments = arguments(values.clone())?;
        arrays::bind(&mut arguments, part)?;
        Ok((text.clone(), arguments))
    };
    parts(rows).into_iter().map(of_part).collect()
}

/// The rows, at most as many at a time as a statement has.
fn parts(mut rows: Rows) -> Vec<Rows> {
    let mut parts = Vec::with_capacity(rows.len().div_ceil(arrays::LENGTH_MAX));
    while rows.len() > 0 {
        parts.push(rows.split_off(arrays::LENGTH_MAX));
    }
    parts
}

fn arguments(values: Vec<Value>) -> Result<PgArguments, StorageError> {
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), 16 * values.len());
    for value in values {
        match value {
            Value::Uuid(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Integer(value) => arguments.add(value),
            Value::Boolean(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
        }
        .map_err(StorageError::Rejected)?;
    }
    Ok(arguments)
}

fn decoded(row: &PgRow) -> Result<Vec<Value>, StorageError> {
    let value = |(place, column): (usize, &sqlx::postgres::PgColumn)| {
        Ok(match column.type_info().name() {
            "UUID" => Value::Uuid(row.try_get(place)?),
            "TEXT" => Value::Text(row.try_get::<Option<String>, _>(place)?.map(Into::into)),
            "BOOL" => Value::Boolean(row.try_get(place)?),
            "BYTEA" => Value::Bytes(row.try_get(place)?),
            _ => Value::Integer(row.try_get(place)?),
        })
    };
    let values = row.columns().iter().enumerate().map(value).collect::<Result<_, sqlx::Error>>();
    values.map_err(|error| corrupt("(any)", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sets_are_sent_in_parts_and_nothing_is_left_out() {
        let sizes = |count: i64| {
            let rows = Rows::of((0..count).map(|number| [Value::from(number)]));
            parts(rows).iter().map(Rows::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(5), [5]);
        assert_eq!(sizes(5000), [4096, 904]);
        assert!(sizes(0).is_empty());
    }
}
