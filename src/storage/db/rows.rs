//! Turning a statement with a `{rows:…}` marker into statements with placeholders, and running
//! a text with its values on either database.

use sqlx::postgres::{PgArguments, PgTypeInfo};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Either, Executor, SqlSafeStr, Statement as _};
use std::fmt::Write;

use super::{Db, Handle, Row, StorageError, Value};

/// How many rows a statement can have. A few sizes keep the databases' statement caches warm and
/// small; a set is filled up to the next one. With the widest table the greatest stays far below
/// the 32,766 parameters that SQLite takes.
const SIZES: [usize; 10] = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64];
const ROWS_MAX: usize = 64;

/// How the placeholders are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholders {
    /// `$1`, `$2`, …: either database.
    Numbered,
    /// `?`: SQLite looks numbered ones up by name, one after the other, for each value that is
    /// bound; with a thousand of them that was measured as a tenth of the gate's time.
    Positional,
}

/// A text and what is bound to it.
pub(super) type Statement = (AssertSqlSafe<String>, Vec<Value>);

/// The statements to run one after the other. Each is filled up with copies of its last row: they
/// change nothing in a lookup or an update, and an `INSERT` must say `ON CONFLICT DO NOTHING`.
pub(super) fn statements(
    sql: &'static str,
    values: &[Value],
    rows: Option<Vec<Vec<Value>>>,
    placeholders: Placeholders,
) -> Result<Vec<Statement>, StorageError> {
    let Some(mut rows) = rows else {
        return Ok(vec![(AssertSqlSafe(sql.to_owned()), values.to_vec())]);
    };
    // Fixed parameters are numbered in the text, and the two ways cannot be mixed.
    let placeholders = if values.is_empty() { placeholders } else { Placeholders::Numbered };
    let mut statements = Vec::new();
    while !rows.is_empty() {
        let mut chunk: Vec<Vec<Value>> = rows.drain(..rows.len().min(ROWS_MAX)).collect();
        if let Some(last) = chunk.last().cloned() {
            let wanted = chunk.len();
            let size = SIZES.iter().copied().find(|&size| size >= wanted).unwrap_or(ROWS_MAX);
            chunk.resize(size, last);
        }
        let text = expand(sql, values.len(), chunk.len(), placeholders)?;
        let bound = values.iter().cloned().chain(chunk.into_iter().flatten()).collect();
        statements.push((AssertSqlSafe(text), bound));
    }
    Ok(statements)
}

/// The kinds that the marker names, and the text before and after it.
fn marker(sql: &'static str) -> Option<(&'static str, Vec<&'static str>, &'static str)> {
    let (before, rest) = sql.split_once("{rows:")?;
    let (kinds, after) = rest.split_once('}')?;
    Some((before, kinds.split(',').collect(), after))
}

/// The statement's text for `count` rows, numbered after the `fixed` parameters.
fn expand(
    sql: &'static str,
    fixed: usize,
    count: usize,
    placeholders: Placeholders,
) -> Result<String, StorageError> {
    let unmarked =
        || StorageError::Corrupt { column: "{rows}", why: format!("no marker in: {sql}") };
    let (before, kinds, after) = marker(sql).ok_or_else(unmarked)?;
    let mut text = String::with_capacity(sql.len() + count * kinds.len() * 6);
    text.push_str(before);
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..kinds.len() {
            let separator = if column == 0 { "" } else { "," };
            text.push_str(separator);
            match placeholders {
                Placeholders::Positional => text.push('?'),
                Placeholders::Numbered => {
                    let number = fixed + row * kinds.len() + column + 1;
                    // Writing to a String cannot fail.
                    let _ = write!(text, "${number}");
                }
            }
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
    let text = if marker(sql).is_some() {
        expand(sql, fixed, count, Placeholders::Numbered)?
    } else {
        sql.to_owned()
    };
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
    const INSERT: &str = "INSERT INTO t (a) VALUES {rows:bigint} ON CONFLICT DO NOTHING";

    fn numbers(count: i64) -> Option<Vec<Vec<Value>>> {
        Some((0..count).map(|n| vec![Value::from(n)]).collect())
    }

    #[test]
    fn rows_are_numbered_after_the_fixed_parameters() {
        let text = expand(LOOKUP, 1, 2, Placeholders::Numbered).unwrap();
        assert!(text.ends_with("IN (VALUES ($2,$3),($4,$5))"), "{text}");
    }

    #[test]
    fn sets_are_filled_up_with_their_last_row() {
        let sent = statements(INSERT, &[], numbers(5), Placeholders::Positional).unwrap();
        assert_eq!(sent[0].1.len(), 8);
        assert_eq!(sent[0].1[7], Value::from(4));
        assert!(sent[0].0.0.contains("(?),(?)"));
    }

    #[test]
    fn large_sets_are_sent_in_parts_and_nothing_is_left_out() {
        let sent = statements(INSERT, &[], numbers(150), Placeholders::Positional).unwrap();
        let sizes: Vec<usize> = sent.iter().map(|(_, values)| values.len()).collect();
        assert_eq!(sizes, [64, 64, 24]);
        assert_eq!(sent[2].1[21], Value::from(149));
    }

    #[test]
    fn no_rows_mean_no_statement() {
        assert!(statements(INSERT, &[], numbers(0), Placeholders::Positional).unwrap().is_empty());
    }
}
