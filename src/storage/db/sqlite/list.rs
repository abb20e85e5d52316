//! The texts that SQLite is given: a set is `VALUES (?,?),(?,?)`, as many rows as there are, up to a
//! limit, and a parameter is `?1`: in `$1` it sees a name, and not a number.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use super::super::query::Marked;
use super::{Query, StorageError, Value};

/// How many rows a statement can have. Few sizes keep the statement cache warm and small; a set is
/// filled up to the next one.
const SIZES: [usize; 23] =
    [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 36, 40, 44, 48, 56, 64, 128, 256, 512];
/// So many parameters, 64 rows of the widest table, are far below the 32,766 that SQLite takes.
const PARAMETERS_MAX: usize = 64 * 19;
/// Where a text begins to say which rows it holds: there is one writer, and no row is locked.
const ROW_LOCKS: &str = " FOR SHARE OF ";

/// One statement to run: its text, and what is bound to it.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) text: Arc<str>,
    pub(super) values: Vec<Value>,
}

/// The statements to run one after the other. Each is filled up with copies of its last row: they
/// change nothing in a lookup or an update, and an `INSERT` must say `ON CONFLICT DO NOTHING`.
pub(super) fn statements(query: Query) -> Result<Vec<Statement>, StorageError> {
    let Query { sql, values, rows, .. } = query;
    let Some(mut rows) = rows else {
        return Ok(vec![Statement { text: text(sql, 0, 0)?, values }]);
    };
    let count_max = rows_max(rows.width);
    let mut statements = Vec::with_capacity(rows.len().div_ceil(count_max));
    while rows.len() > 0 {
        let mut part = rows.split_off(count_max);
        let size = SIZES.iter().copied().find(|&size| size >= part.len());
        part.fill(size.unwrap_or(count_max));
        let text = text(sql, values.len(), part.len())?;
        let values =
            if values.is_empty() { part.values } else { [&*values, &*part.values].concat() };
        statements.push(Statement { text, values });
    }
    Ok(statements)
}

/// The texts of a statement with one and with two rows.
pub(super) fn samples(sql: &'static str) -> Result<Vec<Arc<str>>, StorageError> {
    let Some(marked) = Marked::find(sql) else { return Ok(vec![text(sql, 0, 0)?]) };
    [1, 2].into_iter().map(|count| text(sql, marked.fixed(), count)).collect()
}

/// The greatest size that such wide rows can have.
fn rows_max(width: usize) -> usize {
    let fits = |size: &usize| size.saturating_mul(width) <= PARAMETERS_MAX;
    SIZES.into_iter().filter(fits).max().unwrap_or(1)
}

/// The texts that were made so far: writing a long one takes as long as running it.
type ListTexts = RwLock<HashMap<(&'static str, usize), Arc<str>>>;

/// The text for so many rows, numbered after the `fixed` parameters, which are always as many; for no
/// rows that of a statement without a marker.
fn text(sql: &'static str, fixed: usize, count: usize) -> Result<Arc<str>, StorageError> {
    static TEXTS: LazyLock<ListTexts> = LazyLock::new(ListTexts::default);
    let key = (sql, count);
    if let Some(text) = TEXTS.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Arc::clone(text));
    }
    let text = match count {
        0 => numbered(sql),
        _ => expand(&Marked::of(sql)?, fixed, count),
    };
    let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
    Ok(Arc::clone(texts.entry(key).or_insert_with(|| text.into())))
}

/// The text with `?1` for `$1`.
fn numbered(text: &str) -> String {
    let mut rest = text.chars().peekable();
    let mut numbered = String::with_capacity(text.len());
    while let Some(next) = rest.next() {
        let is_parameter = next == '$' && rest.peek().is_some_and(char::is_ascii_digit);
        numbered.push(if is_parameter { '?' } else { next });
    }
    numbered
}

/// Without fixed parameters the placeholders have no numbers, which are longer to parse.
fn expand(marked: &Marked, fixed: usize, count: usize) -> String {
    let width = marked.kinds.len();
    let mut text = format!("{}VALUES ", numbered(marked.before));
    for row in 0..count {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..width {
            text.push_str(if column == 0 { "?" } else { ",?" });
            if fixed > 0 {
                // Writing to a String cannot fail.
                let _ = write!(text, "{}", fixed + row * width + column + 1);
            }
        }
        text.push(')');
    }
    let after = marked.after.split_once(ROW_LOCKS).map_or(marked.after, |(before, _)| before);
    text.push_str(&numbered(after));
    text
}

#[cfg(test)]
mod tests {
    use super::super::super::query::query;
    use super::*;

    const LOOKUP: &str = "SELECT a FROM t WHERE o = $1 AND (a, b) IN (VALUES {rows:uuid,bigint})";
    const INSERT: &str = "INSERT INTO t (a) VALUES {rows:bigint} ON CONFLICT DO NOTHING";

    fn inserting(count: i64) -> Vec<Statement> {
        statements(query(INSERT).rows((0..count).map(|n| [Value::from(n)]))).unwrap()
    }

    fn sizes(sent: &[Statement]) -> Vec<usize> {
        sent.iter().map(|statement| statement.values.len()).collect()
    }

    #[test]
    fn rows_are_numbered_after_the_fixed_parameters() {
        let text = expand(&Marked::of(LOOKUP).unwrap(), 1, 2);
        assert!(text.ends_with("IN (VALUES (?2,?3),(?4,?5))"), "{text}");
        assert!(text.contains("o = ?1"), "{text}");
        let row = [[Value::from(2), Value::from(3)]];
        let sent = statements(query(LOOKUP).bind(1).rows(row)).unwrap();
        assert_eq!(sent[0].values, [1, 2, 3].map(Value::from));
    }

    #[test]
    fn rows_are_not_locked() {
        const HOLD: &str =
            "SELECT a FROM t WHERE a IN (VALUES {rows:uuid}) ORDER BY a FOR SHARE OF t";
        let text = expand(&Marked::of(HOLD).unwrap(), 0, 1);
        assert_eq!(text, "SELECT a FROM t WHERE a IN (VALUES (?)) ORDER BY a");
    }

    #[test]
    fn lists_are_filled_up_with_their_last_row() {
        let sent = inserting(5);
        assert_eq!(sizes(&sent), [6]);
        assert_eq!(sent[0].values[5], Value::from(4));
        assert!(sent[0].text.contains("VALUES (?),(?)"));
    }

    #[test]
    fn large_sets_are_sent_in_parts_and_nothing_is_left_out() {
        let sent = inserting(1100);
        assert_eq!(sizes(&sent), [512, 512, 128]);
        let numbers = sent.iter().flat_map(|statement| &statement.values);
        let different: std::collections::BTreeSet<_> =
            numbers.map(|value| format!("{value:?}")).collect();
        assert_eq!(different.len(), 1100);
    }

    #[test]
    fn wide_rows_are_sent_in_smaller_parts() {
        assert_eq!([1, 2, 3, 14, 19, 2000].map(rows_max), [512, 512, 256, 64, 64, 1]);
    }

    #[test]
    fn a_sign_without_a_number_is_no_parameter() {
        assert_eq!(numbered("a = $12 AND b = '$' || $3"), "a = ?12 AND b = '$' || ?3");
    }

    #[test]
    fn no_rows_mean_no_statement() {
        assert!(inserting(0).is_empty());
    }
}
