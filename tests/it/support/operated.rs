//! The program as an operator runs it: a service in a process of its own, a machine that makes
//! entries for its record, and the commands beside it.

use serde_json::{Value, json};

use super::app::http_client;
use super::databases::Database;
use super::people::PASSWORD;
use super::postgres::cluster;
use super::program::{Running, Terminal};
use super::{Actor, Reply};

/// A running service and a terminal with its settings.
pub(crate) struct Operated {
    pub(crate) terminal: Terminal,
    pub(crate) url: String,
    service: Running,
    client: (String, String),
}

impl Operated {
    /// Starts a service on a fresh database, with an administrator and an API client.
    pub(crate) async fn start(database: Database) -> Self {
        let mut terminal = Terminal::open();
        let database_url = match database {
            Database::Sqlite => {
                format!("sqlite:{}", terminal.folder().join("keylend.db").display())
            }
            Database::Postgres => {
                let made = tokio::task::spawn_blocking(|| cluster().create_database(None));
                made.await.unwrap()
            }
        };
        terminal.export("KEYLEND_DATABASE_URL", &database_url);
        terminal.export("KEYLEND_SIMULATOR_URL", "http://127.0.0.1:8090");
        terminal.export("KEYLEND_LISTEN", "127.0.0.1:0");
        terminal.export("KEYLEND_PUBLIC_URL", "https://keys.example.com");
        terminal.export("KEYLEND_RECORD_READER_TOKEN", "the-reader-token");
        // The client comes more often than a stranger may.
        terminal.export("KEYLEND_VISITS_PER_SECOND", "100000");
        terminal.run(&["migrate"]).await.well();
        let admin = ["admin", "create", "--organization", "Cars", "--email", "ada@example.com"];
        let arguments = [&admin[..], &["--password-stdin"]].concat();
        terminal.run_with(&arguments, PASSWORD).await.well();
        let (service, url) = serve(&terminal).await;
        let client = api_client(&url).await;
        Self { terminal, url, service, client }
    }

    /// Makes so many entries.
    pub(crate) async fn work(&self, entries: usize) {
        let (client_id, client_secret) = &self.client;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", client_secret),
        ];
        let http = http_client();
        for _ in 0..entries.div_ceil(16) {
            let asked = (0..16).map(|_| async {
                let answer = http.post(format!("{}/oauth/token", self.url)).form(&form);
                assert_eq!(answer.send().await.unwrap().status(), 200);
            });
            futures_util::future::join_all(asked).await;
        }
    }

    /// Waits until the published checkpoint covers so many entries, and returns it.
    pub(crate) async fn checkpoint_over(&self, entries: u64) -> String {
        loop {
            let answer = http_client().get(format!("{}/log/checkpoint", self.url)).send().await;
            let note = answer.unwrap().text().await.unwrap();
            let size = note.lines().nth(1).and_then(|line| line.parse::<u64>().ok());
            if size.is_some_and(|size| size >= entries) {
                return note;
            }
            tokio::task::yield_now().await;
        }
    }

    /// The public key of the record.
    pub(crate) async fn key(&self) -> String {
        self.terminal.run(&["keys", "show"]).await.well().trim().to_owned()
    }

    /// What the service answers to the operator's reader of entries.
    pub(crate) async fn entries(&self, number: &str) -> Reply {
        let reader = Actor::visiting(&self.url).with_token("the-reader-token");
        reader.get(&format!("/log/entries/{number}")).await
    }

    /// Ends the service; what it left can be worked on.
    pub(crate) async fn end(self) -> Terminal {
        assert!(self.service.terminate().await.success());
        self.terminal
    }
}

async fn serve(terminal: &Terminal) -> (Running, String) {
    let mut service = terminal.start(&["serve"]);
    let address = service.logged_after("address=").await;
    let url = format!("http://{}", address.split_whitespace().next().unwrap());
    (service, url)
}

async fn api_client(url: &str) -> (String, String) {
    let nobody = Actor::visiting(url);
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let session = nobody.post("/v1/sessions", body).await.expect(201);
    let admin = nobody.with_token(session.text("access_token"));
    let body: Value = json!({ "name": "Backend", "scopes": ["audit:read"] });
    let made = admin.post("/v1/api-clients", body).await.expect(201);
    (made.text("client_id"), made.text("client_secret"))
}
