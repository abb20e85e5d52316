//! Every statement is understood by both databases, with one row and with several; what one database
//! alone is given, by that one.

use keylend::storage::db::{FromRow, Origin, Query, Row, Value, query, run_each};
use keylend::storage::{StorageError, statements};

use crate::support::on_both;

on_both! {
    async fn every_statement_is_understood(app) {
        let db = app.service().base.store.db();
        let own = db.own_statements();
        assert!(!own.is_empty());
        for sql in statements().into_iter().chain(own) {
            let prepared = db.prepare(sql).await;
            assert!(prepared.is_ok(), "{sql}: {prepared:?}");
        }
    }
}

const ADD: &str = "INSERT INTO webhook_events (event_id, received_at) VALUES {rows:text,bigint} ON CONFLICT DO NOTHING";
const POSTPONE: &str = "UPDATE webhook_events SET received_at = received_at + $1 \
    WHERE event_id IN (VALUES {rows:text}) RETURNING event_id, received_at";
const FIND: &str =
    "SELECT event_id, received_at FROM webhook_events WHERE received_at = $1 ORDER BY event_id";
const DROP: &str = "DELETE FROM webhook_events WHERE event_id = $1";

/// A row of the events that were taken in.
#[derive(Debug, PartialEq)]
struct Event(String, i64);

impl FromRow for Event {
    const ORIGIN: Origin = Origin::of::<String>("webhook_events", "event_id");

    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self(row.get("event_id")?, row.get("received_at")?))
    }
}

fn add(names: impl IntoIterator<Item = String>, at: i64) -> Query {
    query(ADD).rows(names.into_iter().map(|name| [Value::from(name), Value::from(at)]))
}

on_both! {
    async fn statements_that_go_together_do_what_they_do_alone(app) {
        let mut tx = app.service().base.store.begin().await.unwrap();
        for (name, at) in [("a", 1), ("b", 5)] {
            add([name.to_owned()], at).execute_one(&mut tx).await.unwrap();
        }
        // Twice: the text that was made for the first is used again, with other rows.
        for round in 0..2 {
            let new = ["a".to_owned(), format!("c{round}"), format!("d{round}")];
            let postponed = query(POSTPONE).bind(10).rows([[Value::from("b")]]);
            let [added, nothing, postponed, found, dropped] = run_each(&mut tx, [
                add(new, 30),
                add([], 30),
                postponed,
                query(FIND).bind(1),
                query(DROP).bind("nobody"),
            ])
            .await
            .unwrap();
            added.must_count(2).unwrap();
            assert!(added.rows::<Event>().unwrap().is_empty());
            nothing.must_count(0).unwrap();
            postponed.must_count(1).unwrap();
            assert_eq!(postponed.rows::<Event>().unwrap(), [Event("b".into(), 15 + 10 * round)]);
            found.must_count(1).unwrap();
            assert_eq!(found.rows::<Event>().unwrap(), [Event("a".into(), 1)]);
            dropped.must_count(0).unwrap();
        }
        let many = (0..5000).map(|number| format!("e{number:04}"));
        let [added, found] =
            run_each(&mut tx, [add(many, 2), query(FIND).bind(30)]).await.unwrap();
        added.must_count(5000).unwrap();
        found.must_count(4).unwrap();
        let all = query(FIND).bind(2).fetch_all::<Event>(&mut tx).await.unwrap();
        assert_eq!((all.len(), &all[4999]), (5000, &Event("e4999".into(), 2)));
    }
}
