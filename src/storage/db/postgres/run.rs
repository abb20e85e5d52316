//! Running statements on one connection to a server.

use std::ops::Range;

use futures_util::TryStreamExt as _;
use sqlx::TypeInfo as _;
use sqlx::postgres::{PgArguments, PgColumn, PgRow};
use sqlx::{
    Arguments as _, Column as _, Either, Executor as _, PgConnection, Row as _, SqlSafeStr, SqlStr,
};

use super::super::query::{Answer, Marked, Query, Rows};
use super::super::row::{Names, Row, corrupt};
use super::super::value::Value;
use super::{StorageError, arrays};

/// Runs a statement.
pub(super) async fn run(on: &mut PgConnection, query: Query) -> Result<Answer, StorageError> {
    let mut answer = Answer::default();
    for (text, arguments) in statements(query)? {
        let (count, rows) = send(on, text, arguments).await?;
        answer.count += count;
        let Some(first) = rows.first() else { continue };
        let names = names(first.columns());
        for row in &rows {
            answer.rows.push(Row::new(Names::clone(&names), decoded(row, 0..names.len())?));
        }
    }
    Ok(answer)
}

/// Sends a statement; returns how many rows it changed or found, and the rows that it returned.
#[expect(clippy::disallowed_methods, reason = "statements are run here alone")]
pub(super) async fn send(
    on: &mut PgConnection,
    text: SqlStr,
    arguments: PgArguments,
) -> Result<(u64, Vec<PgRow>), StorageError> {
    let (mut count, mut rows) = (0, Vec::new());
    let mut results = on.fetch_many(sqlx::query_with(text, arguments));
    while let Some(result) = results.try_next().await? {
        match result {
            Either::Left(ended) => count += ended.rows_affected(),
            Either::Right(row) => rows.push(row),
        }
    }
    Ok((count, rows))
}

/// Runs a statement without parameters and rows, as a simple query.
#[expect(clippy::disallowed_methods, reason = "statements are run here alone")]
pub(super) async fn command(on: &mut PgConnection, sql: &'static str) -> Result<(), StorageError> {
    on.execute(sqlx::raw_sql(sql)).await?;
    Ok(())
}

pub(super) fn names(columns: &[PgColumn]) -> Names {
    columns.iter().map(|column| column.name().to_owned().into()).collect()
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
    let Query { sql, values, rows, .. } = query;
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
pub(super) fn parts(mut rows: Rows) -> Vec<Rows> {
    let mut parts = Vec::with_capacity(rows.len().div_ceil(arrays::LENGTH_MAX));
    while rows.len() > 0 {
        parts.push(rows.split_off(arrays::LENGTH_MAX));
    }
    parts
}

fn arguments(values: Vec<Value>) -> Result<PgArguments, StorageError> {
    let mut arguments = PgArguments::default();
    bind(&mut arguments, values)?;
    Ok(arguments)
}

pub(super) fn bind(arguments: &mut PgArguments, values: Vec<Value>) -> Result<(), StorageError> {
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
    Ok(())
}

/// The values of these columns.
pub(super) fn decoded(row: &PgRow, places: Range<usize>) -> Result<Vec<Value>, StorageError> {
    let value = |place: usize| {
        Ok(match row.try_column(place)?.type_info().name() {
            "UUID" => Value::Uuid(row.try_get(place)?),
            "TEXT" => Value::Text(row.try_get::<Option<String>, _>(place)?.map(Into::into)),
            "BOOL" => Value::Boolean(row.try_get(place)?),
            "BYTEA" => Value::Bytes(row.try_get(place)?),
            _ => Value::Integer(row.try_get(place)?),
        })
    };
    let values = places.map(value).collect::<Result<_, sqlx::Error>>();
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
