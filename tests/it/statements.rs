//! Every statement is understood by both databases, with one row and with several.

use keylend::storage::statements;

use crate::support::on_both;

on_both! {
    async fn every_statement_is_understood(app) {
        for sql in statements() {
            let prepared = app.service().store.db().prepare(sql).await;
            assert!(prepared.is_ok(), "{sql}: {prepared:?}");
        }
    }
}
