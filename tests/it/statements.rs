//! Every statement is understood by both databases, with one row and with several; what one database
//! alone is given, by that one.

use keylend::storage::statements;

use crate::support::on_both;

on_both! {
    async fn every_statement_is_understood(app) {
        let db = app.service().store.db();
        let own = db.own_statements();
        assert!(!own.is_empty());
        for sql in statements().into_iter().chain(own) {
            let prepared = db.prepare(sql).await;
            assert!(prepared.is_ok(), "{sql}: {prepared:?}");
        }
    }
}
