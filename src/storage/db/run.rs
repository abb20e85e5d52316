//! Running a text with its values on either database.

use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Executor, SqlSafeStr, Type};
use uuid::Uuid;

use super::rows::{self, Rows, Statement, Style};
use super::value::Text;
use super::{Db, Handle, Priority, Row, Servers, StorageError, Value, judged};

fn unencodable(error: sqlx::error::BoxDynError) -> StorageError {
    StorageError::Rejected(sqlx::Error::Encode(error))
}

/// Binds values one by one.
fn add_each<A>(arguments: &mut A, values: Vec<Value>) -> Result<(), StorageError>
where
    A: Arguments,
    for<'q> Option<Uuid>: Encode<'q, A::Database> + Type<A::Database>,
    for<'q> Option<Text>: Encode<'q, A::Database> + Type<A::Database>,
    for<'q> Option<i64>: Encode<'q, A::Database> + Type<A::Database>,
    for<'q> Option<bool>: Encode<'q, A::Database> + Type<A::Database>,
    for<'q> Option<Vec<u8>>: Encode<'q, A::Database> + Type<A::Database>,
{
    arguments.reserve(values.len(), 16 * values.len());
    for value in values {
        match value {
            Value::Uuid(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Integer(value) => arguments.add(value),
            Value::Boolean(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
        }
        .map_err(unencodable)?;
    }
    Ok(())
}

/// One column of a set.
enum Column {
    Uuid(Vec<Option<Uuid>>),
    Text(Vec<Option<Text>>),
    Integer(Vec<Option<i64>>),
    Boolean(Vec<Option<bool>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
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
            _ => return Err(unencodable("a column has values of several kinds".into())),
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
        .map_err(unencodable)
    }
}

/// Binds one array for each column.
fn add_arrays(arguments: &mut PgArguments, rows: Rows) -> Result<(), StorageError> {
    let length = rows.len();
    let first = rows.values.iter().take(rows.width);
    let mut columns: Vec<Column> = first.map(|value| Column::like(value, length)).collect();
    let mut values = rows.values.into_iter();
    for _ in 0..length {
        for (column, value) in columns.iter_mut().zip(&mut values) {
            column.push(value)?;
        }
    }
    columns.into_iter().try_for_each(|column| column.add_to(arguments))
}

fn sqlite_arguments(statement: Statement) -> Result<SqliteArguments, StorageError> {
    let mut arguments = SqliteArguments::default();
    add_each(&mut arguments, statement.values)?;
    add_each(&mut arguments, statement.rows.map(|rows| rows.values).unwrap_or_default())?;
    Ok(arguments)
}

fn postgres_arguments(statement: Statement) -> Result<PgArguments, StorageError> {
    let mut arguments = PgArguments::default();
    add_each(&mut arguments, statement.values)?;
    statement.rows.map_or(Ok(()), |rows| add_arrays(&mut arguments, rows))?;
    Ok(arguments)
}

/// How a set is given to this database.
pub(super) const fn style(on: &Handle<'_>) -> Style {
    match on {
        Handle::Sqlite(..) => Style::List,
        Handle::Postgres(..) => Style::Arrays,
        #[cfg(test)]
        Handle::Rehearsal(_) => Style::List,
    }
}

#[expect(clippy::disallowed_methods, reason = "the room in which statements are run")]
pub(super) async fn execute(on: Handle<'_>, statement: Statement) -> Result<u64, StorageError> {
    let text = statement.text.clone();
    Ok(match on {
        Handle::Sqlite(connection, halt) => {
            let query = sqlx::query_with(text, sqlite_arguments(statement)?);
            judged(halt, query.execute(connection)).await?.rows_affected()
        }
        Handle::Postgres(connection, servers) => {
            let query = sqlx::query_with(text, postgres_arguments(statement)?);
            heard(servers, query.execute(connection)).await?.rows_affected()
        }
        #[cfg(test)]
        Handle::Rehearsal(_) => unreachable!("what is acted out has no text"),
    })
}

#[expect(clippy::disallowed_methods, reason = "the room in which statements are run")]
pub(super) async fn fetch_all(
    on: Handle<'_>,
    statement: Statement,
) -> Result<Vec<Row>, StorageError> {
    let text = statement.text.clone();
    Ok(match on {
        Handle::Sqlite(connection, halt) => {
            let query = sqlx::query_with(text, sqlite_arguments(statement)?);
            let rows = judged(halt, query.fetch_all(connection)).await?;
            rows.into_iter().map(Row::Sqlite).collect()
        }
        Handle::Postgres(connection, servers) => {
            let query = sqlx::query_with(text, postgres_arguments(statement)?);
            let rows = heard(servers, query.fetch_all(connection)).await?;
            rows.into_iter().map(Row::Postgres).collect()
        }
        #[cfg(test)]
        Handle::Rehearsal(_) => unreachable!("what is acted out has no text"),
    })
}

/// Waits for a server's answer, and not for ever.
async fn heard<T>(
    servers: Option<&Servers>,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StorageError> {
    match servers {
        Some(servers) => servers.bounded(answer).await,
        None => Ok(answer.await?),
    }
}

/// Lets the database read a statement, for `count` rows if it is about a set.
pub(super) async fn prepare(db: &Db, sql: &'static str, count: usize) -> Result<(), StorageError> {
    let marked = rows::marker(sql);
    let fixed = marked
        .as_ref()
        .map_or(0, |(before, _, after)| highest_number(before).max(highest_number(after)));
    let text = |style| match marked {
        Some(_) => rows::expand(sql, fixed, count, style),
        None => Ok(sql.to_owned()),
    };
    match db.read(Priority::Ordinary).await? {
        super::Reader::Sqlite(mut connection, ..) => {
            let text = AssertSqlSafe(text(Style::List)?).into_sql_str();
            (&mut *connection).prepare(text).await?;
        }
        super::Reader::Postgres(mut connection, ..) => {
            let text = AssertSqlSafe(text(Style::Arrays)?).into_sql_str();
            (&mut *connection).prepare(text).await?;
        }
        #[cfg(test)]
        super::Reader::Rehearsal(_) => unreachable!("what is acted out has no text"),
    }
    Ok(())
}

/// The greatest number of a placeholder in a text.
fn highest_number(text: &str) -> usize {
    let after_signs = text.split('$').skip(1);
    let numbers = after_signs.filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    });
    numbers.max().unwrap_or(0)
}
