//! A statement, what is bound to it, and its set of rows. The text of a statement about a set holds
//! a marker, `VALUES {rows:uuid,bigint}`, which each database replaces by placeholders in its own
//! way: what is generated is never anything but placeholders.

use super::error::StorageError;
use super::row::{FromRow, Row};
use super::value::Value;

const MARKER: &str = "VALUES {rows:";
/// A set of more rows takes long; the gate's are smaller.
const QUICK_ROWS_MAX: usize = 1024;

/// A statement and what is bound to it.
#[derive(Debug)]
pub struct Query {
    pub(super) sql: &'static str,
    /// The fixed parameters: `$1`, `$2`, …
    pub(super) values: Vec<Value>,
    /// The rows of the marker; a statement without one has none.
    pub(super) rows: Option<Rows>,
    /// Whether it is about as many rows as there are.
    pub(super) is_long: bool,
}

/// Starts a statement.
#[must_use]
pub const fn query(sql: &'static str) -> Query {
    Query { sql, values: Vec::new(), rows: None, is_long: false }
}

impl Query {
    /// Binds the next parameter (`$1`, `$2`, …).
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Whether it may take longer than another thread takes to wake up.
    pub(super) fn takes_long(&self) -> bool {
        self.is_long || self.rows.as_ref().is_some_and(|rows| rows.len() > QUICK_ROWS_MAX)
    }

    /// Says that the statement is about as many rows as there are, and may take long.
    #[must_use]
    pub const fn long(mut self) -> Self {
        self.is_long = true;
        self
    }

    /// Binds the rows of the statement's `{rows:…}` marker. They are sent in as many statements
    /// as the limits of the databases ask for, within the caller's transaction; no rows, no
    /// statement.
    #[must_use]
    pub fn rows<const WIDTH: usize>(
        mut self,
        rows: impl IntoIterator<Item = [Value; WIDTH]>,
    ) -> Self {
        self.rows = Some(Rows::of(rows));
        self
    }
}

/// What became of a statement.
#[derive(Debug, Default)]
pub struct Answer {
    /// How many rows it changed, or found.
    pub(super) count: u64,
    /// The rows that it returned.
    pub(super) rows: Vec<Row>,
}

impl Answer {
    /// The rows that the statement returned.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] names the table, the column and the row that are not as they should be.
    pub fn rows<T: FromRow>(&self) -> Result<Vec<T>, StorageError> {
        self.rows.iter().map(read).collect()
    }

    /// The first row that the statement returned, if there is one.
    ///
    /// # Errors
    /// As [`Answer::rows`].
    pub(super) fn first<T: FromRow>(&self) -> Result<Option<T>, StorageError> {
        self.rows.first().map(read).transpose()
    }

    /// Whether the statement changed as many rows as it must.
    ///
    /// # Errors
    /// [`StorageError::LostRace`] if it did not: another transaction was faster.
    pub fn must_count(&self, rows: usize) -> Result<(), StorageError> {
        if u64::try_from(rows) == Ok(self.count) { Ok(()) } else { Err(StorageError::LostRace) }
    }
}

/// Reads a row; an error says which row it is.
fn read<T: FromRow>(row: &Row) -> Result<T, StorageError> {
    T::from_row(row).map_err(|error| match error {
        StorageError::Corrupt { place: column, why } => {
            StorageError::Corrupt { place: T::ORIGIN.place(&column, row), why }
        }
        other => other,
    })
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
    pub(super) fn split_off(&mut self, count: usize) -> Self {
        let rest = self.values.split_off((count * self.width).min(self.values.len()));
        Self { width: self.width, values: std::mem::replace(&mut self.values, rest) }
    }

    /// Repeats the last row until there are `count`.
    pub(super) fn fill(&mut self, count: usize) {
        let last = self.values.len().saturating_sub(self.width);
        for _ in self.len()..count {
            self.values.extend_from_within(last..last + self.width);
        }
    }
}

/// The text of a statement about a set, around its marker.
#[derive(Debug)]
pub(super) struct Marked {
    pub(super) before: &'static str,
    /// The kinds of the columns.
    pub(super) kinds: Vec<&'static str>,
    pub(super) after: &'static str,
}

impl Marked {
    /// Finds the marker; `None` if there is none.
    pub(super) fn find(sql: &'static str) -> Option<Self> {
        let (before, rest) = sql.split_once(MARKER)?;
        let (kinds, after) = rest.split_once('}')?;
        Some(Self { before, kinds: kinds.split(',').collect(), after })
    }

    /// As [`Marked::find`], for a statement that rows were bound to.
    ///
    /// # Errors
    /// [`StorageError::Rejected`] if it has no marker for them.
    pub(super) fn of(sql: &'static str) -> Result<Self, StorageError> {
        let unmarked = || StorageError::Rejected(format!("no marker for rows in: {sql}").into());
        Self::find(sql).ok_or_else(unmarked)
    }

    /// How many fixed parameters the text names.
    pub(super) fn fixed(&self) -> usize {
        highest_number(self.before).max(highest_number(self.after))
    }
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
