//! What a statement means: which rows it finds, under which condition it changes them, and to what.
//! Everything about transactions and locks is left to the database that acts it out.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Value;
use super::row::{RehearsalRow, Table};

/// What is bound to a statement.
#[derive(Debug, Clone)]
pub struct Bound {
    pub(super) values: Vec<Value>,
    pub(super) rows: Vec<Vec<Value>>,
}

impl Bound {
    /// `$1`, `$2`, …
    pub fn value(&self, number: usize) -> &Value {
        &self.values[number - 1]
    }

    /// The same rows, with these fixed parameters.
    pub fn with_values(self, values: Vec<Value>) -> Self {
        Self { values, ..self }
    }

    /// Binds something else.
    pub fn set(&mut self, number: usize, value: Value) {
        self.values[number - 1] = value;
    }

    /// `$1`, `$2`, … where it is a number that is not NULL.
    pub fn integer(&self, number: usize) -> i64 {
        integer(self.value(number))
    }

    /// The rows of the marker.
    pub fn rows(&self) -> &[Vec<Value>] {
        &self.rows
    }

    /// `v.column1`, `v.column2`, … of one row of the marker.
    pub fn column(&self, place: usize, number: usize) -> &Value {
        &self.rows[place][number - 1]
    }

    /// The same where it is a number that is not NULL.
    pub fn integer_at(&self, place: usize, number: usize) -> i64 {
        integer(self.column(place, number))
    }

    /// The rows that are named by the first column of the marker.
    pub fn named(&self) -> Vec<(Uuid, usize)> {
        let id = |row: &Vec<Value>| {
            if let Value::Uuid(Some(id)) = row[0] { id } else { panic!("{row:?} names no row") }
        };
        self.rows.iter().enumerate().map(|(place, row)| (id(row), place)).collect()
    }
}

fn integer(value: &Value) -> i64 {
    if let Value::Integer(Some(number)) = value {
        *number
    } else {
        panic!("{value:?} is no number")
    }
}

/// What a statement means.
pub enum Meaning {
    /// What it finds in what is visible to it.
    Select(fn(&Seen<'_>, &Bound) -> Vec<RehearsalRow>),
    /// `INSERT … VALUES {rows:…} ON CONFLICT DO NOTHING`, or `VALUES ($1, $2, …)` for one row that
    /// must be new: its table, columns and what it returns are read from its text.
    Insert {
        /// The sets of columns that are unique.
        unique: &'static [&'static [&'static str]],
    },
    /// Changes rows.
    Update(Update),
    /// What it finds, once what that comes from is held.
    Hold(Hold),
}

/// With whom a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// With any number of others who do not change anything: `FOR SHARE`.
    Shared,
    /// With nobody.
    Alone,
}

/// A statement that holds what it reads.
pub struct Hold {
    /// What it finds in what is visible to it.
    pub finds: fn(&Seen<'_>, &Bound) -> Vec<RehearsalRow>,
    /// What is held of each, in this order: a table, the column that names the row in it, and how.
    pub holds: &'static [(Table, &'static str, Mode)],
}

/// A statement that changes rows. `place` is the row of the marker by which a row was found.
pub struct Update {
    /// Where they are.
    pub table: Table,
    /// Which rows may be meant.
    pub finds: fn(&Seen<'_>, &Bound) -> Vec<(Uuid, usize)>,
    /// The condition, which is looked at again once nobody else changes the row.
    pub if_still: fn(&RehearsalRow, &Bound, usize) -> bool,
    /// What becomes of them.
    pub sets: fn(&mut RehearsalRow, &Bound, usize),
}

/// What is visible to a statement: what was committed when it began, and what its own transaction
/// wrote.
pub struct Seen<'s> {
    pub(super) committed: &'s BTreeMap<(Table, Uuid), Arc<RehearsalRow>>,
    pub(super) own: Option<&'s BTreeMap<(Table, Uuid), Arc<RehearsalRow>>>,
}

impl Seen<'_> {
    /// One row.
    pub fn find(&self, table: Table, key: Uuid) -> Option<Arc<RehearsalRow>> {
        let own = self.own.and_then(|own| own.get(&(table, key)));
        own.or_else(|| self.committed.get(&(table, key))).cloned()
    }

    /// All rows of a table, by their names.
    pub fn rows(&self, table: Table) -> Vec<Arc<RehearsalRow>> {
        let whole = (table, Uuid::nil())..=(table, Uuid::max());
        let mut rows: BTreeMap<Uuid, &Arc<RehearsalRow>> =
            self.committed.range(whole.clone()).map(|((_, key), row)| (*key, row)).collect();
        if let Some(own) = self.own {
            rows.extend(own.range(whole).map(|((_, key), row)| (*key, row)));
        }
        rows.into_values().cloned().collect()
    }
}

/// What the text of an `INSERT` says.
pub(super) struct Insertion {
    pub(super) table: Table,
    pub(super) columns: Vec<&'static str>,
    pub(super) returning: Option<&'static str>,
    /// Whether a row whose key is taken is left out, and not an error.
    pub(super) may_be_taken: bool,
}

pub(super) fn insertion(sql: &'static str) -> Insertion {
    let unclear = || panic!("an INSERT of another form needs a meaning of another form: {sql}");
    let Some(rest) = sql.strip_prefix("INSERT INTO ") else { unclear() };
    let Some((name, rest)) = rest.split_once(" (") else { unclear() };
    let Some((columns, rest)) = rest.split_once(')') else { unclear() };
    let Some(table) = Table::ALL.into_iter().find(|table| table.name() == name) else { unclear() };
    let columns: Vec<&str> = columns.split(',').map(str::trim).collect();
    let places: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    let may_be_taken = rest.contains("VALUES {rows:") && rest.contains("ON CONFLICT DO NOTHING");
    if !may_be_taken && rest.trim() != format!("VALUES ({})", places.join(", ")) {
        unclear();
    }
    Insertion { table, columns, returning: returning(sql), may_be_taken }
}

/// The columns that an `INSERT` gives values to.
pub fn insertion_columns(sql: &'static str) -> Vec<&'static str> {
    insertion(sql).columns
}

/// The one column that a statement returns, without the name of its table, or `*`.
pub(super) fn returning(sql: &'static str) -> Option<&'static str> {
    let (_, returned) = sql.split_once(" RETURNING ")?;
    Some(returned.rsplit('.').next().unwrap_or(returned))
}
