//! A row that holds what this program does not write, as after a change by hand: the client learns that
//! something is broken and nothing else, and the log says which value of which row it is.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::Level;

use crate::support::{Actor, Database, TestApp};

/// What is logged by the thread of a test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What was logged since the last time.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn story(database: Database) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::ERROR)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // Of this thread alone, on which everything in this test runs.
    let _logging = tracing::subscriber::set_default(subscriber);
    let app = TestApp::start(database).await;
    let owner = app.owner().await;
    let car = owner.vehicles[0].clone();
    let command = owner.command(&car, "unlock").await.expect(200).text("command_id");
    let consent = owner.get(&format!("/v1/vehicles/{car}")).await.expect(200);
    let consent = consent.text("connection_id");
    app.idle().await;
    for (corrupt, mend, page, place) in [
        (
            "UPDATE commands SET causes = 'refused:planted'",
            "UPDATE commands SET causes = ''",
            format!("/v1/commands/{command}"),
            format!("commands.causes of {command}"),
        ),
        (
            "UPDATE connections SET status_reason = 'planted'",
            "UPDATE connections SET status_reason = NULL",
            format!("/v1/connections/{consent}"),
            format!("connections.status_reason of {consent}"),
        ),
        (
            "UPDATE vehicles SET suspended_reason = 'planted'",
            "UPDATE vehicles SET suspended_reason = NULL",
            format!("/v1/vehicles/{car}"),
            format!("vehicles.suspended_reason of {car}"),
        ),
    ] {
        owner.get(&page).await.expect(200);
        assert_eq!(log.take(), "");
        app.execute(corrupt).await;
        let problem = owner.get(&page).await.expect_problem(500, "internal");
        assert!(!problem.body.to_string().contains("planted"), "{}", problem.body);
        assert_eq!(problem.body["retryable"], json!(false));
        let logged = log.take();
        let expected = format!("{place} holds what cannot be: `planted` is not one of");
        assert!(logged.contains(&expected), "{expected} in: {logged}");
        app.execute(mend).await;
        owner.get(&page).await.expect(200);
    }
    ends_what_it_cannot_read(&app, &owner).await;
    app.finish().await;
}

/// What a grant allows may be unreadable: it ends with the account of its guest all the same.
async fn ends_what_it_cannot_read(app: &TestApp, owner: &Actor) {
    let (guest, admin) = (app.guest().await, app.admin().await);
    owner.lend(app, &guest).await;
    app.execute("UPDATE grants SET entitlements = 'planted'").await;
    let path = format!("/v1/users/{}/disable", guest.id);
    admin.post(&path, json!({})).await.expect(200);
    assert_eq!(app.count("SELECT COUNT(*) FROM grants WHERE end_reason = 'revoked'").await, 1);
}

#[tokio::test]
async fn a_corrupt_row_is_named_in_the_log_alone_on_sqlite() {
    story(Database::Sqlite).await;
}

#[tokio::test]
async fn a_corrupt_row_is_named_in_the_log_alone_on_postgres() {
    story(Database::Postgres).await;
}
