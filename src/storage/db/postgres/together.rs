//! Several statements as one, so that they cost one trip to the server:
//!
//! ```sql
//! WITH part0 AS (…), part1 AS (…)
//! SELECT 0::bigint AS part, part0.*, NULL::uuid FROM part0 UNION ALL SELECT 1, NULL::bigint, part1.* FROM part1
//! ```
//!
//! Each row is one of a part's and says which. Rows of a lookup are read, and held, in the order of the
//! parts; all parts see the rows as they were when the first began, and what they hold as it is.

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use sqlx::postgres::PgArguments;
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, PgConnection, Row as _, SqlSafeStr, SqlStr,
    Statement as _, TypeInfo as _,
};

use super::super::query::{Answer, Query, Rows};
use super::super::row::{Names, Row, corrupt};
use super::super::value::Value;
use super::{StorageError, arrays, run};

/// A statement, and the place of its answer.
struct Part {
    place: usize,
    sql: &'static str,
    values: Vec<Value>,
    rows: Option<Rows>,
}

/// The texts of some statements as one.
struct Combined {
    text: SqlStr,
    /// For each of them where its columns are, and their names.
    columns: Vec<(Range<usize>, Names)>,
}

type CombinedTexts = RwLock<HashMap<Vec<&'static str>, Arc<Combined>>>;

/// Runs statements of which none needs to see what another one does.
pub(super) async fn run_each(
    on: &mut PgConnection,
    queries: Vec<Query>,
) -> Result<Vec<Answer>, StorageError> {
    let mut answers: Vec<Answer> = queries.iter().map(|_| Answer::default()).collect();
    let parts = parts(queries);
    if parts.is_empty() {
        return Ok(answers);
    }
    let combined = combined(on, &parts).await?;
    let places: Vec<usize> = parts.iter().map(|part| part.place).collect();
    let mut arguments = PgArguments::default();
    for Part { values, rows, .. } in parts {
        run::bind(&mut arguments, values)?;
        if let Some(rows) = rows {
            arrays::bind(&mut arguments, rows)?;
        }
    }
    let (_, rows) = run::send(on, combined.text.clone(), arguments).await?;
    for row in &rows {
        let number: i64 = row.try_get(0)?;
        let known = usize::try_from(number).ok();
        let known = known.and_then(|at| Some((combined.columns.get(at)?, *places.get(at)?)));
        let ((range, names), place) = known.ok_or_else(|| corrupt("part", "is none"))?;
        let answer = answers.get_mut(place).ok_or_else(|| corrupt("part", "is none"))?;
        answer.count += 1;
        if !names.is_empty() {
            answer.rows.push(Row::new(Names::clone(names), run::decoded(row, range.clone())?));
        }
    }
    Ok(answers)
}

/// The statements that have something to do, each with at most as many rows as one has.
fn parts(queries: Vec<Query>) -> Vec<Part> {
    let mut parts = Vec::with_capacity(queries.len());
    for (place, Query { sql, values, rows, .. }) in queries.into_iter().enumerate() {
        let Some(rows) = rows else {
            parts.push(Part { place, sql, values, rows: None });
            continue;
        };
        for rows in run::parts(rows) {
            parts.push(Part { place, sql, values: values.clone(), rows: Some(rows) });
        }
    }
    parts
}

/// What these statements are as one; made when they first come together.
async fn combined(on: &mut PgConnection, parts: &[Part]) -> Result<Arc<Combined>, StorageError> {
    static TEXTS: LazyLock<CombinedTexts> = LazyLock::new(CombinedTexts::default);
    let key: Vec<&'static str> = parts.iter().map(|part| part.sql).collect();
    let known = TEXTS.read().unwrap_or_else(PoisonError::into_inner).get(&key).map(Arc::clone);
    if let Some(known) = known {
        return Ok(known);
    }
    let made = Arc::new(combine(&described(on, parts).await?));
    TEXTS.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&made));
    Ok(made)
}

/// A statement to combine.
struct Described {
    /// Its parameters are numbered after those of the statements before.
    text: String,
    /// The name and the type of each column.
    columns: Vec<(String, String)>,
    /// Whether it returns these columns by itself; if not, they are there to be counted.
    returns: bool,
}

async fn described(on: &mut PgConnection, parts: &[Part]) -> Result<Vec<Described>, StorageError> {
    let mut described = Vec::with_capacity(parts.len());
    let mut parameters = 0;
    for Part { sql, values, rows, .. } in parts {
        let text = match rows {
            Some(_) => arrays::text(sql, values.len())?,
            None => sql.into_sql_str(),
        };
        let returns = sql.starts_with("SELECT") || sql.contains(" RETURNING ");
        let mut text = text.as_str().to_owned();
        if !returns {
            text.push_str(" RETURNING 1::bigint AS one");
        }
        let statement = on.prepare(AssertSqlSafe(text.clone()).into_sql_str()).await?;
        let columns = statement.columns().iter();
        let columns = columns
            .map(|column| (column.name().to_owned(), column.type_info().name().to_owned()))
            .collect();
        described.push(Described { text: renumbered(&text, parameters), columns, returns });
        parameters += values.len() + rows.as_ref().map_or(0, |rows| rows.width);
    }
    Ok(described)
}

fn combine(parts: &[Described]) -> Combined {
    let mut text = String::new();
    for (number, part) in parts.iter().enumerate() {
        let begin = if number == 0 { "WITH" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(text, "{begin} part{number} AS ({})", part.text);
    }
    let (mut columns, mut next) = (Vec::with_capacity(parts.len()), 1);
    for (number, part) in parts.iter().enumerate() {
        let begin = if number == 0 { "" } else { " UNION ALL" };
        let _ = write!(text, "{begin} SELECT {number}::bigint AS part");
        for (other, described) in parts.iter().enumerate() {
            if other == number {
                let _ = write!(text, ", part{number}.*");
                continue;
            }
            for (_, kind) in &described.columns {
                let _ = write!(text, ", NULL::{kind}");
            }
        }
        let _ = write!(text, " FROM part{number}");
        let range = next..next + part.columns.len();
        next = range.end;
        let names = part.columns.iter().filter(|_| part.returns);
        columns.push((range, names.map(|(name, _)| name.clone().into()).collect()));
    }
    Combined { text: AssertSqlSafe(text).into_sql_str(), columns }
}

/// The text with each parameter so many numbers later.
fn renumbered(text: &str, by: usize) -> String {
    let mut pieces = text.split('$');
    let mut renumbered = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        renumbered.push('$');
        let end = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let (number, rest) = piece.split_at(end);
        match number.parse::<usize>() {
            Ok(number) => renumbered.push_str(&(number + by).to_string()),
            Err(_) => renumbered.push_str(number),
        }
        renumbered.push_str(rest);
    }
    renumbered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str, returns: bool, columns: &[(&str, &str)]) -> Described {
        let columns = columns.iter().map(|&(name, kind)| (name.to_owned(), kind.to_owned()));
        Described { text: text.to_owned(), columns: columns.collect(), returns }
    }

    #[test]
    fn each_part_has_its_own_columns() {
        let combined = combine(&[
            described("SELECT a, b FROM t", true, &[("a", "UUID"), ("b", "INT8")]),
            described(
                "INSERT INTO u VALUES ($1) RETURNING 1::bigint AS one",
                false,
                &[("one", "INT8")],
            ),
        ]);
        let expected = "WITH part0 AS (SELECT a, b FROM t), \
            part1 AS (INSERT INTO u VALUES ($1) RETURNING 1::bigint AS one) \
            SELECT 0::bigint AS part, part0.*, NULL::INT8 FROM part0 \
            UNION ALL SELECT 1::bigint AS part, NULL::UUID, NULL::INT8, part1.* FROM part1";
        assert_eq!(combined.text.as_str(), expected);
        let ranges: Vec<_> = combined.columns.iter().map(|(range, _)| range.clone()).collect();
        assert_eq!(ranges, [1..3, 3..4]);
        let names: Vec<_> = combined.columns.iter().map(|(_, names)| names.len()).collect();
        assert_eq!(names, [2, 0]);
    }

    #[test]
    fn parameters_are_numbered_on() {
        assert_eq!(renumbered("a = $1 AND b = $12::uuid[]", 3), "a = $4 AND b = $15::uuid[]");
        assert_eq!(renumbered("a = '$' || $2", 1), "a = '$' || $3");
    }
}
