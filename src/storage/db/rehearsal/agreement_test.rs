//! Every statement that has a meaning in a rehearsal means the same to SQLite: the same random
//! rows and parameters bring the same answers and leave the same tables.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::sampler::{ROWS, Sampler};
use super::*;
use crate::storage::db::{FromRow, Origin, query};
use crate::storage::meanings::meanings;
use crate::storage::{Executor, Location, PostgresSettings};

/// Rounds; each runs every statement once, on fresh rows.
const ROUNDS: u64 = 20;

/// Nothing goes wrong and nobody else runs.
struct Alone;

impl Surroundings for Alone {
    fn pass(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn trouble(&self, _: Moment) -> Option<Trouble> {
        None
    }

    fn choose(&self, _: usize) -> usize {
        0
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }

    fn committed(&self, _: u64, _: &[Written]) {}
}

impl Executor for RehearsalConnection {
    fn session(&mut self) -> &mut dyn DbSession {
        self
    }
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// The texts that put a row into a table and read all of them.
struct Texts {
    table: Table,
    insert: &'static str,
    select: &'static str,
    delete: &'static str,
}

fn texts() -> Vec<Texts> {
    let of = |table: Table| {
        let names: Vec<&str> = table.columns().iter().map(|(name, _)| *name).collect();
        let places: Vec<String> = (1..=names.len()).map(|number| format!("${number}")).collect();
        let (name, columns) = (table.name(), names.join(", "));
        Texts {
            table,
            insert: leaked(format!(
                "INSERT INTO {name} ({columns}) VALUES ({})",
                places.join(", ")
            )),
            select: leaked(format!("SELECT {columns} FROM {name} ORDER BY {}", names[0])),
            delete: leaked(format!("DELETE FROM {name}")),
        }
    };
    Table::ALL.into_iter().map(of).collect()
}

/// A row with whatever columns it has, in the words that both databases have for their values:
/// SQLite keeps a boolean as a number, and no kind for NULL.
struct Any(Vec<(String, String)>);

impl FromRow for Any {
    const ORIGIN: Origin = Origin::UNNAMED;

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let word = |value: &Value| match value {
            Value::Boolean(Some(is_so)) => format!("{:?}", Value::from(i64::from(*is_so))),
            null if null.is_null() => "NULL".to_owned(),
            other => format!("{other:?}"),
        };
        Ok(Self(row.columns().map(|(name, value)| (name.to_owned(), word(value))).collect()))
    }
}

/// The rows in an order that does not depend on the database. Filling up a set with copies of its
/// last row may return a row twice.
fn sorted(rows: Vec<Any>) -> Vec<String> {
    let mut texts: Vec<String> = rows
        .into_iter()
        .map(|Any(mut columns)| {
            columns.sort_by(|a, b| a.0.cmp(&b.0));
            format!("{columns:?}")
        })
        .collect();
    texts.sort();
    texts.dedup();
    texts
}

async fn run(on: &mut impl Executor, sql: &'static str, bound: &Bound) -> Vec<String> {
    let rows = bound.rows.first().map(|first| {
        let (width, values) = (first.len(), bound.rows.concat());
        Rows { width, values }
    });
    let query = Query { sql, values: bound.values.clone(), rows, is_long: false };
    match query.fetch_all::<Any>(on).await {
        Ok(rows) => sorted(rows),
        // It changes nothing.
        Err(StorageError::Duplicate(_)) => vec!["a key that is taken".to_owned()],
        Err(error) => panic!("{error:?}: {sql}"),
    }
}

async fn fill(sqlite: &Db, rehearsed: &RehearsalDb, sampler: &mut Sampler, texts: &[Texts]) {
    let mut tx = sqlite.begin(Priority::Ordinary).await.unwrap();
    for table in texts.iter().rev() {
        query(table.delete).execute(&mut tx).await.unwrap();
    }
    for Texts { table, insert, .. } in texts {
        for place in 0..ROWS {
            let id = Uuid::from_u128((*table as u128 + 1) * 100 + place);
            let mut row = sampler.row(*table, id.into());
            row.refer_to_what_is_there();
            if *table == Table::Commands {
                row.set("idempotency_key", format!("{place}"));
            }
            let values = row.columns().iter().map(|(_, value)| value.clone()).collect();
            let inserting = Query { sql: insert, values, rows: None, is_long: false };
            inserting.execute(&mut tx).await.unwrap();
            rehearsed.put(*table, row);
        }
    }
    tx.commit().await.unwrap();
}

async fn sqlite(folder: &std::path::Path) -> Db {
    let location = Location::Sqlite(folder.join("agreement.db"));
    let db = Db::open(&location, PostgresSettings::default(), true).await.unwrap();
    db.migrate().await.unwrap();
    db
}

/// A table as the transaction sees it.
fn acted_out(connection: &RehearsalConnection, table: Table) -> Vec<String> {
    let state = connection.db.state();
    let rows = state.seen(connection.transaction).rows(table);
    let any = |row: &Arc<RehearsalRow>| Any::from_row(&Row::from(row.as_ref().clone()));
    sorted(rows.iter().map(any).collect::<Result<_, _>>().unwrap())
}

#[tokio::test]
async fn every_statement_means_to_a_rehearsal_what_it_means_to_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = sqlite(folder.path()).await;
    let texts = texts();
    for round in 0..ROUNDS {
        let mut sampler = Sampler::of_seed(round);
        for (sql, _, sample) in meanings() {
            let rehearsed = RehearsalDb::new(Kind::Concurrent, None, meanings(), Arc::new(Alone));
            fill(&sqlite, &rehearsed, &mut sampler, &texts).await;
            let bound = sample(&mut sampler);
            let mut real = sqlite.begin(Priority::Ordinary).await.unwrap();
            let mut acted = rehearsed.begin(0).await.unwrap();
            let about = format!("round {round}, {bound:?}: {sql}");
            assert_eq!(
                run(&mut acted, sql, &bound).await,
                run(&mut real, sql, &bound).await,
                "{about}"
            );
            let nothing = Bound { values: Vec::new(), rows: Vec::new() };
            for Texts { table, select, .. } in &texts {
                let left = run(&mut real, select, &nothing).await;
                assert_eq!(acted_out(&acted, *table), left, "{table:?}, {about}");
            }
        }
    }
}
