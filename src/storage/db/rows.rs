//! A statement about a set: its `{rows:…}` marker becomes placeholders, and its rows what is bound
//! to them. The two databases are given a set in different ways:
//!
//! - SQLite gets `VALUES (?,?),(?,?)`, as many rows as there are, up to a limit.
//! - PostgreSQL gets `SELECT * FROM UNNEST($1::uuid[],$2::bigint[])`: one parameter for each column.
//!   Its statement is the same for every number of rows, so one is prepared, and nothing is read
//!   or bound a thousand times over.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{StorageError, Value};

/// How many rows a statement for SQLite can have. Few sizes keep its statement cache warm and
/// small; a set is filled up to the next one.
const SIZES: [usize; 23] =
    [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 36, 40, 44, 48, 56, 64, 128, 256, 512];
/// So many parameters, 64 rows of the widest table, are far below the 32,766 that SQLite takes.
const PARAMETERS_MAX: usize = 64 * 19;
/// A statement for PostgreSQL has at most so many rows, to bound its size in memory.
const ARRAY_LENGTH_MAX: usize = 4096;

const MARKER: &str = "VALUES {rows:";
/// Where a text begins to say which rows it holds. SQLite has one writer, and no row locks.
const ROW_LOCKS: &str = " FOR SHARE OF ";

/// How a set is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Style {
    /// A list of rows.
    List,
    /// An array for each column.
    Arrays,
}

/// Rows of the same width, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) width: usize,
    pub(super) values: Vec<Value>,
}

impl Rows {
    pub(super) fn of<const WIDTH: usize>(rows: impl IntoIterator<Item = [Value; WIDTH]>) -> Self {
        Self { width: WIDTH, values: rows.into_iter().flatten().collect() }
    }

    pub(super) const fn len(&self) -> usize {
        match self.values.len().checked_div(self.width) {
            Some(rows) => rows,
            None => 0,
        }
    }

    /// Takes off the first `count` rows.
    fn split_off(&mut self, count: usize) -> Self {
        let rest = self.values.split_off((count * self.width).min(self.values.len()));
        Self { width: self.width, values: std::mem::replace(&mut self.values, rest) }
    }

    /// Repeats the last row until there are `count`.
    fn fill(&mut self, count: usize) {
        let last = self.values.len().saturating_sub(self.width);
        for _ in self.len()..count {
            self.values.extend_from_within(last..last + self.width);
        }
    }
}

/// One statement to run: its text, what is bound to its fixed parameters, and its rows.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) text: SqlStr,
    pub(super) values: Vec<Value>,
    pub(super) rows: Option<Rows>,
}

/// The statements to run one after the other. For SQLite each is filled up with copies of its last
/// row: they change nothing in a lookup or an update, and an `INSERT` must say `ON CONFLICT DO
/// NOTHING`.
pub(super) fn statements(
    sql: &'static str,
    values: Vec<Value>,
    rows: Option<Rows>,
    style: Style,
) -> Result<Vec<Statement>, StorageError> {
    let Some(mut rows) = rows else {
        return Ok(vec![Statement { text: sql.into_sql_str(), values, rows: None }]);
    };
    let count_max = match style {
        Style::List => rows_max(rows.width),
        Style::Arrays => ARRAY_LENGTH_MAX,
    };
    let mut statements = Vec::with_capacity(rows.len().div_ceil(count_max));
    while rows.len() > 0 {
        let mut part = rows.split_off(count_max);
        if style == Style::List {
            let size = SIZES.iter().copied().find(|&size| size >= part.len());
            part.fill(size.unwrap_or(count_max));
        }
        let text = text(sql, values.len(), part.len(), style)?;
        statements.push(Statement { text, values: values.clone(), rows: Some(part) });
    }
    Ok(statements)
}

/// The greatest size that such wide rows can have.
fn rows_max(width: usize) -> usize {
    let fits = |size: &usize| size.saturating_mul(width) <= PARAMETERS_MAX;
    SIZES.into_iter().filter(fits).max().unwrap_or(1)
}

/// The texts that were made so far: writing a long one takes as long as running it.
type Texts = RwLock<HashMap<(&'static str, usize, Style), SqlStr>>;

/// The text for so many rows, numbered after the `fixed` parameters, which are always as many.
fn text(
    sql: &'static str,
    fixed: usize,
    count: usize,
    style: Style,
) -> Result<SqlStr, StorageError> {
    static TEXTS: LazyLock<Texts> = LazyLock::new(Texts::default);
    // An array's text is the same for every number of rows.
    let count = if style == Style::Arrays { 1 } else { count };
    let key = (sql, count, style);
    if let Some(text) = TEXTS.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(text.clone());
    }
    let text: Arc<str> = expand(sql, fixed, count, style)?.into();
    let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
    Ok(texts.entry(key).or_insert_with(|| AssertSqlSafe(text).into_sql_str()).clone())
}

/// The kinds that the marker names, and the text before and after it.
pub(super) fn marker(sql: &'static str) -> Option<(&'static str, Vec<&'static str>, &'static str)> {
    let (before, rest) = sql.split_once(MARKER)?;
    let (kinds, after) = rest.split_once('}')?;
    Some((before, kinds.split(',').collect(), after))
}

pub(super) fn expand(
    sql: &'static str,
    fixed: usize,
    count: usize,
    style: Style,
) -> Result<String, StorageError> {
    let unmarked =
        || StorageError::Corrupt { column: "{rows}", why: format!("no marker in: {sql}") };
    let (before, kinds, after) = marker(sql).ok_or_else(unmarked)?;
    let mut text = String::with_capacity(sql.len() + count * kinds.len() * 6);
    text.push_str(before);
    match style {
        Style::List => list(&mut text, fixed, kinds.len(), count),
        Style::Arrays => arrays(&mut text, fixed, &kinds),
    }
    text.push_str(match after.split_once(ROW_LOCKS) {
        Some((before_locks, _)) if style == Style::List => before_locks,
        _ => after,
    });
    Ok(text)
}

/// `VALUES (?,?),(?,?)`. Without fixed parameters the placeholders have no numbers: SQLite looks
/// numbered ones up by name, one after the other, for each value that is bound; with a thousand of
/// them that was measured as a tenth of the gate's time.
fn list(text: &mut String, fixed: usize, width: usize, count: usize) {
    text.push_str("VALUES ");
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..width {
            text.push_str(if column == 0 { "" } else { "," });
            if fixed == 0 {
                text.push('?');
            } else {
                let number = fixed + row * width + column + 1;
                // Writing to a String cannot fail.
                let _ = write!(text, "${number}");
            }
        }
        text.push(')');
    }
}

/// `SELECT * FROM UNNEST(…)`, with the columns named as those of a list are.
fn arrays(text: &mut String, fixed: usize, kinds: &[&str]) {
    text.push_str("SELECT * FROM UNNEST(");
    for (place, kind) in kinds.iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let number = fixed + place + 1;
        let _ = write!(text, "{separator}${number}::{kind}[]");
    }
    text.push_str(") AS rows (");
    for place in 1..=kinds.len() {
        let separator = if place == 1 { "" } else { "," };
        let _ = write!(text, "{separator}column{place}");
    }
    text.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOKUP: &str = "SELECT a FROM t WHERE o = $1 AND (a, b) IN (VALUES {rows:uuid,bigint})";
    const INSERT: &str = "INSERT INTO t (a) VALUES {rows:bigint} ON CONFLICT DO NOTHING";

    fn numbers(count: i64) -> Option<Rows> {
        Some(Rows::of((0..count).map(|n| [Value::from(n)])))
    }

    fn sizes(sent: &[Statement]) -> Vec<usize> {
        sent.iter().map(|statement| statement.rows.as_ref().unwrap().len()).collect()
    }

    #[test]
    fn rows_are_numbered_after_the_fixed_parameters() {
        let text = expand(LOOKUP, 1, 2, Style::List).unwrap();
        assert!(text.ends_with("IN (VALUES ($2,$3),($4,$5))"), "{text}");
        let text = expand(LOOKUP, 1, 2, Style::Arrays).unwrap();
        let arrays = "IN (SELECT * FROM UNNEST($2::uuid[],$3::bigint[]) AS rows (column1,column2))";
        assert!(text.ends_with(arrays), "{text}");
    }

    #[test]
    fn lists_are_filled_up_with_their_last_row_and_arrays_are_not() {
        let sent = statements(INSERT, Vec::new(), numbers(5), Style::List).unwrap();
        assert_eq!(sizes(&sent), [6]);
        assert_eq!(sent[0].rows.as_ref().unwrap().values[5], Value::from(4));
        assert!(sent[0].text.as_str().contains("VALUES (?),(?)"));
        let sent = statements(INSERT, Vec::new(), numbers(5), Style::Arrays).unwrap();
        assert_eq!(sizes(&sent), [5]);
    }

    #[test]
    fn large_sets_are_sent_in_parts_and_nothing_is_left_out() {
        let sent = statements(INSERT, Vec::new(), numbers(1100), Style::List).unwrap();
        assert_eq!(sizes(&sent), [512, 512, 128]);
        assert_eq!(sent[2].rows.as_ref().unwrap().values[75], Value::from(1099));
        let sent = statements(INSERT, Vec::new(), numbers(5000), Style::Arrays).unwrap();
        assert_eq!(sizes(&sent), [4096, 904]);
    }

    #[test]
    fn wide_rows_are_sent_in_smaller_parts() {
        assert_eq!([1, 2, 3, 14, 19, 2000].map(rows_max), [512, 512, 256, 64, 64, 1]);
    }

    #[test]
    fn no_rows_mean_no_statement() {
        assert!(statements(INSERT, Vec::new(), numbers(0), Style::List).unwrap().is_empty());
    }
}
