//! Turning a statement with a `{rows:…}` marker into statements with placeholders, and running
//! a text with its values on either database.

use sqlx::postgres::{PgArguments, PgTypeInfo};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Either, Executor, SqlSafeStr, Statement};
use std::fmt::Write;

use super::{Db, Handle, Row, StorageError, Value};

/// At most so many rows in one statement. With the widest table this stays below the 32,766
/// parameters that SQLite takes.
const ROWS_MAX: usize = 256;

/// The statements to run one after the other. Their sizes are powers of two, so that the
/// databases' statement caches stay warm: an `INSERT` is split into such sizes, any other
/// statement is filled up with copies of its last row, which change nothing in it.
pub(super) fn statements(
    sql: &'static str,
    values: &[Value],
    rows: Option<Vec<Vec<Value>>>,
) -> Result<Vec<(AssertSqlSafe<String>, Vec<Value>)>, StorageError> {
    let Some(mut rows) = rows else {
        return Ok(vec![(AssertSqlSafe(sql.to_owned()), values.to_vec())]);
    };
    let splits = sql.starts_with("INSERT");
    let mut statements = Vec::new();
    while !rows.is_empty() {
        let size = if splits { floor_of_two(rows.len()) } else { rows.len() }.min(ROWS_MAX);
        let mut chunk: Vec<Vec<Value>> = rows.drain(..size).collect();
        if let (false, Some(last)) = (splits, chunk.last().cloned()) {
            chunk.resize(size.next_power_of_two(), last);
        }
        let text = expand(sql, values.len(), chunk.len())?;
        let bound = values.iter().cloned().chain(chunk.into_iter().flatten()).collect();
        statements.push((AssertSqlSafe(text), bound));
    }
    Ok(statements)
}

const fn floor_of_two(n: usize) -> usize {
    1 << (usize::BITS - 1 - n.leading_zeros())
}

/// The kinds that the marker names, and the text before and after it.
fn marker(sql: &'static str) -> Option<(&'static str, Vec<&'static str>, &'static str)> {
    let (before, rest) = sql.split_once("{rows:")?;
    let (kinds, after) = rest.split_once('}')?;
    Some((before, kinds.split(',').collect(), after))
}

/// The statement's text for `count` rows, numbered after the `fixed` parameters.
fn expand(sql: &'static str, fixed: usize, count: usize) -> Result<String, StorageError> {
    let unmarked =
        || StorageError::Corrupt { column: "{rows}", why: format!("no marker in: {sql}") };
    let (before, kinds, after) = marker(sql).ok_or_else(unmarked)?;
    let mut text = String::with_capacity(sql.len() + count * kinds.len() * 6);
    text.push_str(before);
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..kinds.len() {
            let separator = if column == 0 { "" } else { "," };
            // Writing to a String cannot fail.
            let _ = write!(text, "{separator}${}", fixed + row * kinds.len() + column + 1);
        }
        text.push(')');
    }
    text.push_str(after);
    Ok(text)
}

fn sqlite_arguments(values: Vec<Value>) -> Result<SqliteArguments, StorageError> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Uuid(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Integer(value) => arguments.add(value),
            Value::Boolean(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
        }
        .map_err(|error| StorageError::Rejected(sqlx::Error::Encode(error)))?;
    }
    Ok(arguments)
}

fn postgres_arguments(values: Vec<Value>) -> Result<PgArguments, StorageError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Uuid(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Integer(value) => arguments.add(value),
            Value::Boolean(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
        }
        .map_err(|error| StorageError::Rejected(sqlx::Error::Encode(error)))?;
    }
    Ok(arguments)
}

#[expect(clippy::disallowed_methods, reason = "the room in which statements are run")]
pub(super) async fn execute(
    on: Handle<'_>,
    sql: AssertSqlSafe<String>,
    values: Vec<Value>,
) -> Result<u64, StorageError> {
    Ok(match on {
        Handle::Sqlite(connection) => sqlx::query_with(sql, sqlite_arguments(values)?)
            .execute(connection)
            .await?
            .rows_affected(),
        Handle::Postgres(connection) => sqlx::query_with(sql, postgres_arguments(values)?)
            .execute(connection)
            .await?
            .rows_affected(),
    })
}

#[expect(clippy::disallowed_methods, reason = "the room in which statements are run")]
pub(super) async fn fetch_all(
    on: Handle<'_>,
    sql: AssertSqlSafe<String>,
    values: Vec<Value>,
) -> Result<Vec<Row>, StorageError> {
    Ok(match on {
        Handle::Sqlite(connection) => {
            let rows =
                sqlx::query_with(sql, sqlite_arguments(values)?).fetch_all(connection).await?;
            rows.into_iter().map(Row::Sqlite).collect()
        }
        Handle::Postgres(connection) => {
            let rows =
                sqlx::query_with(sql, postgres_arguments(values)?).fetch_all(connection).await?;
            rows.into_iter().map(Row::Postgres).collect()
        }
    })
}

/// Lets the database read a statement with `count` rows, and compares the number of parameters.
pub(super) async fn prepare(db: &Db, sql: &'static str, count: usize) -> Result<(), StorageError> {
    let fixed = marker(sql).map_or(0, |(before, _, after)| {
        let highest = |text: &str| {
            text.split('$')
                .skip(1)
                .filter_map(|rest| {
                    rest.chars()
                        .take_while(char::is_ascii_digit)
                        .collect::<String>()
                        .parse::<usize>()
                        .ok()
                })
                .max()
        };
        highest(before).max(highest(after)).unwrap_or(0)
    });
    let text = if marker(sql).is_some() { expand(sql, fixed, count)? } else { sql.to_owned() };
    let text = AssertSqlSafe(text).into_sql_str();
    match db.read().await? {
        super::Reader::Sqlite(mut connection) => {
            (&mut *connection).prepare(text).await?;
        }
        super::Reader::Postgres(mut connection) => {
            let types = postgres_types(sql, fixed, count);
            let statement = (&mut *connection).prepare_with(text, &types).await?;
            if let (Some(Either::Left(known)), false) = (statement.parameters(), types.is_empty())
                && known.len() != types.len()
            {
                return Err(StorageError::Corrupt {
                    column: "{rows}",
                    why: format!("parameters of: {sql}"),
                });
            }
        }
    }
    Ok(())
}

/// The types of the marker's placeholders; those before it are left to the server.
fn postgres_types(sql: &'static str, fixed: usize, count: usize) -> Vec<PgTypeInfo> {
    let Some((_, kinds, _)) = marker(sql) else {
        return Vec::new();
    };
    let unspecified = PgTypeInfo::with_oid(sqlx::postgres::types::Oid(0));
    let row = kinds.into_iter().map(PgTypeInfo::with_name);
    let rows = std::iter::repeat_n(row, count).flatten();
    std::iter::repeat_n(unspecified, fixed).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOKUP: &str = "SELECT a FROM t WHERE o = $1 AND (a, b) IN (VALUES {rows:uuid,bigint})";
    const INSERT: &str = "INSERT INTO t (a) VALUES {rows:bigint}";

    fn numbers(count: i64) -> Option<Vec<Vec<Value>>> {
        Some((0..count).map(|n| vec![Value::from(n)]).collect())
    }

    #[test]
    fn rows_are_numbered_after_the_fixed_parameters() {
        let text = expand(LOOKUP, 1, 2).unwrap();
        assert!(text.ends_with("IN (VALUES ($2,$3),($4,$5))"), "{text}");
    }

    #[test]
    fn inserts_are_split_and_never_repeat_a_row() {
        let sent = statements(INSERT, &[], numbers(300 + 21)).unwrap();
        let sizes: Vec<usize> = sent.iter().map(|(_, values)| values.len()).collect();
        assert_eq!(sizes, [256, 64, 1]);
    }

    #[test]
    fn lookups_are_filled_up_to_a_power_of_two() {
        let sent =
            statements("UPDATE t SET a = 1 WHERE a IN (VALUES {rows:bigint})", &[], numbers(5))
                .unwrap();
        assert_eq!(sent[0].1.len(), 8);
        assert_eq!(sent[0].1[7], Value::from(4));
    }

    #[test]
    fn no_rows_mean_no_statement() {
        assert!(statements(INSERT, &[], numbers(0)).unwrap().is_empty());
    }
}
