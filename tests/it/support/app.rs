//! The whole service in this process, on a real socket, with a manual clock, seeded randomness
//! and the simulator as its vehicle cloud.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keylend::app::{App, Halted, Parts};
use keylend::clock::{Clock, ManualClock};
use keylend::config::Config;
use keylend::domain::time::Timestamp;
use keylend::entropy::SeededEntropy;
use keylend::service::Service;
use keylend::service::agreement::References;
use keylend::service::commands::reconcile;
use keylend::signing::keyring_file;
use keylend::storage::Location;
use keylend::storage::db::query;
use keylend::worker;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::cloud::Cloud;
use super::databases::{self, Database};
use super::people::ORGANIZATION;
use super::{record, settings};

/// A running instance of the service.
struct Instance {
    service: Service,
    stop: CancellationToken,
    server: JoinHandle<Result<(), Halted>>,
    url: String,
}

/// The service under test, and the world around it.
pub(crate) struct TestApp {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) cloud: Cloud,
    pub(crate) http: reqwest::Client,
    config: Config,
    seed: AtomicU64,
    instances: Vec<Instance>,
    folder: TempDir,
}

/// A client like an app's: it keeps connections and follows no redirect by itself.
pub(crate) fn http_client() -> reqwest::Client {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    #[expect(clippy::disallowed_methods, reason = "the tests play apps, not the service")]
    let builder = reqwest::Client::builder();
    builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(90))
        .build()
        .unwrap()
}

/// The moment at which every story begins.
pub(crate) fn the_beginning() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

impl TestApp {
    /// Starts the service on a fresh database, and a cloud with three cars.
    pub(crate) async fn start(database: Database) -> Self {
        Self::start_as(database, |_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn start_as(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(the_beginning()));
        let cloud = Cloud::start(Arc::clone(&clock), folder.path().join("journal.jsonl")).await;
        let key_file = folder.path().join("keylend.keys");
        keyring_file::create(&key_file, &SeededEntropy::from_seed(0), clock.now()).unwrap();
        let location = databases::fresh(database, folder.path()).await;
        let mut config = settings::standard(location, key_file, &cloud.url);
        change(&mut config);
        let http = http_client();
        let seed = AtomicU64::new(1);
        let mut app = Self { clock, cloud, http, config, seed, instances: Vec::new(), folder };
        app.add_instance().await;
        let (organization, admin) = (ORGANIZATION, "admin@story.example");
        app.create_admin(organization, admin).await;
        app
    }

    /// Starts one more instance on the same database.
    pub(crate) async fn add_instance(&mut self) {
        let stop = CancellationToken::new();
        let seed = self.seed.fetch_add(1, Ordering::Relaxed);
        let clock: Arc<dyn Clock> = self.clock.clone();
        let entropy = Arc::new(SeededEntropy::from_seed(seed));
        // The server's clock is the machine's, and the story's is not.
        let parts = Parts { clock, entropy, create: true, references: References::Record };
        let app = App::assemble(&self.config, parts, stop.clone()).await.unwrap();
        app.migrate().await.unwrap();
        let listener = TcpListener::bind(self.config.listen).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = app.service.clone();
        #[expect(clippy::disallowed_methods, reason = "the handle is awaited in `finish`")]
        let server = tokio::spawn(app.serve_with(listener.into(), false));
        self.instances.push(Instance { service, stop, server, url });
    }

    /// Where the database is, as the program's own commands are told.
    pub(crate) fn database_url(&self) -> String {
        match &self.config.database.location {
            Location::Sqlite(path) => format!("sqlite:{}", path.display()),
            Location::Postgres(url) => url.clone(),
        }
    }

    /// Stops every instance, copies the database as it is, and starts an instance again.
    pub(crate) async fn backup(&mut self) -> Location {
        self.stop().await;
        let copy = databases::copy(&self.config.database.location).await;
        self.add_instance().await;
        copy
    }

    /// Stops every instance and starts one on another database.
    pub(crate) async fn restore(&mut self, backup: Location) {
        self.stop().await;
        self.config.database.location = backup;
        self.add_instance().await;
    }

    /// Stops every instance and starts one with other settings.
    pub(crate) async fn change_settings(&mut self, change: impl FnOnce(&mut Config)) {
        self.stop().await;
        change(&mut self.config);
        self.add_instance().await;
    }

    /// Everything that the database holds.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        databases::dump(&self.config.database.location).await
    }

    /// Changes the database, as somebody would who owns it.
    pub(crate) async fn execute(&self, sql: &'static str) {
        let mut tx = self.service().base.store.begin().await.unwrap();
        query(sql).execute(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn stop(&mut self) {
        for instance in self.instances.drain(..) {
            instance.stop.cancel();
            instance.server.await.unwrap().unwrap();
        }
    }

    /// The first instance.
    pub(crate) fn url(&self) -> &str {
        &self.instances[0].url
    }

    /// Any instance.
    pub(crate) fn url_of(&self, instance: usize) -> &str {
        &self.instances[instance].url
    }

    /// The use cases of the first instance, for what no request can do.
    pub(crate) fn service(&self) -> &Service {
        &self.instances[0].service
    }

    /// The use cases of any instance.
    pub(crate) fn service_of(&self, instance: usize) -> &Service {
        &self.instances[instance].service
    }

    pub(crate) fn key_file(&self) -> &Path {
        &self.config.key_file
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Waits until no task is left of what was asked for.
    pub(crate) async fn idle(&self) {
        // The two gates and the keeper of metrics go on for ever.
        while self.service().tasks.len() > 3 {
            tokio::task::yield_now().await;
        }
    }

    /// Runs every background task once.
    pub(crate) async fn run_workers(&self) {
        worker::run_once(self.service()).await.unwrap();
    }

    /// Lets everything that waits for a check of a car be settled.
    pub(crate) async fn settle(&self) {
        self.advance(Duration::from_secs(3));
        while reconcile::reconcile(self.service()).await.unwrap() > 0 {}
    }

    /// A number from the database, for checks that no request can make.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut reader = self.service().base.store.read().await.unwrap();
        query(sql).fetch_optional::<i64>(&mut reader).await.unwrap().unwrap()
    }

    /// Checks the record against what happened, and stops everything.
    pub(crate) async fn finish(self) {
        self.check_record().await;
        self.end().await;
    }

    /// Stops everything, where the database alone no longer holds the whole record.
    pub(crate) async fn end(mut self) {
        self.stop().await;
    }

    /// Every command has exactly the entries that its life asks for, and everything that a car
    /// executed was authorized.
    pub(crate) async fn check_record(&self) {
        let open = "SELECT CAST(COUNT(*) AS BIGINT) FROM commands WHERE status = 'sending'";
        assert_eq!(self.count(open).await, 0, "commands were left in flight");
        let unmatched = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT c.command_id FROM commands c \
            LEFT JOIN audit_entries a ON a.command_id = c.command_id \
            AND a.event IN ('command.authorized', 'command.refused') \
            GROUP BY c.command_id HAVING COUNT(a.entry_id) <> 1) AS unmatched";
        assert_eq!(self.count(unmatched).await, 0, "a decision is not in the record exactly once");
        let unsettled = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT c.command_id FROM commands c \
            LEFT JOIN audit_entries a ON a.command_id = c.command_id WHERE c.status <> 'refused' \
            GROUP BY c.command_id HAVING COUNT(a.entry_id) < 2) AS unsettled";
        assert_eq!(self.count(unsettled).await, 0, "an outcome is not in the record");
        let authorized =
            "SELECT CAST(COUNT(*) AS BIGINT) FROM audit_entries WHERE event = 'command.authorized'";
        let executed = self.cloud.journal().await.len();
        let authorized = self.count(authorized).await;
        assert!(executed as i64 <= authorized, "{executed} executed, {authorized} authorized");
        record::sequence_and_sign(self.service()).await;
        let verified =
            record::verify(self.service()).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(verified.unsigned, 0);
        let agreed =
            record::replay(self.service()).await.unwrap_or_else(|finding| panic!("{finding}"));
        assert_eq!(agreed.open, 0, "decisions rest on an end that is not complete");
    }
}
