//! Somebody who wants to know who has an account, and measures.

use serde_json::json;

use crate::support::people::PASSWORD;
use crate::support::{Actor, on_both};

on_both! {
    async fn who_guesses_waits_for_no_writer_whether_there_is_an_account_or_not(app) {
        let guest = app.guest().await;
        // Somebody writes and does not stop: whoever waits for their turn to write is not answered.
        let writing = app.service().base.store.begin().await.unwrap();
        let nobody = Actor::nobody(app);
        for (email, password) in [
            ("guest@story.example", "not their password"),
            ("unknown@story.example", PASSWORD),
        ] {
            let body = json!({ "email": email, "password": password });
            nobody.post("/v1/sessions", body).await.expect_problem(401, "credentials_invalid");
        }
        drop(writing);
        app.idle().await;
        // It is recorded all the same.
        let path = format!("/v1/audit-entries?user_id={}&event=session.refused", guest.id);
        assert_eq!(app.admin().await.get(&path).await.expect(200).list("event").len(), 1);
    }
}
